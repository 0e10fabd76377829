"""How a deployment grows with the number of grants, beside OpenTofu on the same Vault.

    python -m benchmarks.grants --sizes 10,100,1000

A grant is a policy and a role of the Kubernetes auth method. For each size every side deploys the
same grants to one Vault dev server, then ten more, and removes them again; what it left in Vault
must be what the others left. Prints Markdown: processor and wall-clock time with the ratio to
OpenTofu's faster form, milliseconds for each further grant, the program's own share. Builds
OpenTofu when missing.
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
from benchmarks import grants_sides, grants_tofu, machine
from benchmarks.grants_sides import Cost, Side, Step
from benchmarks.growth import bend, cell, marginal, markdown
from local.progress import Clock
from local.services import dev_vault
from settings.grant_files import gather
from wiring import collector

Make = Callable[[Sequence[Grant], Sequence[Grant], hvac.Client, Path], Side]
CHECKPOINTS = "Strongroom"
PROGRAM = "Strongroom, no checkpoints"
REFERENCE = "OpenTofu, blocks"
SIDES: dict[str, Make] = {
    CHECKPOINTS: grants_sides.strongroom,
    PROGRAM: grants_sides.without_checkpoints,
    REFERENCE: grants_tofu.blocks,
    "OpenTofu, `for_each`": grants_tofu.for_each,
}
# With checkpoints the time of these grows with the square: 1,000 grants take longer than all else.
SQUARE = (Step.CREATE, Step.DESTROY)
LARGEST_SQUARE = 100

Kind = Callable[[Cost], float]
KINDS: dict[str, Kind] = {
    "processor time": lambda cost: cost.processor,
    "wall-clock time": lambda cost: cost.seconds,
}


@dataclass(frozen=True, kw_only=True)
class Share:
    """Processor seconds of a preview's Python process, and what is in them.

    `own` is the project's logic alone: reading the files, checking the grants, writing policies.
    `sdk` is a program of as many resources without the project, `sdk_default` the same with
    Python's own way of searching for dead objects.
    """

    program: float
    sdk: float
    sdk_default: float
    own: float


@dataclass
class Results:
    """Costs by side, step and size; the program's share and how busy the machine was by size."""

    costs: dict[tuple[str, Step], dict[int, Cost]] = field(default_factory=dict)
    shares: dict[int, Share] = field(default_factory=dict)
    loads: list[str] = field(default_factory=list)

    def of(self, side: str, step: Step, kind: Kind) -> dict[int, float]:
        """Seconds by size; what was not measured is missing."""
        return {size: kind(cost) for size, cost in self.costs.get((side, step), {}).items()}


def some_grants(count: int, *, first: int = 0) -> list[Grant]:
    """Grants of made-up teams, each with two secrets and a database role."""
    return [
        Grant(
            name=f"grant-{number:04}",
            service_accounts=(f"app-{number:04}",),
            namespaces=(f"team-{number % 20}",),
            secrets=(f"secret/team-{number % 20}/app-{number:04}", "secret/shared/registry"),
            database=("ml-readonly",),
        )
        for number in range(first, first + count)
    ]


def main(
    sizes: Annotated[str, typer.Option(help="Numbers of grants, with commas.")] = "10,100,1000",
    minutes: Annotated[float, typer.Option(help="No side is begun after that many.")] = 20,
) -> None:
    """Measure and print."""
    collector.search_rarely()  # as the program does, for what is timed in this process
    results, clock = Results(), Clock()
    machine_facts = machine.facts()
    with tempfile.TemporaryDirectory(prefix="strongroom-grants-") as scratch:
        folder = Path(scratch)
        with dev_vault.running(folder) as vault:
            vault.sys.enable_auth_method("kubernetes")
            for size in sorted(int(text) for text in sizes.split(",")):
                results.loads.append(f"{size:,} grants: {machine.load()}")
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
    grants, more = some_grants(size), some_grants(10, first=size)
    left: dict[str, Any] = {}
    for number, (name, make) in enumerate(SIDES.items()):
        if clock.elapsed > 60 * minutes:
            continue
        side = make(grants, more, vault, folder / f"{size}-{number}")
        for step in Step:
            if name == CHECKPOINTS and step in SQUARE and size > LARGEST_SQUARE:
                grants_sides.unsaved(side).cost(step)
                continue
            cost = side.cost(step)
            results.costs.setdefault((name, step), {})[size] = cost
            clock(f"{size} grants, {name}: {step}, {cost.seconds:.2f} s, {cost.processor:.2f} busy")
            if name == PROGRAM and step is Step.PREVIEW:
                results.shares[size] = _share_of(side, size, vault)
            if step is Step.MORE:
                left[name] = _objects(vault, [*grants, *more])
        if remaining := _remaining(vault, [*grants, *more]):
            raise RuntimeError(f"{name} leaves {remaining[0]} in Vault after `destroy`")
        if differing := [other for other, seen in left.items() if seen != left[name]]:
            raise RuntimeError(f"{name} leaves other objects in Vault than {differing[0]}")


def _share_of(side: Side, size: int, vault: hvac.Client) -> Share:
    program = grants_sides.share(side)
    own = min(_own_logic(side.folder / "grants") for _ in range(3))
    sdk, default = (
        grants_sides.sdk_alone(
            size, vault, side.folder.with_name(f"{size}-sdk-{rarely}"), search_rarely=rarely
        )
        for rarely in (True, False)
    )
    return Share(program=program, sdk=sdk, sdk_default=default, own=own)


def _own_logic(folder: Path) -> float:
    started = time.process_time()
    for row in gather(str(folder)).rows:
        render(Grant.model_validate(row).policy)
    return time.process_time() - started


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
    sizes = list(results.shares)
    spans = [f"ms a grant, {a:,} to {b:,}" for a, b in pairwise(sizes)]
    rows = []
    for step in Step:
        for side in SIDES:
            seconds = results.of(side, step, KINDS["processor time"])
            # A step that was not measured at every size shows what it has.
            found = dict(zip(list(pairwise(sorted(seconds))), marginal(seconds), strict=True))
            each = [f"{found[span]:.1f}" if span in found else "–" for span in pairwise(sizes)]
            bent = bend(seconds)
            rows.append([step, side, *each, f"{bent:.2f}" if bent else "–"])
    return markdown(["step", "side", *spans, "last / first"], rows)


def _share(results: Results) -> str:
    preview = results.of(PROGRAM, Step.PREVIEW, KINDS["processor time"])
    heading = [
        "grants",
        "preview, processor time",
        "of it the program",
        "SDK alone, as many resources",
        "the same, Python's default search",
        "own logic",
        "own logic / program",
    ]
    rows = [
        [
            f"{size:,}",
            f"{preview[size]:.2f} s",
            f"{share.program:.2f} s",
            f"{share.sdk:.2f} s",
            f"{share.sdk_default:.2f} s",
            f"{1000 * share.own:.1f} ms",
            f"{100 * share.own / share.program:.1f} %",
        ]
        for size, share in results.shares.items()
    ]
    return markdown(heading, rows)


if __name__ == "__main__":
    typer.run(main)
