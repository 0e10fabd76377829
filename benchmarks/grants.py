"""How a deployment grows with the number of grants, beside OpenTofu on the same Vault.

    python -m benchmarks.grants --sizes 10,100,1000

A grant is a policy and a role of the Kubernetes auth method. For each size every side deploys the
same grants to one Vault dev server and removes them again; what it left in Vault must be what the
others left. Prints Markdown: times with their ratio to OpenTofu's faster form, milliseconds for
each further grant, and the program's own share. Builds OpenTofu and its provider when missing.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import hvac
import typer

from access.grant import Grant
from access.policy_hcl import render
from benchmarks import dev_vault, grants_sides, grants_tofu, machine
from benchmarks.grants_sides import Side, Step
from benchmarks.growth import bend, cell, marginal, markdown
from local.progress import Clock

SIDES: dict[str, Callable[[Sequence[Grant], hvac.Client, Path], Side]] = {
    "Strongroom": grants_sides.strongroom,
    "Strongroom, no checkpoints": grants_sides.without_checkpoints,
    "OpenTofu, blocks": grants_tofu.blocks,
    "OpenTofu, `for_each`": grants_tofu.for_each,
}
REFERENCE = "OpenTofu, blocks"
PROGRAM = "Strongroom, no checkpoints"
# With checkpoints the time grows with the square of the grants: 1,000 take longer than all else.
LARGEST = {"Strongroom": 100}


@dataclass
class Results:
    """Seconds by side, step and size; the program's processor seconds by size."""

    seconds: dict[tuple[str, Step], dict[int, float]] = field(default_factory=dict)
    share: dict[int, float] = field(default_factory=dict)
    policies: dict[int, float] = field(default_factory=dict)
    loads: list[str] = field(default_factory=list)

    def of(self, side: str, step: Step) -> dict[int, float]:
        """Seconds by size; what is not measured is missing."""
        return self.seconds.setdefault((side, step), {})


def some_grants(count: int) -> list[Grant]:
    """Grants of made-up teams, each with two secrets and a database role."""
    return [
        Grant(
            name=f"grant-{number:04}",
            service_accounts=(f"app-{number:04}",),
            namespaces=(f"team-{number % 20}",),
            secrets=(f"secret/team-{number % 20}/app-{number:04}", "secret/shared/registry"),
            database=("ml-readonly",),
        )
        for number in range(count)
    ]


def main(
    sizes: Annotated[str, typer.Option(help="Numbers of grants, with commas.")] = "10,100,1000",
) -> None:
    """Measure and print."""
    results, clock = Results(), Clock()
    machine_facts = machine.facts()
    with tempfile.TemporaryDirectory(prefix="strongroom-grants-") as scratch:
        folder = Path(scratch)
        with dev_vault.running(folder) as vault:
            vault.sys.enable_auth_method("kubernetes")
            for size in sorted(int(text) for text in sizes.split(",")):
                results.loads.append(f"{size} grants: {machine.load()}")
                _measure(size, vault, folder, results, clock)
    print(f"\n{machine_facts}. {'; '.join(results.loads)}.\n")
    for table in (_times(results), _growth(results), _share(results)):
        print(f"{table}\n")


def _measure(size: int, vault: hvac.Client, folder: Path, results: Results, clock: Clock) -> None:
    started = time.monotonic()
    grants = some_grants(size)
    for grant in grants:
        render(grant.policy)
    results.policies[size] = time.monotonic() - started
    left: dict[str, Any] = {}
    for number, (name, make) in enumerate(SIDES.items()):
        if size > LARGEST.get(name, size):
            continue
        side = make(grants, vault, folder / f"{size}-{number}")
        for step in Step:
            results.of(name, step)[size] = side.seconds(step)
            clock(f"{size} grants, {name}: {step}, {results.of(name, step)[size]:.2f} s")
            if name == PROGRAM and step is Step.PREVIEW:
                results.share[size] = float((side.folder / "share").read_text())
            if step is Step.CREATE:
                left[name] = _objects(vault, grants)
        if differing := [other for other, seen in left.items() if seen != left[name]]:
            raise RuntimeError(f"{name} leaves other objects in Vault than {differing[0]}")


def _objects(vault: hvac.Client, grants: Sequence[Grant]) -> list[tuple[str, Any]]:
    """What Vault holds for each grant. Raises hvac.exceptions.InvalidPath when it is not there."""
    return [
        (
            vault.sys.read_acl_policy(grant.name)["data"]["policy"],
            vault.auth.kubernetes.read_role(grant.name),
        )
        for grant in grants
    ]


def _times(results: Results) -> str:
    return markdown(
        ["step", "grants", *SIDES],
        [
            [step, f"{size:,}"] + [cell(results.of(side, step).get(size), faster) for side in SIDES]
            for step in Step
            for size, faster in results.of(REFERENCE, step).items()
        ],
    )


def _growth(results: Results) -> str:
    sizes = list(results.share)
    spans = [f"ms a grant, {a:,} to {b:,}" for a, b in pairwise(sizes)]
    rows = []
    for step in Step:
        for side in SIDES:
            seconds = results.of(side, step)
            each = [f"{value:.1f}" for value in marginal(seconds)]
            dashes = ["–"] * (len(spans) - len(each))
            bent = bend(seconds)
            rows.append([step, side, *each, *dashes, f"{bent:.2f}" if bent else "–"])
    return markdown(["step", "side", *spans, "last / first"], rows)


def _share(results: Results) -> str:
    return markdown(
        ["grants", "`pulumi preview`", "the program's processor time", "of it grants and policies"],
        [
            [
                f"{size:,}",
                f"{results.of(PROGRAM, Step.PREVIEW)[size]:.2f} s",
                f"{share:.2f} s",
                f"{1000 * results.policies[size]:.1f} ms",
            ]
            for size, share in results.share.items()
        ],
    )


if __name__ == "__main__":
    typer.run(main)
