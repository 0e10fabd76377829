"""Who may administer and who may use one KMS key, as its key policy. Pure: makes nothing.

A key policy is the only door to a key: IAM policies of the account count as far as it lets them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

# The account root stands for "whom the account's IAM policies say". It must keep the right to
# change this policy: AWS refuses a policy that locks its own author out, and a key that nobody can
# change any more is lost with all it sealed, because no role or user is as lasting as the root.
# It gets no action that reads or makes data and none that hands such rights on unseen
# (kms:CreateGrant): an administrator who wants to use the key must change the policy first, which
# the account's trail records. `kms:*` would let any IAM policy of the account decrypt.
ADMINISTER = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
# What Vault's awskms seal calls, and nothing beside it.
USE = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt")
# What a service does for those who write and read what it keeps encrypted by the key.
# Source: AWS, "Secret encryption and decryption in Secrets Manager".
USE_THROUGH_SERVICE = ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
READ_THROUGH_SERVICE = ("kms:Decrypt",)


def key_policy(
    *,
    account_id: str,
    users: Sequence[str],
    readers: Sequence[str] = (),
    service: str | None = None,
) -> str:
    """The policy as JSON: `account_id`'s root administers, the roles `users` (ARNs) use the key.

    With `service`, for example secretsmanager.eu-central-1.amazonaws.com, they use it only by that
    service, and the roles `readers` decrypt by it.
    """
    named = [*users, *readers]
    partition = named[0].split(":")[1] if named else "aws"
    root = f"arn:{partition}:iam::{account_id}:root"
    statements = [_allow("Administer", [root], ADMINISTER)]
    if users:
        statements.append(_allow("Use", users, USE_THROUGH_SERVICE if service else USE, service))
    if readers:
        statements.append(_allow("Read", readers, READ_THROUGH_SERVICE, service))
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _allow(
    sid: str, principals: Sequence[str], actions: Sequence[str], service: str | None = None
) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": sorted(set(principals))},
        "Action": list(actions),
        "Resource": "*",  # in a key policy: this key
    }
    if service:
        statement["Condition"] = {"StringEquals": {"kms:ViaService": service}}
    return statement
