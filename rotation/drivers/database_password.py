"""A PostgreSQL password, by two users that take turns: no login is refused at any time.

Publishes the idle user with a new password, waits until every pod has moved, and makes the old
password useless. The alternation itself is `rotation.alternation`. The administrator is a user
whose password Vault rotates (a static role), read when a step needs it and kept nowhere.

Needs: read `database/static-creds/ADMIN`; read and update (or the AWS rights) of the document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rotation import alternation, postgresql, vault
from rotation.alternation import Pair
from rotation.consumers import Session
from rotation.credential import Credential
from rotation.documents import CredentialStore, Document
from rotation.drivers.following import Following
from rotation.postgresql import Route
from rotation.steps import Facts, Run, Step
from rotation.vault import Clients
from vaultops.errors import DoubtError, VaultOpsError

_SESSIONS = (
    "SELECT usename::text, coalesce(host(client_addr), '') FROM pg_stat_activity "
    "WHERE usename IS NOT NULL"
)


@dataclass(frozen=True, kw_only=True)
class Database:
    """The pair whose credential `document` publishes; `admin_role` is a static role of Vault."""

    clients: Clients
    document: Document
    pair: Pair
    admin_role: str
    route: Route

    def admin(self, current: Credential) -> Credential:
        """The administrator's login on the same server. Raises VaultOpsError."""
        path = f"database/static-creds/{self.admin_role}"
        found = vault.read(self.clients, path)
        if found is None:
            raise VaultOpsError(
                "there is no administrator to change passwords",
                where=path,
                why="Vault has no such static role",
                fix="add the role to strongroom:engines.database.staticRoles and deploy",
            )
        return Credential(
            host=current.host,
            port=current.port,
            database=current.database,
            username=str(found["username"]),
            password=str(found["password"]),
        )

    def sessions(self) -> list[Session]:
        """Every open session of the server. Raises RotationError, VaultOpsError."""
        current = CredentialStore(self.document).current()
        with postgresql.session(self.admin(current), self.route) as connection:
            rows: Sequence[Sequence[str]] = connection.run(_SESSIONS) or ()
        return [Session(user=user, address=address) for user, address in rows]


def steps(database: Database, following: Following) -> tuple[Step, ...]:
    """Choose, publish, wait for the consumers, revoke."""

    def choose(_: Run) -> Facts:
        current = CredentialStore(database.document).current()
        return {"old": current.username, "new": database.pair.idle(current)}

    def publish(run: Run) -> Facts:
        store = CredentialStore(database.document)
        current = store.current()
        if current.username != run.facts["new"]:
            alternation.rotate(
                store, admin=database.admin(current), pair=database.pair, route=database.route
            )
        elif not postgresql.can_log_in(current, database.route):
            raise DoubtError(
                f"the published login of {current.username} is refused",
                where=f"{database.document.where}, {current.server}",
                why="somebody changed its password while it was rotated; who reads it now cannot "
                "work",
                fix=f"publish the version before, of {run.facts['old']}, at once; then run the "
                "rotation again",
            )
        return {}

    def revoke(run: Run) -> Facts:
        current = CredentialStore(database.document).current()
        if current.username != run.facts["new"]:
            raise DoubtError(
                f"{database.document.where} names {current.username} and not {run.facts['new']}; "
                "no password was changed",
                where=database.document.where,
                why="somebody has put the old credential back, and pods may use it again",
                fix="find out who, and put it right; then run the rotation again",
            )
        useless = alternation.next_credential(current, database.pair)
        alternation.apply(
            useless,
            current=current,
            admin=database.admin(current),
            pair=database.pair,
            route=database.route,
        )
        return {}

    return (
        Step(
            name="choose",
            act=choose,
            remedy="put the credential that is in use into the document",
        ),
        Step(
            name="publish",
            act=publish,
            remedy="read the reason; the published credential is the old one and works",
        ),
        following.step(
            # The first rotation renames the old user to the owner; its sessions go on as that.
            old=lambda run: (run.facts["old"], database.pair.owner),
            sessions=database.sessions,
        ),
        Step(
            name="revoke",
            act=revoke,
            remedy="read the reason; the old password works until this step is done",
        ),
    )
