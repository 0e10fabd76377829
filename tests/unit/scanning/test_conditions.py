"""What makes a finding none, whoever reported it."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.scanner_values import HARMLESS, SECRETS
from scanning import conditions

KEY = SECRETS["private key"](Random(3))


@pytest.mark.parametrize(
    "value",
    [
        "${DB_PASSWORD}",
        "{{ password }}",
        "<your-token>",
        "changeme",
        "x" * 20,
        "PassWord",
        "%(pw)s",
    ],
)
def test_a_placeholder_says_so(value: str) -> None:
    assert conditions.placeholder(value)


def test_a_generated_value_is_no_placeholder() -> None:
    for kind, make in SECRETS.items():
        assert not conditions.placeholder(make(Random(5))), kind


@pytest.mark.parametrize("value", ["Pa$sw0rk9", "k%s7Rq2Lm", "a<b7Rq", "AgAAAAAAB7Rq2Lm"])
def test_signs_within_a_password_make_no_placeholder_of_it(value: str) -> None:
    assert not conditions.placeholder(value)
    assert not conditions.placeholder(f"postgres://app:{value}@db.example.com/x")


def test_a_password_that_only_documentation_uses_is_a_placeholder() -> None:
    assert conditions.placeholder("postgres://user:" + "password@db/x")
    assert not conditions.placeholder("postgres://user:" + "k7Rwq2Lm@db/x")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("ml/training-db", True),
        ("kubernetes:core/v1:SecretList", True),
        ("scram-sha-256", True),
        (HARMLESS["uuid"](Random(1)), True),
        ("k7Rwq2Lm", False),
        ("summer-2026x", False),
        ("Kq7-Zx9-Wv3-1a", False),
    ],
)
def test_words_alone_are_a_name(value: str, words: bool) -> None:
    assert conditions.name_only(value) is words


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        ("revision: ", "commit"),
        ("token_accessor  ", "token accessor"),
        ("value: ", "ciphertext"),
        ("secretId: ", "audit hmac"),
        ("password: ", "sealed secret"),
    ],
)
def test_what_is_public_by_form_or_name(before: str, kind: str) -> None:
    value = HARMLESS[kind](Random(11))
    assert conditions.public(value, before + value, len(before))


def test_a_digest_needs_its_name() -> None:
    value = HARMLESS["commit"](Random(11))
    assert not conditions.public(value, f"password: {value}", 10)


def test_a_certificate_is_public_and_a_key_beside_it_is_not() -> None:
    certificate = HARMLESS["certificate"](Random(2))
    text = f"{certificate}\n{KEY}"
    assert conditions.public("MIIB", text, 40)
    assert not conditions.public("MIIB", text, len(certificate) + 40)


@pytest.mark.parametrize("text", [KEY, KEY.replace("\n", "\\n"), KEY.replace("\n", "\n    ")])
def test_a_private_key_has_a_body(text: str) -> None:
    assert not conditions.without_body(text, 0)


def test_the_header_of_a_private_key_alone_is_none() -> None:
    header = KEY.splitlines()[0]
    assert conditions.without_body(f'if line == "{header}":\n    raise ValueError', 12)


def test_entropy_is_in_bits_a_character() -> None:
    assert conditions.entropy("") == 0
    assert conditions.entropy("aaaa") == 0
    assert conditions.entropy("abcd") == 2
