"""AWS for rotations: moto that checks who asks, with a rotator who may do little.

Owns the accounts. Every key here is moto's own invention.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

import boto3
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"
EXPORTER, VAULT = "fake-exporter", "fake-vault"
# What docs/runbooks/rotation.md says that the rotator needs.
ROTATOR_MAY = (
    "iam:ListAccessKeys",
    "iam:CreateAccessKey",
    "iam:UpdateAccessKey",
    "iam:DeleteAccessKey",
    "iam:GetAccessKeyLastUsed",
)


@dataclass(frozen=True, kw_only=True)
class FakeAws:
    """The endpoint, the rotator's environment, and the first key of each user."""

    endpoint: str
    rotator: dict[str, str]
    exporter: tuple[str, str]
    vault: tuple[str, str]

    def client(self, service: str, key: tuple[str, str]) -> Any:
        """A client with that key, which moto checks."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=key[0],
            aws_secret_access_key=key[1],
        )

    def works(self, key: tuple[str, str]) -> bool:
        """Whether AWS takes the key; moto lets inactive ones in."""
        try:
            self.client("sts", key).get_caller_identity()
        except ClientError:
            return False
        return self.keys(EXPORTER).get(key[0], "Active") == "Active"

    def keys(self, user: str) -> dict[str, str]:
        """Each key's status."""
        as_rotator = (self.rotator["AWS_ACCESS_KEY_ID"], self.rotator["AWS_SECRET_ACCESS_KEY"])
        found = self.client("iam", as_rotator).list_access_keys(UserName=user)
        return {one["AccessKeyId"]: one["Status"] for one in found["AccessKeyMetadata"]}


@contextmanager
def fake_aws() -> Iterator[FakeAws]:
    """moto with the three users; from here on it checks every request."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    iam = boto3.client(
        "iam",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    made: dict[str, tuple[str, str]] = {}
    try:
        for user, actions in (
            ("fake-rotator", ROTATOR_MAY),
            (EXPORTER, ("s3:ListAllMyBuckets",)),
            (
                VAULT,
                ("iam:GetUser", "iam:CreateAccessKey", "iam:DeleteAccessKey", "sts:AssumeRole"),
            ),
        ):
            iam.create_user(UserName=user)
            iam.put_user_policy(UserName=user, PolicyName="fake", PolicyDocument=_policy(actions))
            key = iam.create_access_key(UserName=user)["AccessKey"]
            made[user] = (key["AccessKeyId"], key["SecretAccessKey"])
        _check_after(endpoint, b"0")
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        yield FakeAws(
            endpoint=endpoint,
            rotator=dict(zip(names, made["fake-rotator"], strict=True)),
            exporter=made[EXPORTER],
            vault=made[VAULT],
        )
    finally:
        # The switch and the users are the whole process's, and others use moto too.
        _check_after(endpoint, b"inf")
        for user in made:
            _delete(iam, user)
        server.stop()


def _delete(iam: Any, user: str) -> None:
    for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=user, PolicyName="fake")
    iam.delete_user(UserName=user)


def _check_after(endpoint: str, requests: bytes) -> None:
    """Have moto check keys and rights from so many requests on."""
    switch = Request(  # noqa: S310 -- the switch of moto itself
        f"{endpoint}/moto-api/reset-auth", data=requests, headers={"Content-Type": "text/plain"}
    )
    urlopen(switch).close()  # noqa: S310 -- loopback


def _policy(actions: tuple[str, ...]) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
