"""KMS keys and their aliases."""

from __future__ import annotations

from typing import Any

from local.plugins.aws.base import AwsType, pairs, removed, tags_of, unless_gone
from local.plugins.resource import Field, Made, Values

_SYMMETRIC = "SYMMETRIC_DEFAULT"
_BOUNDS = {"deletionWindowInDays": (7, 30), "rotationPeriodInDays": (90, 2560)}  # days


class Key(AwsType):
    """A key. Deleting schedules its deletion; a key so scheduled counts as gone."""

    token = "aws:kms/key:Key"  # noqa: S105 - a type's name, not a secret
    service = "kms"
    fields = {  # noqa: RUF012 - never changed
        "bypassPolicyLockoutSafetyCheck": Field(default=False),
        "customerMasterKeySpec": Field(replace=True, default=_SYMMETRIC),
        "deletionWindowInDays": Field(default=30),
        "description": Field(computed=True),
        "enableKeyRotation": Field(default=False),
        "isEnabled": Field(default=True),
        "keyUsage": Field(replace=True, default="ENCRYPT_DECRYPT"),
        "multiRegion": Field(replace=True, computed=True),
        "policy": Field(computed=True, document=True),
        "rotationPeriodInDays": Field(computed=True),
        "tags": Field(),
    }
    outputs = ("arn", "keyId", "tagsAll")

    def mistakes(self, inputs: Values) -> dict[str, str]:
        return {
            name: f"{days} is outside {low} to {high} days"
            for name, (low, high) in _BOUNDS.items()
            if isinstance(days := inputs.get(name), int) and not low <= days <= high
        }

    def create(self, inputs: Values) -> Made:
        made = self.api.create_key(
            Description=inputs.get("description", ""),
            KeySpec=inputs["customerMasterKeySpec"],
            KeyUsage=inputs["keyUsage"],
            MultiRegion=inputs.get("multiRegion", False),
            Tags=pairs(inputs.get("tags"), "Tag"),
            **self._policy(inputs),
        )
        identity = made["KeyMetadata"]["KeyId"]
        fresh = {"enableKeyRotation": False, "isEnabled": True}
        self._switch(identity, fresh, inputs)
        return Made(identity, self.live(identity, inputs) or {})

    def live(self, identity: str, state: Values) -> Values | None:
        del state
        about = self.api.describe_key(KeyId=identity)["KeyMetadata"]
        if about["KeyState"] == "PendingDeletion":
            return None
        rotation: dict[str, Any] = {"KeyRotationEnabled": False}
        if about["KeySpec"] == _SYMMETRIC:
            rotation = self.api.get_key_rotation_status(KeyId=identity)
        tags = self.api.get_paginator("list_resource_tags").paginate(KeyId=identity)
        return {
            "arn": about["Arn"],
            "customerMasterKeySpec": about["KeySpec"],
            "description": about["Description"],
            "enableKeyRotation": rotation["KeyRotationEnabled"],
            "isEnabled": about["Enabled"],
            "keyId": about["KeyId"],
            "keyUsage": about["KeyUsage"],
            "multiRegion": about["MultiRegion"],
            "policy": self.api.get_key_policy(KeyId=identity, PolicyName="default")["Policy"],
            "rotationPeriodInDays": rotation.get("RotationPeriodInDays"),
            **tags_of([tag for page in tags for tag in page.get("Tags", ())], "Tag"),
        }

    def update(self, identity: str, old: Values, new: Values) -> Values:
        if not self.fields["description"].same(old.get("description"), new.get("description")):
            self.api.update_key_description(KeyId=identity, Description=new["description"])
        if not self.fields["policy"].same(old.get("policy"), new.get("policy")):
            self.api.put_key_policy(KeyId=identity, PolicyName="default", **self._policy(new))
        if gone := removed(old, new):
            self.api.untag_resource(KeyId=identity, TagKeys=gone)
        if tags := pairs(new.get("tags"), "Tag"):
            self.api.tag_resource(KeyId=identity, Tags=tags)
        self._switch(identity, old, new)
        return self.live(identity, new) or {}

    def delete(self, identity: str, state: Values) -> None:
        # The other code is what a key answers that waits for its deletion already.
        with unless_gone("KMSInvalidStateException"):
            self.api.schedule_key_deletion(
                KeyId=identity, PendingWindowInDays=state["deletionWindowInDays"]
            )

    def _policy(self, inputs: Values) -> dict[str, Any]:
        if "policy" not in inputs:
            return {}
        bypass = inputs["bypassPolicyLockoutSafetyCheck"]
        return {"Policy": inputs["policy"], "BypassPolicyLockoutSafetyCheck": bypass}

    def _switch(self, identity: str, old: Values, new: Values) -> None:
        """Enabled first, disabled last: a disabled key takes no change of its rotation."""
        if new["isEnabled"] and not old["isEnabled"]:
            self.api.enable_key(KeyId=identity)
        rotation = ("enableKeyRotation", "rotationPeriodInDays")
        if any(not self.fields[n].same(old.get(n), new.get(n)) for n in rotation):
            if new["enableKeyRotation"]:
                days = new.get("rotationPeriodInDays")
                period = {"RotationPeriodInDays": days} if days else {}
                self.api.enable_key_rotation(KeyId=identity, **period)
            else:
                self.api.disable_key_rotation(KeyId=identity)
        if old["isEnabled"] and not new["isEnabled"]:
            self.api.disable_key(KeyId=identity)


class Alias(AwsType):
    """A name for a key."""

    token = "aws:kms/alias:Alias"  # noqa: S105 - a type's name, not a secret
    service = "kms"
    fields = {  # noqa: RUF012 - never changed
        "name": Field(replace=True),
        "targetKeyId": Field(required=True),
    }
    outputs = ("arn", "targetKeyArn")
    automatic_name = "name"
    name_prefix = "alias/"

    def mistakes(self, inputs: Values) -> dict[str, str]:
        name = inputs["name"]
        wrong = isinstance(name, str) and not name.startswith("alias/")
        return {"name": f"{name!r} does not begin with alias/"} if wrong else {}

    def create(self, inputs: Values) -> Made:
        self.api.create_alias(AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])
        return Made(inputs["name"], self.live(inputs["name"], inputs) or {})

    def live(self, identity: str, state: Values) -> Values | None:
        for page in self.api.get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                if alias["AliasName"] == identity:
                    return self._properties(alias, state)
        return None

    def update(self, identity: str, old: Values, new: Values) -> Values:
        del old
        self.api.update_alias(AliasName=identity, TargetKeyId=new["targetKeyId"])
        return self.live(identity, new) or {}

    def delete(self, identity: str, state: Values) -> None:
        del state
        with unless_gone():
            self.api.delete_alias(AliasName=identity)

    def _properties(self, alias: dict[str, str], state: Values) -> Values:
        key = self.api.describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]
        target = state.get("targetKeyId")
        return {
            "arn": alias["AliasArn"],
            "name": alias["AliasName"],
            "targetKeyArn": key["Arn"],
            # The program may name the same key by its ARN.
            "targetKeyId": target if target == key["Arn"] else key["KeyId"],
        }
