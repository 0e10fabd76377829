"""Guards and versions of the four steps; what PostgreSQL does is in the end-to-end tests."""

from __future__ import annotations

import itertools
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from rotation import alternation, four_steps, postgresql
from rotation.alternation import Pair
from rotation.credential import Credential
from rotation.errors import (
    DocumentError,
    DocumentMissingError,
    ForeignError,
    LoginError,
    StageError,
)
from rotation.four_steps import Outcome, Rotation, Step
from rotation.postgresql import Route
from tests.unit.rotation.secrets_manager import ADMIN_ARN, ARN, InMemory, error

OLD, NEW = "fake-version-1", "fake-version-2"
PAIR = Pair.of("app")
CURRENT = Credential(host="db.fake.example", database="fake", username="app", password="fake-1")
ROUTE = Route()
ADMIN = replace(CURRENT, username="boss", password="fake-admin")


@pytest.fixture
def store() -> InMemory:
    """A rotation has begun: the new version is pending and has no value."""
    return InMemory(
        values={OLD: CURRENT.text()},
        stages={OLD: ["AWSCURRENT"], NEW: ["AWSPENDING"]},
        admin=ADMIN.text(),
    )


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Credential]]:
    """What the steps asked of PostgreSQL."""
    asked: list[tuple[str, Credential]] = []

    def apply(
        pending: Credential, *, current: Credential, admin: Credential, pair: Pair, route: Route
    ) -> bool:
        assert (current, admin, pair) == (CURRENT, ADMIN, PAIR)
        asked.append(("apply", pending))
        return asked.count(("apply", pending)) == 1

    def check(pending: Credential, *, current: Credential, pair: Pair, route: Route) -> None:
        assert (current, pair) == (CURRENT, PAIR)
        asked.append(("check", pending))

    monkeypatch.setattr(alternation, "apply", apply)
    monkeypatch.setattr(alternation, "check", check)
    return asked


def run(store: InMemory, step: Step, *, token: str = NEW, secret: str = ARN) -> Outcome:
    rotation = Rotation(client=store, secret=ARN, admin=ADMIN_ARN, pair=PAIR, route=ROUTE)
    return four_steps.run(step, secret=secret, token=token, rotation=rotation)


def test_four_steps_make_the_pending_version_the_current_one(
    store: InMemory, database: list[tuple[str, Credential]]
) -> None:
    assert [run(store, step) for step in Step] == [Outcome.DONE] * 4
    assert store.stages == {OLD: [], NEW: ["AWSCURRENT"]}
    published = Credential.read(store.values[NEW], where="the test")
    assert published.username == "app_clone"
    assert published.password != CURRENT.password
    assert database == [("apply", published), ("check", published)]
    assert store.changes == ["put", "move AWSCURRENT", "move AWSPENDING"]


def test_each_step_may_be_called_again(
    store: InMemory, database: list[tuple[str, Credential]]
) -> None:
    for step in Step:
        assert run(store, step) is Outcome.DONE
        value = store.values[NEW]
        again = Outcome.DONE if step is Step.TEST else Outcome.ALREADY
        assert [run(store, step), run(store, step)] == [again, again]
        assert store.values[NEW] == value
    assert store.stages == {OLD: [], NEW: ["AWSCURRENT"]}


@pytest.mark.parametrize("step", Step)
def test_nothing_is_done_twice_for_a_version_that_is_current(
    store: InMemory, database: list[tuple[str, Credential]], step: Step
) -> None:
    assert run(store, step, token=OLD) is Outcome.ALREADY
    assert (store.changes, database) == ([], [])


def test_finish_killed_between_its_changes_takes_the_pending_stage_off(store: InMemory) -> None:
    store.values[NEW] = CURRENT.renewed("app_clone").text()
    store.stages = {OLD: ["AWSPREVIOUS"], NEW: ["AWSPENDING", "AWSCURRENT"]}
    assert run(store, Step.SET) is Outcome.ALREADY
    assert run(store, Step.FINISH) is Outcome.DONE
    assert store.stages == {OLD: ["AWSPREVIOUS"], NEW: ["AWSCURRENT"]}
    assert store.changes == ["move AWSPENDING"]


def test_a_value_that_another_call_stored_first_stays(store: InMemory) -> None:
    store.quicker = CURRENT.renewed("app_clone").text()
    assert run(store, Step.CREATE) is Outcome.ALREADY
    assert store.values[NEW] == store.quicker


@pytest.mark.parametrize("step", Step)
def test_a_foreign_secret_is_refused_before_anything_is_read(step: Step) -> None:
    unread = InMemory()  # reading it would fail otherwise
    with pytest.raises(ForeignError, match="not for secret arn:fake"):
        run(unread, step, secret="arn:fake")


@pytest.mark.parametrize("step", Step)
def test_a_secret_whose_rotation_is_off_is_left_alone(store: InMemory, step: Step) -> None:
    store.enabled = False
    with pytest.raises(StageError, match="rotation is not enabled"):
        run(store, step)
    assert store.changes == []


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize(
    ("token", "named"), [("fake-version-9", "no version"), ("fake-version-0", "not AWSPENDING")]
)
def test_a_version_outside_of_this_rotation_is_refused(
    store: InMemory, step: Step, token: str, named: str
) -> None:
    store.stages["fake-version-0"] = ["AWSPREVIOUS"]
    with pytest.raises(StageError, match=named):
        run(store, step, token=token)
    assert store.changes == []


@pytest.mark.parametrize("step", [Step.SET, Step.TEST, Step.FINISH])
def test_a_version_without_a_value_goes_no_further(
    store: InMemory, database: list[tuple[str, Credential]], step: Step
) -> None:
    with pytest.raises(DocumentMissingError, match=NEW):
        run(store, step)
    assert (store.changes, database) == ([], [])


def test_a_secret_that_never_had_a_value_is_refused(store: InMemory) -> None:
    del store.values[OLD]
    with pytest.raises(DocumentMissingError, match="version AWSCURRENT"):
        run(store, Step.CREATE)


def test_a_current_user_outside_of_the_pair_is_refused(store: InMemory) -> None:
    store.values[OLD] = replace(CURRENT, username="boss").text()
    with pytest.raises(ForeignError, match="user boss is not one of app and app_clone"):
        run(store, Step.CREATE)
    assert store.changes == []


@pytest.mark.parametrize("step", Step)
def test_a_document_that_cannot_be_read_is_refused_without_its_content(
    store: InMemory, step: Step
) -> None:
    store.values = dict.fromkeys((OLD, NEW), "fake-text")
    with pytest.raises(DocumentError) as raised:
        # createSecret keeps a value that is there, whatever it is, so it must be readable.
        run(store, step)
    assert "fake-text" not in str(raised.value)


def test_a_failed_step_publishes_nothing(store: InMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise LoginError("fake", where="fake", why="fake", fix="fake")

    monkeypatch.setattr(alternation, "apply", refuse)
    run(store, Step.CREATE)
    with pytest.raises(LoginError):
        run(store, Step.SET)
    assert store.stages == {OLD: ["AWSCURRENT"], NEW: ["AWSPENDING"]}


def test_a_copy_of_the_current_value_tries_the_set_up(
    store: InMemory, database: list[tuple[str, Credential]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Credential] = []

    def session(credential: Credential, _: Route) -> AbstractContextManager[None]:
        tried.append(credential)
        return nullcontext()

    monkeypatch.setattr(postgresql, "session", session)
    store.values[NEW] = CURRENT.text()
    assert run(store, Step.TEST) is Outcome.DONE
    assert (tried, database, store.changes) == ([CURRENT, ADMIN], [], [])


@pytest.mark.parametrize("step", [Step.CREATE, Step.SET])
def test_what_secrets_manager_refuses_is_not_taken_for_a_missing_value(
    store: InMemory, monkeypatch: pytest.MonkeyPatch, step: Step
) -> None:
    def deny(**_: str) -> dict[str, str]:
        raise error("AccessDeniedException")

    monkeypatch.setattr(store, "get_secret_value", deny)
    with pytest.raises(ClientError, match="AccessDenied"):
        run(store, step)
    assert store.changes == []


def test_twenty_rotations_take_turns(store: InMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alternation, "apply", lambda *_, **__: True)
    monkeypatch.setattr(alternation, "check", lambda *_, **__: None)
    users = []
    for number in range(20):
        token = f"fake-turn-{number}"
        store.stages = {v: [s for s in st if s != "AWSPENDING"] for v, st in store.stages.items()}
        store.stages[token] = ["AWSPENDING"]
        for step in Step:
            run(store, step, token=token)
        users.append(Credential.read(store.values[token], where="the test").username)
        assert [v for v, stages in store.stages.items() if "AWSCURRENT" in stages] == [token]
    assert users == [u for u, _ in zip(itertools.cycle(["app_clone", "app"]), users, strict=False)]
