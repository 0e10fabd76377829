"""The rules of the policy pack as proofs: over a deployed stack, and over live objects alike.

Owns turning their outcomes into evidence. Judging is `policies.judge`'s, with the same waivers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compliance.model import Evidence, State
from policies.judge import Outcome, Status, outcomes
from policies.rule import Environment, Level, Resource
from policies.rules import ALL
from policies.waivers import Waivers
from vaultops.policies import DEPLOYER_POLICY, deployer_policy

_STATES = {
    Status.BROKEN: State.FAILED,
    Status.NOT_CHECKED: State.NOT_CHECKED,
    Status.WAIVED: State.WAIVED,
}
_SHOWN = 5
_DEPLOYERS = "vault-policy-no-self-escalation"
_ITS_WORK = (
    "the deployer's policy writes policies and logins: that is its work, its text is the one of "
    "this program, and who may deploy decides who may read"
)


def proofs(
    resources: Sequence[Resource], environment: Environment, waivers: Waivers, *, what: str
) -> Mapping[str, tuple[Evidence, ...]]:
    """The evidence of every rule, by its id. `what` names the resources: `of the stack`."""
    found: dict[str, list[Evidence]] = {rule.id: [] for rule in ALL}
    for outcome in outcomes(ALL, resources, environment, waivers):
        found[outcome.rule.id].append(_evidence(outcome, resources))
    for rule in ALL:
        judged = [each.urn for each in resources if each.type in rule.resource_types]
        if not found[rule.id]:
            found[rule.id].append(_nothing_found(rule.id, judged, what))
    return {rule: tuple(dict.fromkeys(evidence)) for rule, evidence in found.items()}


def _nothing_found(rule: str, judged: Sequence[str], what: str) -> Evidence:
    if not judged:
        said = f"no object {what} is of a kind that the rule speaks of"
        return Evidence(proof=rule, state=State.NOT_APPLICABLE, said=said)
    more = len(judged) - _SHOWN
    where = (*judged[:_SHOWN], *([f"and {more} more"] if more > 0 else []))
    objects = "object" if len(judged) == 1 else "objects"
    said = f"{len(judged)} {objects} {what} judged; none breaks the rule"
    return Evidence(proof=rule, state=State.PASSED, said=said, where=where)


def _evidence(outcome: Outcome, resources: Sequence[Resource]) -> Evidence:
    said = f"{outcome.resource}: {outcome.evidence}"
    if _is_the_deployers_work(outcome, resources):
        return Evidence(
            proof=outcome.rule.id, state=State.WAIVED, said=_ITS_WORK, where=(outcome.urn,)
        )
    if outcome.waiver and outcome.status is Status.WAIVED:
        waiver = outcome.waiver
        said += f"; waived until {waiver.expires} by {waiver.owner}: {waiver.reason}"
    elif outcome.waiver:
        said += f"; the waiver of {outcome.waiver.owner} lapsed on {outcome.waiver.expires}"
    elif outcome.status is Status.BROKEN and outcome.level is Level.ADVISORY:
        said += " (stops no deployment of this environment)"
    return Evidence(
        proof=outcome.rule.id,
        state=_STATES[outcome.status],
        said=said,
        where=(outcome.urn,),
        fix=outcome.fix,
    )


def _is_the_deployers_work(outcome: Outcome, resources: Sequence[Resource]) -> bool:
    if outcome.rule.id != _DEPLOYERS or outcome.resource != DEPLOYER_POLICY:
        return False
    judged = next(each for each in resources if each.urn == outcome.urn)
    return bool(judged.properties["policy"] == deployer_policy())
