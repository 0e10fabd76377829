"""A preview as one comment of a pull request, in Markdown.

Owns the form: what comes first, what is folded, the mark by which the comment is found again, and
that it stays below the length that GitHub takes. Text from elsewhere cannot become markup.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from review.events import name_of
from review.preview import MANDATORY, Preview
from review.steps import Kind, ResourceChange

LIMIT = 60_000  # characters; GitHub refuses a comment of more than 65,536
_ENTRY = 1_200  # characters of one entry
_CUT_LINE = 120  # characters kept back for each section's own line on what was cut
_MARKUP = re.compile(r"([\\`*_<>\[\]#|~&$])")
# GitHub makes a link of these, in text that is no markup, too.
_REFERENCE = re.compile(r"([@#])")


@dataclass(frozen=True, kw_only=True)
class _Section:
    title: str
    entries: tuple[str, ...]
    folded: bool = False
    empty: str = ""

    @property
    def frame(self) -> tuple[str, str]:
        if self.folded and self.entries:
            return f"<details><summary>{self.title}</summary>\n", "\n</details>\n"
        return f"#### {self.title}\n", ""


def mark(stack: str) -> str:
    """The hidden line by which the comment of a stack is found, to be updated in place."""
    name = re.sub(r"[^\w./]", "_", stack)  # two hyphens would end the mark
    return f"<!-- strongroom-preview: {name} -->"


def comment(preview: Preview) -> str:
    """The comment: at most LIMIT characters, and it says of every section how much was cut."""
    head = f"{mark(preview.stack)}\n### Preview of {_code(preview.stack)}\n\n{_verdict(preview)}\n"
    sections = [section for section in _sections(preview) if section.entries or section.empty]
    room = LIMIT - len(head) - sum(map(_overhead, sections))
    parts = [head]
    for section in sections:
        shown, room = _fitting(section.entries, room)
        opening, closing = section.frame
        lines = [*shown] if section.entries else [section.empty]
        if missing := len(section.entries) - len(shown):
            lines.append(f"- **{missing} of {len(section.entries)} are not shown:** too long here.")
        parts.append("\n".join([opening, *lines]) + "\n" + closing)
    return "\n".join(parts)


def _sections(preview: Preview) -> Iterable[_Section]:
    lossy = [c for c in preview.changes if c.kind in {Kind.REPLACE, Kind.DELETE}]
    yield _Section(title=_counted(lossy), entries=tuple(map(_change, lossy)))
    yield _Section(
        title="Access",
        entries=tuple(f"- {_text(_cut(change.sentence))}" for change in preview.access),
        empty="Nobody gains or loses anything, as far as this preview knows.",
    )
    yield _Section(
        title="Policies",
        entries=tuple(
            f"- {'**mandatory**' if f.level == MANDATORY else f.level}, {_code(f.policy)}: "
            f"{_text(_cut(f.text))}"
            for f in preview.findings
        ),
        empty="No finding.",
    )
    yield _Section(
        title="Not checked, not previewed",
        entries=tuple(f"- {_text(_cut(note))}" for note in preview.not_checked),
    )
    for kind in (Kind.UPDATE, Kind.CREATE, Kind.IMPORT):
        of_kind = [change for change in preview.changes if change.kind is kind]
        yield _Section(title=_counted(of_kind), entries=tuple(map(_change, of_kind)), folded=True)
    yield _Section(
        title="Messages",
        entries=tuple(
            f"- {m.severity}{_about(m.urn)}: {_text(_cut(m.text))}" for m in preview.messages
        ),
    )


def _verdict(preview: Preview) -> str:
    changes = _counted(preview.changes) or "nothing changes"
    if preview.refused_by:
        findings = _plural(preview.refused_by, "mandatory finding")
        return f"**Refused: {findings}.** Previewed: {changes}."
    if preview.result == "succeeded":
        return f"{changes[0].upper()}{changes[1:]}."
    return f"**The preview failed.** Previewed until then: {changes}."


def _change(change: ResourceChange) -> str:
    properties = ", ".join(map(_code, change.properties))
    said = f"- {change.kind} {_code(change.type)} {_code(change.name)}"
    if len(properties) > _ENTRY:
        return f"{said}: {len(change.properties)} properties"
    return f"{said}: {properties}" if properties else said


def _about(urn: str) -> str:
    return f" about {_code(name_of(urn))}" if urn else ""


def _counted(changes: Iterable[ResourceChange]) -> str:
    counts = Counter(change.kind for change in changes)
    return ", ".join(_plural(counts[kind], kind.value) for kind in Kind if counts[kind])


def _fitting(entries: tuple[str, ...], room: int) -> tuple[list[str], int]:
    shown: list[str] = []
    for entry in entries:
        if len(entry) + 1 > room:
            break
        shown.append(entry)
        room -= len(entry) + 1
    return shown, room


def _overhead(section: _Section) -> int:
    return sum(map(len, section.frame)) + len(section.empty) + _CUT_LINE


def _cut(text: str) -> str:
    if len(text) <= _ENTRY:
        return text
    return f"{text[:_ENTRY]} … ({len(text) - _ENTRY} more characters)"


def _text(text: str) -> str:
    """Text from elsewhere as a line of prose: no markup, no mention of anybody or of an issue."""
    line = _MARKUP.sub(r"\\\1", " ".join(text.split()))
    return _REFERENCE.sub("\\1\N{ZERO WIDTH SPACE}", line)


def _code(text: str) -> str:
    """A name as code; a backtick in it would end the code."""
    name = " ".join(text.split()).replace("`", "'")
    return f"`{name or ' '}`"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
