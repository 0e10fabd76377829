"""Who takes turns with whom, what a pending credential may be, and the verifier of a password."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation import alternation, postgresql, roles
from rotation.alternation import Pair, apply, check, match, next_credential, rotate
from rotation.credential import Credential
from rotation.errors import ForeignError, RightsError
from rotation.postgresql import Route, verifier

PAIR = Pair.of("app")
CURRENT = Credential(host="db.fake.example", database="fake", username="app", password="fake")


def test_the_other_user_has_the_next_turn() -> None:
    following = next_credential(CURRENT, PAIR)
    assert following.username == "app_clone"
    assert next_credential(following, PAIR).username == "app"
    assert PAIR.owner == "app_owner"
    assert Pair.of("app", owner="fake_owner").owner == "fake_owner"


@pytest.mark.parametrize("name", ["postgres", "app_clone_clone", "App", "app_owner"])
def test_a_user_outside_of_the_pair_has_no_turn(name: str) -> None:
    with pytest.raises(ForeignError, match=f"user {name} is not one of app and app_clone"):
        next_credential(replace(CURRENT, username=name), PAIR)


@pytest.mark.parametrize(
    "name", ["", "a b", 'app"', "app;", "1app", "äpp", "a" * 64, "app\n", "app'--", "a\\b"]
)
def test_a_name_that_could_change_a_statement_is_no_role(name: str) -> None:
    with pytest.raises(ValueError, match="no plain name"):
        Pair(users=("app", "other"), owner=name)
    with pytest.raises(ValueError, match="no plain name"):
        Pair(users=("app", name), owner="fake_owner")


def test_a_clone_that_postgresql_would_cut_short_is_refused() -> None:
    with pytest.raises(ValueError, match="63 characters"):
        Pair.of("a" * 60)


@pytest.mark.parametrize(
    "names", [("app", "app", "own"), ("app", "own", "own"), ("own", "app", "own")]
)
def test_three_roles_are_three_names(names: tuple[str, str, str]) -> None:
    with pytest.raises(ValueError, match="names one role twice"):
        Pair(users=names[:2], owner=names[2])


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"username": "app"}, "names user app, and app_clone"),
        ({"username": "postgres"}, "names user postgres"),
        ({"host": "elsewhere.example"}, "names server elsewhere.example:5432"),
        ({"port": 5433}, "names server db.fake.example:5433"),
        ({"database": "other"}, "names database other"),
    ],
)
def test_a_pending_credential_for_somebody_else_reaches_no_server(
    changed: dict[str, object], named: str
) -> None:
    pending = replace(next_credential(CURRENT, PAIR), **changed)  # type: ignore[arg-type]
    with pytest.raises(ForeignError, match=named):
        match(pending, CURRENT, PAIR)
    # With a name that resolves nowhere: any attempt to connect would end in another error.
    route = Route(address=("nowhere.invalid", 1))
    with pytest.raises(ForeignError, match=named):
        apply(pending, current=CURRENT, admin=CURRENT, pair=PAIR, route=route)
    with pytest.raises(ForeignError, match=named):
        check(pending, current=CURRENT, pair=PAIR, route=route)


READ, WRITE = "relation public.fake: SELECT", "relation public.later: INSERT"


@pytest.mark.parametrize(
    ("looks", "refused"),
    [
        ([{READ}, {READ}], False),
        ([{READ}, {READ, WRITE}, {READ, WRITE}, {READ, WRITE}], False),  # made in between
        ([{READ}, {READ, WRITE}, {READ}, {READ, WRITE}], True),
        ([{READ, WRITE}, {READ}, {READ, WRITE}, {READ}], True),
    ],
)
def test_only_a_difference_that_stays_is_refused(
    monkeypatch: pytest.MonkeyPatch, looks: list[set[str]], refused: bool
) -> None:
    seen = iter(looks)
    monkeypatch.setattr(postgresql, "session", lambda *_: nullcontext())
    monkeypatch.setattr(roles, "rights", lambda *_: frozenset(next(seen)))
    pending = next_credential(CURRENT, PAIR)
    with pytest.raises(RightsError, match=WRITE) if refused else nullcontext():
        check(pending, current=CURRENT, pair=PAIR, route=Route())
    assert list(seen) == []


@given(password=st.text("abcXYZ019_-", min_size=1))
def test_the_verifier_is_that_of_the_standard(password: str) -> None:
    """RFC 5802: StoredKey and ServerKey, computed here from the password and the salt."""
    mechanism, _, rest = verifier(password).partition("$")
    parameters, _, keys = rest.partition("$")
    rounds, _, salt = parameters.partition(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    assert mechanism == "SCRAM-SHA-256"
    assert int(rounds) >= 4096
    assert [base64.b64decode(key) for key in keys.split(":")] == [
        hashlib.sha256(client_key).digest(),
        server_key,
    ]


def test_each_verifier_has_a_salt_of_its_own() -> None:
    assert len({verifier("fake") for _ in range(10)}) == 10


@dataclass
class Published:
    """A document with check-and-set; `before` happens just before the next publication."""

    document: list[Credential]
    before: Callable[[], object] = lambda: None
    seen: int = 0

    def current(self) -> Credential:
        self.seen = len(self.document)
        return self.document[-1]

    def publish(self, credential: Credential) -> None:
        self.before()
        if self.seen != len(self.document):
            raise RuntimeError("changed by another")
        self.document.append(credential)


@pytest.mark.parametrize("other_publishes", [False, True])
def test_of_two_rotations_side_by_side_none_leaves_a_published_password_that_is_dead(
    monkeypatch: pytest.MonkeyPatch, other_publishes: bool
) -> None:
    logs_in = {CURRENT.username: CURRENT.password}

    def applied(pending: Credential, **_: object) -> bool:
        logs_in[pending.username] = pending.password
        return True

    monkeypatch.setattr(alternation, "apply", applied)
    monkeypatch.setattr(alternation, "check", lambda *_, **__: None)
    document = [CURRENT]

    def beside() -> None:
        if other_publishes:
            rotate(Published(document), admin=CURRENT, pair=PAIR, route=Route())
            logs_in["app_clone"] = "set by the slower of both"
        else:
            applied(next_credential(CURRENT, PAIR))

    refused: AbstractContextManager[object] = nullcontext()
    if other_publishes:
        refused = pytest.raises(RuntimeError, match="changed by another")
    with refused:
        rotate(Published(document, beside), admin=CURRENT, pair=PAIR, route=Route())
    assert document[-1].username == "app_clone"
    assert logs_in["app_clone"] == document[-1].password
