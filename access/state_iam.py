"""IAM roles and their policies as a stack has deployed them.

Owns how Pulumi's AWS resources name each other, and nothing of what the documents mean.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from access.iam import Document, parse
from access.iam_rights import IamRole

ROLE = "aws:iam/role:Role"
INLINE = "aws:iam/rolePolicy:RolePolicy"
POLICY = "aws:iam/policy:Policy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
TYPES = frozenset({ROLE, INLINE, POLICY, ATTACHMENT})


def iam_roles(
    resources: Iterable[tuple[str, Mapping[str, Any]]],
) -> tuple[list[IamRole], list[str]]:
    """The roles among resources, given as (type, values), and notes on what could not be read.

    Raises IamError for a document that is none, KeyError for a resource without its properties.
    """
    resources = tuple(resources)
    managed = {v["arn"]: (v["name"], parse(v["policy"])) for t, v in resources if t == POLICY}
    policies: dict[str, list[tuple[str, Document]]] = defaultdict(list)
    attached: list[tuple[str, str]] = []
    notes: list[str] = []
    for type_, values in resources:
        if type_ == INLINE:
            policies[values["role"]].append((values["name"], parse(values["policy"])))
        elif type_ == ATTACHMENT:
            attached.append((values["role"], values["policyArn"]))
        elif type_ == ROLE:
            # Written in the role itself; AWS also lists here what other resources attach.
            for inline in values.get("inlinePolicies") or ():
                if inline.get("policy"):
                    policies[values["name"]].append((inline["name"], parse(inline["policy"])))
            attached += ((values["name"], arn) for arn in values.get("managedPolicyArns") or ())
    for role, arn in dict.fromkeys(attached):
        if arn in managed:
            policies[role].append(managed[arn])
        else:
            notes.append(
                f"IAM role {role} has the policy {arn}, "
                "which is not part of the stack; what it allows is not judged here"
            )
    roles = [
        IamRole(
            name=values["name"],
            trust=parse(values["assumeRolePolicy"]),
            policies=tuple(dict.fromkeys(policies[values["name"]])),
        )
        for type_, values in resources
        if type_ == ROLE
    ]
    return roles, notes
