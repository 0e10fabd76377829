"""From a stack's settings to rotations, and the login that they are carried out with.

Owns the translation and both ways to Vault: from a person's machine through the cluster, and from
a pod with the token that is mounted there. What a rotation does is `rotation`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import hvac
import typer

from cli.stack import kubectl_of, vault_of
from rotation import consumers as following
from rotation import vault
from rotation.alternation import Pair
from rotation.aws import Aws
from rotation.consumers import Cluster
from rotation.documents import Document, KvDocument, SecretsManagerDocument
from rotation.drivers import (
    database_password,
    iam_access_key,
    secrets_manager,
    vault_aws_root,
    vault_database_root,
    vault_static_role,
)
from rotation.drivers.aws_keys import KeysOf
from rotation.drivers.following import Following
from rotation.identity import rotation_role
from rotation.postgresql import Route, trust
from rotation.schedule import timetables
from rotation.steps import Rotation, Step
from rotation.vault import Clients
from settings import Settings
from settings import rotation as wanted
from vaultops.errors import DoubtError, VaultOpsError
from vaultops.identity import log_in, request_jwt
from vaultops.kubectl import Kubectl
from vaultops.state import observe
from vaultops.target import AddressTarget, Target

JwtFile = Annotated[
    Path | None,
    typer.Option(
        "--jwt-file",
        help="In a pod: the mounted token of the rotation's service account. Needs --ca-file.",
    ),
]
CaFile = Annotated[
    Path | None, typer.Option("--ca-file", help="In a pod: the CA that signed Vault's certificate.")
]
VaultAddress = Annotated[
    str | None,
    typer.Option("--vault-address", help="In a pod: Vault's address, not the settings' one."),
]


@dataclass(frozen=True, kw_only=True)
class Access:
    """How the rotator reaches Vault and the cluster. `jwt_file` None: a person's kubeconfig."""

    settings: Settings
    jwt_file: Path | None = None
    ca_file: Path | None = None
    address: str | None = None

    @contextmanager
    def clients(self) -> Iterator[Clients]:
        """Clients with a token of the rotation's role, which is revoked afterwards.

        Raises UnreachableError, DeniedError, UntrustedError; VaultOpsError for a file that cannot
        be read.
        """
        role = rotation_role(self.settings.vault.namespace)
        with self._reached() as (target, ordinal, kubectl):
            jwt = _read(self.jwt_file) if self.jwt_file else request_jwt(kubectl)(role)
            with target.pod_client(ordinal) as client:
                token: str = log_in(client, role, jwt)["client_token"]

            def clients() -> AbstractContextManager[hvac.Client]:
                return target.pod_client(ordinal, token)

            try:
                yield clients
            finally:
                with suppress(VaultOpsError):  # out of reach: it ends by itself
                    vault.write(clients, "auth/token/revoke-self")

    def cluster(self) -> Cluster:
        """Kubernetes: in a pod as the pod's own account, else as the person."""

        def kubectl(namespace: str) -> Kubectl:
            if self.jwt_file:
                return Kubectl(namespace=namespace)
            kubernetes = self.settings.kubernetes
            return Kubectl(
                namespace=namespace, kubeconfig=kubernetes.kubeconfig, context=kubernetes.context
            )

        return Cluster(kubectl=kubectl)

    @contextmanager
    def _reached(self) -> Iterator[tuple[Target, int, Kubectl]]:
        kubectl = kubectl_of(self.settings)
        if self.jwt_file is None:
            if self.ca_file or self.address:
                raise typer.BadParameter("--ca-file and --vault-address go with --jwt-file")
            with vault_of(self.settings) as target:
                active = observe(target).active
                if active is None:
                    raise DoubtError(
                        "no server is active, so nobody can log in",
                        where="sys/leader",
                        why=observe(target).missing or "no leader yet",
                        fix="wait for a leader, or unseal (`strongroom vault unseal`)",
                    )
                yield target, active, kubectl
            return
        if self.ca_file is None:
            raise typer.BadParameter("--jwt-file needs --ca-file: Vault gets no token unverified")
        address = self.address or self.settings.vault.address
        if not address.startswith("https://"):
            raise typer.BadParameter("--vault-address must begin with https://")
        _read(self.ca_file)
        yield AddressTarget(addresses=(address,), ca_file=str(self.ca_file)), 0, kubectl


def rotations(access: Access, clients: Clients) -> list[Rotation]:
    """Every rotation of the stack, in the settings' order. Raises VaultOpsError."""
    configured = access.settings.rotation
    days = [one.every_days or configured.every_days for one in configured.credentials]
    tables = timetables(days, configured.window.seconds)
    return [
        Rotation(
            name=credential.name,
            kind=str(credential.type),
            subject=_subject(credential, access.settings),
            timetable=table,
            steps=_steps(credential, access, clients),
            stuck_after=configured.stuck_after.seconds + _planned(credential),
            pair=credential.pair,
            consumers=tuple(
                f"{one.namespace}/{one.workload} ({one.reload})"
                for one in getattr(credential, "consumers", ())
            ),
        )
        for credential, table in zip(configured.credentials, tables, strict=True)
    ]


def _planned(credential: wanted.Credential) -> int:
    """How many seconds a step waits on purpose, before it can be stuck."""
    if isinstance(credential, wanted.IamAccessKey):
        return max(credential.quiet.seconds, credential.grace.seconds)
    return 0


def _subject(credential: wanted.Credential, settings: Settings) -> str:
    match credential:
        case wanted.DatabasePassword():
            return f"users {' and '.join(credential.users)} in {_document_name(credential.publish)}"
        case wanted.VaultStaticRole():
            return f"database/static-roles/{credential.role}"
        case wanted.VaultDatabaseRoot():
            return f"database/config/{_connection(settings)}"
        case wanted.VaultAwsRoot():
            return f"aws/config/root, IAM user {credential.user}"
        case wanted.IamAccessKey():
            return f"IAM user {credential.user} in {_document_name(credential.publish)}"
        case wanted.SecretsManagerValue():
            return f"AWS secret {credential.secret_id}"


def _steps(credential: wanted.Credential, access: Access, clients: Clients) -> tuple[Step, ...]:
    match credential:
        case wanted.DatabasePassword():
            database = database_password.Database(
                clients=clients,
                document=_document(credential.publish, access, clients),
                pair=Pair(users=credential.users, owner=credential.owner),
                admin_role=credential.admin,
                route=_route(access.settings),
            )
            return database_password.steps(database, _following(credential.consumers, access))
        case wanted.VaultStaticRole():
            return vault_static_role.steps(
                clients, credential.role, _following(credential.consumers, access)
            )
        case wanted.VaultDatabaseRoot():
            return vault_database_root.steps(clients, _connection(access.settings))
        case wanted.VaultAwsRoot():
            keys = KeysOf(client=_aws(access).client("iam"), user=credential.user)
            return vault_aws_root.steps(clients, keys)
        case wanted.IamAccessKey():
            user = iam_access_key.UserKey(
                keys=KeysOf(client=_aws(access).client("iam"), user=credential.user),
                accepts=_aws(access).accepts,
                document=_document(credential.publish, access, clients),
                quiet=credential.quiet.seconds,
                grace=credential.grace.seconds,
            )
            return iam_access_key.steps(user, _following(credential.consumers, access))
        case wanted.SecretsManagerValue():
            client = _aws(access).client("secretsmanager")
            return secrets_manager.steps(
                client, credential.secret_id, _following(credential.consumers, access)
            )


def _connection(settings: Settings) -> str:
    database = settings.engines.database
    assert database is not None, "settings/rules_rotation.py refuses a rotation without it"  # noqa: S101 -- for the type checker
    return database.database


def _route(settings: Settings) -> Route:
    database = settings.engines.database
    assert database is not None, "settings/rules_rotation.py refuses a rotation without it"  # noqa: S101 -- for the type checker
    return Route(tls=trust(_read(Path(database.ca_file))))


def _aws(access: Access) -> Aws:
    aws = access.settings.aws
    assert aws is not None, "settings/rules_rotation.py refuses a rotation without it"  # noqa: S101 -- for the type checker
    return Aws(region=aws.region, endpoint=aws.endpoint)


def _document(publish: wanted.Publish, access: Access, clients: Clients) -> Document:
    if publish.vault:
        return KvDocument(clients, publish.vault)
    return SecretsManagerDocument(
        _aws(access).client("secretsmanager"), str(publish.secrets_manager)
    )


def _document_name(publish: wanted.Publish) -> str:
    return publish.vault or f"AWS secret {publish.secrets_manager}"


def _following(consumers: tuple[wanted.Consumer, ...], access: Access) -> Following:
    return Following(
        consumers=[
            following.Consumer(
                namespace=one.namespace,
                workload=one.workload,
                reload=following.Reload(one.reload),
                endpoint=one.endpoint,
                external_secret=one.waits_for,
            )
            for one in consumers
        ],
        cluster=access.cluster(),
    )


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as reason:
        raise VaultOpsError(
            "a file that the rotation needs cannot be read",
            where=str(path),
            why=str(getattr(reason, "strerror", None) or "it is no text"),
            fix="name the right file, or let this user read it",
        ) from None
