"""The evaluator against a live Vault's own answers, on generated policies and paths."""

from __future__ import annotations

import random
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import hvac
import pytest

from access.evaluate import Acl
from access.policy import Capability, PathRule, Policy
from access.policy_hcl import render
from local import toolchain

pytestmark = pytest.mark.e2e

CASES = 20_000
PATHS_A_SET = 50
WORDS = ("a", "b", "ab", "data", "dat")
CAPABILITIES = [c for c in Capability if c is not Capability.DENY]


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[hvac.Client]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    token = secrets.token_hex(16)
    log = (tmp_path / "vault.log").open("w")
    server = subprocess.Popen(
        [toolchain.ensure(["vault"])["vault"], "server", "-dev", "-dev-no-store-token"],
        env={
            "VAULT_DEV_LISTEN_ADDRESS": address,
            "VAULT_DEV_ROOT_TOKEN_ID": token,
            "HOME": str(tmp_path),
        },
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    client = hvac.Client(url=f"http://{address}", token=token)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                if client.sys.is_initialized() and not client.sys.is_sealed():
                    break
            except OSError:
                pass
            assert time.monotonic() < deadline, "the dev Vault did not answer within 30 s"
            assert server.poll() is None, Path(log.name).read_text()
            time.sleep(0.1)
        yield client
    finally:
        server.terminate()
        server.wait()
        log.close()


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


def test_the_evaluator_agrees_with_vault_on_every_generated_case(vault: hvac.Client) -> None:
    seed = 20_260_101
    dice = random.Random(seed)
    disagreements = []
    cases = 0
    allowed = 0
    while cases < CASES:
        policies = [
            Policy(
                name=f"generated-{number}",
                rules=tuple(some_rule(dice) for _ in range(dice.randint(1, 6))),
            )
            for number in range(dice.randint(1, 3))
        ]
        for policy in policies:
            vault.sys.create_or_update_policy(policy.name, render(policy))
        token = vault.auth.token.create(
            policies=[policy.name for policy in policies], no_default_policy=True, type="batch"
        )["auth"]["client_token"]
        paths = sorted({some_path(dice) for _ in range(PATHS_A_SET)})
        answer = vault.adapter.post("/v1/sys/capabilities", json={"token": token, "paths": paths})[
            "data"
        ]
        acl = Acl(policies)
        for path in paths:
            ours = {c.value for c in acl.capabilities(path)}
            allowed += ours != {"deny"}
            if ours != set(answer[path]):
                disagreements.append((path, ours, answer[path], [render(p) for p in policies]))
        cases += len(paths)
    assert disagreements == [], f"seed {seed}: {len(disagreements)} of {cases} disagree"
    assert cases * 0.1 < allowed < cases * 0.9, "the cases are one-sided and would prove little"
