"""An IAM role that one Kubernetes account takes on by its token (IRSA). Owns trust and policies.

The OIDC provider is the cluster's and made with it. A role is for one account of one namespace;
two workloads that need the same rights get a role each, so that the trail tells them apart.
Source: AWS, "IAM roles for service accounts".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from access.iam import IamError, parse
from components.aws.tags import standard_tags
from components.vault.inputs import refuse

AUDIENCE = "sts.amazonaws.com"
SHORTEST, LONGEST = 3600, 12 * 3600  # seconds that AWS takes for a session
_PROVIDER = re.compile(
    r"arn:(?P<partition>aws|aws-cn|aws-us-gov):iam::(?P<account>\d{12}):"
    r"oidc-provider/(?P<issuer>[\w.-]+(?:/[\w.-]+)*)",
    re.ASCII,
)
_BOUNDARY = re.compile(r"arn:(?:aws|aws-cn|aws-us-gov):iam::(?:\d{12}|aws):policy/[\w+=,.@/-]+")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class WorkloadIdentityArgs:
    """`provider` is the ARN of the cluster's OIDC provider; `role` the role's name.

    `policies` are IAM documents by name, as JSON text; none is allowed to grant a whole service or
    every resource. `boundary` is the ARN of a permissions boundary, `session` the longest session
    in seconds. Raises ValueError.
    """

    role: str
    provider: str
    namespace: str
    account: str
    policies: Mapping[str, str] = field(default_factory=dict)
    boundary: str | None = None
    session: int = SHORTEST

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w+=,.@-]{1,64}", self.role, re.ASCII):
            raise refuse("role", self.role, "is no name of a role", "Use up to 64 letters")
        if not _PROVIDER.fullmatch(self.provider):
            raise refuse(
                "provider",
                self.provider,
                "is no ARN of an OIDC provider; tokens of another cluster could be let in",
                "Give arn:aws:iam::ACCOUNT:oidc-provider/ISSUER of this cluster",
            )
        for name in ("namespace", "account"):
            value = getattr(self, name)
            if not _LABEL.fullmatch(value):
                raise refuse(
                    name,
                    value,
                    "is a pattern or no name; accounts that nobody has thought of would be let in",
                    "Name one, for example ml-training",
                )
        if self.boundary is not None and not _BOUNDARY.fullmatch(self.boundary):
            raise refuse(
                "boundary",
                self.boundary,
                "is no ARN of a policy; AWS would refuse the role",
                "Give arn:aws:iam::ACCOUNT:policy/NAME",
            )
        if not SHORTEST <= self.session <= LONGEST:
            raise refuse(
                "session",
                self.session,
                f"is outside {SHORTEST} to {LONGEST} seconds; AWS would refuse the role",
                f"Use {SHORTEST}: the pods' SDKs ask anew by themselves",
            )
        for name, text in self.policies.items():
            _check_narrow(f"policies[{name}]", text)

    @property
    def arn(self) -> str:
        """The role's ARN, known before it is made."""
        partition, _, _, account = self.provider.split(":")[1:5]
        return f"arn:{partition}:iam::{account}:role/{self.role}"

    @property
    def trust(self) -> str:
        """Who takes on the role: one account, with a token made for AWS."""
        issuer = self.provider.partition(":oidc-provider/")[2]
        subject = f"system:serviceaccount:{self.namespace}:{self.account}"
        statement = {
            "Sid": "OneAccount",
            "Effect": "Allow",
            "Principal": {"Federated": self.provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {f"{issuer}:sub": subject, f"{issuer}:aud": AUDIENCE},
            },
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class WorkloadIdentity(pulumi.ComponentResource):
    """Produces the role and its policies.

    `arn` is known before anything is deployed: it goes into the account's annotation
    `eks.amazonaws.com/role-arn`. Who needs the role to be there waits for `role`.
    """

    arn: str
    role: aws.iam.Role

    def __init__(
        self, name: str, args: WorkloadIdentityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:aws:WorkloadIdentity", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.arn = args.arn
        self.role = aws.iam.Role(
            f"{name}-role",
            name=args.role,
            description=f"Taken on by {args.account} of namespace {args.namespace}",
            assume_role_policy=args.trust,
            max_session_duration=args.session,
            permissions_boundary=args.boundary,
            tags=standard_tags("workload-identity"),
            opts=child,
        )
        for policy, text in args.policies.items():
            aws.iam.RolePolicy(
                f"{name}-{policy}", name=policy, role=self.role.name, policy=text, opts=child
            )
        self.register_outputs({"arn": self.arn})


def _check_narrow(name: str, text: str) -> None:
    try:
        document = parse(text)
    except IamError as error:
        raise refuse(name, text, f"is no IAM document ({error})", "Write JSON") from None
    for statement in document.statements:
        if not statement.allows:
            continue
        whole = [action for action in statement.actions if action == "*" or action.endswith(":*")]
        if whole or statement.not_actions:
            raise refuse(
                name,
                whole or "NotAction",
                "allows a whole service; the workload could hand itself more",
                "Name the actions that it calls",
            )
        if statement.on_everything:
            raise refuse(
                name,
                "Resource: *",
                "allows that on everything there is",
                "Name the resources' ARNs",
            )
