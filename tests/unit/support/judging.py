"""What the project's own rules say of a recorded deployment: components against policies."""

from __future__ import annotations

from datetime import date
from typing import Any

from policies.judge import Status, outcomes
from policies.rule import Environment, Resource
from policies.rules import ALL
from policies.view import UNKNOWN
from policies.waivers import Waivers
from tests.unit.support.monitor import UNKNOWN as RECORDED_UNKNOWN
from tests.unit.support.monitor import Deployment


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return UNKNOWN if value == RECORDED_UNKNOWN else value


def broken(deployed: Deployment, **replaced: dict[str, Any]) -> set[str]:
    """The ids of the rules that the deployment breaks in production, without any waiver.

    `replaced` are inputs put in place of a resource's own, by the resource's name with `_` for `-`.
    """
    names = {each.name for each in deployed.resources}
    assert {name.replace("_", "-") for name in replaced} <= names
    resources = [
        Resource(
            type=each.type,
            name=each.name,
            urn=each.urn,
            properties=_plain(each.inputs | replaced.get(each.name.replace("-", "_"), {})),
            depends_on={
                key: frozenset(sources.urns)
                for key, sources in each.request.propertyDependencies.items()
            },
        )
        for each in deployed.resources
    ]
    judged = outcomes(ALL, resources, Environment.PROD, Waivers(today=date.min))
    return {outcome.rule.id for outcome in judged if outcome.status is Status.BROKEN}
