"""STAND-IN for what AWS does in a rotation: its scheduler, and Lambda, which runs the function.

The function is the deployed one: its code by the checksum that the service reports, its handler
and environment as the service keeps them. It runs as a process of this machine, with the access
key that the stand-in takes from anybody, so nothing is proven here about its IAM rights.

Owns also what stands outside the program: the administrator's document, a login's first value.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import boto3
from psycopg import sql

from local.paths import REPOSITORY
from local.services.aws import AwsService
from local.services.host import ServiceError
from local.services.postgresql import PostgresService

REGION = "eu-central-1"
ADMINISTRATOR = "postgresql/administrator"
SECRET, USER = "ml/training/tracking", "tracking"  # as Pulumi.local.yaml has them
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
STEP_LIMIT = 60  # seconds, as the deployed function has
_ACCESS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
_RUN = """\
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
module, _, name = sys.argv[2].rpartition(".")
getattr(importlib.import_module(module), name)(json.load(sys.stdin), None)
"""


def client(cloud: AwsService, service: str) -> Any:
    """A client of the stand-in."""
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=cloud.endpoint,
        aws_access_key_id=_ACCESS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=_ACCESS["AWS_SECRET_ACCESS_KEY"],
    )


def administrator(cloud: AwsService, database: PostgresService) -> str:
    """The secret with the database administrator's document, made when missing; returns its ARN.

    Secrets of a destroyed stack are given up, which AWS would keep, and their names with them.
    """
    api = client(cloud, "secretsmanager")
    for secret in api.list_secrets(IncludePlannedDeletion=True)["SecretList"]:
        if "DeletedDate" in secret:
            api.delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)
    document = _document(database, database.admin_user, database.admin_password_file.read_text())
    try:
        arn: str = api.create_secret(Name=ADMINISTRATOR, SecretString=document)["ARN"]
    except api.exceptions.ResourceExistsException:
        arn = api.describe_secret(SecretId=ADMINISTRATOR)["ARN"]
        api.put_secret_value(SecretId=arn, SecretString=document)  # ports change with the node
    return arn


def store_first_value(cloud: AwsService, database: PostgresService) -> None:
    """Make USER, without what earlier rotations made, and store its login in SECRET.

    On AWS one of the secret's writers does this after the first deployment.
    """
    password = secrets.token_urlsafe(32)
    drop_users(database)
    with database.connect_as_admin() as connection:
        # The verifier is computed here, so that the password is in no statement and no log.
        verifier = connection.pgconn.encrypt_password(
            password.encode(), USER.encode(), b"scram-sha-256"
        )
        create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        connection.execute(create.format(sql.Identifier(USER), sql.Literal(verifier.decode())))
    client(cloud, "secretsmanager").put_secret_value(
        SecretId=SECRET, SecretString=_document(database, USER, password)
    )


def drop_users(database: PostgresService) -> None:
    """Remove USER and what rotations made of it from the database."""
    names = (USER, f"{USER}_clone", f"{USER}_owner")
    drop = sql.SQL("DROP ROLE IF EXISTS {}").format(
        sql.SQL(", ").join(sql.Identifier(name) for name in names)
    )
    with database.connect_as_admin() as connection:
        connection.execute(drop)


def rotate(cloud: AwsService, secret: str, log: Path) -> str:
    """Rotate `secret` now, as AWS would, and return the version that is current afterwards.

    The function's lines go to `log`. Raises ServiceError when a step fails; the next rotation
    begins anew, as it does on AWS.
    """
    api = client(cloud, "secretsmanager")
    described = api.describe_secret(SecretId=secret)
    token = str(uuid.uuid4())
    api.rotate_secret(SecretId=secret, ClientRequestToken=token)
    function = client(cloud, "lambda").get_function_configuration(
        FunctionName=described["RotationLambdaARN"]
    )
    for step in STEPS:
        event = {"Step": step, "SecretId": described["ARN"], "ClientRequestToken": token}
        _run(function, cloud, event, log)
    return token


def _run(function: Any, cloud: AwsService, event: dict[str, str], log: Path) -> None:
    command = [sys.executable, "-I", "-c", _RUN, str(_archive(function["CodeSha256"]))]
    with log.open("ab") as lines:
        done = subprocess.run(
            [*command, function["Handler"]],
            input=json.dumps(event).encode(),
            stdout=lines,
            stderr=subprocess.STDOUT,
            env={
                "PATH": os.environ["PATH"],
                "AWS_ENDPOINT_URL": cloud.endpoint,
                "AWS_REGION": REGION,
                "AWS_DEFAULT_REGION": REGION,
                **_ACCESS,
                **function["Environment"]["Variables"],
            },
            timeout=STEP_LIMIT,
            check=False,
        )
    if done.returncode:
        raise ServiceError(
            f"{function['FunctionName']} failed in {event['Step']} for {event['SecretId']}; "
            f"what it said is at the end of {log}"
        )


def _archive(sha256: str) -> Path:
    """The archive that was deployed, found where the program writes it."""
    for path in sorted((REPOSITORY / ".strongroom").glob("rotation-*.zip")):
        if base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode() == sha256:
            return path
    raise ServiceError(
        f"no archive in {REPOSITORY / '.strongroom'} has the deployed code's checksum {sha256}: "
        "its sources have changed since; deploy again (`make up`)"
    )


def _document(database: PostgresService, user: str, password: str) -> str:
    """A login as programs of this machine reach the database."""
    return json.dumps(
        {
            "engine": "postgres",
            "host": "127.0.0.1",
            "port": database.host_port,
            "dbname": database.database,
            "username": user,
            "password": password,
        }
    )
