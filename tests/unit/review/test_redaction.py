"""Redaction: what is taken out of a text, and what people wrote and may read."""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import quote

import pytest

from review.marked import stored_secrets
from review.redaction import Redactor
from tests.unit.review.samples import log, step

FAKE_KEY = "-----BEGIN RSA PRIVATE KEY-----\nFAKE\nFAKE\n-----END RSA PRIVATE KEY-----"
SHAPES = [
    "hvs.FAKEFAKEFAKEFAKEFAKEFAKE",
    "hvb.FAKEFAKEFAKEFAKEFAKEFAKE",
    "s.FAKEFAKEFAKEFAKEFAKEFAKE",
    "AKIA" + "FAKE" * 4,
    "fAkE0fAkE1fAkE2fAkE3fAkE4fAkE5fAkE6fAkE7",
    "FakeSecret/Fake7Secret/FakeSecretAccessA",
    "0123456789abcdef" * 2,
    "11111111-2222-3333-4444-555555555555",
    "ghp_" + "fake" * 9,
    "eyJmYWtlIjoxfQ.eyJmYWtlIjoxfQ.fakefakefake",
    FAKE_KEY,
    FAKE_KEY.partition("\n-----END")[0],
]
WRITTEN = [
    "ml-app-sa in ml-training gains read on secret/ml/mlflow through grant ml-app",
    "urn:pulumi:dev::strongroom::strongroom:vault:Grant$vault:index/policy:Policy::ml-app-policy",
    "arn:aws:iam::123456789012:role/strongroom-prod-vault",
    "spec.template.spec.containers[0].securityContext.allowPrivilegeEscalation is true",
    "vault-policy-no-irreversible-delete",
    "boundServiceAccountNamespaces",
    "urn:pulumi:dev::strongroom::vault:generic/secret:Secret::stored",
    "kubernetes:rbac.authorization.k8s.io/v1beta1:ClusterRoleBinding",
    "https://vault.dev.example.com:8200 does not answer",
    "A secret must have a rotation in its stack.",
]


@pytest.mark.parametrize("secret", SHAPES)
def test_a_secret_is_known_by_its_shape(secret: str) -> None:
    said = Redactor()(f"before {secret} after")
    assert secret not in said
    assert said.startswith("before [redacted]")


@pytest.mark.parametrize("text", WRITTEN)
def test_what_people_wrote_stays(text: str) -> None:
    assert Redactor()(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "password=planted",
        'the API said {"token": "planted"}',
        "secret_id: planted, retry",
        "postgresql://fake:planted@db.example.com/mlflow",
    ],
)
def test_a_secret_is_known_by_the_name_before_it(text: str) -> None:
    assert "planted" not in Redactor()(text)


def redactor(type_: str, inputs: dict[str, Any]) -> Redactor:
    return Redactor.of(log(step("create", type_, "fake", new=inputs)), frozenset())


def test_the_parts_of_a_document_and_of_a_kubernetes_secret_are_known() -> None:
    document = redactor("vault:kv/secretV2:SecretV2", {"dataJson": '{"a": {"b": ["planted"]}}'})
    assert document("it was planted") == "it was [redacted]"
    encoded = base64.b64encode(b"planted").decode()
    secret = redactor("kubernetes:core/v1:Secret", {"data": {"any": encoded}})
    assert secret(f"planted, {encoded}") == "[redacted], [redacted]"


PLANTED = 'pl@nted\n/+once "again"'


@pytest.mark.parametrize(
    "said",
    [
        PLANTED,
        json.dumps(PLANTED),
        " ".join(PLANTED.split()),
        quote(PLANTED),
        quote(PLANTED, safe=""),
        base64.b64encode(PLANTED.encode()).decode(),
        base64.urlsafe_b64encode(PLANTED.encode()).decode(),
    ],
)
def test_a_secret_is_known_in_other_forms(said: str) -> None:
    clean = Redactor(frozenset({PLANTED}))
    assert re.fullmatch(r'it was "?\[redacted\]"?=*', clean(f"it was {said}"))


def test_each_line_of_a_secret_and_what_base64_holds_are_known() -> None:
    clean = Redactor(
        frozenset({"first-planted\nkey:\nof two words\n", base64.b64encode(b"second").decode()})
    )
    assert clean("the first-planted and the second") == "the [redacted] and the [redacted]"
    assert clean("a key: of two words") == "a key: of two words"


def test_a_longer_secret_goes_before_one_that_it_holds() -> None:
    assert Redactor(frozenset({"planted", "planted-again"}))("planted-again") == "[redacted]"


def test_a_short_value_does_not_take_words_with_it() -> None:
    short = redactor("example:index:Server", {"password": "or"})
    assert short("for the order") == "for the order"


def test_secrets_of_a_state_are_found_in_every_depth() -> None:
    mark = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    document = '"{\\"user\\": \\"fake-user\\", \\"password\\": \\"planted\\"}"'
    export = {
        "deployment": {
            "resources": [
                {"inputs": {"list": [{"deep": {**mark, "plaintext": '"planted-too"'}}]}},
                {"outputs": {"dataJson": {**mark, "plaintext": document}, "plain": "seen"}},
            ]
        }
    }
    found = stored_secrets(export)
    assert {"planted-too", "planted", "fake-user"} <= found
    assert "seen" not in found
