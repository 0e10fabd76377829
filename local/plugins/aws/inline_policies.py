"""Policies that live inside one role or user."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from local.plugins.aws.base import AwsType, unless_gone
from local.plugins.resource import Field, Made, Values


class InlinePolicy(AwsType):
    """What both kinds share; `owner` is the input that names the role or user."""

    service = "iam"
    owner: ClassVar[str]
    outputs = ()
    automatic_name = "name"

    def create(self, inputs: Values) -> Made:
        identity = f"{inputs[self.owner]}:{inputs['name']}"
        return Made(identity, self.update(identity, {}, inputs))

    def live(self, identity: str, state: Values) -> Values:
        del state
        document = self._call("get", identity)["PolicyDocument"]
        owner, _, name = identity.partition(":")
        return {self.owner: owner, "name": name, "policy": json.dumps(document)}

    def update(self, identity: str, old: Values, new: Values) -> Values:
        del old
        self._call("put", identity, PolicyDocument=new["policy"])
        return self.live(identity, new)

    def delete(self, identity: str, state: Values) -> None:
        del state
        with unless_gone():
            self._call("delete", identity)

    def _call(self, verb: str, identity: str, **more: str) -> Any:
        owner, _, name = identity.partition(":")
        whose = {f"{self.owner.capitalize()}Name": owner}
        return getattr(self.api, f"{verb}_{self.owner}_policy")(**whose, PolicyName=name, **more)


class RolePolicy(InlinePolicy):
    """A role's policy."""

    token = "aws:iam/rolePolicy:RolePolicy"  # noqa: S105 - a type's name, not a secret
    owner = "role"
    fields = {  # noqa: RUF012 - never changed
        "name": Field(replace=True),
        "policy": Field(required=True, document=True),
        "role": Field(required=True, replace=True),
    }


class UserPolicy(InlinePolicy):
    """A user's policy."""

    token = "aws:iam/userPolicy:UserPolicy"  # noqa: S105 - a type's name, not a secret
    owner = "user"
    fields = {  # noqa: RUF012 - never changed
        "name": Field(replace=True),
        "policy": Field(required=True, document=True),
        "user": Field(required=True, replace=True),
    }
