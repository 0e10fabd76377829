"""The project's own program, in each environment: nothing that the pack would refuse."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from policies.judge import Outcome, Status, outcomes
from policies.resource_types import VAULT_POLICY
from policies.rule import Environment, Resource
from policies.rules import ALL, RULES
from policies.view import UNKNOWN
from policies.waivers import Waivers
from tests.unit.support.monitor import UNKNOWN as RECORDED_UNKNOWN
from tests.unit.support.stacks import STACKS
from tests.unit.test_program import no_vault, run  # noqa: F401 -- the first is a fixture
from vaultops.policies import deployer_policy, operator_policy


def plain(value: Any) -> Any:
    """A recorded value with the mark of the rules for what is unknown."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return UNKNOWN if value == RECORDED_UNKNOWN else value


def judged(stack: str, *, preview: bool) -> list[Outcome]:
    """What the rules say of a stack, without any waiver."""
    resources = [
        Resource(
            type=each.type,
            name=each.name,
            urn=each.urn,
            properties=plain(each.inputs),
            depends_on={
                key: frozenset(sources.urns)
                for key, sources in each.request.propertyDependencies.items()
            },
        )
        for each in run(stack, preview=preview).resources
    ]
    assert len(resources) > 50
    return list(outcomes(ALL, resources, Environment(stack), Waivers(today=date.min)))


@pytest.mark.parametrize("stack", STACKS)
def test_the_program_breaks_no_mandatory_rule(stack: str) -> None:
    assert [str(outcome) for outcome in judged(stack, preview=False) if outcome.stops] == []


def test_a_first_preview_says_what_it_cannot_judge() -> None:
    said = judged("prod", preview=True)
    assert [str(outcome) for outcome in said if outcome.stops] == []
    unread = {o.evidence for o in said if o.status is Status.NOT_CHECKED}
    assert "address: unknown until deployed" in unread


@pytest.mark.parametrize(
    ("policy", "broken"),
    [(deployer_policy(), {"vault-policy-no-self-escalation"}), (operator_policy(), set())],
    ids=["deployer", "operator"],
)
def test_what_the_bootstrap_hands_out_is_no_wider_than_its_work(
    policy: str, broken: set[str]
) -> None:
    """The deployer writes policies and roles: that is its work, and all that a rule accuses."""
    properties = {"name": "of-the-bootstrap", "policy": policy}
    rules = [rule for rule in RULES if VAULT_POLICY in rule.resource_types]
    assert {rule.id for rule in rules if rule.judge(properties)} == broken
