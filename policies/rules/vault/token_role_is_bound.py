"""A role of the token store must limit how long its tokens live, and which policies they hold.

Such a role knows neither a time to live nor a maximum of one, unlike the roles of logins: Vault
takes both and drops them. A batch token obeys no limit of its role at all. A role that only says
which policies are forbidden gives every other one, to whoever may use it.
Source: HashiCorp, "Token auth method (API)", create or update token role.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import TOKEN_ROLE
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View

DAY = 24 * 3600
ALLOWED = ("allowedPolicies", "allowedPoliciesGlobs")
FORBIDDEN = ("disallowedPolicies", "disallowedPoliciesGlobs")


def _type(kind: View) -> Iterator[Judgement]:
    if kind.text() in ("batch", "default-batch"):
        yield Finding(
            evidence=f"{kind.path} is {kind.text()}, which no limit of the role holds for",
            fix=f"set {kind.path} to service",
        )


def _limit(longest: View) -> Iterator[Judgement]:
    lasts = longest.number() or 0
    if not 0 < lasts <= DAY:
        yield Finding(
            evidence=f"{longest.path} is {f'{lasts:.0f} s' if lasts else 'not set'}",
            fix=f"set {longest.path} to at most {DAY}",
        )


def _policies(role: View) -> Iterator[Judgement]:
    named = any(role[name].strings() for name in ALLOWED)
    for name in FORBIDDEN:
        if role[name].strings() and not named:
            yield Finding(
                evidence=f"{name} forbids some policies, and every other one is given",
                fix="name in allowedPolicies what the tokens may hold",
            )


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for a missing limit, for tokens without one, and for open policies."""
    yield from each([role["tokenType"]], _type)
    yield from each([role["tokenExplicitMaxTtl"]], _limit)
    yield from each([role], _policies)


RULE = Rule(
    id="vault-token-role-is-bound",
    title="A token role must limit its tokens to a day, and name their policies.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 AC-12", "NIST SP 800-53 AC-6"),
    resource_types=frozenset({TOKEN_ROLE}),
    remediation="Set token_explicit_max_ttl and allowed_policies, for service tokens.",
    check=check,
)
