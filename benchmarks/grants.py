"""How a deployment grows with the number of grants, beside OpenTofu on the same Vault.

    python -m benchmarks.grants --sizes 10,100,1000

A grant is a policy and a role of the Kubernetes auth method. For each size every side deploys the
same grants to one Vault dev server and removes them again; what it left in Vault must be what the
others left. Prints Markdown: processor and wall-clock time with the ratio to OpenTofu's faster
form, milliseconds for each further grant, the program's own share. Builds OpenTofu when missing.
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
import hvac.exceptions
import typer

from access.grant import Grant
from access.policy_hcl import render
from benchmarks import dev_vault, grants_sides, grants_tofu, machine
from benchmarks.grants_sides import Cost, Side, Step
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

Kind = Callable[[Cost], float]
KINDS: dict[str, Kind] = {
    "processor time": lambda cost: cost.processor,
    "wall-clock time": lambda cost: cost.seconds,
}


@dataclass
class Results:
    """Costs by side, step and size; seconds of the program's process and of policies by size."""

    costs: dict[tuple[str, Step], dict[int, Cost]] = field(default_factory=dict)
    share: dict[int, float] = field(default_factory=dict)
    policies: dict[int, float] = field(default_factory=dict)
    loads: list[str] = field(default_factory=list)

    def of(self, side: str, step: Step, kind: Kind) -> dict[int, float]:
        """Seconds by size; what was not measured is missing."""
        return {size: kind(cost) for size, cost in self.costs.get((side, step), {}).items()}


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
    minutes: Annotated[float, typer.Option(help="No side is begun after that many.")] = 8,
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
                _measure(size, vault, folder, results, clock, minutes)
    print(f"\n{machine_facts}. {'; '.join(results.loads)}.\n")
    for name, kind in KINDS.items():
        print(f"{name.capitalize()}:\n\n{_times(results, kind)}\n")
    print(f"Growth of the processor time:\n\n{_growth(results)}\n\n{_share(results)}")


def _measure(
    size: int,
    vault: hvac.Client,
    folder: Path,
    results: Results,
    clock: Clock,
    minutes: float,
) -> None:
    started = time.process_time()
    grants = some_grants(size)
    for grant in grants:
        render(grant.policy)
    results.policies[size] = time.process_time() - started
    left: dict[str, Any] = {}
    for number, (name, make) in enumerate(SIDES.items()):
        if size > LARGEST.get(name, size) or clock.elapsed > 60 * minutes:
            continue
        side = make(grants, vault, folder / f"{size}-{number}")
        for step in Step:
            cost = side.cost(step)
            results.costs.setdefault((name, step), {})[size] = cost
            clock(f"{size} grants, {name}: {step}, {cost.seconds:.2f} s, {cost.processor:.2f} busy")
            if name == PROGRAM and step is Step.PREVIEW:
                results.share[size] = float((side.folder / "share").read_text())
            if step is Step.CREATE:
                left[name] = _objects(vault, grants)
        if remaining := _remaining(vault, grants):
            raise RuntimeError(f"{name} leaves {remaining[0]} in Vault after `destroy`")
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


def _remaining(vault: hvac.Client, grants: Sequence[Grant]) -> list[str]:
    """Names of the grants of which Vault still holds something."""
    try:
        roles = vault.auth.kubernetes.list_roles()["keys"]
    except hvac.exceptions.InvalidPath:  # what Vault answers for an empty list
        roles = []
    there = {*roles, *vault.sys.list_acl_policies()["data"]["keys"]}
    return [grant.name for grant in grants if grant.name in there]


def _times(results: Results, kind: Kind) -> str:
    return markdown(
        ["step", "grants", *SIDES],
        [
            [step, f"{size:,}"]
            + [cell(results.of(side, step, kind).get(size), faster) for side in SIDES]
            for step in Step
            for size, faster in results.of(REFERENCE, step, kind).items()
        ],
    )


def _growth(results: Results) -> str:
    sizes = list(results.share)
    spans = [f"ms a grant, {a:,} to {b:,}" for a, b in pairwise(sizes)]
    rows = []
    for step in Step:
        for side in SIDES:
            seconds = results.of(side, step, KINDS["processor time"])
            each = [f"{value:.1f}" for value in marginal(seconds)]
            dashes = ["–"] * (len(spans) - len(each))
            bent = bend(seconds)
            rows.append([step, side, *each, *dashes, f"{bent:.2f}" if bent else "–"])
    return markdown(["step", "side", *spans, "last / first"], rows)


def _share(results: Results) -> str:
    return markdown(
        ["grants", "preview, processor time", "of it the program", "of it grants and policies"],
        [
            [
                f"{size:,}",
                f"{results.costs[PROGRAM, Step.PREVIEW][size].processor:.2f} s",
                f"{share:.2f} s",
                f"{1000 * results.policies[size]:.1f} ms",
            ]
            for size, share in results.share.items()
        ],
    )


if __name__ == "__main__":
    typer.run(main)
