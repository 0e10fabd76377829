"""A symmetric KMS key with an alias. Owns its policy, rotation and the care taken of its deletion.

Makes no role and grants nothing elsewhere: the roles that use the key are named by the caller, and
exist before the key, because AWS refuses a key policy that names a missing one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.aws.arns import ROLE
from components.aws.key_policy import key_policy
from components.aws.tags import standard_tags
from components.vault.inputs import refuse


@dataclass(frozen=True, kw_only=True)
class KmsKeyArgs:
    """`alias` is written without `alias/`; `users` are ARNs of the roles that use the key.

    `deletion_window` and `rotation_days` are in days. With `protect` the engine refuses to delete
    the key, and forgets it instead of deleting it where the program no longer has it.
    With `service` the key is used only by that service for its users, and the roles `readers`
    decrypt by it. `waits` are roles of this program that the policy names.
    `stand_in` says that the service checks no key policy, as moto does not; only then may `users`
    be empty. Raises ValueError.
    """

    alias: str
    description: str
    account_id: str
    users: tuple[str, ...]
    deletion_window: int = 30
    rotation_days: int = 365
    protect: bool = True
    stand_in: bool = False
    readers: tuple[str, ...] = ()
    service: str | None = None
    waits: Sequence[pulumi.Resource] = ()

    def __post_init__(self) -> None:
        _check_alias(self.alias)
        if not self.description.strip():
            raise refuse(
                "description",
                self.description,
                "does not tell what the key seals; whoever tidies up would delete it",
                "Say what is lost with the key",
            )
        if not re.fullmatch(r"\d{12}", self.account_id):
            raise refuse(
                "account_id",
                self.account_id,
                "is no account; AWS would refuse the key policy, or another account administer it",
                "Give the 12 digits of the account that owns the key",
            )
        self._check_users()
        if not 7 <= self.deletion_window <= 30:
            raise refuse(
                "deletion_window",
                self.deletion_window,
                "is outside 7 to 30 days; AWS would keep the key when it is to be deleted",
                "Use 30 for what cannot be lost, 7 for what may",
            )
        if not 90 <= self.rotation_days <= 2560:
            raise refuse(
                "rotation_days",
                self.rotation_days,
                "is outside 90 to 2560 days; AWS would leave the key without rotation",
                "Use 365",
            )

    def _check_users(self) -> None:
        if not self.users and not self.stand_in:
            raise refuse(
                "users",
                self.users,
                "lets nobody use the key; Vault would stay sealed",
                "Name the role that Vault's pods run as",
            )
        if self.readers and not self.service:
            raise refuse(
                "readers",
                self.readers,
                "would decrypt with the key themselves, whatever keeps the data",
                "Name the service that reads for them",
            )
        for user in (*self.users, *self.readers):
            role = ROLE.fullmatch(user)
            if role is None:
                raise refuse(
                    "users",
                    user,
                    "is no role's ARN; a pattern, a user or a whole account could decrypt more "
                    "widely than anyone reviewed",
                    f"Name one role, for example arn:aws:iam::{self.account_id}:role/vault",
                )
            if role["account"] != self.account_id:
                raise refuse(
                    "users",
                    user,
                    f"is not in account {self.account_id}; another account's administrators would "
                    "decide who decrypts",
                    "Name a role of the account that owns the key",
                )


class KmsKey(pulumi.ComponentResource):
    """Produces the key and its alias.

    `alias` is known before anything is deployed; who needs the key to be there depends on `arn`.
    """

    alias: str
    arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: KmsKeyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:aws:KmsKey", name, {}, opts)
        child = pulumi.ResourceOptions(
            parent=self, protect=args.protect, retain_on_delete=args.protect
        )
        key = aws.kms.Key(
            f"{name}-key",
            description=args.description,
            policy=key_policy(
                account_id=args.account_id,
                users=args.users,
                readers=args.readers,
                service=args.service,
            ),
            enable_key_rotation=True,
            rotation_period_in_days=args.rotation_days,
            deletion_window_in_days=args.deletion_window,
            tags=standard_tags("kms-key"),
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(depends_on=list(args.waits))
            ),
        )
        self.alias = f"alias/{args.alias}"
        alias = aws.kms.Alias(
            f"{name}-alias", name=self.alias, target_key_id=key.key_id, opts=child
        )
        # Through the alias, so that whoever waits for the key can also find it by its name.
        self.arn = alias.target_key_arn
        self.register_outputs({"alias": self.alias, "arn": self.arn})


def _check_alias(alias: str) -> None:
    if alias.startswith(("alias/", "aws/")):
        raise refuse(
            "alias",
            alias,
            "begins with what AWS adds or keeps for itself; AWS would refuse it",
            f"Write {alias.removeprefix('alias/').removeprefix('aws/')!r}",
        )
    if not re.fullmatch(r"[A-Za-z0-9_/-]{1,250}", alias):
        raise refuse(
            "alias",
            alias,
            "is no name of a key; Vault would look for one that cannot be",
            "Use letters, digits, dashes, slashes and underscores",
        )
