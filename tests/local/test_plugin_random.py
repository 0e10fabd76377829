"""The random stand-in: what is drawn, when it is drawn again, what stays secret."""

from __future__ import annotations

import base64
import string
import uuid
from typing import Any

import pytest

from local.plugins.provider import StandInProvider
from local.plugins.random.text import SPECIAL
from local.plugins.random.types import TYPES
from tests.local.plugin_driver import Driver

PASSWORD = "random:index/randomPassword:RandomPassword"
STRING = "random:index/randomString:RandomString"
ID = "random:index/randomId:RandomId"
UUID = "random:index/randomUuid:RandomUuid"
DRAWN = {PASSWORD: {"length": 32}, STRING: {"length": 8}, ID: {"byteLength": 4}, UUID: {}}
EVERY_TYPE = pytest.mark.parametrize(("token", "inputs"), DRAWN.items())


@pytest.fixture
def driver() -> Driver:
    return Driver(StandInProvider(TYPES))


@EVERY_TYPE
def test_a_second_up_and_a_refresh_keep_the_value(
    driver: Driver, token: str, inputs: dict[str, Any]
) -> None:
    driver.create(token, inputs).assert_stable(inputs)


@EVERY_TYPE
def test_other_keepers_make_another_value_by_replacement(
    driver: Driver, token: str, inputs: dict[str, Any]
) -> None:
    old = driver.create(token, inputs | {"keepers": {"generation": "1"}})
    changed = inputs | {"keepers": {"generation": "2"}}
    assert old.difference(changed).replaces == ["keepers"]
    new = driver.create(token, changed)
    name = "hex" if token == ID else "result"
    assert new.values[name] != old.values[name]


@pytest.mark.parametrize("length", [1, 2, 16, 128])
def test_text_has_the_length_asked_for(driver: Driver, length: int) -> None:
    result = driver.create(STRING, {"length": length}).values["result"]
    assert len(result) == length
    assert set(result) <= {*string.ascii_letters, *string.digits, *SPECIAL}


@pytest.mark.parametrize(
    ("switched", "left"),
    [
        ({"special": False}, string.ascii_letters + string.digits),
        ({"special": False, "upper": False}, string.ascii_lowercase + string.digits),
        ({"special": False, "numeric": False}, string.ascii_letters),
        ({"special": False, "number": False}, string.ascii_letters),
        ({"lower": False, "upper": False, "numeric": False}, SPECIAL),
        ({"lower": False, "upper": False, "numeric": False, "overrideSpecial": "_-"}, "_-"),
    ],
)
def test_classes_switched_off_are_not_drawn(
    driver: Driver, switched: dict[str, Any], left: str
) -> None:
    result = driver.create(STRING, {"length": 400, **switched}).values["result"]
    assert set(result) <= set(left)
    assert len(set(result)) > len(set(left)) // 2


def test_minimum_counts_hold_even_when_they_fill_the_text(driver: Driver) -> None:
    counts = {"minLower": 2, "minUpper": 3, "minNumeric": 4, "minSpecial": 1}
    result = driver.create(STRING, {"length": 10, "overrideSpecial": "!", **counts}).values[
        "result"
    ]
    found = [
        sum(c in chars for c in result)
        for chars in (string.ascii_lowercase, string.ascii_uppercase, string.digits, "!")
    ]
    assert found == [2, 3, 4, 1]


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"length": 0}, "0 is less than 1"),
        ({"length": 3, "minLower": 2, "minUpper": 2}, "3 is less than 4"),
        (
            {"length": 8, "lower": False, "upper": False, "numeric": False, "special": False},
            "every character class is switched off",
        ),
    ],
)
def test_lengths_that_cannot_be_are_refused(
    driver: Driver, inputs: dict[str, Any], reason: str
) -> None:
    assert reason in driver.failures(PASSWORD, inputs)["length"]


def test_a_passwords_result_is_secret_in_every_state_and_a_strings_is_not(driver: Driver) -> None:
    password = driver.create(PASSWORD, {"length": 20})
    assert password.state["result"].is_secret
    assert password.id == "none"
    assert password.refresh()
    assert password.state["result"].is_secret
    assert not driver.create(STRING, {"length": 20}).state["result"].is_secret


def test_an_id_says_the_same_bytes_in_every_notation(driver: Driver) -> None:
    made = driver.create(ID, {"byteLength": 6, "prefix": "p-"}).values
    raw = bytes.fromhex(made["hex"].removeprefix("p-"))
    assert len(raw) == 6
    assert base64.b64decode(made["b64Std"].removeprefix("p-")) == raw
    assert made["b64Url"] == "p-" + base64.urlsafe_b64encode(raw).decode().rstrip("=")
    assert made["dec"] == f"p-{int.from_bytes(raw, 'big')}"


def test_a_uuid_is_of_version_4(driver: Driver) -> None:
    assert uuid.UUID(driver.create(UUID, {}).values["result"]).version == 4


def test_an_id_of_no_bytes_is_refused(driver: Driver) -> None:
    assert driver.failures(ID, {"byteLength": 0}) == {"byteLength": "one: byteLength: at least 1"}
