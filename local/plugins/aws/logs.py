"""CloudWatch Logs: groups of log lines."""

from __future__ import annotations

from local.plugins.aws.base import AwsType, removed, tags_of, unless_gone
from local.plugins.resource import Field, Made, Values


class LogGroup(AwsType):
    """A log group; without `retentionInDays` its lines are kept for ever."""

    token = "aws:cloudwatch/logGroup:LogGroup"  # noqa: S105 - a type's name, not a secret
    service = "logs"
    fields = {  # noqa: RUF012 - never changed
        "name": Field(replace=True),
        "retentionInDays": Field(default=0),
        "tags": Field(),
    }
    outputs = ("arn", "tagsAll")
    automatic_name = "name"

    def create(self, inputs: Values) -> Made:
        tags = {"tags": inputs["tags"]} if inputs.get("tags") else {}
        self.api.create_log_group(logGroupName=inputs["name"], **tags)
        self._keep(inputs)
        return Made(inputs["name"], self.live(inputs["name"], inputs) or {})

    def live(self, identity: str, state: Values) -> Values | None:
        del state
        found = self.api.describe_log_groups(logGroupNamePrefix=identity)["logGroups"]
        for group in found:
            if group["logGroupName"] == identity:
                arn = group["arn"].removesuffix(":*")
                tags = self.api.list_tags_for_resource(resourceArn=arn)["tags"]
                return {
                    "arn": arn,
                    "name": identity,
                    "retentionInDays": group.get("retentionInDays", 0),
                    **tags_of([{"Key": key, "Value": value} for key, value in tags.items()]),
                }
        return None

    def update(self, identity: str, old: Values, new: Values) -> Values:
        self._keep(new)
        if gone := removed(old, new):
            self.api.untag_resource(resourceArn=old["arn"], tagKeys=gone)
        if tags := new.get("tags"):
            self.api.tag_resource(resourceArn=old["arn"], tags=tags)
        return self.live(identity, new) or {}

    def delete(self, identity: str, state: Values) -> None:
        del state
        with unless_gone():
            self.api.delete_log_group(logGroupName=identity)

    def _keep(self, inputs: Values) -> None:
        name, days = inputs["name"], inputs["retentionInDays"]
        if days:
            self.api.put_retention_policy(logGroupName=name, retentionInDays=days)
        else:
            self.api.delete_retention_policy(logGroupName=name)
