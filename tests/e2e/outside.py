"""What Vault has made outside the cluster: logins of the database, users of the cloud account."""

from __future__ import annotations

from typing import Any

import boto3
import psycopg

from local.environment import Environment
from local.services.postgresql import PostgresService

# Who may have a login of the database: namespace, account and role of the example's grant.
TRAINER = ("ml-training", "ml-training-sa", "ml-training")
READER = "database/creds/ml-readonly"


def connect(database: PostgresService, lease: dict[str, Any]) -> psycopg.Connection[Any]:
    """A session with what Vault has given, or psycopg.OperationalError."""
    return psycopg.connect(
        host="127.0.0.1",
        port=database.host_port,
        dbname=database.database,
        user=lease["data"]["username"],
        password=lease["data"]["password"],
        sslmode="verify-full",
        sslrootcert=str(database.ca_file),
        connect_timeout=5,
        autocommit=True,
    )


def roles(database: PostgresService) -> set[str]:
    """Every role that PostgreSQL knows besides its own."""
    with database.connect_as_admin() as admin:
        rows = admin.execute("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")
        return {str(row[0]) for row in rows}


def logins(database: PostgresService) -> set[str]:
    """Every login that Vault has made."""
    return {role for role in roles(database) if role.startswith("v-")}


def aws(environment: Environment, service: str) -> Any:
    """A client of the AWS stand-in, as the account's owner."""
    return boto3.client(
        service,
        region_name="eu-central-1",
        endpoint_url=aws_endpoint(environment),
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def aws_endpoint(environment: Environment) -> str:
    """Where this machine reaches the stand-in."""
    return f"http://127.0.0.1:{environment.node.status().forwards['aws'].host_port}"


def iam_users(environment: Environment) -> list[str]:
    """The users of the account."""
    return [user["UserName"] for user in aws(environment, "iam").list_users()["Users"]]
