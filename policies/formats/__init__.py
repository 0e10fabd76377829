"""A report in the form that somebody reads: people, programs, code scanning, test reporting.

Owns the choice; each form is a module.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from policies.check import Report
from policies.formats import data, junit, sarif, text


class Format(StrEnum):
    """The forms of a report."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"


_FORMS: dict[Format, Callable[[Report], str]] = {
    Format.TEXT: text.render,
    Format.JSON: data.render,
    Format.SARIF: sarif.render,
    Format.JUNIT: junit.render,
}


def render(report: Report, form: Format) -> str:
    """The report in a form, without a line break at its end."""
    return _FORMS[form](report)
