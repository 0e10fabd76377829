"""RandomPassword and RandomString: random text with character classes and minimum counts.

Owns how the characters are drawn. Every changed input makes a new value.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from typing import ClassVar

from local.plugins.random.kept import Kept
from local.plugins.resource import Field, Made, Values

SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
_CLASSES = {
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "numeric": string.digits,
    "special": SPECIAL,
}


def _minimum(name: str) -> str:
    return f"min{name.capitalize()}"


def alphabets(inputs: Values) -> dict[str, str]:
    """The characters of each class that the inputs switch on."""
    on = {name: inputs.get(name, True) for name in _CLASSES}
    if "number" in inputs and "numeric" not in inputs:
        on["numeric"] = inputs["number"]
    own = {"special": inputs.get("overrideSpecial") or SPECIAL}
    return {name: own.get(name, chars) for name, chars in _CLASSES.items() if on[name]}


def draw(inputs: Values) -> str:
    """Text of `length` characters with at least the wanted number from each class."""
    drawn = [
        secrets.choice(own.get(name, chars))
        for own in [{"special": inputs.get("overrideSpecial") or SPECIAL}]
        for name, chars in _CLASSES.items()
        for _ in range(inputs.get(_minimum(name), 0))
    ]
    pool = "".join(alphabets(inputs).values())
    drawn += [secrets.choice(pool) for _ in range(inputs["length"] - len(drawn))]
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)


class RandomString(Kept):
    """Text that may be shown."""

    token = "random:index/randomString:RandomString"  # noqa: S105 - a type's name, not a secret
    fields: ClassVar[Mapping[str, Field]] = {
        "length": Field(replace=True, required=True),
        "keepers": Field(replace=True),
        "overrideSpecial": Field(replace=True),
        "number": Field(replace=True),
        **{name: Field(replace=True) for name in _CLASSES},
        **{_minimum(name): Field(replace=True) for name in _CLASSES},
    }
    outputs = ("result",)

    def mistakes(self, inputs: Values) -> dict[str, str]:
        length = inputs["length"]
        if not isinstance(length, int):
            return {}
        least = sum(n for name in _CLASSES if isinstance(n := inputs.get(_minimum(name), 0), int))
        if length < 1 or length < least:
            return {"length": f"{length} is less than {max(least, 1)}, the sum of all min* counts"}
        if not alphabets(inputs):
            return {"length": "every character class is switched off"}
        return {}

    def create(self, inputs: Values) -> Made:
        text = draw(inputs)
        return Made(text, {"result": text})


class RandomPassword(RandomString):
    """Text that stays secret in state and output."""

    token = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a type's name
    secret_outputs = ("result",)

    def create(self, inputs: Values) -> Made:
        return Made("none", {"result": draw(inputs)})
