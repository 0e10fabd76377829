"""Turns rules into CrossGuard policies. Owns the wiring; judges nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    ReportViolation,
    ResourceValidation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidation,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy import Severity as EngineSeverity
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError

from policies.judge import Outcome, Status, weigh
from policies.rule import Environment, Level, Requirement, Resource, Rule, StackRule
from policies.view import BRIDGE_NOTE, UNKNOWN
from policies.waivers import Waivers

SETTING = "strongroom:environment"


def environment(config: Mapping[str, Any]) -> Environment:
    """The environment of a stack's configuration; the strictest when it names none we know."""
    named = config.get(SETTING)
    return Environment(named) if named in set(Environment) else Environment.PROD


def plain(value: Any) -> Any:
    """The value as plain dicts and lists, with `UNKNOWN` for what a preview cannot know.

    The SDK's proxies raise at the first unknown they meet, which would hide a fault that stands
    after it; here each part stays judgeable.
    """
    if isinstance(value, Mapping):
        return {key: _read(value, key) for key in value if key != BRIDGE_NOTE}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_read(value, index) for index in range(len(value))]
    return value


def _read(container: Any, key: Any) -> Any:
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN


def policies(rules: Iterable[Requirement], env: Environment, waivers: Waivers) -> list[Policy]:
    """The policies of the rules, in their order, and after them those on the waivers."""
    return [*(policy(rule, env, waivers) for rule in rules), *_on_waivers(waivers)]


def policy(rule: Requirement, env: Environment, waivers: Waivers) -> Policy:
    """The CrossGuard policy of a rule, enforced as the environment asks.

    What could not be judged ends as the SDK's advice that a policy could not run, with every place,
    after every finding in the known parts was reported. Raises TypeError for a rule of neither
    kind.
    """
    described: dict[str, Any] = {
        "name": rule.id,
        "description": rule.title,
        "enforcement_level": EnforcementLevel(rule.levels[env]),
        "severity": EngineSeverity(rule.severity),
        "framework": PolicyComplianceFramework(name="; ".join(rule.frameworks)),
        "remediation_steps": rule.remediation,
    }
    match rule:
        case Rule():
            return ResourceValidationPolicy(validate=_of_resource(rule, env, waivers), **described)
        case StackRule():
            return StackValidationPolicy(validate=_of_stack(rule, env, waivers), **described)
        case _:
            raise TypeError(f"{rule.id} judges neither resources nor stacks")


def _of_resource(rule: Rule, env: Environment, waivers: Waivers) -> ResourceValidation:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type not in rule.resource_types:
            args.not_applicable(f"judges {', '.join(sorted(rule.resource_types))}")
        resource = Resource(
            type=args.resource_type, name=args.name, urn=args.urn, properties=plain(args.props)
        )
        judged = rule.judge(resource.properties)
        _tell(weigh(rule, judged, {"": resource}, env, waivers), report)

    return validate


def _of_stack(rule: StackRule, env: Environment, waivers: Waivers) -> StackValidation:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = [
            Resource(
                type=each.resource_type,
                name=each.name,
                urn=each.urn,
                properties=plain(each.props),
                depends_on={
                    key: frozenset(source.urn for source in sources)
                    for key, sources in each.property_dependencies.items()
                },
            )
            for each in args.resources
        ]
        by_urn = {resource.urn: resource for resource in resources}
        _tell(weigh(rule, rule.judge(resources), by_urn, env, waivers), report)

    return validate


def _tell(weighed: Iterable[Outcome], report: ReportViolation) -> None:
    not_checked = []
    for outcome in weighed:
        if outcome.status is Status.BROKEN:
            report(str(outcome), outcome.urn or None)
        elif outcome.status is Status.NOT_CHECKED:
            not_checked.append(f"{outcome.resource}: {outcome.evidence}")
    if not_checked:
        error = UnknownValueError(UNKNOWN_STRING_VALUE, not_checked)
        error.message = f"NOT CHECKED: {'; '.join(not_checked)}"
        raise error


def _on_waivers(waivers: Waivers) -> list[Policy]:
    def wrong(_args: StackValidationArgs, report: ReportViolation) -> None:
        for problem in waivers.problems:
            report(f"{problem}. It excuses nothing.", None)

    def told(_args: StackValidationArgs, report: ReportViolation) -> None:
        for waiver in waivers.in_force:
            report(f"{waiver} is in force here: {waiver.reason}.", None)
        for waiver in waivers.unused:
            report(f"{waiver} excuses nothing here. Remove it when no stack needs it.", None)

    return [
        StackValidationPolicy(
            name="waivers-are-well-formed",
            description="A waiver must name its rule, resource, reason, owner and last day.",
            enforcement_level=EnforcementLevel(Level.MANDATORY),
            validate=wrong,
        ),
        StackValidationPolicy(
            name="waivers-are-told",
            description="A waiver must be seen by whoever deploys, and excuse something.",
            enforcement_level=EnforcementLevel(Level.ADVISORY),
            validate=told,
        ),
    ]
