"""The database engine, with one PostgreSQL connection: logins made on request, or rotated in place.

Owns the mount, the connection, its roles and the first rotation of Vault's own password. The SQL is
in postgresql.py. Of the password it takes the first value only, in a write-only field: the engine
keeps an encrypted copy of such an input (pulumi/pulumi-terraform-bridge#3201), so the password is
rotated as soon as Vault has it, and the copy opens nothing any more. The rotation happens once for
each `password_version`, never again by a later `up`.

To hand Vault a new password (its user was reset by hand): set it in the database, add 1 to
`password_version`, and deploy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_vault as vault

from components.vault import inputs, postgresql
from components.vault.database_roles import (
    DynamicRole,
    RotationPeriod,
    RotationSchedule,
    StaticRole,
)
from components.vault.inputs import DAY, refuse

# No display name in it: an identity provider chooses that, and the SQL would carry it unescaped.
# PostgreSQL cuts names at 63 bytes; a cut name could not be dropped again.
USERNAME_TEMPLATE = (
    '{{ printf "v-%s-%s-%s" (.RoleName | truncate 20) (random 20) (unix_time) | truncate 63 }}'
)
_SUPERUSERS = frozenset({"postgres", "root", "admin", "rdsadmin", "cloudsqladmin"})


@dataclass(frozen=True, kw_only=True)
class PostgresConnection:
    """A PostgreSQL server, reached with TLS whose certificate and host name are verified.

    `username` is a database user for Vault alone. `password` is its first one. `ca_pem` are the
    certificates that may have signed the server's.
    """

    name: str
    host: str
    database: str
    password: pulumi.Input[str] = field(repr=False)
    ca_pem: pulumi.Input[str]
    port: int = 5432
    username: str = "vault"
    password_version: int = 1

    def __post_init__(self) -> None:
        inputs.role_names("connection name", [self.name])
        inputs.version("password_version", self.password_version)
        for name, value in (("host", self.host), ("database", self.database)):
            if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", value):
                raise refuse(
                    name,
                    value,
                    "is no plain name; in an address it could change the host or switch TLS off",
                    "Use letters, digits, dots, dashes and underscores",
                )
        if self.username in _SUPERUSERS:
            raise refuse(
                "username",
                self.username,
                "is the administrator; Vault rotates the password, which locks out everybody else",
                "Make a user for Vault alone, with CREATEROLE",
            )

    @property
    def url(self) -> str:
        """The address, with placeholders where Vault puts user and password."""
        return (
            f"postgresql://{{{{username}}}}:{{{{password}}}}@{self.host}:{self.port}/"
            f"{self.database}?sslmode=verify-full"
        )


@dataclass(frozen=True, kw_only=True)
class DatabaseEngineArgs:
    """`protect` keeps the mount, and with it every role, from being deleted."""

    connection: PostgresConnection
    roles: Sequence[DynamicRole] = ()
    static_roles: Sequence[StaticRole] = ()
    path: str = "database"
    protect: bool = False

    def __post_init__(self) -> None:
        inputs.mount_path("path", self.path)
        if not self.role_names:
            raise refuse("roles", [], "leave a connection nobody can use", "Name a role")
        inputs.role_names("roles", self.role_names)
        users = [role.username for role in self.static_roles]
        for user in users:
            if user in {self.connection.username, *_SUPERUSERS}:
                raise refuse(
                    "static role username",
                    user,
                    "is Vault's own user or the administrator; its rotation locks them out",
                    "Name a user that only workloads use",
                )
            if users.count(user) > 1:
                raise refuse(
                    "static role username",
                    user,
                    "has two roles; each rotation would make the other's password useless",
                    "Give each user one role",
                )

    @property
    def role_names(self) -> list[str]:
        """Every role, dynamic ones first: exactly these may use the connection."""
        return [*(role.name for role in self.roles), *(role.name for role in self.static_roles)]


class DatabaseEngine(pulumi.ComponentResource):
    """Produces the mount, the connection, the rotation of its password, and the roles.

    Everything below the mount goes away with it: Vault ends the leases first, for which it needs
    the connection that a deletion one by one would already have taken.
    """

    path: pulumi.Output[str]

    def __init__(
        self, name: str, args: DatabaseEngineArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:DatabaseEngine", name, {}, opts)
        mount = vault.Mount(
            f"{name}-mount",
            path=args.path,
            type="database",
            description="Logins of databases, made on request",
            max_lease_ttl_seconds=DAY,
            opts=pulumi.ResourceOptions(
                parent=self, protect=args.protect, delete_before_replace=True
            ),
        )
        connection = self._connection(name, args, mount)
        rotated = vault.generic.Endpoint(
            f"{name}-rotate-root",
            path=pulumi.Output.concat(mount.path, "/rotate-root/", args.connection.name),
            data_json="{}",
            disable_read=True,
            disable_delete=True,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[connection],
                deleted_with=mount,
                replace_with=[connection],
                replacement_trigger=args.connection.password_version,
            ),
        )
        # After the rotation: it closes the connections that a role being made would use.
        below = pulumi.ResourceOptions(
            parent=self, depends_on=[rotated], deleted_with=mount, delete_before_replace=True
        )
        for role in args.roles:
            vault.database.SecretBackendRole(
                f"{name}-role-{role.name}",
                backend=mount.path,
                name=role.name,
                db_name=connection.name,
                creation_statements=list(postgresql.creation(role.privileges, role.schema)),
                revocation_statements=list(postgresql.revocation(role.schema)),
                renew_statements=list(postgresql.RENEWAL),
                default_ttl=role.ttl,
                max_ttl=role.max_ttl,
                opts=below,
            )
        for static in args.static_roles:
            vault.database.SecretBackendStaticRole(
                f"{name}-static-{static.name}",
                backend=mount.path,
                name=static.name,
                db_name=connection.name,
                username=static.username,
                rotation_statements=[postgresql.ALTER_PASSWORD],
                opts=below,
                **_rotation(static.rotation),
            )
        self.path = mount.path
        self.register_outputs({"path": self.path})

    def _connection(
        self, name: str, args: DatabaseEngineArgs, mount: vault.Mount
    ) -> vault.database.SecretBackendConnection:
        server = args.connection
        return vault.database.SecretBackendConnection(
            f"{name}-connection",
            backend=mount.path,
            name=server.name,
            allowed_roles=args.role_names,
            verify_connection=True,
            postgresql=vault.database.SecretBackendConnectionPostgresqlArgs(
                connection_url=server.url,
                username=server.username,
                password_wo=pulumi.Output.secret(server.password),
                password_wo_version=server.password_version,
                # Vault hashes each password: neither the wire nor the server's log has it in clear.
                password_authentication="scram-sha-256",  # noqa: S106 -- a method, no password
                tls_ca=server.ca_pem,
                username_template=USERNAME_TEMPLATE,
            ),
            opts=pulumi.ResourceOptions(
                parent=self, deleted_with=mount, delete_before_replace=True
            ),
        )


def _rotation(rotation: RotationPeriod | RotationSchedule) -> dict[str, int | str]:
    if isinstance(rotation, RotationPeriod):
        return {"rotation_period": rotation.seconds}
    return {"rotation_schedule": rotation.cron, "rotation_window": rotation.window}
