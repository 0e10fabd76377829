"""A policy must not let its holder become an administrator by way of something else.

Found as a subset: all actions of a known way, allowed together by one document, whatever statement
and whatever wildcard gives each.
"""

from __future__ import annotations

from collections.abc import Iterator

from access.iam_escalation import ways
from policies.iam_documents import IDENTITY_POLICIES, document, identity_documents
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View


def _document(place: View) -> Iterator[Judgement]:
    if found := ways(document(place)):
        named = "; ".join(" + ".join(sorted(way)) for way in found[:5])
        more = f"; and {len(found) - 5} more ways" if len(found) > 5 else ""
        yield Finding(
            evidence=f"{place.path} allows {named}{more}",
            fix="take one action out of each way, or give it to the deployer's role only",
        )


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each document that opens a way."""
    yield from each(identity_documents(properties), _document)


RULE = Rule(
    id="iam-no-escalation",
    title="An IAM policy must not open a known way to administrator access.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 AC-6(10)", "MITRE ATT&CK T1098"),
    resource_types=IDENTITY_POLICIES,
    remediation="Give workloads no iam:, and no right to change code that runs as another role.",
    check=check,
)
