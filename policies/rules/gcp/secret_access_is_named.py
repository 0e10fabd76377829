"""Access to a Google secret must go to named accounts.

Source: Google Cloud, "Secret Manager best practices".
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.gcp_members import EVERYBODY, bindings
from policies.rule import Finding, Judgement, Rule, Severity, each_of
from policies.view import View


def _member(member: View) -> Iterator[Judgement]:
    text = member.text()
    if text in EVERYBODY or text.startswith(("domain:", "principalSet:")) or "*" in text:
        yield Finding(evidence=f"{member.path} is {text!r}", fix="name the service account")


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each member that is more than one account or group."""
    for _, members in bindings(properties):
        yield from each_of(members, _member)


RULE = Rule(
    id="gcp-secret-access-is-named",
    title="Access to a Google secret must go to named accounts.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 AC-3",),
    resource_types=frozenset(
        f"gcp:secretmanager/{module}Iam{kind}:{name}Iam{kind}"
        for module, name in (("secret", "Secret"), ("regionalSecret", "RegionalSecret"))
        for kind in ("Member", "Binding", "Policy")
    ),
    remediation="Bind secretAccessor on one secret to one account.",
    check=check,
)
