"""The evaluator against a live Vault's own answers, on generated policies, paths and requests."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import hvac
import pytest

from access.evaluate import Acl
from access.policy import Capability, PathRule, Policy
from access.policy_hcl import parse, render
from local.services import dev_vault
from tests.access import naive

# The first run may build Vault, which takes minutes.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

SEED = 20_260_101
CASES = 20_000
SECONDS = 60
REQUEST_SETS = 150
REQUESTS_A_SET = 8
PATHS_A_SET = 50
WORDS = ("a", "b", "ab", "data", "dat")
CAPABILITIES = [c for c in Capability if c is not Capability.DENY]


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[hvac.Client]:
    with dev_vault.running(tmp_path) as client:
        yield client


def some_path(dice: random.Random) -> str:
    parts = [dice.choice(WORDS) for _ in range(dice.randint(1, 4))]
    return "/".join(parts) + ("/" if dice.random() < 0.15 else "")


def some_rule(dice: random.Random) -> PathRule:
    parts = ["+" if dice.random() < 0.25 else dice.choice(WORDS) for _ in range(dice.randint(1, 4))]
    path = "/".join(parts)
    if path[-1] != "+" and dice.random() < 0.3:
        path += "*"
    elif dice.random() < 0.2:
        path += dice.choice(["/", "/*"])
    count = dice.randint(1, 3)
    chosen = {Capability.DENY} if dice.random() < 0.15 else set(dice.sample(CAPABILITIES, k=count))
    return PathRule(path=path, capabilities=frozenset(chosen))


def write(vault: hvac.Client, policies: list[Policy]) -> str:
    """Write the policies and return a token that holds exactly them."""
    for policy in policies:
        vault.sys.create_or_update_policy(policy.name, render(policy))
    names = [policy.name for policy in policies]
    answer = vault.auth.token.create(policies=names, no_default_policy=True, type="batch")
    token: str = answer["auth"]["client_token"]
    return token


def test_the_evaluator_agrees_with_vault_on_every_generated_case(vault: hvac.Client) -> None:
    dice = random.Random(SEED)
    disagreements = []
    cases = 0
    allowed = 0
    ends = time.monotonic() + SECONDS
    while cases < CASES and time.monotonic() < ends:
        policies = [
            Policy(
                name=f"generated-{number}",
                rules=tuple(some_rule(dice) for _ in range(dice.randint(1, 6))),
            )
            for number in range(dice.randint(1, 3))
        ]
        token = write(vault, policies)
        paths = sorted({some_path(dice) for _ in range(PATHS_A_SET)})
        answer = vault.adapter.post("/v1/sys/capabilities", json={"token": token, "paths": paths})[
            "data"
        ]
        acl = Acl(policies)
        for path in paths:
            ours = {c.value for c in acl.capabilities(path)}
            second = naive.capabilities(policies, path)
            allowed += ours != {"deny"}
            if not ours == second == set(answer[path]):
                texts = [render(p) for p in policies]
                disagreements.append((path, ours, second, answer[path], texts))
        cases += len(paths)
    assert disagreements == [], f"seed {SEED}: {len(disagreements)} of {cases} disagree"
    assert cases >= 2_000, f"only {cases} cases in {SECONDS} s"
    assert cases * 0.1 < allowed < cases * 0.9, "the cases are one-sided and would prove little"


def some_values(dice: random.Random) -> tuple[object, ...]:
    return tuple(dice.sample(("x", "xy", "x*", "*y", "*x*", "*", True, ""), k=dice.randint(0, 2)))


def some_constraints(dice: random.Random) -> dict[str, tuple[object, ...]]:
    names = dice.sample(("one", "two", "three", "*"), k=dice.choice((0, 0, 1, 1, 2)))
    return {name: some_values(dice) for name in names}


def some_data(dice: random.Random) -> dict[str, object]:
    names = dice.sample(("one", "Two", "three", "four"), k=dice.randint(0, 2))
    values: tuple[object, ...] = (
        "x",
        "xy",
        "ay",
        "axb",
        "",
        True,
        False,
        "x,xy",
        "ay, b",
        ["x", "ay"],
        ["b"],
        [],
    )
    return {name: dice.choice(values) for name in names}


def test_parameters_are_judged_as_vault_judges_real_requests(vault: hvac.Client) -> None:
    dice = random.Random(SEED)
    vault.sys.enable_secrets_engine("kv", path="kv", options={"version": "1"})
    writes = frozenset({Capability.CREATE, Capability.UPDATE})
    disagreements = []
    refused = 0
    for _ in range(REQUEST_SETS):
        policies = [
            Policy(
                name=f"parameters-{number}",
                rules=(
                    PathRule(
                        path="kv/x",
                        capabilities=writes,
                        allowed_parameters=some_constraints(dice),
                        denied_parameters=some_constraints(dice),
                        required_parameters=tuple(
                            dice.sample(("one", "two"), k=dice.choice((0, 0, 1)))
                        ),
                    ),
                ),
            )
            for number in range(dice.randint(1, 2))
        ]
        user = hvac.Client(url=vault.url, token=write(vault, policies))
        for _ in range(REQUESTS_A_SET):
            data = some_data(dice)
            ours = Acl(policies).explain("kv/x", Capability.UPDATE, data)
            try:
                user.adapter.post("/v1/kv/x", json=data)
                theirs = True
            except hvac.exceptions.Forbidden:
                theirs = False
            except hvac.exceptions.InvalidRequest:  # KV's own refusal of a request without data
                theirs = True
            refused += not theirs
            if ours.allowed != theirs:
                texts = [render(p) for p in policies]
                disagreements.append((data, ours.reason, theirs, texts))
    cases = REQUEST_SETS * REQUESTS_A_SET
    assert disagreements == [], f"seed {SEED}: {len(disagreements)} of {cases} disagree"
    assert cases * 0.1 < refused < cases * 0.9, "the cases are one-sided and would prove little"


ODD_TEXTS = (
    (r'path "sy\u0073/\x61/\142" { capabilities = ["re\u0061d"] }', "sys/a/b"),
    (r'path "sy\\u0073/a" { capabilities = ["read"] }', r"sy\u0073/a"),
    ('{"path": {"a": {"policy": "read"}}, "path": {"b": {"policy": "read"}}}', "a"),
    ('{"path": {"a": {"capabilities": ["read"], "capabilities": ["list"]}}}', "a"),
    ('{"path": {"a": {"policy": "read"}, "a": {"capabilities": ["deny"]}}}', "a"),
    ('"path" "a" { "capabilities" = ["read"], }', "a"),
    ('path a { capabilities = ["read",] \n allowed_parameters { ttl = ["1h"] } }', "a"),
    ('path "a" { policy = "write" \n capabilities = ["sudo"] }', "a"),
    ('path "/a" { capabilities = ["read"] } /* path "a" {} */ // }', "a"),
)


def test_texts_in_odd_forms_mean_what_they_mean_to_vault(vault: hvac.Client) -> None:
    for text, path in ODD_TEXTS:
        vault.sys.create_or_update_policy("odd", text)
        token = vault.auth.token.create(policies=["odd"], no_default_policy=True, type="batch")
        answer = vault.sys.get_capabilities(paths=[path], token=token["auth"]["client_token"])
        ours = sorted(Acl([parse(text, "odd")]).capabilities(path))
        assert (text, ours) == (text, sorted(answer["data"]["capabilities"]))
        assert ours
