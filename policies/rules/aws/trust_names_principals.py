"""A trust policy must say who may assume the role.

`*` is everybody on AWS. A whole account is everybody in it, and a third party's account acts for
all that it serves: those need an external id or the organisation's id.
Source: AWS, "The confused deputy problem"; CKV_AWS_60, CKV_AWS_61.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.iam_documents import IAM_ROLE, allowing
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View

BOUNDING = frozenset(
    {
        "sts:externalid",
        "aws:principalorgid",
        "aws:principalarn",
        "aws:sourceaccount",
        "aws:sourcearn",
    }
)
_ACCOUNT = re.compile(r"^(\d{12}|arn:aws[\w-]*:iam::\d{12}:root)$")


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for each principal that is everybody, or a whole account unbound."""
    yield from each([role["assumeRolePolicy"]], _trust)


def _trust(place: View) -> Iterator[Judgement]:
    if not place.given:
        return
    for path, statement in allowing(place):
        bounded = any(c.key.lower() in BOUNDING and c.is_exact for c in statement.conditions)
        if statement.not_principals:
            yield Finding(
                evidence=f"{path} trusts everybody but some (NotPrincipal)",
                fix="name who may assume the role in Principal",
            )
        for principal in statement.principals:
            if "*" in principal.value and not (principal.is_anyone and bounded):
                yield Finding(
                    evidence=f"{path} trusts {principal.kind} {principal.value!r}",
                    fix="name the role's ARN in Principal",
                )
            elif _ACCOUNT.match(principal.value) and not bounded:
                yield Finding(
                    evidence=f"{path} trusts the whole account {principal.value}",
                    fix="name a role's ARN, or add sts:ExternalId or aws:PrincipalOrgID",
                )


RULE = Rule(
    id="trust-names-principals",
    title="A trust policy must name who may assume the role.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 AC-3", "CIS AWS 1.20"),
    resource_types=frozenset({IAM_ROLE}),
    remediation="Trust one role; for a third party add its external id.",
    check=check,
)
