"""A Kubernetes auth role should know accounts by uid.

By name, an account that is deleted and made anew by somebody else inherits the entity, and whatever
identity groups give it.
Source: HashiCorp, "Kubernetes auth method", alias_name_source.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import KUBERNETES_ROLE
from policies.rule import ADVISED, Finding, Judgement, Rule, Severity
from policies.view import View

BY_UID = "serviceaccount_uid"


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding when accounts are known by name."""
    source = role["aliasNameSource"].text() or BY_UID  # Vault's default
    if source != BY_UID:
        yield Finding(
            evidence=f"aliasNameSource is {source!r}", fix=f"set aliasNameSource to {BY_UID}"
        )


RULE = Rule(
    id="vault-role-alias-by-uid",
    title="A Kubernetes auth role must know service accounts by uid.",
    severity=Severity.MEDIUM,
    frameworks=("NIST SP 800-53 IA-4",),
    resource_types=frozenset({KUBERNETES_ROLE}),
    remediation="Leave alias_name_source at serviceaccount_uid.",
    levels=ADVISED,
    check=check,
)
