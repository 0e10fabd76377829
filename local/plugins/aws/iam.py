"""IAM roles and users."""

from __future__ import annotations

import json

from local.plugins.aws.base import AwsType, pairs, removed, tags_of, unless_gone
from local.plugins.resource import Field, Made, Values


def _boundary(inputs: Values) -> dict[str, str]:
    boundary = inputs.get("permissionsBoundary")
    return {"PermissionsBoundary": boundary} if boundary else {}


class Role(AwsType):
    """A role."""

    token = "aws:iam/role:Role"  # noqa: S105 - a type's name, not a secret
    service = "iam"
    fields = {  # noqa: RUF012 - never changed
        "assumeRolePolicy": Field(required=True, document=True),
        "description": Field(),
        "forceDetachPolicies": Field(default=False),
        "maxSessionDuration": Field(default=3600),
        "name": Field(replace=True),
        "path": Field(replace=True, default="/"),
        "permissionsBoundary": Field(),
        "tags": Field(),
    }
    outputs = ("arn", "createDate", "tagsAll", "uniqueId")
    automatic_name = "name"

    def create(self, inputs: Values) -> Made:
        self.api.create_role(
            RoleName=inputs["name"],
            Path=inputs["path"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            Description=inputs.get("description", ""),
            MaxSessionDuration=inputs["maxSessionDuration"],
            Tags=pairs(inputs.get("tags")),
            **_boundary(inputs),
        )
        return Made(inputs["name"], self.live(inputs["name"], inputs))

    def live(self, identity: str, state: Values) -> Values:
        del state
        role = self.api.get_role(RoleName=identity)["Role"]
        return {
            "arn": role["Arn"],
            "assumeRolePolicy": json.dumps(role["AssumeRolePolicyDocument"]),
            "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "description": role.get("Description", ""),
            "maxSessionDuration": role["MaxSessionDuration"],
            "name": role["RoleName"],
            "path": role["Path"],
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get(
                "PermissionsBoundaryArn", ""
            ),
            "uniqueId": role["RoleId"],
            **tags_of(role.get("Tags")),
        }

    def update(self, identity: str, old: Values, new: Values) -> Values:
        self.api.update_role(
            RoleName=identity,
            Description=new.get("description", ""),
            MaxSessionDuration=new["maxSessionDuration"],
        )
        self.api.update_assume_role_policy(
            RoleName=identity, PolicyDocument=new["assumeRolePolicy"]
        )
        if boundary := _boundary(new):
            self.api.put_role_permissions_boundary(RoleName=identity, **boundary)
        elif _boundary(old):
            self.api.delete_role_permissions_boundary(RoleName=identity)
        if gone := removed(old, new):
            self.api.untag_role(RoleName=identity, TagKeys=gone)
        if tags := pairs(new.get("tags")):
            self.api.tag_role(RoleName=identity, Tags=tags)
        return self.live(identity, new)

    def delete(self, identity: str, state: Values) -> None:
        with unless_gone():
            if state["forceDetachPolicies"]:
                _strip(self.api, "role", identity)
            self.api.delete_role(RoleName=identity)


class User(AwsType):
    """A user, without a permissions boundary: moto keeps none.

    `forceDestroy` removes access keys and policies made elsewhere too.
    """

    token = "aws:iam/user:User"  # noqa: S105 - a type's name, not a secret
    service = "iam"
    fields = {  # noqa: RUF012 - never changed
        "forceDestroy": Field(default=False),
        "name": Field(replace=True),
        "path": Field(replace=True, default="/"),
        "tags": Field(),
    }
    outputs = ("arn", "tagsAll", "uniqueId")
    automatic_name = "name"

    def create(self, inputs: Values) -> Made:
        self.api.create_user(
            UserName=inputs["name"],
            Path=inputs["path"],
            Tags=pairs(inputs.get("tags")),
        )
        return Made(inputs["name"], self.live(inputs["name"], inputs))

    def live(self, identity: str, state: Values) -> Values:
        del state
        user = self.api.get_user(UserName=identity)["User"]
        return {
            "arn": user["Arn"],
            "name": user["UserName"],
            "path": user["Path"],
            "uniqueId": user["UserId"],
            **tags_of(user.get("Tags")),
        }

    def update(self, identity: str, old: Values, new: Values) -> Values:
        if gone := removed(old, new):
            self.api.untag_user(UserName=identity, TagKeys=gone)
        if tags := pairs(new.get("tags")):
            self.api.tag_user(UserName=identity, Tags=tags)
        return self.live(identity, new)

    def delete(self, identity: str, state: Values) -> None:
        with unless_gone():
            if state["forceDestroy"]:
                for key in self.api.list_access_keys(UserName=identity)["AccessKeyMetadata"]:
                    self.api.delete_access_key(UserName=identity, AccessKeyId=key["AccessKeyId"])
                _strip(self.api, "user", identity)
            self.api.delete_user(UserName=identity)


def _strip(api: object, owner: str, name: str) -> None:
    """Take every policy from a role or user, which could not be deleted with them."""
    whose = {f"{owner.capitalize()}Name": name}

    def call(operation: str, **more: str) -> dict[str, list[str]]:
        answer: dict[str, list[str]] = getattr(api, operation)(**whose, **more)
        return answer

    for policy in call(f"list_{owner}_policies")["PolicyNames"]:
        call(f"delete_{owner}_policy", PolicyName=policy)
    attached: list[dict[str, str]] = getattr(api, f"list_attached_{owner}_policies")(**whose)[
        "AttachedPolicies"
    ]
    for each in attached:
        call(f"detach_{owner}_policy", PolicyArn=each["PolicyArn"])
