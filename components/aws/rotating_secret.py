"""A secret in Secrets Manager that a function of its own rotates. Owns everything but its value.

The value is never in this program: it registers no version. Secrets Manager, the function and the
roles in `writers` write it, and a deployment after a rotation has nothing to change. The first
value is written by one of the writers after the first deployment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.aws import arns
from components.aws.kms import KmsKey, KmsKeyArgs
from components.aws.rotation_function import Network, RotationFunction, RotationFunctionArgs
from components.aws.rotation_policies import (
    Place,
    function_trust,
    rotation_rights,
    secret_policy,
)
from components.aws.tags import standard_tags
from components.vault.inputs import refuse
from rotation.alternation import Pair

LONGEST_ROTATION = 90  # days, the limit of the rule secret-rotation-is-frequent


@dataclass(frozen=True, kw_only=True)
class RotatingSecretArgs:
    """`secret` is the secret's name in Secrets Manager, `identifier` that of its key and function.

    `master` is the ARN of the secret with the administrator's login, `master_key` that of its key
    when it has one of its own; the policies of both must let the function's role read. `readers`
    and `writers` are ARNs of roles: the first read the value, the others set it (whoever stores
    the first one, and the deployer, who changes description and key by the same call).
    `user` and its clone take turns, `owner` owns what both may do (USER_owner by default).
    `code` and `handler` are the function's.
    `rotation_days` is at most 90, `recovery_window` in days. With `protect` the engine refuses to
    delete secret and key. `waits` are roles of this program among the readers. Raises ValueError.
    """

    identifier: str
    secret: str
    description: str
    region: str
    account_id: str
    master: str
    master_key: str | None = None
    readers: tuple[str, ...]
    writers: tuple[str, ...]
    code: pulumi.Archive
    handler: str
    user: str
    owner: str | None = None
    network: Network | None = None
    log_days: int = 90
    rotation_days: int = 30
    recovery_window: int = 30
    protect: bool = True
    waits: tuple[pulumi.Resource, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w/+=.@-]{1,512}", self.secret, re.ASCII) or re.search(
            r"-[A-Za-z0-9]{6}$", self.secret
        ):
            raise refuse(
                "secret",
                self.secret,
                "is no name for a secret: AWS allows letters, digits and /_+=.@-, and takes a "
                "dash with six characters at the end for the end of an ARN",
                "Write it like ml/training/tracking",
            )
        self._check_master()
        _ = self.pair
        arns.roles("readers", self.readers, self.account_id)
        arns.roles("writers", self.writers, self.account_id)
        if not 1 <= self.rotation_days <= LONGEST_ROTATION:
            raise refuse(
                "rotation_days",
                self.rotation_days,
                f"is outside 1 to {LONGEST_ROTATION} days; what leaks would open the database "
                "for longer than anyone may answer for",
                "Use 30",
            )
        if not 7 <= self.recovery_window <= 30:
            raise refuse(
                "recovery_window",
                self.recovery_window,
                "is outside 7 to 30 days; AWS would refuse it, or a deleted secret be gone at once",
                "Use 30 for what cannot be lost, 7 for what may",
            )

    def _check_master(self) -> None:
        master = arns.SECRET.fullmatch(self.master)
        if master is None:
            raise refuse(
                "master",
                self.master,
                "is no ARN of one secret; the function would read more than the administrator's",
                "Give the whole ARN, with the dash and six characters at its end",
            )
        if (master["region"], master["account"]) != (self.region, self.account_id):
            raise refuse(
                "master",
                self.master,
                f"is not in {self.region} of account {self.account_id}; the function would not "
                "find it",
                "Keep the administrator's secret beside the one that it rotates",
            )
        if self.master_key is not None and not arns.KEY.fullmatch(self.master_key):
            raise refuse(
                "master_key",
                self.master_key,
                "is no ARN of one key; the function could decrypt what others keep",
                "Give the ARN of the key, not of an alias: IAM does not follow aliases",
            )

    @property
    def pair(self) -> Pair:
        """The database's roles."""
        return Pair.of(self.user, owner=self.owner)

    @property
    def place(self) -> Place:
        """Where the secret and everything about it is."""
        return Place(
            partition=self.master.split(":")[1], region=self.region, account_id=self.account_id
        )


class RotatingSecret(pulumi.ComponentResource):
    """Produces the function, the key, the secret, who may use it, and its schedule.

    `arn` is the secret's, there when it rotates; `function_role` is known before anything is
    deployed, for the policies of the administrator's secret and key.
    """

    arn: pulumi.Output[str]
    function_role: str

    def __init__(
        self, name: str, args: RotatingSecretArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:aws:RotatingSecret", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        place = args.place
        self.function_role = place.arn("iam", f"role/{args.identifier}")
        role = aws.iam.Role(
            f"{name}-role",
            name=args.identifier,
            description=f"Rotates {args.secret}, and may do nothing else",
            assume_role_policy=function_trust(place, args.identifier),
            tags=standard_tags("rotating-secret"),
            opts=child,
        )
        key = KmsKey(
            f"{name}-key",
            KmsKeyArgs(
                alias=args.identifier,
                description=f"Encrypts {args.secret} in Secrets Manager",
                account_id=args.account_id,
                users=(self.function_role, *args.writers),
                readers=args.readers,
                service=place.secrets_manager,
                deletion_window=args.recovery_window,
                protect=args.protect,
                waits=(role, *args.waits),
            ),
            child,
        )
        secret = aws.secretsmanager.Secret(
            f"{name}-secret",
            name=args.secret,
            description=args.description,
            kms_key_id=key.arn,
            recovery_window_in_days=args.recovery_window,
            tags=standard_tags("rotating-secret"),
            opts=pulumi.ResourceOptions(
                parent=self, protect=args.protect, retain_on_delete=args.protect
            ),
        )
        function = RotationFunction(
            f"{name}-rotation",
            RotationFunctionArgs(
                name=args.identifier,
                place=place,
                role=role,
                code=args.code,
                handler=args.handler,
                # rotation/function.py says what each is.
                environment={
                    "SECRET_ARN": secret.arn,
                    "ADMIN_SECRET_ARN": args.master,
                    "USERS": ",".join(args.pair.users),
                    "OWNER_ROLE": args.pair.owner,
                },
                network=args.network,
                log_days=args.log_days,
            ),
            child,
        )
        rights = aws.iam.RolePolicy(
            f"{name}-rights",
            name="rotate",
            role=role.name,
            policy=pulumi.Output.all(secret.arn, key.arn).apply(
                lambda known: rotation_rights(
                    place,
                    secret=known[0],
                    key=known[1],
                    master=args.master,
                    master_key=args.master_key,
                )
            ),
            opts=child,
        )
        access = aws.secretsmanager.SecretPolicy(
            f"{name}-access",
            secret_arn=secret.arn,
            policy=secret_policy(
                readers=args.readers, writers=args.writers, function=self.function_role
            ),
            block_public_policy=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[role, *args.waits]),
        )
        invoke = aws.lambda_.Permission(
            f"{name}-invoke",
            function=function.arn,
            action="lambda:InvokeFunction",
            principal="secretsmanager.amazonaws.com",
            source_account=args.account_id,
            source_arn=secret.arn,
            opts=child,
        )
        rotation = aws.secretsmanager.SecretRotation(
            f"{name}-schedule",
            secret_id=secret.arn,
            rotation_lambda_arn=function.arn,
            rotation_rules=aws.secretsmanager.SecretRotationRotationRulesArgs(
                automatically_after_days=args.rotation_days
            ),
            # There is no value yet, and a deployment must not change a password that is in use.
            rotate_immediately=False,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[rights, access, invoke]),
        )
        self.arn = rotation.secret_id
        self.register_outputs({"arn": self.arn, "function_role": self.function_role})
