"""The Lambda handler: what it takes from event and environment, and its one line of log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rotation import function
from rotation.credential import Credential
from rotation.errors import ConfigurationError, ForeignError, StageError
from tests.unit.rotation.secrets_manager import ADMIN_ARN, ARN, InMemory

ENVIRONMENT = {
    "SECRET_ARN": ARN,
    "ADMIN_SECRET_ARN": ADMIN_ARN,
    "USERS": "app, app_clone",
    "OWNER_ROLE": "app_owner",
}
EVENT = {"Step": "createSecret", "SecretId": ARN, "ClientRequestToken": "fake-version-2"}
CURRENT = Credential(
    host="db.fake.example", database="fake", username="app", password="fake-password-1"
)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> InMemory:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    store = InMemory(
        values={"fake-version-1": CURRENT.text()},
        stages={"fake-version-1": ["AWSCURRENT"], "fake-version-2": ["AWSPENDING"]},
    )
    monkeypatch.setattr("boto3.client", {"secretsmanager": store}.__getitem__)
    return store


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 1
    written: dict[str, Any] = json.loads(out[0])
    return written


def test_a_step_writes_one_line_without_a_value(
    store: InMemory, capsys: pytest.CaptureFixture[str]
) -> None:
    function.handler(EVENT, None)
    stored = Credential.read(store.values["fake-version-2"], where="the test")
    assert stored.username == "app_clone"
    written = line(capsys)
    assert written.pop("seconds") >= 0
    assert written == {
        "event": "rotation",
        "step": "createSecret",
        "secret": ARN,
        "version": "fake-version-2",
        "outcome": "done",
    }


def test_a_repeated_step_says_so(store: InMemory, capsys: pytest.CaptureFixture[str]) -> None:
    function.handler(EVENT, None)
    capsys.readouterr()
    function.handler(EVENT, None)
    assert line(capsys)["outcome"] == "already"


def test_a_refused_step_raises_and_says_what_to_do(
    store: InMemory, capsys: pytest.CaptureFixture[str]
) -> None:
    store.enabled = False
    with pytest.raises(StageError):
        function.handler(EVENT, None)
    written = line(capsys)
    assert (written["outcome"], written["error"]) == ("failed", "StageError")
    assert written["what"] == "rotation is not enabled"
    assert ARN in written["where"]
    assert "enable rotation" in written["fix"]


def test_of_an_unforeseen_error_only_its_kind_is_written(
    store: InMemory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def choke(**_: str) -> None:
        raise RuntimeError("fake-password-1")

    monkeypatch.setattr(store, "describe_secret", choke)
    with pytest.raises(RuntimeError):
        function.handler(EVENT, None)
    written = line(capsys)
    assert written["error"] == "RuntimeError"
    assert "fake-password-1" not in json.dumps(written)


@pytest.mark.parametrize(
    "changed",
    [
        {"Step": "deleteSecret"},
        {"Step": None},
        {"SecretId": ""},
        {"ClientRequestToken": 5},
    ],
)
def test_a_call_that_is_no_step_is_refused(
    store: InMemory, changed: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigurationError, match="no step of a rotation"):
        function.handler({**EVENT, **changed}, None)
    assert line(capsys)["error"] == "ConfigurationError"
    assert store.changes == []


@pytest.mark.parametrize("name", function.VARIABLES)
def test_each_variable_is_needed(
    store: InMemory, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(ConfigurationError, match=f"{name} is not set"):
        function.handler(EVENT, None)
    assert store.changes == []


@pytest.mark.parametrize(
    ("users", "why"),
    [("app", "believe"), ("a,b,c", "believe"), ("app,app", "twice"), ("app,b c", "no plain name")],
)
def test_two_plain_users_are_needed(
    store: InMemory, monkeypatch: pytest.MonkeyPatch, users: str, why: str
) -> None:
    monkeypatch.setenv("USERS", users)
    with pytest.raises(ConfigurationError, match=why):
        function.handler(EVENT, None)
    assert store.changes == []


def test_another_secret_is_refused(store: InMemory) -> None:
    with pytest.raises(ForeignError):
        function.handler({**EVENT, "SecretId": ADMIN_ARN}, None)
    assert store.changes == []
