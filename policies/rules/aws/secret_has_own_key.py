"""A secret in Secrets Manager should be encrypted with a key of its own stack.

With AWS's default key, whoever may read the secret may decrypt it; a key's own policy is a second
lock, and its use is in the log by itself.
Source: AWS, "Secret encryption"; CKV_AWS_149.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.iam_documents import SECRET
from policies.rule import REQUIRED_IN_PROD, Finding, Judgement, Rule, Severity, each
from policies.view import View

DEFAULT = "alias/aws/secretsmanager"


def check(secret: View) -> Iterator[Judgement]:
    """Yield a finding for the default key, of the secret and of each replica."""
    yield from each([secret["kmsKeyId"], *_replicas(secret)], _own)


def _replicas(secret: View) -> Iterator[View]:
    return (replica["kmsKeyId"] for replica in secret["replicas"].entries())


def _own(key: View) -> Iterator[Judgement]:
    if not key.text() or key.text().endswith(DEFAULT) or "*" in key.text():
        yield Finding(
            evidence=f"{key.path} is {key.text() or 'not set, which means AWS default key'}",
            fix=f"set {key.path} to a key of this stack",
        )


RULE = Rule(
    id="secret-has-own-key",
    title="A secret must be encrypted with a key of its own stack.",
    severity=Severity.MEDIUM,
    frameworks=("NIST SP 800-53 SC-12", "NIST SP 800-53 SC-28"),
    resource_types=frozenset({SECRET}),
    remediation="Make a KMS key and give its ARN to the secret.",
    levels=REQUIRED_IN_PROD,
    check=check,
)
