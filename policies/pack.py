"""Turns rules into CrossGuard policies. Owns the wiring and how a finding reads; judges nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pulumi_policy import (
    Policy,
    PolicyComplianceFramework,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)
from pulumi_policy import Severity as EngineSeverity
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError

from policies.rule import UNKNOWN, Finding, NotChecked, Rule


def plain(value: Any) -> Any:
    """The value as plain dicts and lists, with `UNKNOWN` for what a preview cannot know.

    The SDK's proxies raise at the first unknown they meet, which would hide a fault that stands
    after it; here each part stays judgeable.
    """
    if isinstance(value, Mapping):
        return {key: _read(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_read(value, index) for index in range(len(value))]
    return value


def _read(container: Any, key: Any) -> Any:
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN


def describe(rule: Rule, resource: str, finding: Finding) -> str:
    """One violation as a person reads it: the resource, the evidence, the fix."""
    return f"{resource}: {finding.evidence}. Fix: {finding.fix}. ({rule.severity}, {rule.id})"


def policy(rule: Rule) -> ResourceValidationPolicy:
    """The CrossGuard policy of a rule.

    What could not be judged ends as the SDK's own "can't be known during preview" advice, after
    every finding in the known parts was reported.
    """

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type not in rule.resource_types:
            args.not_applicable(f"judges {', '.join(sorted(rule.resource_types))}")
        judgements = list(rule.check(plain(args.props)))
        for finding in (j for j in judgements if isinstance(j, Finding)):
            report(describe(rule, args.name, finding), None)
        for unknown in (j for j in judgements if isinstance(j, NotChecked)):
            raise UnknownValueError(UNKNOWN_STRING_VALUE, [unknown.path])

    return ResourceValidationPolicy(
        name=rule.id,
        description=rule.title,
        validate=validate,
        severity=EngineSeverity(rule.severity),
        framework=PolicyComplianceFramework(name="; ".join(rule.frameworks)),
        remediation_steps=rule.remediation,
    )


def policies(rules: Iterable[Rule]) -> list[Policy]:
    """The policies of the rules, in their order."""
    return [policy(rule) for rule in rules]
