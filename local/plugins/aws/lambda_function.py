"""Lambda functions and who may call them. The stand-in keeps them and runs none."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.plugins.aws.base import AwsType, removed, tags_of, unless_gone
from local.plugins.resource import Field, Made, Values
from local.plugins.values import Unknown


class _Code(Field):
    """An archive. Whether it is another one is told by `sourceCodeHash`: a path tells nothing."""

    def same(self, old: Any, new: Any) -> bool:
        del old, new
        return True


class Function(AwsType):
    """A function whose code is an archive in a file."""

    token = "aws:lambda/function:Function"  # noqa: S105 - a type's name, not a secret
    service = "lambda"
    fields = {  # noqa: RUF012 - never changed
        "code": _Code(),
        "description": Field(),
        "environment": Field(),
        "handler": Field(),
        "memorySize": Field(default=128),
        "name": Field(replace=True),
        "role": Field(required=True),
        "runtime": Field(),
        "sourceCodeHash": Field(),
        "tags": Field(),
        "timeout": Field(default=3),
        "vpcConfig": Field(),
    }
    outputs = ("arn", "codeSha256", "sourceCodeSize", "tagsAll")
    automatic_name = "name"

    def completed(self, inputs: Values) -> Values:
        code = inputs.get("code")
        if isinstance(code, str) and Path(code).is_file():
            return {**inputs, "sourceCodeHash": _sha256(Path(code))}
        return inputs

    def mistakes(self, inputs: Values) -> Mapping[str, str]:
        wrong = {n: "this stand-in needs it" for n in ("handler", "runtime") if n not in inputs}
        if "sourceCodeHash" not in inputs and not isinstance(inputs.get("code"), Unknown):
            wrong["code"] = "this stand-in takes an archive in a file of this machine, no other"
        return wrong

    def create(self, inputs: Values) -> Made:
        self.api.create_function(
            FunctionName=inputs["name"],
            Code={"ZipFile": Path(inputs["code"]).read_bytes()},
            Tags=inputs.get("tags") or {},
            **_configuration(inputs),
        )
        return Made(inputs["name"], self.live(inputs["name"], inputs))

    def live(self, identity: str, state: Values) -> Values:
        found = self.api.get_function(FunctionName=identity)
        about = found["Configuration"]
        variables = about.get("Environment", {}).get("Variables")
        tags = [{"Key": k, "Value": v} for k, v in (found.get("Tags") or {}).items()]
        return {
            "arn": about["FunctionArn"],
            "code": state.get("code"),  # the service gives it to nobody
            "codeSha256": about["CodeSha256"],
            "description": about.get("Description", ""),
            "environment": {"variables": variables} if variables else {},
            "handler": about["Handler"],
            "memorySize": about["MemorySize"],
            "name": about["FunctionName"],
            "role": about["Role"],
            "runtime": about["Runtime"],
            "sourceCodeHash": about["CodeSha256"],
            "sourceCodeSize": about["CodeSize"],
            "timeout": about["Timeout"],
            **tags_of(tags),
        }

    def update(self, identity: str, old: Values, new: Values) -> Values:
        if old.get("sourceCodeHash") != new.get("sourceCodeHash"):
            code = Path(new["code"]).read_bytes()
            self.api.update_function_code(FunctionName=identity, ZipFile=code)
        self.api.update_function_configuration(FunctionName=identity, **_configuration(new))
        if gone := removed(old, new):
            self.api.untag_resource(Resource=old["arn"], TagKeys=gone)
        if tags := new.get("tags"):
            self.api.tag_resource(Resource=old["arn"], Tags=tags)
        return self.live(identity, new)

    def delete(self, identity: str, state: Values) -> None:
        del state
        with unless_gone():
            self.api.delete_function(FunctionName=identity)


class Permission(AwsType):
    """One caller of a function. Each change makes a new one, as AWS knows no other way."""

    token = "aws:lambda/permission:Permission"  # noqa: S105 - a type's name, not a secret
    service = "lambda"
    fields = {  # noqa: RUF012 - never changed
        "action": Field(required=True, replace=True),
        "function": Field(required=True, replace=True),
        "principal": Field(required=True, replace=True),
        "sourceAccount": Field(replace=True),
        "sourceArn": Field(replace=True),
        "statementId": Field(replace=True),
    }
    outputs = ()
    automatic_name = "statementId"

    def create(self, inputs: Values) -> Made:
        source = {"SourceAccount": "sourceAccount", "SourceArn": "sourceArn"}
        self.api.add_permission(
            FunctionName=inputs["function"],
            StatementId=inputs["statementId"],
            Action=inputs["action"],
            Principal=inputs["principal"],
            **{theirs: inputs[ours] for theirs, ours in source.items() if inputs.get(ours)},
        )
        return Made(inputs["statementId"], self.live(inputs["statementId"], inputs) or {})

    def live(self, identity: str, state: Values) -> Values | None:
        policy = json.loads(self.api.get_policy(FunctionName=state["function"])["Policy"])
        for statement in policy["Statement"]:
            if statement["Sid"] == identity:
                # Keys of conditions are written in any case.
                tests = statement.get("Condition", {}).values()
                source = {key.lower(): value for test in tests for key, value in test.items()}
                return {
                    "action": statement["Action"],
                    "function": state["function"],
                    "principal": statement["Principal"]["Service"],
                    "sourceAccount": source.get("aws:sourceaccount"),
                    "sourceArn": source.get("aws:sourcearn"),
                    "statementId": identity,
                }
        return None

    def delete(self, identity: str, state: Values) -> None:
        with unless_gone():
            self.api.remove_permission(FunctionName=state["function"], StatementId=identity)


def _configuration(inputs: Values) -> dict[str, Any]:
    network = inputs.get("vpcConfig") or {}
    return {
        "Description": inputs.get("description", ""),
        "Environment": {"Variables": (inputs.get("environment") or {}).get("variables", {})},
        "Handler": inputs["handler"],
        "MemorySize": inputs["memorySize"],
        "Role": inputs["role"],
        "Runtime": inputs["runtime"],
        "Timeout": inputs["timeout"],
        "VpcConfig": {
            "SubnetIds": network.get("subnetIds", []),
            "SecurityGroupIds": network.get("securityGroupIds", []),
        },
    }


def _sha256(code: Path) -> str:
    return base64.b64encode(hashlib.sha256(code.read_bytes()).digest()).decode()
