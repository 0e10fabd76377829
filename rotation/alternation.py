"""Two users that take turns: each rotation changes the one that nobody uses now.

The published credential keeps working for a whole cycle after it was replaced, so a client that
reads late still logs in. Both logins are members of one NOLOGIN role that owns every right, and
work as it; neither has anything of its own, so no grant and no table is lost by taking turns.

Owns the order of a rotation and its checks. The SQL is in `roles`, connections in `postgresql`;
where the document is kept is the caller's matter (`Store`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from rotation import postgresql, roles
from rotation.credential import Credential
from rotation.errors import ForeignError, RightsError
from rotation.postgresql import Route

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,62}")  # PostgreSQL cuts names at 63 bytes


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two logins that take turns, and the role that owns what both may do.

    The pair is the caller's configuration, never read from the document: whoever may write the
    document could otherwise have any role's password changed. Raises ValueError for names that
    are no plain PostgreSQL names, or the same.
    """

    users: tuple[str, str]
    owner: str

    def __post_init__(self) -> None:
        names = (*self.users, self.owner)
        for name in names:
            if not _NAME.fullmatch(name):
                raise ValueError(
                    f"role name {name!r} is no plain name of at most 63 characters; it could "
                    "change the statement that it stands in. Use letters, digits and _ . -"
                )
        if len(set(names)) != 3:
            raise ValueError(
                f"the pair {', '.join(names)} names one role twice; taking turns needs two users, "
                "and an owner that nobody logs in as. Name three roles"
            )

    @classmethod
    def of(cls, name: str, *, owner: str | None = None) -> Pair:
        """NAME and NAME_clone, with `owner` (NAME_owner by default)."""
        return cls(users=(name, f"{name}_clone"), owner=owner or f"{name}_owner")

    def idle(self, credential: Credential) -> str:
        """The other user than the credential's; raises ForeignError when that is not one of us."""
        if credential.username not in self.users:
            raise ForeignError(
                f"user {credential.username} is not one of {' and '.join(self.users)}",
                where=f"the credential document for {credential.server}",
                why="its rotation would change the password of somebody else's login",
                fix="correct the username in the document, or configure the rotation's pair",
            )
        return self.users[1 - self.users.index(credential.username)]


class Store(Protocol):
    """Where one credential document is kept: Secrets Manager, Vault's KV engine, anything."""

    def current(self) -> Credential:
        """The published credential."""

    def publish(self, credential: Credential) -> None:
        """Make it the published one, at once and as a whole.

        Must refuse when the document was changed since `current` (check-and-set), because two
        rotations side by side would otherwise publish each other's dead passwords.
        """


def next_credential(current: Credential, pair: Pair) -> Credential:
    """The idle user with a new random password; nothing is changed yet."""
    return current.renewed(pair.idle(current))


def match(pending: Credential, current: Credential, pair: Pair) -> None:
    """Raise ForeignError unless `pending` is the idle user on the server of `current`."""
    idle = pair.idle(current)
    for what, found, expected in (
        ("user", pending.username, idle),
        ("server", pending.server, current.server),
        ("database", pending.database, current.database),
    ):
        if found != expected:
            raise ForeignError(
                f"the pending credential names {what} {found}, and {expected} was expected",
                where=f"the pending credential beside {current.username} on {current.server}",
                why="whoever writes the document could have somebody else's password changed",
                fix="delete the pending version, find out who wrote it, and rotate again",
            )


def apply(
    pending: Credential, *, current: Credential, admin: Credential, pair: Pair, route: Route
) -> bool:
    """Make `pending` a login of the database, in one transaction; False when it was one before.

    The first time, the roles of the pair are made as well (see `roles.settle`). `admin` is a
    superuser or has CREATEROLE. Raises a RotationError, with nothing changed.
    """
    match(pending, current, pair)
    if postgresql.can_log_in(pending, route):
        return False
    with postgresql.session(current, route):
        pass  # whoever cannot show the current password gets no new one
    if admin.server != current.server:
        raise ForeignError(
            f"the administrator's credential is for {admin.server}",
            where=f"the credential of {current.username} on {current.server}",
            why="a document that names another server must not lead the administrator there",
            fix="correct the host and port of whichever document is wrong",
        )
    with postgresql.session(admin, route) as connection:
        roles.settle(
            connection,
            owner=pair.owner,
            current=(current.username, postgresql.verifier(current.password)),
            idle=(pending.username, postgresql.verifier(pending.password)),
        )
    return True


def check(pending: Credential, *, current: Credential, pair: Pair, route: Route) -> None:
    """Log in as both; both must work as the owner, and may do exactly the same.

    Raises RightsError with what differs, or LoginError.
    """
    match(pending, current, pair)
    differ = _differ(pending, current, pair, route)
    if differ:  # what a program made between the two looks is in one of them only
        differ &= _differ(pending, current, pair, route)
    if differ:
        named = "; ".join(sorted(differ)[:5])
        raise RightsError(
            f"{pending.username} and {current.username} have different rights: "
            f"{named}{' …' if len(differ) > 5 else ''}",
            where=f"database {current.database} on {current.server}",
            why="a program would lose or gain rights by this rotation",
            fix=f"grant to {pair.owner} instead of to either user, and run the step again",
        )


def rotate(store: Store, *, admin: Credential, pair: Pair, route: Route) -> Credential:
    """One whole rotation of the document in `store`; returns what is published now.

    Killed anywhere, the published credential is one that logs in, and the next call begins with a
    new password for the same idle user. Another call beside this one may have changed that user's
    password; whichever of both publishes, what is published logs in when the last of them ends.
    """
    current = store.current()
    pending = next_credential(current, pair)
    apply(pending, current=current, admin=admin, pair=pair, route=route)
    check(pending, current=current, pair=pair, route=route)
    try:
        store.publish(pending)
    finally:
        published = store.current()
        if published.username == pending.username:
            apply(published, current=current, admin=admin, pair=pair, route=route)
    return pending


def _differ(pending: Credential, current: Credential, pair: Pair, route: Route) -> frozenset[str]:
    """What one of the two may do in a session of its own, and the other may not."""
    may = []
    for credential in (current, pending):
        with postgresql.session(credential, route) as connection:
            may.append(roles.rights(connection, credential.username, pair.owner))
    return may[0] ^ may[1]
