"""The rotating secret of the real environment: rotated by its deployed function, and left alone.

AWS is the stand-in, which runs no function: `local.services.rotation` runs the deployed code as a
process. PostgreSQL is the real one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from local.environment import Environment
from local.services import aws, postgresql, rotation
from local.services.aws import AwsService
from local.services.postgresql import PostgresService

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

ROTATIONS = 3
CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"


@pytest.fixture(scope="module")
def cloud(environment: Environment) -> AwsService:
    return aws.start(environment.node, environment.instance)


@pytest.fixture(scope="module")
def database(environment: Environment) -> PostgresService:
    return postgresql.start(environment.node, environment.instance)


@pytest.fixture(scope="module")
def rotated(
    environment: Environment, cloud: AwsService, database: PostgresService
) -> Iterator[list[dict[str, Any]]]:
    """The documents that were current, the first one and that of each rotation."""
    rotation.store_first_value(cloud, database)
    log = environment.instance.logs / "rotation-function.log"
    documents = [document(cloud)]
    for _ in range(ROTATIONS):
        rotation.rotate(cloud, rotation.SECRET, log)
        documents.append(document(cloud))
    yield documents
    rotation.drop_users(database)


def document(cloud: AwsService, stage: str = CURRENT) -> dict[str, Any]:
    secrets = rotation.client(cloud, "secretsmanager")
    answer = secrets.get_secret_value(SecretId=rotation.SECRET, VersionStage=stage)
    found: dict[str, Any] = json.loads(answer["SecretString"])
    return found


def whoami(database: PostgresService, found: dict[str, Any]) -> tuple[Any, ...] | None:
    """Who the database says that a document's login is, and as whom it works."""
    with psycopg.connect(
        host=found["host"],
        port=found["port"],
        dbname=found["dbname"],
        user=found["username"],
        password=found["password"],
        sslmode="verify-full",
        sslrootcert=str(database.ca_file),
        connect_timeout=5,
    ) as session:
        return session.execute("SELECT session_user, current_user").fetchone()


def test_the_schedule_and_the_policy_are_there_as_the_program_says(
    environment: Environment, cloud: AwsService
) -> None:
    secrets = rotation.client(cloud, "secretsmanager")
    found = secrets.describe_secret(SecretId=rotation.SECRET)
    assert found["RotationEnabled"]
    assert found["RotationRules"]["AutomaticallyAfterDays"] == 1
    assert ":key/" in found["KmsKeyId"]
    policy = json.loads(secrets.get_resource_policy(SecretId=rotation.SECRET)["ResourcePolicy"])
    assert {s["Sid"] for s in policy["Statement"] if s["Effect"] == "Deny"} == {
        "ReadByNobodyElse",
        "WrittenByNobodyElse",
    }
    resources = environment.stack.export()["deployment"]["resources"]
    assert VERSION not in {resource["type"] for resource in resources}


def test_two_users_take_turns_and_the_one_before_still_logs_in(
    cloud: AwsService, database: PostgresService, rotated: list[dict[str, Any]]
) -> None:
    owner = f"{rotation.USER}_owner"
    users = [d["username"] for d in rotated]
    assert set(users) == {rotation.USER, f"{rotation.USER}_clone"}
    assert all(before != after for before, after in pairwise(users))
    assert len({d["password"] for d in rotated}) == len(rotated)
    assert whoami(database, rotated[-1]) == (users[-1], owner)
    assert whoami(database, document(cloud, PREVIOUS)) == (users[-2], owner)
    for gone in rotated[:-2]:
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            whoami(database, gone)
    versions = rotation.client(cloud, "secretsmanager").describe_secret(SecretId=rotation.SECRET)
    stages = [stages for stages in versions["VersionIdsToStages"].values() if stages]
    assert sorted(stages) == [[CURRENT], [PREVIOUS]]


@pytest.mark.usefixtures("rotated")
def test_an_up_after_rotations_and_a_refresh_changes_nothing(environment: Environment) -> None:
    (urn,) = (
        resource["urn"]
        for resource in environment.stack.export()["deployment"]["resources"]
        if resource["type"] == "aws:secretsmanager/secretRotation:SecretRotation"
    )
    environment.stack.refresh(urn)
    environment.stack.up("--expect-no-changes")


def test_no_password_is_in_state_or_logs(
    environment: Environment, database: PostgresService, rotated: list[dict[str, Any]]
) -> None:
    state = json.dumps(environment.stack.export()) + json.dumps(environment.stack.outputs())
    logs = {
        log.name: log.read_text(errors="replace") for log in environment.instance.logs.iterdir()
    }
    assert '"outcome": "done"' in logs["rotation-function.log"]
    passwords = [d["password"] for d in rotated] + [database.admin_password_file.read_text()]
    for password in passwords:
        assert password not in state
        assert [name for name, text in logs.items() if password in text] == []
