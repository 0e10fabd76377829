"""Credential documents: read, written, renewed, refused without a word of their content."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.credential import Credential
from rotation.errors import DocumentError

GOOD: dict[str, Any] = {
    "engine": "postgres",
    "host": "db.fake.example",
    "port": 5432,
    "dbname": "fake",
    "username": "app",
    "password": "fake-password",
}
texts = st.text(min_size=1)


def read(document: Any) -> Credential:
    return Credential.read(json.dumps(document), where="secret fake")


@given(
    host=texts,
    port=st.integers(1, 65535),
    database=texts,
    username=texts,
    password=texts,
    more=st.dictionaries(texts.filter(lambda key: key not in GOOD), st.integers() | texts),
)
def test_a_document_comes_back_as_it_was_written(more: dict[str, object], **parts: Any) -> None:
    credential = Credential(**parts, more=more)
    assert Credential.read(credential.text(), where="the test") == credential


def test_the_keys_are_those_of_the_database_secrets_of_aws() -> None:
    assert json.loads(read({**GOOD, "masterarn": "fake"}).text()) == {**GOOD, "masterarn": "fake"}


@pytest.mark.parametrize("port", [5433, "5433"])
def test_a_port_may_be_a_text(port: object) -> None:
    assert read({**GOOD, "port": port}).port == 5433


def test_engine_and_port_may_be_left_out() -> None:
    short = {key: GOOD[key] for key in ("host", "dbname", "username", "password")}
    assert read(short) == read(GOOD)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"engine": "mysql"}, "its engine is not postgres"),
        ({"host": ""}, "host is missing, empty or no text"),
        ({"host": None}, "host is missing, empty or no text"),
        ({"dbname": 5}, "dbname is missing, empty or no text"),
        ({"username": ["app"]}, "username is missing, empty or no text"),
        ({"password": ""}, "password is missing, empty or no text"),
        ({"port": 0}, "port is no number from 1 to 65535"),
        ({"port": 65536}, "port is no number from 1 to 65535"),
        ({"port": True}, "port is no number from 1 to 65535"),
        ({"port": "five"}, "port is no number from 1 to 65535"),
        ({"port": "٥"}, "port is no number from 1 to 65535"),
    ],
)
def test_a_bad_document_is_refused_by_key(changed: dict[str, object], why: str) -> None:
    with pytest.raises(DocumentError, match="secret fake") as raised:
        read({**GOOD, **changed})
    assert raised.value.why == why


@pytest.mark.parametrize("text", ["", "fake-password", '["fake-password"]', '"fake-password"'])
def test_what_is_no_object_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(DocumentError) as raised:
        Credential.read(text, where="secret fake")
    assert "fake-password" not in str(raised.value)
    assert raised.value.__context__ is None or raised.value.__suppress_context__


def test_no_value_is_shown_by_printing() -> None:
    assert "fake-password" not in repr(read({**GOOD, "copy": "fake-password"}))


def test_a_renewed_credential_differs_in_user_and_password_alone() -> None:
    before = read({**GOOD, "team": "fake"})
    renewed = [before.renewed("app_clone") for _ in range(100)]
    assert len({credential.password for credential in renewed}) == 100
    for credential in renewed:
        assert (credential.username, credential.server, credential.database, credential.more) == (
            "app_clone",
            before.server,
            before.database,
            before.more,
        )
        assert len(credential.password) == 43
        assert credential.password.replace("-", "").replace("_", "").isalnum()
