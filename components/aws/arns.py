"""ARNs that name exactly one thing. Owns their check; a pattern, a user or an account is none."""

from __future__ import annotations

import re
from collections.abc import Iterable

from components.vault.inputs import refuse

ROLE = re.compile(
    r"arn:(?:aws|aws-cn|aws-us-gov):iam::(?P<account>\d{12}):role/[\w+=,.@/-]+", re.ASCII
)
SECRET = re.compile(
    r"arn:(?P<partition>aws|aws-cn|aws-us-gov):secretsmanager:(?P<region>[a-z0-9-]+):"
    r"(?P<account>\d{12}):secret:[\w/+=.@-]+-[A-Za-z0-9]{6}",
    re.ASCII,
)
KEY = re.compile(
    r"arn:(?:aws|aws-cn|aws-us-gov):kms:[a-z0-9-]+:(?P<account>\d{12}):key/[\w-]+", re.ASCII
)


def roles(name: str, values: Iterable[str], account_id: str) -> None:
    """Refuse an empty list, and what is no role of that account. Raises ValueError."""
    given = tuple(values)
    if not given:
        raise refuse(name, given, "lets nobody in", f"Name roles, {_example(account_id)}")
    for value in given:
        role = ROLE.fullmatch(value)
        if role is None:
            raise refuse(
                name,
                value,
                "is no role's ARN; a pattern, a user or a whole account would be let in more "
                "widely than anyone reviewed",
                f"Name one role, {_example(account_id)}",
            )
        if role["account"] != account_id:
            raise refuse(
                name,
                value,
                f"is not in account {account_id}; another account's administrators would decide "
                "who that is",
                "Name a role of the account that owns the secret",
            )


def _example(account_id: str) -> str:
    return f"for example arn:aws:iam::{account_id}:role/ml-training"
