"""What a rotation needs, on loopback: a real PostgreSQL, and moto in the place of Secrets Manager.

Owns starting and stopping both, and the one thing that AWS does by itself and moto does not: to
begin a rotation with an empty pending version.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import ThreadedMotoServer

from local.node.forwards import free_port
from local.paths import Instance
from local.services import postgresql
from local.services.direct_node import DirectNode
from local.services.postgresql import PostgresService

REGION = "eu-central-1"


@dataclass(frozen=True)
class Servers:
    """Both servers; `endpoint` is where Secrets Manager answers."""

    postgres: PostgresService
    endpoint: str
    log: Path

    def client(self) -> Any:
        """A client of Secrets Manager."""
        return boto3.client(
            "secretsmanager",
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="fake",
            aws_secret_access_key="fake",  # noqa: S106 -- moto takes any
        )

    def document(self, username: str, password: str, **more: object) -> str:
        """A credential document for this PostgreSQL."""
        server = self.postgres
        login = {"username": username, "password": password, "dbname": server.database}
        where = {"engine": "postgres", "host": server.host, "port": server.port}
        return json.dumps({**where, **login, **more})

    def store(self, name: str, document: str) -> str:
        """A new secret whose rotation is enabled; returns its ARN."""
        arn: str = self.client().create_secret(Name=name, SecretString=document)["ARN"]
        secret = _secret(arn)
        secret.rotation_requested = secret.rotation_enabled = True
        return arn

    def store_admin(self) -> str:
        """The superuser's document; returns its ARN."""
        password = self.postgres.admin_password_file.read_text()
        return self.store("fake/admin", self.document(self.postgres.admin_user, password))

    def begin(self, arn: str) -> str:
        """What RotateSecret does first: a pending version without a value; returns its id."""
        token, secret = str(uuid.uuid4()), _secret(arn)
        secret.remove_version_stages_from_old_versions(["AWSPENDING"])
        secret.versions[token] = {
            "createdate": 0,
            "version_id": token,
            "version_stages": ["AWSPENDING"],
        }
        return token


@contextmanager
def running(folder: Path) -> Iterator[Servers]:
    """Both servers, with their files below `folder`, until the block ends."""
    instance = Instance("rotation")
    node = DirectNode(folder / "logs")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each request
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    try:
        service = postgresql.start(node, instance, port=free_port())
        host, port = moto.get_host_and_port()
        yield Servers(service, f"http://{host}:{port}", node.logs / "postgresql.log")
    finally:
        postgresql.stop(node, instance)
        moto.stop()


def _secret(arn: str) -> Any:
    return secretsmanager_backends[DEFAULT_ACCOUNT_ID][REGION].secrets[arn]
