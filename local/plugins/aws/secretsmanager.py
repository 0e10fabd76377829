"""Secrets Manager: secrets without their values, who may read them, when they rotate."""

from __future__ import annotations

from local.plugins.aws.base import AwsType, pairs, removed, tags_of, unless_gone
from local.plugins.resource import Field, Made, Values


class Secret(AwsType):
    """A secret's frame. A deleted one keeps its name until the recovery window (days) is over."""

    token = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type's name, not a secret
    service = "secretsmanager"
    fields = {  # noqa: RUF012 - never changed
        "description": Field(),
        "kmsKeyId": Field(),
        "name": Field(replace=True),
        "recoveryWindowInDays": Field(default=30),
        "tags": Field(),
    }
    outputs = ("arn", "tagsAll")
    automatic_name = "name"

    def mistakes(self, inputs: Values) -> dict[str, str]:
        days = inputs["recoveryWindowInDays"]
        wrong = isinstance(days, int) and days != 0 and not 7 <= days <= 30
        return {"recoveryWindowInDays": f"{days} is neither 0 nor 7 to 30 days"} if wrong else {}

    def create(self, inputs: Values) -> Made:
        made = self.api.create_secret(
            Name=inputs["name"],
            Description=inputs.get("description", ""),
            Tags=pairs(inputs.get("tags")),
            **_key(inputs),
        )
        return Made(made["ARN"], self.live(made["ARN"], inputs) or {})

    def live(self, identity: str, state: Values) -> Values | None:
        del state
        secret = self.api.describe_secret(SecretId=identity)
        if secret.get("DeletedDate"):
            return None
        return {
            "arn": secret["ARN"],
            "description": secret.get("Description", ""),
            "kmsKeyId": secret.get("KmsKeyId", ""),
            "name": secret["Name"],
            **tags_of(secret.get("Tags")),
        }

    def update(self, identity: str, old: Values, new: Values) -> Values:
        self.api.update_secret(
            SecretId=identity, Description=new.get("description", ""), **_key(new)
        )
        if gone := removed(old, new):
            self.api.untag_resource(SecretId=identity, TagKeys=gone)
        if tags := pairs(new.get("tags")):
            self.api.tag_resource(SecretId=identity, Tags=tags)
        return self.live(identity, new) or {}

    def delete(self, identity: str, state: Values) -> None:
        days = state["recoveryWindowInDays"]
        how = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
        if self.read(identity, state) is not None:
            self.api.delete_secret(SecretId=identity, **how)


def _key(inputs: Values) -> dict[str, str]:
    return {"KmsKeyId": inputs["kmsKeyId"]} if inputs.get("kmsKeyId") else {}


class SecretPolicy(AwsType):
    """Who may use one secret."""

    token = "aws:secretsmanager/secretPolicy:SecretPolicy"  # noqa: S105 - a type's name
    service = "secretsmanager"
    fields = {  # noqa: RUF012 - never changed
        "blockPublicPolicy": Field(default=False),
        "policy": Field(required=True, document=True),
        "secretArn": Field(required=True, replace=True),
    }
    outputs = ()

    def create(self, inputs: Values) -> Made:
        return Made(inputs["secretArn"], self.update(inputs["secretArn"], {}, inputs))

    def live(self, identity: str, state: Values) -> Values | None:
        del state
        policy = self.api.get_resource_policy(SecretId=identity).get("ResourcePolicy")
        return {"policy": policy, "secretArn": identity} if policy else None

    def update(self, identity: str, old: Values, new: Values) -> Values:
        del old
        self.api.put_resource_policy(
            SecretId=identity,
            ResourcePolicy=new["policy"],
            BlockPublicPolicy=new["blockPublicPolicy"],
        )
        return self.live(identity, new) or {}

    def delete(self, identity: str, state: Values) -> None:
        del state
        with unless_gone():
            self.api.delete_resource_policy(SecretId=identity)


_RULES = {  # the official plugin's names of what the service calls RotationRules
    "automaticallyAfterDays": "AutomaticallyAfterDays",
    "duration": "Duration",
    "scheduleExpression": "ScheduleExpression",
}


class SecretRotation(AwsType):
    """When one secret rotates, and by which function. To end it, the resource is removed."""

    token = "aws:secretsmanager/secretRotation:SecretRotation"  # noqa: S105 - a type's name
    service = "secretsmanager"
    fields = {  # noqa: RUF012 - never changed
        "rotateImmediately": Field(default=True),
        "rotationLambdaArn": Field(),
        "rotationRules": Field(),
        "secretId": Field(required=True, replace=True),
    }
    outputs = ("rotationEnabled",)

    def mistakes(self, inputs: Values) -> dict[str, str]:
        # Rotation without a function is AWS's own affair, for secrets of its own databases.
        needed = ("rotationLambdaArn", "rotationRules")
        return {name: "this stand-in needs it" for name in needed if not inputs.get(name)}

    def create(self, inputs: Values) -> Made:
        return Made(inputs["secretId"], self.update(inputs["secretId"], {}, inputs))

    def live(self, identity: str, state: Values) -> Values | None:
        secret = self.api.describe_secret(SecretId=identity)
        if not secret.get("RotationEnabled"):
            return None
        rules = secret.get("RotationRules", {})
        # What the service leaves out of its answer is taken as it was asked for.
        told = {ours: rules[theirs] for ours, theirs in _RULES.items() if rules.get(theirs)}
        return {
            "rotationEnabled": True,
            "rotationLambdaArn": secret.get("RotationLambdaARN", ""),
            "rotationRules": state.get("rotationRules", {}) | told,
            "secretId": identity,
        }

    def update(self, identity: str, old: Values, new: Values) -> Values:
        del old
        rules = {_RULES[name]: value for name, value in new["rotationRules"].items()}
        function = new.get("rotationLambdaArn")
        self.api.rotate_secret(
            SecretId=identity,
            RotationRules=rules,
            RotateImmediately=new["rotateImmediately"],
            **({"RotationLambdaARN": function} if function else {}),
        )
        return self.live(identity, new) or {}

    def delete(self, identity: str, state: Values) -> None:
        del state
        with unless_gone():
            self.api.cancel_rotate_secret(SecretId=identity)
