"""A JWT or OIDC auth role must bind the subject or claims of whoever may log in.

Without them every token of the issuer logs in: on a public CI service that is every project there.
A claim that is matched as a glob must still fix its beginning.
Source: HashiCorp, "JWT/OIDC auth method".
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import JWT_ROLE
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View

# Claims that say which service or which kind of run it was, not who.
SAY_NOTHING = frozenset(
    {
        "aud",
        "deployment_tier",
        "environment",
        "environment_protected",
        "event_name",
        "iss",
        "pipeline_source",
        "ref",
        "ref_protected",
        "ref_type",
        "repository_visibility",
        "runner_environment",
        "workflow",
    }
)


def _claim(claim: View) -> Iterator[Judgement]:
    for value in ",".join(claim.strings()).split(","):
        if value.strip().startswith("*") or not value.strip():
            yield Finding(
                evidence=f"{claim.path} is {claim.text()!r}",
                fix=f"write out {claim.path}, or at least its beginning",
            )


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding when nothing is bound, and for each claim that anything fulfils."""
    claims = dict(role["boundClaims"].items())
    if not role["boundSubject"].text() and not set(claims) - SAY_NOTHING:
        yield Finding(
            evidence="neither boundSubject nor a boundClaims entry says who may log in",
            fix="set boundSubject, or bind the claim that names the project",
        )
    glob = role["boundClaimsType"].text() == "glob"
    yield from each([role["boundSubject"], *claims.values()] if glob else [], _given)


def _given(claim: View) -> Iterator[Judgement]:
    if claim.given:
        yield from _claim(claim)


RULE = Rule(
    id="vault-role-jwt-is-bound",
    title="A JWT auth role must bind who may log in.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 IA-9", "NIST SP 800-53 AC-3"),
    resource_types=frozenset({JWT_ROLE}),
    remediation="Bind sub, or the project's and branch's claims, with exact values.",
    check=check,
)
