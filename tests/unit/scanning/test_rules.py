"""Our rules: every form of secret in any surroundings, and nothing that only looks like one."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.scanner_values import HARMLESS, SECRETS
from scanning.conditions import placeholder
from scanning.rules import RULES, matches

SEEDS = st.integers(min_value=0, max_value=2**32)
TOKENS = {
    "vault root token": "vault-root-token",
    "vault service token": "vault-service-token",
    "vault batch token": "vault-batch-token",
    "vault recovery token": "vault-recovery-token",
    "openbao batch token": "openbao-batch-token",
}
BARE = ("{}", "vault login {}", '"{}"', "`{}`", "token={}.", "<{}>", "Bearer {}\n", "a\\n{}\\n")
SHARES = (
    ("Unseal Key 3: {}", "vault-unseal-share"),
    ("vault operator unseal {}", "vault-unseal-share"),
    ('{{"unseal_keys_b64": ["{}"]}}', "vault-unseal-share"),
    ("export VAULT_UNSEAL_KEY={}", "vault-unseal-share"),
    ("Recovery Key 1: {}", "vault-recovery-share"),
    ("recoveryKeys:\n  - {}", "vault-recovery-share"),
)
SECRET_IDS = (
    "secret_id={}",
    '"secretId": "{}"',
    "secret_id               {}",
    "- name: VAULT_SECRET_ID\n  value: {}",
    "The secret id is `{}`.",
)


def found(text: str) -> list[tuple[str, str]]:
    return [(rule.id, secret) for rule, _, secret in matches(text)]


def made(kind: str, seed: int) -> str:
    return SECRETS[kind](Random(seed))


def usable(kind: str, seed: int) -> str:
    """One that is no placeholder: one in tens of thousands has such a word by chance."""
    secret = made(kind, seed)
    assume(not placeholder(secret))
    return secret


@given(kind=st.sampled_from(sorted(TOKENS)), frame=st.sampled_from(BARE), seed=SEEDS)
def test_a_token_with_a_prefix_of_its_own_needs_no_word_beside_it(
    kind: str, frame: str, seed: int
) -> None:
    secret = usable(kind, seed)
    assert found(frame.format(secret)) == [(TOKENS[kind], secret)]


@given(seed=SEEDS)
def test_an_openbao_token_is_one_that_no_variable_is_called(seed: int) -> None:
    secret = usable("openbao token", seed)
    if any(c.isdigit() for c in secret):
        assert found(f"BAO_TOKEN={secret}") == [("openbao-token", secret)]
    assert found("return s.reconcileVaultConnections(context)") == []
    assert found("token = s.createServiceAccountName") == []


@given(frame=st.sampled_from(SHARES), seed=SEEDS)
def test_a_share_is_known_by_what_it_is_called(frame: tuple[str, str], seed: int) -> None:
    secret = usable("unseal share", seed)
    assert found(frame[0].format(secret)) == [(frame[1], secret)]
    assert found(f"digest of the day: {secret}") == []


def test_every_share_of_a_list_is_found() -> None:
    shares = [made("unseal share", seed) for seed in range(10)]
    listed = "unseal_keys_b64:\n" + "".join(f"- {share}\n" for share in shares)
    assert found(listed) == [("vault-unseal-share", share) for share in shares]


@given(frame=st.sampled_from(SECRET_IDS), seed=SEEDS)
def test_a_secret_id_is_known_by_its_name(frame: str, seed: int) -> None:
    secret = usable("approle secret id", seed)
    assert found(frame.format(secret)) == [("vault-approle-secret-id", secret)]
    assert found(f"secret_id_accessor={secret}\nrole_id={secret}") == []


@pytest.mark.parametrize(
    "frame", ["wrapping_token: {}", "vault unwrap {}", '{{"wrap_info": {{"token": "{}"}}}}']
)
def test_a_wrapping_token_is_called_one(frame: str) -> None:
    for kind in ("wrapping token", "openbao token", "vault root token"):
        secret = made(kind, 7)
        assert found(frame.format(secret)) == [("vault-wrapping-token", secret)]


@given(seed=SEEDS)
def test_a_password_in_an_address_is_found_without_the_address(seed: int) -> None:
    url = usable("database url", seed)
    password = url.split(":")[2].split("@")[0]
    assert found(f"client = connect(address=ADDRESS, dsn='{url}')") == [("url-password", password)]
    assert found(url.replace(password, "${PASSWORD}")) == []
    assert found(url.replace(f":{password}@", "@")) == []


@given(kind=st.sampled_from(sorted(HARMLESS)), seed=SEEDS)
def test_what_opens_nothing_is_not_reported(kind: str, seed: int) -> None:
    value = HARMLESS[kind](Random(seed))
    assert found(f'{kind.replace(" ", "_")}: "{value}"') == []


@given(st.text(max_size=200))
def test_no_text_is_too_odd(text: str) -> None:
    for rule, start, secret in matches(text):
        assert text[start : start + len(secret)] == secret
        assert rule in RULES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_rule_has_a_name_and_a_title_of_its_own(rule: object) -> None:
    assert [one for one in RULES if one is not rule and one.id == rule.id] == []  # type: ignore[attr-defined]
