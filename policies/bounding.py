"""Which conditions bound an IAM statement for everybody to somebody.

Owns the list of condition keys. A condition that is not in it, such as one on the encryption
context or on the time, leaves `*` as wide as it is.
Source: AWS, "AWS global condition context keys"; "AWS KMS condition keys".
"""

from __future__ import annotations

import re

from access.iam import Condition, Statement

KEYS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "kms:calleraccount",
    }
)


# An ARN whose account is written out; the rest may be a pattern.
_FIXED_ACCOUNT = re.compile(r"^arn:[^:]*:[^:]*:[^:]*:\d{12}:")
_PATTERNS = frozenset({"ArnLike", "ArnEquals", "StringLike"})


def is_bounded(statement: Statement) -> bool:
    """Whether a known key fixes who calls, or at least the account."""
    return any(
        test.key.lower() in KEYS and (test.is_exact or _fixes_account(test))
        for test in statement.conditions
    )


def _fixes_account(test: Condition) -> bool:
    return test.operator in _PATTERNS and all(map(_FIXED_ACCOUNT.match, test.values))
