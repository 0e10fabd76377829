"""A whole report: every control of the catalogue, at preview and live.

Owns how a control's proofs are gathered, and what is said where one side was not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from compliance.checks import CHECKS, ask
from compliance.controls import frameworks
from compliance.live import Live
from compliance.live_resources import LiveResources, is_asked_live, live_resources, urns_of
from compliance.model import Control, Evidence, Report, Result, Side, State, Waived
from compliance.rules import proofs
from policies.rule import Environment, Resource
from policies.rules import ALL
from policies.waivers import Waivers

_Proofs = Mapping[str, Sequence[Evidence]]
_NO_STATE = "no exported stack was given (--state)"
_ELSEWHERE = "what the rule speaks of is not asked live: clouds and files are not"
_NOT_LIVE = "the running system was not asked (--no-live)"


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A deployed stack: its resources as the rules see them, and the export they are from."""

    resources: tuple[Resource, ...]
    export: Any


def report(
    *,
    title: str,
    environment: Environment,
    made: datetime,
    waivers: Waivers,
    deployed: Deployed | None,
    live: Live | None,
) -> Report:
    """Prove every control as far as the sides given allow.

    What one proof may not ask is "not checked"; VaultOpsError is raised by none of them.
    """
    at_preview = _at_preview(deployed, environment, waivers)
    running = _running(live, deployed, environment, waivers, at_preview)
    catalogue = frameworks(ALL, CHECKS)
    results = tuple(
        (framework, tuple(_result(c, at_preview, running) for c in framework.controls))
        for framework in catalogue
    )
    return Report(
        title=title,
        environment=environment,
        made=made,
        results=results,
        waivers=tuple(_waived(waivers)),
        problems=waivers.problems,
    )


def _at_preview(deployed: Deployed | None, environment: Environment, waivers: Waivers) -> _Proofs:
    if deployed is None:
        return {rule.id: (_not_checked(rule.id, _NO_STATE),) for rule in ALL}
    return proofs(deployed.resources, environment, waivers, what="of the stack")


def _running(
    live: Live | None,
    deployed: Deployed | None,
    environment: Environment,
    waivers: Waivers,
    at_preview: _Proofs,
) -> _Proofs:
    if live is None:
        named = (*(rule.id for rule in ALL), *CHECKS)
        return {name: (_not_checked(name, _NOT_LIVE),) for name in named}
    read = live_resources(live, urns_of(deployed.export) if deployed else {})
    found = proofs(read.resources, environment, waivers, what="of what runs")
    judged = {rule.id: tuple(_whole(rule.id, found, read, at_preview)) for rule in ALL}
    return {**judged, **{name: (answer,) for name, answer in ask(live).items()}}


def _whole(
    rule: str, found: _Proofs, read: LiveResources, at_preview: _Proofs
) -> Iterator[Evidence]:
    """What a rule found live, and that it could not see everything where it could not."""
    requirement = next(each for each in ALL if each.id == rule)
    if not is_asked_live(requirement):
        absent = all(e.state is State.NOT_APPLICABLE for e in at_preview[rule])
        yield from found[rule] if absent else [_not_checked(rule, _ELSEWHERE)]
    elif why := read.unread_of(requirement):
        yield _not_checked(rule, why)
        yield from (e for e in found[rule] if e.state is State.FAILED)
    else:
        yield from found[rule]


def _result(control: Control, at_preview: _Proofs, running: _Proofs) -> Result:
    return Result(
        control=control,
        preview=_side(control, control.rules, at_preview, "a deployment decides nothing of it"),
        live=_side(control, (*control.rules, *control.checks), running, ""),
    )


def _side(control: Control, names: Sequence[str], found: _Proofs, nothing: str) -> Side:
    if control.why:
        return Side.of([_not_checked("", control.why)])
    if not names:
        return Side.of([Evidence(proof="", state=State.NOT_APPLICABLE, said=nothing)])
    return Side.of(evidence for name in names for evidence in found[name])


def _not_checked(proof: str, why: str) -> Evidence:
    return Evidence(proof=proof, state=State.NOT_CHECKED, said=why)


def _waived(waivers: Waivers) -> Iterator[Waived]:
    unused = waivers.unused
    for waiver in waivers.entries:
        holds = waiver.holds(waivers.today)
        standing = "holds" if holds else "lapsed"
        yield Waived(
            rule=waiver.rule,
            urn=waiver.urn,
            owner=waiver.owner,
            expires=str(waiver.expires),
            reason=waiver.reason,
            standing="excuses nothing here" if waiver in unused else standing,
        )
