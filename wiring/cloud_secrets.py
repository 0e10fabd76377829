"""Secrets that the cloud rotates, and the identities that read them, from the settings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pulumi

from components.aws import rotating_secret as aws_secret
from components.aws import workload_identity as aws_identity
from components.aws.rotation_archive import HANDLER, rotation_archive
from components.aws.rotation_function import Network
from components.gcp import secret as gcp_secret
from components.gcp import workload_identity as gcp_identity
from components.kubernetes.store_providers import IRSA, WORKLOAD_IDENTITY
from components.vault.s3_policy import s3_read_policy
from settings import Problem, Settings, SettingsError
from settings.cloud_secrets import DatabaseLogins, GoogleSecret, Login
from wiring.clouds import Clouds
from wiring.files import unreadable

DAY = 24 * 60 * 60  # seconds
ARCHIVES = Path(".strongroom")


@dataclass(frozen=True, kw_only=True)
class Identities:
    """Roles and accounts by their names in the settings, and what exists when they can be named.

    `annotations` say to a cloud who each Kubernetes account is, by namespace and account.
    """

    aws: dict[str, str]
    google: dict[str, str]
    annotations: dict[tuple[str, str], dict[str, str]]
    waits: tuple[pulumi.Resource, ...]


def code(settings: Settings, *, source: str) -> pulumi.Archive | None:
    """The rotation functions' code, written below .strongroom; None when there is no function.

    Raises SettingsError when the file of authorities cannot be read; `source` names it in the
    message.
    """
    logins = settings.cloud_secrets.database_logins
    if logins is None:
        return None
    ca_pem = None
    if logins.ca_file is not None:
        path = Path(logins.ca_file)
        if wrong := unreadable(path):
            problem = Problem(
                "cloudSecrets.databaseLogins.caFile",
                f"names {logins.ca_file!r}, which {wrong}",
                "the functions would trust no server, and no login be rotated",
                "the path of a file with the CAs' certificates",
            )
            raise SettingsError(source, [problem])
        ca_pem = path.read_text()
    # A name of its own for each set of authorities: stacks of one checkout may be deployed at once.
    name = hashlib.sha256((ca_pem or "").encode()).hexdigest()[:12]
    return rotation_archive(ARCHIVES / f"rotation-{name}.zip", ca_pem=ca_pem)


def identities(settings: Settings, clouds: Clouds) -> Identities:
    """Roles and accounts for Kubernetes accounts."""
    roles, accounts = settings.identities.aws, settings.identities.google
    partition = roles.provider.split(":")[1] if roles else ""
    made_roles = {
        role.name: aws_identity.WorkloadIdentity(
            f"identity-{role.name}",
            aws_identity.WorkloadIdentityArgs(
                role=f"strongroom-{settings.environment}-{role.name}",
                provider=roles.provider,
                namespace=role.namespace,
                account=role.account,
                policies={"buckets": s3_read_policy(role.buckets, partition=partition)}
                if role.buckets
                else {},
                boundary=roles.boundary,
                session=roles.session.seconds,
            ),
            clouds.aws,
        )
        for role in (roles.roles if roles else ())
        if roles
    }
    made_accounts = {
        each.name: gcp_identity.WorkloadIdentity(
            f"identity-{each.name}",
            gcp_identity.WorkloadIdentityArgs(
                project=settings.gcp.project,
                account_id=each.name,
                pool_project=accounts.cluster_project,
                namespace=each.namespace,
                account=each.account,
            ),
            clouds.gcp,
        )
        for each in (accounts.accounts if accounts else ())
        if accounts and settings.gcp
    }
    annotations: dict[tuple[str, str], dict[str, str]] = {}
    for role in roles.roles if roles else ():
        known = annotations.setdefault((role.namespace, role.account), {})
        known[IRSA] = made_roles[role.name].arn
    for each in accounts.accounts if accounts and made_accounts else ():
        known = annotations.setdefault((each.namespace, each.account), {})
        known[WORKLOAD_IDENTITY] = made_accounts[each.name].email
    return Identities(
        aws={name: made.arn for name, made in made_roles.items()},
        google={name: made.email for name, made in made_accounts.items()},
        annotations=annotations,
        waits=(*(made.role for made in made_roles.values()), *made_accounts.values()),
    )


def rotating(
    settings: Settings, code: pulumi.Archive | None, who: Identities, clouds: Clouds
) -> None:
    """Every secret of the settings, with its rotation."""
    if (logins := settings.cloud_secrets.database_logins) and code:
        for login in logins.logins:
            _login(settings, logins, login, code, who, clouds)
    for secret in settings.cloud_secrets.google:
        _google(settings, secret, who, clouds)


def _login(
    settings: Settings,
    logins: DatabaseLogins,
    login: Login,
    code: pulumi.Archive,
    who: Identities,
    clouds: Clouds,
) -> None:
    _, _, _, region, account_id = logins.administrator.split(":")[:5]
    network = logins.network
    aws_secret.RotatingSecret(
        f"login-{login.name}",
        aws_secret.RotatingSecretArgs(
            identifier=f"strongroom-{settings.environment}-login-{login.name}",
            secret=login.secret,
            description=f"Login of {login.user} to PostgreSQL, rotated",
            region=region,
            account_id=account_id,
            master=logins.administrator,
            master_key=logins.administrator_key,
            readers=tuple(who.aws.get(reader, reader) for reader in login.readers),
            writers=logins.writers,
            code=code,
            handler=HANDLER,
            user=login.user,
            owner=login.owner,
            network=Network(subnets=network.subnets, security_groups=network.security_groups)
            if network
            else None,
            log_days=logins.logs.seconds // DAY,
            rotation_days=login.rotation.seconds // DAY,
            recovery_window=settings.cloud_secrets.recovery.seconds // DAY,
            protect=settings.protect,
            waits=who.waits,
        ),
        clouds.aws,
    )


def _google(settings: Settings, secret: GoogleSecret, who: Identities, clouds: Clouds) -> None:
    cloud = settings.gcp
    if cloud is None:
        raise ValueError("cloudSecrets.google: the settings name no project of Google Cloud")
    gcp_secret.RotatingSecret(
        f"secret-{secret.name}",
        gcp_secret.RotatingSecretArgs(
            project=cloud.project,
            location=cloud.region,
            secret=secret.name,
            key=secret.key,
            first_rotation=secret.first_rotation,
            rotation_days=secret.rotation.seconds // DAY,
            destroy_days=secret.destroyed_after.seconds // DAY,
            readers=tuple(who.google.get(reader, reader) for reader in secret.readers),
            writers=secret.writers,
            protect=settings.protect,
            waits=who.waits,
        ),
        clouds.gcp,
    )
