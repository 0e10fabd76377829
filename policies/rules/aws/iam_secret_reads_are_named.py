"""A policy that reads secrets must name them.

Reading any secret, parameter or ciphertext of the account is what an attacker takes first. A prefix
such as `secret:ml/*` is a name; `secret:*` is none.
Source: AWS, "Least privilege for Secrets Manager"; CKV_AWS_288.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.iam_documents import IDENTITY_POLICIES, allowing, identity_documents
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View

READS = (
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecret",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
    "ssm:GetParameterHistory",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:CreateGrant",
)
# What stands before the name in an ARN: arn:partition:service:region:account:kind/name.
KINDS = ("secret:", "parameter/", "key/", "alias/")
BOUNDING = ("aws:ResourceTag/", "secretsmanager:ResourceTag/", "kms:ResourceAliases")


def names_something(arn: str) -> bool:
    """Whether an ARN pattern fixes at least the beginning of the resource's own name."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return not set("*?") & set(arn)  # the pattern ends before the name: arn:aws:kms:*
    fixed = re.split(r"[*?]", parts[5])[0]
    kind = next((kind for kind in KINDS if fixed.startswith(kind)), "")
    cut_short = fixed != parts[5] and any(kind.startswith(fixed) for kind in KINDS)  # secre*
    return bool(fixed.removeprefix(kind).lstrip("/")) and not cut_short


def _document(place: View) -> Iterator[Judgement]:
    for path, statement in allowing(place):
        reads = statement.covered(READS)
        bounded = any(c.is_exact and c.key.startswith(BOUNDING) for c in statement.conditions)
        if not reads or bounded:
            continue
        wide = [arn for arn in statement.resources if not names_something(arn)]
        if wide or statement.not_resources:
            yield Finding(
                evidence=f"{path} allows {reads[0]} on {', '.join(wide) or 'all but some'}",
                fix="name the secret, parameter or key, or the prefix of one team",
            )


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each statement that reads secrets nobody named."""
    yield from each(identity_documents(properties), _document)


RULE = Rule(
    id="iam-secret-reads-are-named",
    title="An IAM policy that reads secrets must name them.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 AC-6", "CIS Controls 3.3"),
    resource_types=IDENTITY_POLICIES,
    remediation="Grant GetSecretValue on ARNs of one workload, and Decrypt on its key.",
    check=check,
)
