"""How often a rotation rule of Secrets Manager rotates. Owns the reading of its expressions.

Source: AWS, "Schedule expressions in Secrets Manager rotation".
"""

from __future__ import annotations

import re

from policies.view import View

_RATE = re.compile(r"rate\((\d+) (hour|hours|day|days)\)")
_CRON = re.compile(r"cron\((.+)\)")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def longest_days(rules: View) -> float | None:
    """The longest time between two rotations, in days; None when the rules name none."""
    if (days := rules["automaticallyAfterDays"].number()) is not None:
        return days
    text = rules["scheduleExpression"].text()
    if rate := _RATE.fullmatch(text):
        return int(rate[1]) / (24 if rate[2].startswith("hour") else 1)
    if cron := _CRON.fullmatch(text):
        return _days_of(cron[1].split())
    return None


def _days_of(fields: list[str]) -> float | None:
    """The same of a cron expression's fields; None for a malformed one, and for certain years."""
    if len(fields) != 6 or fields[5] != "*":
        return None
    try:
        return _months_apart(fields[3]) * 31
    except ValueError:
        return None


def _months_apart(field: str) -> int:
    """The longest gap between the months of a cron expression, in months."""
    months = sorted({month for part in field.split(",") for month in _months(part)})
    if not months:
        return 12
    following = [*months[1:], months[0] + 12]
    return max(after - before for before, after in zip(months, following, strict=True))


def _months(part: str) -> range:
    span, _, step = part.partition("/")
    if span == "*":
        first, last = 1, 12
    else:
        ends = [_month(end) for end in span.split("-")]
        first, last = ends[0], 12 if step and len(ends) == 1 else ends[-1]
    return range(first, last + 1, int(step or 1))


def _month(text: str) -> int:
    return MONTHS.index(text.upper()) + 1 if text.upper() in MONTHS else int(text)
