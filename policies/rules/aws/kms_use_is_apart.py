"""Whoever uses a key must not also administer it.

An unseal key's user reads everything in Vault; its administrator can let others in, or delete it.
The account's root is left out: it delegates to IAM and cannot be split.
Source: AWS, "Key policies", separation of key users and key administrators.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from policies.iam_documents import KMS_KEY_POLICIES, allowing
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View

USES = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey")
ADMINISTERS = ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:CreateGrant")


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each principal with both."""
    yield from each([properties["policy"]], _policy)


def _policy(place: View) -> Iterator[Judgement]:
    if not place.given:
        return
    uses: dict[str, set[str]] = defaultdict(set)
    administers: dict[str, set[str]] = defaultdict(set)
    for _, statement in allowing(place):
        for principal in statement.principals:
            if not principal.value.endswith(":root") and not principal.is_anyone:
                uses[principal.value].update(statement.covered(USES))
                administers[principal.value].update(statement.covered(ADMINISTERS))
    for who, actions in uses.items():
        if actions and administers[who]:
            yield Finding(
                evidence=f"{place.path}: {who} has {min(actions)} and {min(administers[who])}",
                fix="give administration to another role",
            )


RULE = Rule(
    id="kms-use-is-apart",
    title="The user of a KMS key must not administer it.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 AC-5",),
    resource_types=KMS_KEY_POLICIES,
    remediation="Encrypt, Decrypt and DescribeKey to the workload's role; the rest to another.",
    check=check,
)
