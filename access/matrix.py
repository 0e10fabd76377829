"""The access matrix: who may do what on which path, over every source of rights at once.

Owns combining sources and following takeovers: who can act as a service account holds what that
account holds. Says nothing about what a right means; each source does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from access.model import Answer, Row, Source, Subject, System, Takeover


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Somebody who can do what was asked for. `indirect` holders act as another to get there."""

    subject: Subject
    system: System
    via: str
    policy: str
    reason: str
    lost: tuple[str, ...] = ()
    indirect: bool = False

    def as_data(self) -> dict[str, Any]:
        """The holder as plain data for JSON."""
        return {**asdict(self), "subject": str(self.subject)}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a subject can do something: who says yes, and who was asked and says no."""

    subject: Subject
    path: str
    capability: str
    holders: tuple[Holder, ...]
    refusals: tuple[Answer, ...]

    @property
    def allowed(self) -> bool:
        """Whether there is any way."""
        return bool(self.holders)

    def as_data(self) -> dict[str, Any]:
        """The verdict as plain data for JSON."""
        return {
            "subject": str(self.subject),
            "path": self.path,
            "capability": self.capability,
            "allowed": self.allowed,
            "holders": [holder.as_data() for holder in self.holders],
            "refusals": [
                {**asdict(answer), "subject": str(answer.subject)} for answer in self.refusals
            ],
        }


class Matrix:
    """The rights that the sources know of; `notes` says what no source could judge."""

    def __init__(self, sources: Sequence[Source], notes: Iterable[str] = ()) -> None:
        self._sources = tuple(sources)
        self.rows: tuple[Row, ...] = tuple(
            sorted({row for source in sources for row in source.rows()})
        )
        self.takeovers: tuple[Takeover, ...] = tuple(
            sorted({takeover for source in sources for takeover in source.takeovers()})
        )
        self.notes: tuple[str, ...] = tuple(
            dict.fromkeys((*notes, *(note for source in sources for note in source.notes())))
        )

    def who_can(self, path: str, capability: str) -> tuple[Holder, ...]:
        """Everyone who can, directly or by acting as somebody who can, sorted by subject."""
        direct = [
            Holder(
                subject=answer.subject,
                system=answer.system,
                via=answer.via,
                policy=answer.policy,
                reason=answer.reason,
                lost=answer.lost,
            )
            for answer in self._answers(path, capability)
            if answer.allowed
        ]
        found = list(dict.fromkeys(direct))
        found += self._indirect(found)
        return tuple(sorted(found, key=lambda holder: (holder.subject, holder.indirect)))

    def explain(self, subject: Subject, path: str, capability: str) -> Verdict:
        """Whether `subject` can, and each role's reason for or against it."""
        return Verdict(
            subject=subject,
            path=path,
            capability=capability,
            holders=tuple(
                holder
                for holder in self.who_can(path, capability)
                if holder.subject.overlaps(subject)
            ),
            refusals=tuple(
                answer
                for answer in self._answers(path, capability)
                if not answer.allowed and answer.subject.overlaps(subject)
            ),
        )

    def as_data(self) -> dict[str, Any]:
        """The matrix as plain data for JSON."""
        return {
            "rows": [
                {
                    "subject": str(row.subject),
                    "system": row.system.value,
                    "via": row.via,
                    "policy": row.policy,
                    "path": row.path,
                    "capabilities": list(row.capabilities),
                    "note": row.note,
                }
                for row in self.rows
            ],
            "takeovers": [
                {"subject": str(t.subject), "actsAs": str(t.target), "how": t.how, "via": t.via}
                for t in self.takeovers
            ],
            "notes": list(self.notes),
        }

    def _answers(self, path: str, capability: str) -> Iterable[Answer]:
        return (a for source in self._sources for a in source.answers(path, capability))

    def _indirect(self, direct: Sequence[Holder]) -> list[Holder]:
        """Those who reach a holder by takeovers, one after another; each is named once."""
        reached = list(direct)
        known = {holder.subject for holder in direct}
        for holder in reached:  # grows while it is walked: takeovers of takeovers
            for takeover in self.takeovers:
                if takeover.subject in known or not takeover.target.overlaps(holder.subject):
                    continue
                if takeover.only not in (None, holder.system):
                    continue
                known.add(takeover.subject)
                reached.append(
                    Holder(
                        subject=takeover.subject,
                        system=holder.system,
                        via=takeover.via,
                        policy=holder.policy,
                        reason=f"may {takeover.how}, and so act as {holder.subject}, "
                        f"which holds it through {holder.via}",
                        indirect=True,
                    )
                )
        return reached[len(direct) :]
