"""External Secrets Operator must not be able to make tokens of every account.

The chart's default is a ClusterRole that may: whoever takes the operator is everybody. A release
that is not rendered shows its values only, and older charts know no such value; where the engine
renders the chart, rbac-no-escalation judges the role itself.
Source: External Secrets Operator, "Security best practices"; the chart's values.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import HELM_RELEASE
from policies.rule import REQUIRED_IN_PROD, Finding, Judgement, Rule, Severity
from policies.view import View


def check(release: View) -> Iterator[Judgement]:
    """Yield a finding for the operator's chart with the default."""
    if "external-secrets" not in release["chart"].text().rpartition("/")[2]:
        return
    rbac = release["values"]["rbac"]
    if rbac["create"].flag() is False:
        return
    switch = rbac["serviceAccountTokenCreate"]
    if switch.flag() is not False:
        yield Finding(
            evidence=f"values.rbac.serviceAccountTokenCreate is {switch.text() or 'not set'}",
            fix="set it to false and grant serviceaccounts/token with resourceNames",
        )


RULE = Rule(
    id="eso-makes-no-token-for-any",
    title="External Secrets Operator must not make tokens of every account.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 AC-6(10)",),
    resource_types=frozenset({HELM_RELEASE}),
    remediation="One Role for each store's account, with resourceNames.",
    levels=REQUIRED_IN_PROD,
    check=check,
)
