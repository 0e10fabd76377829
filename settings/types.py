"""Value types of the settings: durations, Kubernetes quantities, names, addresses, schedules.

Each refuses a bad value with what is wrong about it; the field it stands in says why it matters
and what to write instead. Knows nothing of sections or environments.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, GetCoreSchemaHandler, StrictBool, StrictInt, StrictStr
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
UNITS = {
    **{"m": Decimal("0.001"), "": Decimal(1)},
    **{"k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12)},
    **{"Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40)},
}
KINDS = {int: "whole number", float: "number", bool: "truth value", list: "list", dict: "mapping"}

Flag = StrictBool
Count = StrictInt
Text = Annotated[StrictStr, AfterValidator(lambda value: _not_empty(value))]


def refuse(what: str) -> PydanticCustomError:
    """The error of a bad value; `what` goes on after the value, as in "is 'x', which …"."""
    return PydanticCustomError("setting", "{what}", {"what": what})


def _not_empty(value: str) -> str:
    if not value.strip():
        raise refuse("is empty")
    return value


class _Parsed:
    """A value type that pydantic builds from text alone."""

    @classmethod
    def parse(cls, text: str) -> Any:
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        def build(value: Any) -> Any:
            if isinstance(value, cls):
                return value
            if not isinstance(value, str):
                kind = KINDS.get(type(value), "nothing")
                raise refuse(f"is {value!r} ({kind}) where text is expected")
            return cls.parse(value)

        return core_schema.no_info_plain_validator_function(
            build, serialization=core_schema.to_string_ser_schema()
        )


@dataclass(frozen=True, order=True)
class Duration(_Parsed):
    """A length of time. `str()` gives Go's form without days, which every tool here reads."""

    seconds: int

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read "1h30m" or "90d". Raises a validation error for anything else, and for zero."""
        if not re.fullmatch(r"(\d+d)?(\d+h)?(\d+m)?(\d+s)?", text) or not text:
            raise refuse(f"is {text!r}, which is no duration (numbers with d, h, m or s)")
        seconds = sum(int(n) * SECONDS[unit] for n, unit in re.findall(r"(\d+)([dhms])", text))
        if seconds == 0:
            raise refuse(f"is {text!r}, which is no time at all")
        return cls(seconds)

    def __str__(self) -> str:
        hours, rest = divmod(self.seconds, 3600)
        minutes, seconds = divmod(rest, 60)
        parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
        return "".join(f"{number}{unit}" for number, unit in parts if number)


def between(least: str, most: str) -> AfterValidator:
    """A check of a Duration, both ends included."""
    shortest, longest = Duration.parse(least), Duration.parse(most)

    def check(value: Duration) -> Duration:
        if not shortest <= value <= longest:
            raise refuse(f"is {str(value)!r}, which is not between {least} and {most}")
        return value

    return AfterValidator(check)


@dataclass(frozen=True, order=True)
class Quantity(_Parsed):
    """A Kubernetes quantity: bytes ("256Mi") or cores ("500m"). `str()` gives it as written."""

    amount: Decimal
    text: str = field(compare=False)

    @classmethod
    def parse(cls, text: str) -> Quantity:
        """Read a quantity. Raises a validation error for anything else, and for zero."""
        matched = re.fullmatch(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|m|k|M|G|T|)", text)
        if not matched:
            raise refuse(f"is {text!r}, which is no Kubernetes quantity (a number with Mi, Gi, m)")
        number, unit = matched.groups()
        amount = Decimal(number) * UNITS[unit]
        if amount == 0:
            raise refuse(f"is {text!r}, which is nothing at all")
        return cls(amount, text)

    def __str__(self) -> str:
        return self.text


def at_least(least: str) -> AfterValidator:
    """A check of a Quantity."""
    smallest = Quantity.parse(least)

    def check(value: Quantity) -> Quantity:
        if value < smallest:
            raise refuse(f"is {str(value)!r}, which is less than {least}")
        return value

    return AfterValidator(check)


def _pattern(pattern: str, what: str, longest: int = 2048) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value) or len(value) > longest:
            raise refuse(f"is {value!r}, which is no {what}")
        return value

    return check


def _url(*schemes: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            parts = urlsplit(value)
            usable = _is_host(parts.hostname or "") and (parts.port or 1) > 0
        except ValueError:
            usable = False
        if not usable or parts.scheme not in schemes:
            raise refuse(f"is {value!r}, which is no {' or '.join(schemes)} address")
        if parts.username or parts.password:
            raise refuse("has a user name or password in it")
        return value

    return check


_HOST_PART = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


def _is_host(host: str) -> bool:
    """Whether `host`, in lower case, is an address or a name that a certificate can hold."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return len(host) <= 253 and bool(re.fullmatch(rf"{_HOST_PART}(\.{_HOST_PART})*", host))
    return True


def _cidr(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as reason:
        raise refuse(f"is {value!r}, which is no network: {reason}") from None


_CRON_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def _cron(value: str) -> str:
    fields = value.split()
    if len(fields) != len(_CRON_FIELDS):
        raise refuse(f"is {value!r}, which has {len(fields)} fields where cron has 5")
    for text, (low, high) in zip(fields, _CRON_FIELDS, strict=True):
        for part in text.split(","):
            matched = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?", part)
            numbers = [int(n) for n in matched.groups()[:2] if n] if matched else []
            step = matched.group(3) if matched else None
            if (
                not matched
                or any(not low <= n <= high for n in numbers)
                or numbers != sorted(numbers)
                or (step is not None and int(step) == 0)
            ):
                raise refuse(f"is {value!r}; its field {part!r} is not within {low}-{high}")
    return value


_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
# The partitions whose services all have the same names.
AWS = r"arn:aws(-cn|-us-gov)?"
_ARN = AWS + r":{service}:[a-z0-9-]*:\d{{12}}:{resource}"

Label = Annotated[Text, AfterValidator(_pattern(_LABEL, "DNS label (a-z, 0-9, -)", 63))]
ObjectName = Annotated[
    Text, AfterValidator(_pattern(rf"{_LABEL}(\.{_LABEL})*", "Kubernetes object name", 253))
]
HttpsUrl = Annotated[Text, AfterValidator(_url("https"))]
AnyUrl = Annotated[Text, AfterValidator(_url("https", "http"))]
Repository = Annotated[
    Text,
    AfterValidator(
        _pattern(
            r"([a-z0-9.-]+(:\d+)?/)?[a-z0-9]+([._/-][a-z0-9]+|__[a-z0-9]+)*",
            "image repository (without a tag)",
        )
    ),
]
Tag = Annotated[Text, AfterValidator(_pattern(r"(?!latest$)\w[\w.-]{0,127}", "fixed image tag"))]
Version = Annotated[Text, AfterValidator(_pattern(r"\d+\.\d+\.\d+", "version (X.Y.Z)"))]
ChartVersion = Annotated[
    Text, AfterValidator(_pattern(r"\d+\.\d+\.\d+([-+][\w.+-]+)?", "exact chart version"))
]
Cidr = Annotated[Text, AfterValidator(_cidr)]
Cron = Annotated[Text, AfterValidator(_cron)]
AwsRegion = Annotated[Text, AfterValidator(_pattern(r"[a-z]{2}(-[a-z]+)+-\d", "AWS region", 32))]
AwsAccount = Annotated[Text, AfterValidator(_pattern(r"\d{12}", "AWS account id (12 digits)"))]
KmsKey = Annotated[
    Text,
    AfterValidator(
        _pattern(
            _ARN.format(service="kms", resource="(key|alias)/[\\w/-]+"), "ARN of a KMS key or alias"
        )
    ),
]
RoleArn = Annotated[
    Text,
    AfterValidator(
        _pattern(_ARN.format(service="iam", resource="role/[\\w+=,.@/-]+"), "ARN of an IAM role")
    ),
]
BucketName = Annotated[
    Text, AfterValidator(_pattern(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "bucket name"))
]
GcpName = Annotated[Text, AfterValidator(_pattern(r"[A-Za-z0-9_-]{1,63}", "Google Cloud name"))]
GcpProject = Annotated[
    Text, AfterValidator(_pattern(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "Google Cloud project id"))
]
Port = Annotated[Count, AfterValidator(lambda value: _port(value))]


def _port(value: int) -> int:
    if not 1 <= value <= 65535:
        raise refuse(f"is {value}, which is no port (1-65535)")
    return value
