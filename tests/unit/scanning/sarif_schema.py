"""The part of SARIF 2.1.0 that the report uses, as a schema that allows nothing else.

Written from the standard's text (OASIS, 21 June 2020): section numbers are its own. Properties the
standard has and the report does not use are refused here, so that a misspelt one is seen.
"""

from __future__ import annotations

from typing import Any

_LEVEL = {"enum": ["none", "note", "warning", "error"]}  # 3.27.10


def _closed(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_MESSAGE = _closed(("text",), text={"type": "string", "minLength": 1})  # 3.11
_LOCATION = _closed(  # 3.28, 3.29, 3.30
    ("physicalLocation",),
    physicalLocation=_closed(
        ("artifactLocation", "region"),
        artifactLocation=_closed(
            ("uri",),
            uri={"type": "string", "pattern": r"^(?:[\w.~!$&'()*+,;=:@/-]|%[0-9A-F]{2})+$"},
        ),
        region=_closed(("startLine",), startLine={"type": "integer", "minimum": 1}),
    ),
)
_RULE = _closed(  # 3.49
    ("id",),
    id={"type": "string"},
    shortDescription=_MESSAGE,
    help=_MESSAGE,
    defaultConfiguration=_closed((), level=_LEVEL),  # 3.50
    properties={"type": "object"},
)
_RESULT = _closed(  # 3.27
    ("message",),
    ruleId={"type": "string"},
    ruleIndex={"type": "integer", "minimum": 0},
    level=_LEVEL,
    message=_MESSAGE,
    locations={"type": "array", "items": _LOCATION, "minItems": 1},
    partialFingerprints={
        "type": "object",
        "patternProperties": {r"^[\w/]+$": {"type": "string"}},
        "additionalProperties": False,
    },
    suppressions={  # 3.35
        "type": "array",
        "items": _closed(
            ("kind",), kind={"enum": ["inSource", "external"]}, justification={"type": "string"}
        ),
    },
)
_INVOCATION = _closed(  # 3.20
    ("executionSuccessful",),
    executionSuccessful={"type": "boolean"},
    toolExecutionNotifications={
        "type": "array",
        "items": _closed(("message",), level=_LEVEL, message=_MESSAGE),  # 3.58
    },
)
_DRIVER = _closed(  # 3.19
    ("name",), name={"type": "string"}, rules={"type": "array", "items": _RULE, "uniqueItems": True}
)
_RUN = _closed(  # 3.14
    ("tool", "results"),
    tool=_closed(("driver",), driver=_DRIVER),
    invocations={"type": "array", "items": _INVOCATION},
    results={"type": "array", "items": _RESULT},
)
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_closed(  # 3.13
        ("version", "runs"),
        **{"$schema": {"type": "string"}, "version": {"const": "2.1.0"}},
        runs={"type": "array", "items": _RUN},
    ),
}
