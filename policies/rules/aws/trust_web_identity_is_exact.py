"""A role that Kubernetes accounts assume must name one account, and the audience.

Judged statement by statement on exact conditions: `StringLike` with a `*`, `…IfExists` and
`ForAllValues:` all let in tokens that nobody meant, and so does a missing `sub`.
Source: AWS, "IAM roles for service accounts"; CKV_AWS_358 is the same for GitHub.
"""

from __future__ import annotations

from collections.abc import Iterator

from access.iam import Statement
from policies.iam_documents import IAM_ROLE, allowing
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View

CLAIMS = {"sub": "system:serviceaccount:<namespace>:<account>", "aud": "sts.amazonaws.com"}
ASSUME = "sts:AssumeRoleWithWebIdentity"


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for each statement that does not fix who may assume the role."""
    yield from each([role["assumeRolePolicy"]], _trust)


def _trust(place: View) -> Iterator[Judgement]:
    if not place.given:
        return
    for path, statement in allowing(place):
        if statement.covers(ASSUME):
            yield from _exact(path, statement)


def _exact(path: str, statement: Statement) -> Iterator[Judgement]:
    for claim, example in CLAIMS.items():
        tests = [c for c in statement.conditions if c.key.endswith(f":{claim}")]
        if any(c.is_exact for c in tests):
            continue
        weak = "; ".join(f"{c.operator} {', '.join(c.values)}" for c in tests) or "not tested"
        yield Finding(
            evidence=f"{path} leaves {claim} open: {weak}",
            fix=f"add StringEquals on <issuer>:{claim} = {example}",
        )


RULE = Rule(
    id="trust-web-identity-is-exact",
    title="A role assumed by web identity must fix the exact sub and aud.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 IA-9", "NIST SP 800-53 AC-3"),
    resource_types=frozenset({IAM_ROLE}),
    remediation="One role for each service account, StringEquals on both claims.",
    check=check,
)
