"""The database engine: what is asked of Vault, that no password shows, and what is refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pulumi
import pulumi_vault as vault
import pytest

from components.vault import postgresql
from components.vault.database import (
    USERNAME_TEMPLATE,
    DatabaseEngine,
    DatabaseEngineArgs,
    PostgresConnection,
)
from components.vault.database_roles import (
    DynamicRole,
    RotationPeriod,
    RotationSchedule,
    StaticRole,
)
from tests.unit.support.monitor import Deployment, deploy

PASSWORD = "fake-database-password-for-tests"
CONNECTION = PostgresConnection(
    name="mlflow",
    host="postgres.example.com",
    database="mlflow",
    password=PASSWORD,
    ca_pem="-----BEGIN CERTIFICATE-----\nfake\n-----END CERTIFICATE-----\n",
)
ARGS = DatabaseEngineArgs(
    connection=CONNECTION,
    roles=(
        DynamicRole(name="ml-readonly"),
        DynamicRole(name="ml-readwrite", privileges=postgresql.READ_WRITE),
    ),
    static_roles=(
        StaticRole(
            name="ml-tracking",
            username="tracking",
            rotation=RotationSchedule(cron="0 3 * * SUN"),
        ),
        StaticRole(name="ml-batch", username="batch", rotation=RotationPeriod(seconds=86_400)),
    ),
    protect=True,
)


def run(args: DatabaseEngineArgs = ARGS, *, preview: bool = False) -> Deployment:
    def program() -> None:
        provider = vault.Provider("vault", address="https://vault.example.com:8200")
        DatabaseEngine("database", args, pulumi.ResourceOptions(providers=[provider]))

    return deploy(program, preview=preview)


@pytest.fixture(scope="module", params=[False, True], ids=["up", "preview"])
def deployed(request: pytest.FixtureRequest) -> Deployment:
    return run(preview=request.param)


def test_the_tree_is_as_pinned(deployed: Deployment) -> None:
    assert deployed.tree() == [
        "pulumi:providers:vault vault",
        "strongroom:vault:DatabaseEngine database",
        "  vault:database/secretBackendConnection:SecretBackendConnection database-connection",
        "  vault:database/secretBackendRole:SecretBackendRole database-role-ml-readonly",
        "  vault:database/secretBackendRole:SecretBackendRole database-role-ml-readwrite",
        "  vault:database/secretBackendStaticRole:SecretBackendStaticRole database-static-ml-batch",
        "  vault:database/secretBackendStaticRole:SecretBackendStaticRole "
        "database-static-ml-tracking",
        "  vault:generic/endpoint:Endpoint database-rotate-root",
        "  vault:index/mount:Mount database-mount",
    ]


def test_everything_goes_through_the_given_provider(deployed: Deployment) -> None:
    made = [r for r in deployed.resources if r.type.startswith("vault:")]
    assert {r.provider for r in made} == {"vault"}


def test_the_password_is_write_only_and_secret(deployed: Deployment) -> None:
    found = deployed.one("vault:database/secretBackendConnection:SecretBackendConnection")
    settings = found.inputs["postgresql"]
    assert settings["passwordWo"] == PASSWORD
    assert settings["passwordWoVersion"] == 1
    assert "postgresql" in found.secret_inputs
    assert "password" not in settings
    assert "data" not in found.inputs
    others = [r.inputs for r in deployed.resources if r is not found]
    assert PASSWORD not in json.dumps(others, default=str)


def test_the_server_is_verified(deployed: Deployment) -> None:
    found = deployed.one("vault:database/secretBackendConnection:SecretBackendConnection")
    settings = found.inputs["postgresql"]
    assert settings["connectionUrl"] == (
        "postgresql://{{username}}:{{password}}@postgres.example.com:5432/mlflow"
        "?sslmode=verify-full"
    )
    assert settings["tlsCa"] == CONNECTION.ca_pem
    assert settings["passwordAuthentication"] == "scram-sha-256"
    assert found.inputs["verifyConnection"] is True


def test_exactly_the_roles_made_may_use_the_connection(deployed: Deployment) -> None:
    connection = deployed.one("vault:database/secretBackendConnection:SecretBackendConnection")
    made = {
        r.inputs["name"]
        for kind in ("Role", "StaticRole")
        for r in deployed.of_type(f"vault:database/secretBackend{kind}:SecretBackend{kind}")
    }
    assert set(connection.inputs["allowedRoles"]) == made
    assert len(made) == 4


def test_the_first_password_is_rotated_once_and_again_only_with_its_version() -> None:
    def rotation(version: int) -> Any:
        args = replace(ARGS, connection=replace(CONNECTION, password_version=version))
        return run(args).one("vault:generic/endpoint:Endpoint")

    first, same, next_ = rotation(1), rotation(1), rotation(2)
    assert first.inputs["path"] == "database/rotate-root/mlflow"
    assert first.inputs["dataJson"] == "{}"
    assert first.inputs["disableRead"] is True
    assert first.inputs["disableDelete"] is True
    assert first.inputs == next_.inputs
    assert first.request.replacement_trigger == same.request.replacement_trigger
    assert first.request.replacement_trigger != next_.request.replacement_trigger


def test_the_rotation_follows_the_connection_and_the_roles_follow_it(
    deployed: Deployment,
) -> None:
    connection = deployed.one("vault:database/secretBackendConnection:SecretBackendConnection")
    rotation = deployed.one("vault:generic/endpoint:Endpoint")
    assert connection.urn in rotation.depends_on
    assert list(rotation.request.replace_with) == [connection.urn]
    for kind in ("Role", "StaticRole"):
        for role in deployed.of_type(f"vault:database/secretBackend{kind}:SecretBackend{kind}"):
            assert rotation.urn in role.depends_on


def test_all_below_the_mount_goes_with_it(deployed: Deployment) -> None:
    """Unmounting ends the leases, for which Vault needs the connection."""
    mount = deployed.one("vault:index/mount:Mount")
    assert mount.protect
    below = [r for r in deployed.resources if r.parent == mount.parent and r is not mount]
    assert len(below) == 6
    assert {r.request.deletedWith for r in below} == {mount.urn}
    assert not any(r.protect for r in below)


def test_logins_live_an_hour_and_at_most_a_day(deployed: Deployment) -> None:
    role = deployed.one(
        "vault:database/secretBackendRole:SecretBackendRole", "database-role-ml-readonly"
    ).inputs
    assert (role["defaultTtl"], role["maxTtl"]) == (3600, 86_400)
    assert role["dbName"] == "mlflow"
    assert role["renewStatements"] == ["ALTER ROLE \"{{name}}\" VALID UNTIL '{{expiration}}';"]


def test_a_reader_reads_and_a_writer_does_not_delete(deployed: Deployment) -> None:
    kind = "vault:database/secretBackendRole:SecretBackendRole"
    reader = deployed.one(kind, "database-role-ml-readonly").inputs["creationStatements"]
    writer = deployed.one(kind, "database-role-ml-readwrite").inputs["creationStatements"]
    assert reader[-1] == 'GRANT SELECT ON ALL TABLES IN SCHEMA "public" TO "{{name}}";'
    assert 'GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA "public" TO "{{name}}";' in writer
    assert not re.search(r"DELETE|TRUNCATE|ALL PRIVILEGES|SUPERUSER", "".join(reader + writer))


def test_a_revoked_login_is_cut_off_before_it_is_dropped() -> None:
    statements = postgresql.revocation()
    assert "NOLOGIN" in statements[0]
    assert statements[1] == "COMMIT;", "nobody sees it before"
    assert "pg_terminate_backend" in statements[2]
    assert statements[-1].startswith("DROP ROLE")
    assert "DROP OWNED" not in "".join(statements)


def test_static_roles_rotate_by_schedule_or_period(deployed: Deployment) -> None:
    kind = "vault:database/secretBackendStaticRole:SecretBackendStaticRole"
    weekly = deployed.one(kind, "database-static-ml-tracking").inputs
    daily = deployed.one(kind, "database-static-ml-batch").inputs
    assert (weekly["rotationSchedule"], weekly["rotationWindow"]) == ("0 3 * * SUN", 3600)
    assert "rotationPeriod" not in weekly
    assert daily["rotationPeriod"] == 86_400
    assert "rotationSchedule" not in daily
    assert "passwordWo" not in weekly


def test_user_names_carry_nothing_a_stranger_chose() -> None:
    assert "DisplayName" not in USERNAME_TEMPLATE
    assert "random" in USERNAME_TEMPLATE
    assert "truncate 63" in USERNAME_TEMPLATE


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(CONNECTION, username="postgres"), "locks out everybody else"),
        (lambda: replace(CONNECTION, host="db.example.com/x?sslmode=disable"), "switch TLS off"),
        (lambda: replace(CONNECTION, database="mlflow?sslmode=disable"), "switch TLS off"),
        (lambda: replace(CONNECTION, password_version=0), "Start at 1"),
        (lambda: DynamicRole(name="r", ttl=7200, max_ttl=3600), "ttl <= max_ttl"),
        (lambda: DynamicRole(name="r", max_ttl=7 * 86_400), "live too long"),
        (lambda: DynamicRole(name="r", privileges=()), "can do nothing"),
        (lambda: DynamicRole(name="r", schema='public"; DROP'), "run as SQL"),
        (lambda: RotationPeriod(seconds=5), "an hour and 90 days"),
        (lambda: RotationSchedule(cron="@daily"), "five fields"),
        (lambda: RotationSchedule(cron="0 3 * * *", window=60), "3600 or more"),
        (lambda: replace(ARGS, roles=(), static_roles=()), "nobody can use"),
        (lambda: replace(ARGS, roles=(*ARGS.roles, ARGS.roles[0])), "given twice"),
        (lambda: replace(ARGS, roles=(DynamicRole(name="ml-*"),)), "no name of a role"),
        (lambda: replace(ARGS, path="/database/"), "no mount path"),
        (
            lambda: replace(
                ARGS,
                static_roles=(
                    StaticRole(
                        name="own", username="vault", rotation=RotationPeriod(seconds=86_400)
                    ),
                ),
            ),
            "Vault's own user",
        ),
        (
            lambda: replace(
                ARGS, static_roles=(ARGS.static_roles[0], replace(ARGS.static_roles[0], name="b"))
            ),
            "Give each user one role",
        ),
    ],
)
def test_what_would_do_harm_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_arguments_do_not_show_the_password() -> None:
    assert PASSWORD not in repr(ARGS)
    assert "postgres.example.com" in repr(ARGS)


def test_a_refusal_never_repeats_the_password() -> None:
    with pytest.raises(ValueError, match="username") as refused:
        replace(CONNECTION, username="root")
    assert PASSWORD not in str(refused.value)
