"""A role that takes Kubernetes or JWT tokens must fix their audience.

Without it a token that was made for another service, and perhaps leaked there, logs in to Vault.
Source: HashiCorp, "Kubernetes auth method" (Vault 1.20 and later warn); RFC 8725 section 3.9.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import JWT_ROLE, KUBERNETES_ROLE
from policies.rule import Finding, Judgement, Rule, Severity
from policies.view import View


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding when no audience is bound, or any is."""
    field = "boundAudiences" if _is_jwt(role) else "audience"
    audiences = role[field].strings()
    if not any(audiences):
        yield Finding(evidence=f"{field} is not set", fix=f'set {field}, for example to "vault"')
    for audience in audiences:
        if "*" in audience:
            yield Finding(evidence=f"{field} is {audience!r}", fix=f"write {field} out")


def _is_jwt(role: View) -> bool:
    return any(role[key].given for key in ("userClaim", "roleType", "boundAudiences"))


RULE = Rule(
    id="vault-role-audience",
    title="A Kubernetes or JWT auth role must fix the audience of the tokens it takes.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 IA-9", "RFC 8725 3.9"),
    resource_types=frozenset({KUBERNETES_ROLE, JWT_ROLE}),
    remediation="Choose one audience for Vault and ask for it in the projected token.",
    check=check,
)
