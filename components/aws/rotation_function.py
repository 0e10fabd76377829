"""The function that rotates one secret: code, log, and the right to run. Owns no right to a secret.

Its archive is made by the caller, byte for byte the same from the same sources, so that only
changed code is a change. Nothing secret is in its environment: it reads what it needs by ARN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.aws.rotation_policies import Place, function_rights
from components.aws.tags import standard_tags
from components.vault.inputs import refuse

RUNTIME = "python3.13"
TIMEOUT = 60  # seconds for one step; a step makes a handful of requests and a few logins
MEMORY = 256  # MiB
# The periods that CloudWatch Logs knows, in days. Source: AWS, "PutRetentionPolicy".
LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557)


@dataclass(frozen=True, kw_only=True)
class Network:
    """A VPC's subnets and security groups, from which the database is reached."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]

    def __post_init__(self) -> None:
        for name, values, form in (
            ("subnets", self.subnets, "subnet"),
            ("security_groups", self.security_groups, "sg"),
        ):
            if not values or not all(re.fullmatch(rf"{form}-[0-9a-f]+", v) for v in values):
                raise refuse(
                    name,
                    values,
                    "does not name where the function runs; it would not reach the database",
                    f"Give ids such as {form}-0123456789abcdef0",
                )


@dataclass(frozen=True, kw_only=True)
class RotationFunctionArgs:
    """`name` is the name of the function and of its `role`; `handler` is module.function in `code`.

    `log_days` is how long its log is kept, in days. Raises ValueError.
    """

    name: str
    place: Place
    role: aws.iam.Role
    code: pulumi.Archive
    handler: str
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    network: Network | None = None
    log_days: int = 90

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self.name):
            raise refuse(
                "name",
                self.name,
                "is no name of a function and a role; AWS would refuse it",
                "Use up to 64 letters, digits, dashes and underscores",
            )
        if not re.fullmatch(r"[A-Za-z_][\w/]*(\.[A-Za-z_]\w*)+", self.handler):
            raise refuse(
                "handler",
                self.handler,
                "names no function in the code; every rotation would fail",
                "Write module.function",
            )
        if self.log_days not in LOG_DAYS:
            raise refuse(
                "log_days",
                self.log_days,
                "is no period that CloudWatch Logs knows",
                f"Use one of {', '.join(map(str, LOG_DAYS))}",
            )


class RotationFunction(pulumi.ComponentResource):
    """Produces the role's right to run, the log group and the function, whose ARN is `arn`."""

    arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: RotationFunctionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:aws:RotationFunction", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = standard_tags("rotation-function")
        rights = aws.iam.RolePolicy(
            f"{name}-rights",
            name="run",
            role=args.role.name,
            policy=function_rights(args.place, args.name, in_network=args.network is not None),
            opts=child,
        )
        # Made here and not by Lambda at the first call, which would keep every line for ever.
        log = aws.cloudwatch.LogGroup(
            f"{name}-log",
            name=f"/aws/lambda/{args.name}",
            retention_in_days=args.log_days,
            tags=tags,
            opts=child,
        )
        function = aws.lambda_.Function(
            f"{name}-function",
            name=args.name,
            description="Rotates one secret, called by Secrets Manager",
            role=args.role.arn,
            runtime=RUNTIME,
            handler=args.handler,
            code=args.code,
            memory_size=MEMORY,
            timeout=TIMEOUT,
            environment=aws.lambda_.FunctionEnvironmentArgs(variables=args.environment),
            vpc_config=aws.lambda_.FunctionVpcConfigArgs(
                subnet_ids=list(args.network.subnets),
                security_group_ids=list(args.network.security_groups),
            )
            if args.network
            else None,
            tags=tags,
            # In a VPC, Lambda uses the rights at once.
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(depends_on=[rights, log])
            ),
        )
        self.arn = function.arn
        self.register_outputs({"arn": self.arn})
