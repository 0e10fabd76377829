"""Secrets Manager's versions and stages in memory, as far as a rotation uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

ARN = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:fake"
ADMIN_ARN = f"{ARN}-admin"


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "fake"}}, "fake")


@dataclass
class InMemory:
    """One secret besides the administrator's. `changes` are the calls that changed something."""

    values: dict[str, str] = field(default_factory=dict)
    stages: dict[str, list[str]] = field(default_factory=dict)
    enabled: bool = True
    admin: str = "{}"
    changes: list[str] = field(default_factory=list)
    quicker: str | None = None  # a value that another call stores just before ours

    def describe_secret(self, *, SecretId: str) -> Mapping[str, Any]:
        assert SecretId == ARN
        versions = {version: list(stages) for version, stages in self.stages.items()}
        return {"RotationEnabled": self.enabled, "VersionIdsToStages": versions}

    def get_secret_value(self, **request: str) -> Mapping[str, Any]:
        if request["SecretId"] == ADMIN_ARN:
            return {"SecretString": self.admin}
        assert request["SecretId"] == ARN
        stage = request["VersionStage"]
        for version, stages in self.stages.items():
            if stage in stages and request.get("VersionId", version) == version:
                if version in self.values:
                    return {"SecretString": self.values[version]}
                break
        raise error("ResourceNotFoundException")

    def put_secret_value(
        self,
        *,
        SecretId: str,
        ClientRequestToken: str,
        SecretString: str,
        VersionStages: Sequence[str],
    ) -> Mapping[str, Any]:
        assert (SecretId, list(VersionStages)) == (ARN, ["AWSPENDING"])
        if self.quicker is not None:
            self.values[ClientRequestToken] = self.quicker
        if ClientRequestToken in self.values:
            raise error("ResourceExistsException")
        self.changes.append("put")
        self.values[ClientRequestToken] = SecretString
        return {}

    def update_secret_version_stage(self, **request: str) -> Mapping[str, Any]:
        assert request["SecretId"] == ARN
        stage = request["VersionStage"]
        self.changes.append(f"move {stage}")
        if old := request.get("RemoveFromVersionId"):
            self.stages[old].remove(stage)
        if new := request.get("MoveToVersionId"):
            self.stages[new].append(stage)
        return {}
