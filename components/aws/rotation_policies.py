"""Who may read, write and rotate one secret, as IAM documents. Pure: makes nothing.

The rotation function's rights name one secret, one administrator's secret and one key. Every other
identity is kept from the value by a Deny, whatever other policies of the account allow it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

READ = ("secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue")
# UpdateSecret also changes description and key, so the deployer is among those who may write.
WRITE = (
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecret",
    "secretsmanager:UpdateSecretVersionStage",
)
# What the four steps of a rotation call.
# Source: AWS, "Lambda rotation function execution role permissions".
ROTATE = (
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
)
# Lambda makes and removes the function's network interfaces as the function's role; without `*/*`
# for the removal it never lets them go. Source: AWS, "Giving Lambda functions access to a VPC".
INTERFACES = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
)
DESCRIBE_NETWORK = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where everything is: `partition` is `aws`, or that of a separate AWS such as `aws-cn`."""

    partition: str
    region: str
    account_id: str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource here; IAM's have no region."""
        region = "" if service == "iam" else self.region
        return f"arn:{self.partition}:{service}:{region}:{self.account_id}:{resource}"

    @property
    def secrets_manager(self) -> str:
        """Secrets Manager, as keys know it."""
        return f"secretsmanager.{self.region}.amazonaws.com"


def function_trust(place: Place, function: str) -> str:
    """Only Lambda, only for the function of that name."""
    return _document(
        {
            "Sid": "TheFunctionAlone",
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": place.account_id},
                "ArnEquals": {"aws:SourceArn": place.arn("lambda", f"function:{function}")},
            },
        }
    )


def function_rights(place: Place, function: str, *, in_network: bool) -> str:
    """To log, and with `in_network` what Lambda needs to reach a VPC, which the code may not use.

    Source: AWS, "Using source function ARN to control function access behavior".
    """
    statements: list[Document] = [
        {
            "Sid": "Log",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": place.arn("logs", f"log-group:/aws/lambda/{function}:*"),
        }
    ]
    if in_network:
        statements += [
            {
                "Sid": "AttachToNetwork",
                "Effect": "Allow",
                "Action": list(INTERFACES),
                "Resource": place.arn("ec2", "*/*"),
            },
            {
                "Sid": "SeeNetwork",
                "Effect": "Allow",
                "Action": list(DESCRIBE_NETWORK),
                "Resource": "*",  # these actions know no resource
            },
            {
                "Sid": "NeverByTheCode",
                "Effect": "Deny",
                "Action": [*INTERFACES, *DESCRIBE_NETWORK],
                "Resource": "*",
                "Condition": {
                    "ArnEquals": {
                        "lambda:SourceFunctionArn": place.arn("lambda", f"function:{function}")
                    }
                },
            },
        ]
    return _document(*statements)


def rotation_rights(
    place: Place, *, secret: str, key: str, master: str, master_key: str | None
) -> str:
    """To rotate `secret`, which `key` encrypts, as the administrator in `master`. All are ARNs."""
    keys: list[tuple[str, str, list[str]]] = [
        ("UseItsKey", key, ["kms:Decrypt", "kms:GenerateDataKey"])
    ]
    if master_key:
        keys.append(("OpenTheAdministrator", master_key, ["kms:Decrypt"]))
    return _document(
        {"Sid": "Rotate", "Effect": "Allow", "Action": list(ROTATE), "Resource": secret},
        {
            "Sid": "ReadTheAdministrator",
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": master,
        },
        *(
            {
                "Sid": sid,
                "Effect": "Allow",
                "Action": actions,
                "Resource": arn,
                "Condition": {"StringEquals": {"kms:ViaService": place.secrets_manager}},
            }
            for sid, arn, actions in keys
        ),
    )


def secret_policy(*, readers: Sequence[str], writers: Sequence[str], function: str) -> str:
    """Nobody but `readers` and the role `function` reads the value, nobody but `writers` sets it.

    All are ARNs of roles; `function` does both. Nobody is kept from this policy itself, from
    deletion or from the schedule, so a mistake in it can always be taken back.
    """
    return _document(
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Principal": {"AWS": sorted(set(readers))},
            "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            "Resource": "*",  # in a secret's policy: this secret
        },
        _nobody_but("ReadByNobodyElse", READ, [*readers, function]),
        _nobody_but("WrittenByNobodyElse", WRITE, [*writers, function]),
    )


def _nobody_but(sid: str, actions: Sequence[str], roles: Sequence[str]) -> Document:
    # Of a session, aws:PrincipalArn is the role's ARN, which the element NotPrincipal is not.
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(actions),
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:PrincipalArn": sorted(set(roles))}},
    }


def _document(*statements: Document) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
