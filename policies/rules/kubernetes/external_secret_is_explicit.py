"""An ExternalSecret must say what it takes and who owns the Secret that it makes.

A search that matches every name pulls in secrets that nobody has written yet.
Source: External Secrets Operator, "dataFrom", "Lifecycle".
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.external_secrets import finds_anything, types
from policies.rule import REQUIRED_IN_PROD, Finding, Judgement, Rule, Severity, each, each_of
from policies.view import View


def check(external: View) -> Iterator[Judgement]:
    """Yield a finding for each open search, and for no creation policy."""
    inner = external["spec"]["externalSecretSpec"]  # of a ClusterExternalSecret
    spec = inner if inner.given else external["spec"]
    yield from each_of(spec["dataFrom"], _source)
    yield from each([spec["target"]["creationPolicy"]], _creation)


def _source(source: View) -> Iterator[Judgement]:
    find = source["find"]
    if not find.given:
        return
    expression = find["name"]["regexp"]
    if not find["tags"].given and finds_anything(expression):
        yield Finding(
            evidence=f"{find.path} matches every name ({expression.text() or 'no regexp'})",
            fix="name the keys in data, or begin the regexp with the team's folder",
        )


def _creation(policy: View) -> Iterator[Judgement]:
    if policy.text() not in ("Owner", "Merge", "Orphan", "None"):
        yield Finding(
            evidence=f"{policy.path} is {policy.text() or 'not set'}",
            fix=f"set {policy.path} to Owner",
        )


RULE = Rule(
    id="eso-external-secret-is-explicit",
    title="An ExternalSecret must name what it takes and own what it makes.",
    severity=Severity.MEDIUM,
    frameworks=("NIST SP 800-53 AC-6",),
    resource_types=types("ExternalSecret", "ClusterExternalSecret"),
    remediation="One data entry for each key, creationPolicy: Owner.",
    levels=REQUIRED_IN_PROD,
    check=check,
)
