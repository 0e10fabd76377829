"""What a check answers. Owns the three ways to say it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from compliance.model import State


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer; `where` is what it was seen in."""

    state: State
    said: str
    where: tuple[str, ...] = ()
    fix: str = ""


def passed(said: str, *where: str) -> Answer:
    """It is as it should be."""
    return Answer(state=State.PASSED, said=said, where=where)


def failed(said: str, *where: str, fix: str) -> Answer:
    """It is not, and how it is mended."""
    return Answer(state=State.FAILED, said=said, where=where, fix=fix)


def unknown(said: str, *where: str) -> Answer:
    """Nobody can say, and why."""
    return Answer(state=State.NOT_CHECKED, said=said, where=where)


def not_here(said: str) -> Answer:
    """The system has nothing that the question is about."""
    return Answer(state=State.NOT_APPLICABLE, said=said)


def unless(wrong: Iterable[str], right: str, *where: str, what: str, fix: str) -> Answer:
    """Passed with `right` when nothing is wrong; else failed with `what` and each fault."""
    faults = tuple(wrong)
    return (
        failed(f"{what}: {'; '.join(faults)}", *where, fix=fix) if faults else passed(right, *where)
    )
