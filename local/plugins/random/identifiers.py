"""RandomId and RandomUuid: names that differ from all others."""

from __future__ import annotations

import base64
import secrets
import uuid

from local.plugins.random.kept import Kept
from local.plugins.resource import Field, Made, Values


class RandomId(Kept):
    """Random bytes in several notations, each after the prefix."""

    token = "random:index/randomId:RandomId"  # noqa: S105 - a type's name, not a secret
    fields = {  # noqa: RUF012 - never changed
        "byteLength": Field(replace=True, required=True),
        "keepers": Field(replace=True),
        "prefix": Field(replace=True),
    }
    outputs = ("b64Std", "b64Url", "dec", "hex")

    def mistakes(self, inputs: Values) -> dict[str, str]:
        length = inputs["byteLength"]
        return {"byteLength": "at least 1"} if isinstance(length, int) and length < 1 else {}

    def create(self, inputs: Values) -> Made:
        raw, prefix = secrets.token_bytes(inputs["byteLength"]), inputs.get("prefix", "")
        url = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        notations = {
            "b64Std": base64.b64encode(raw).decode(),
            "b64Url": url,
            "dec": str(int.from_bytes(raw, "big")),
            "hex": raw.hex(),
        }
        return Made(url, {name: prefix + text for name, text in notations.items()})


class RandomUuid(Kept):
    """A version 4 UUID."""

    token = "random:index/randomUuid:RandomUuid"  # noqa: S105 - a type's name, not a secret
    fields = {"keepers": Field(replace=True)}  # noqa: RUF012 - never changed
    outputs = ("result",)

    def create(self, inputs: Values) -> Made:
        del inputs
        text = str(uuid.uuid4())
        return Made(text, {"result": text})
