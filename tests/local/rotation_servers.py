"""What a rotation works on, before anything is rotated: Vault with TLS, users, engines, a login.

Owns how they are made. Every password that stands here is fake and is changed at once.
"""

from __future__ import annotations

import secrets
import stat
import time
from collections.abc import Callable
from pathlib import Path

import hvac

from local.services.postgresql import PostgresService
from local.services.postgresql_setup import let_change
from rotation import identity
from tests.vaultops.stand_ins import fake_jwt

DOCUMENT = "secret/ml/app-database"
KEY_DOCUMENT = "secret/ml/exporter-aws"
ROLE = identity.rotation_role()


def make_engines(vault: hvac.Client, database: PostgresService, audit_log: Path) -> None:
    """The users, the engines, the roles and the published credential."""
    password = secrets.token_urlsafe(16)
    with database.connect_as_admin() as admin:
        for statement in (
            "CREATE ROLE rotation_admin LOGIN CREATEROLE PASSWORD 'fake-first-password'",
            "GRANT pg_read_all_stats TO rotation_admin",
            "CREATE ROLE tracking LOGIN PASSWORD 'fake-first-password'",
            f"CREATE ROLE app LOGIN PASSWORD '{password}'",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO app",
        ):
            admin.execute(statement.encode())
        for administrator, user in (
            ("vault", "rotation_admin"),
            ("vault", "tracking"),
            ("rotation_admin", "app"),
        ):
            let_change(admin, administrator, user)
    vault.sys.enable_audit_device("file", options={"file_path": str(audit_log)})
    for engine in ("database", "transit", "aws"):
        vault.sys.enable_secrets_engine(engine)
    vault.secrets.transit.create_key("strongroom-rotation", key_type="ed25519")
    vault.write_data(
        "database/config/mlflow",
        data={
            "plugin_name": "postgresql-database-plugin",
            "allowed_roles": "*",
            "connection_url": "postgresql://{{username}}:{{password}}@127.0.0.1:"
            f"{database.host_port}/mlflow?sslmode=verify-full",
            "tls_ca": database.ca_file.read_text(),
            "username": "vault",
            "password": database.vault_password_file.read_text(),
            "password_authentication": "scram-sha-256",
        },
    )
    for role, user in (("rotation-admin", "rotation_admin"), ("tracking", "tracking")):
        vault.write_data(
            f"database/static-roles/{role}",
            data={
                "db_name": "mlflow",
                "username": user,
                "rotation_period": "2160h",
                "rotation_statements": ["ALTER ROLE \"{{name}}\" WITH PASSWORD '{{password}}';"],
            },
        )
    vault.secrets.kv.v2.create_or_update_secret(
        DOCUMENT.removeprefix("secret/"),
        {
            "engine": "postgres",
            "host": "127.0.0.1",
            "port": database.host_port,
            "dbname": "mlflow",
            "username": "app",
            "password": password,
        },
    )


def make_identity(vault: hvac.Client, ca_file: Path, reviewer: str, jwt: Path) -> None:
    """The rotator's role, with exactly the policy that `rotation.identity` gives it."""
    paths = identity.merged(
        [
            identity.common_paths("strongroom-rotation"),
            identity.document_paths(DOCUMENT),
            identity.document_paths(KEY_DOCUMENT),
            identity.admin_paths("rotation-admin"),
            identity.static_role_paths("tracking"),
            identity.database_root_paths("mlflow"),
            identity.aws_root_paths(),
        ]
    )
    vault.sys.create_or_update_policy(
        ROLE.policy, {"path": {path: {"capabilities": list(can)} for path, can in paths.items()}}
    )
    vault.sys.enable_auth_method("kubernetes")
    vault.write_data(
        "auth/kubernetes/config",
        data={
            "kubernetes_host": reviewer,
            "kubernetes_ca_cert": ca_file.read_text(),
            "disable_local_ca_jwt": True,
        },
    )
    vault.write_data(
        f"auth/kubernetes/role/{ROLE.name}",
        data={
            "bound_service_account_names": ROLE.service_account,
            "bound_service_account_namespaces": ROLE.namespace,
            "audience": ROLE.audience,
            "token_policies": ROLE.policy,
            "token_no_default_policy": True,
            "token_ttl": "1h",
        },
    )
    jwt.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
    jwt.write_text(fake_jwt(ROLE))


def until(condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Wait for a condition, or fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.05)
