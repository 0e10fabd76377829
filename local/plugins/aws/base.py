"""What the AWS types share: their client, absence as no error, tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from local.plugins.aws.connection import Connection
from local.plugins.resource import ResourceType, Values

_GONE = {
    "404",
    "NoSuchBucket",
    "NoSuchEntity",
    "NotFoundException",
    "ResourceNotFoundException",
}


class AwsType(ResourceType):
    """A resource type of one service."""

    service: ClassVar[str]

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def api(self) -> Any:
        """The service's client."""
        return self._connection.client(self.service)

    def read(self, identity: str, state: Values) -> Values | None:
        with unless_gone():
            return self.live(identity, state)
        return None

    def live(self, identity: str, state: Values) -> Values | None:
        """The properties as they are now; None or a ClientError when the resource is gone."""
        raise NotImplementedError


@contextmanager
def unless_gone(*more: str) -> Iterator[None]:
    """Ends quietly where the service says that the resource is gone, or one of the codes `more`."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE.union(more):
            raise


def pairs(tags: Mapping[str, str] | None, prefix: str = "") -> list[dict[str, str]]:
    """Tags as the service takes them; KMS wants the prefix `Tag` before both names."""
    return [{f"{prefix}Key": k, f"{prefix}Value": v} for k, v in (tags or {}).items()]


def tags_of(listed: Sequence[Mapping[str, str]] | None, prefix: str = "") -> Values:
    """The properties `tags` and `tagsAll` from what the service lists."""
    tags = {each[f"{prefix}Key"]: each[f"{prefix}Value"] for each in listed or ()}
    return {"tags": tags, "tagsAll": tags}


def removed(old: Values, new: Values) -> list[str]:
    """Keys of tags that `new` has no more."""
    return sorted(set(old.get("tags") or ()) - set(new.get("tags") or ()))
