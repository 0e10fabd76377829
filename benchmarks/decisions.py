"""How many access decisions a second: `access.evaluate` beside the live Vault's sys/capabilities.

    python -m benchmarks.decisions

Both are asked about the same tokens and paths, and must give the same answers. Vault is asked path
by path and in batches, on one kept connection to a dev server on loopback; the evaluator is timed
with and without reading the policies from their text. Prints Markdown.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import hvac
import typer

from access.evaluate import Acl
from access.grant import Grant
from access.policy import Capability, PathRule, Policy
from access.policy_hcl import parse, render
from benchmarks import machine
from benchmarks.growth import markdown
from local.services import dev_vault

SEED = 20_260_101
BATCH = 50
Answers = list[set[str]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """The policies of one token, and the paths that it is asked about."""

    policies: tuple[Policy, ...]
    paths: tuple[str, ...]


class Stopwatch:
    """Seconds by what they were spent on."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timing(self, what: str) -> Iterator[None]:
        """Add the seconds of the block to `what`."""
        started = time.perf_counter()
        yield
        self.seconds[what] = self.seconds.get(what, 0) + time.perf_counter() - started


def some_cases(tokens: int, paths: int) -> list[Case]:
    """Tokens with a grant, a team's prefix with one denial in it, and a `+` for every team."""
    dice = random.Random(SEED)  # noqa: S311 -- the same cases each time, nothing secret
    return [_case(number, paths, dice) for number in range(tokens)]


def _case(number: int, paths: int, dice: random.Random) -> Case:
    team = f"team-{number % 5}"
    grant = Grant(
        name=f"grant-{number:04}",
        service_accounts=(f"app-{number}",),
        namespaces=(team,),
        secrets=tuple(f"secret/{team}/app-{index}" for index in range(10)),
        database=("ml-readonly",),
    )
    read, both = frozenset({Capability.READ}), frozenset({Capability.READ, Capability.LIST})
    shared = Policy(
        name=f"shared-{number:04}",
        rules=(
            PathRule(path=f"secret/metadata/{team}/*", capabilities=both),
            PathRule(
                path=f"secret/data/{team}/private/*", capabilities=frozenset({Capability.DENY})
            ),
            PathRule(path="secret/data/+/public", capabilities=read),
        ),
    )
    asked = [
        f"secret/{dice.choice(('data', 'metadata'))}/team-{dice.randrange(5)}/"
        f"{dice.choice(('public', 'private/x', f'app-{dice.randrange(20)}'))}"
        for _ in range(paths)
    ]
    return Case(policies=(grant.policy, shared), paths=tuple(asked))


def main(
    tokens: Annotated[int, typer.Option(min=1)] = 100,
    paths: Annotated[int, typer.Option(min=1, help="Asked for each token.")] = 200,
) -> None:
    """Measure and print. Raises RuntimeError when the two disagree."""
    cases, watch = some_cases(tokens, paths), Stopwatch()
    facts = machine.facts()
    allowed = 0
    with (
        tempfile.TemporaryDirectory(prefix="strongroom-decisions-") as scratch,
        dev_vault.running(Path(scratch)) as vault,
    ):
        for case in cases:
            token = _token(vault, case.policies)
            ours = evaluated(case, watch)
            for size, what in ((1, "Vault, path by path"), (BATCH, f"Vault, {BATCH} paths a call")):
                with watch.timing(what):
                    theirs = _asked(vault, token, case.paths, size)
                if differing := [
                    p for p, a, b in zip(case.paths, ours, theirs, strict=True) if a != b
                ]:
                    raise RuntimeError(f"{differing[0]}: the evaluator and Vault disagree")
            allowed += sum(answer != {"deny"} for answer in ours)
    total = tokens * paths
    print(f"{facts}, {machine.load()} at the end.")
    print(f"{total:,} decisions for {tokens:,} tokens, {allowed:,} not denied; no disagreement.\n")
    print(_table(total, watch))


def evaluated(case: Case, watch: Stopwatch) -> Answers:
    """What the evaluator answers; timed from the policies' text, and from the values alone."""
    texts = [(policy.name, render(policy)) for policy in case.policies]
    with watch.timing("evaluator, policies read from text"):
        read = Acl([parse(text, name) for name, text in texts])
        answers = [read.capabilities(path) for path in case.paths]
    with watch.timing("evaluator"):
        acl = Acl(case.policies)
        again = [acl.capabilities(path) for path in case.paths]
    if answers != again:
        raise RuntimeError("a policy and its text do not mean the same")
    return [{capability.value for capability in answer} for answer in again]


def _asked(vault: hvac.Client, token: str, paths: Sequence[str], size: int) -> Answers:
    answers: dict[str, set[str]] = {}
    for start in range(0, len(paths), size):
        asked = list(paths[start : start + size])
        answer = vault.adapter.post("/v1/sys/capabilities", json={"token": token, "paths": asked})
        answers |= {path: set(answer["data"][path]) for path in asked}
    return [answers[path] for path in paths]


def _token(vault: hvac.Client, policies: Sequence[Policy]) -> str:
    for policy in policies:
        vault.sys.create_or_update_policy(policy.name, render(policy))
    names = [policy.name for policy in policies]
    made = vault.auth.token.create(policies=names, no_default_policy=True, type="batch")
    token: str = made["auth"]["client_token"]
    return token


def _table(total: int, watch: Stopwatch) -> str:
    slowest = max(watch.seconds.values())
    return markdown(
        ["asked", "decisions a second", "microseconds each", "times the slowest"],
        [
            [
                what,
                f"{total / spent:,.0f}",
                f"{1e6 * spent / total:,.1f}",
                f"{slowest / spent:,.1f}",
            ]
            for what, spent in sorted(watch.seconds.items(), key=lambda entry: entry[1])
        ],
    )


if __name__ == "__main__":
    typer.run(main)
