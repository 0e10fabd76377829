"""From many scanners' sightings to one finding a secret.

Owns where in the file each sighting is, which of them are the same secret, and which are none. Two
are the same when their values are equal or overlap in the file: one scanner takes a URL, the next
the password in it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from scanning import conditions
from scanning.fingerprint import fingerprints
from scanning.model import Finding, Scanner, Sighting, redact
from scanning.snapshot import Source

_ORDER = tuple(Scanner)
# Rules that go by the name of a variable; they take any words for a secret.
_BY_NAME = frozenset({"detect-secrets/secret-keyword", "gitleaks/generic-api-key"})

# A version of a file, and what was seen of one secret in it.
_Version = tuple[Source, list[Sighting]]


@dataclass(frozen=True, kw_only=True)
class _Place:
    sighting: Sighting
    start: int
    end: int


def merge(
    sightings: Iterable[Sighting],
    sources: Sequence[Source],
    *,
    salt: bytes,
    reasons: Mapping[tuple[str, str, str], str],
) -> list[Finding]:
    """One finding for each secret of each path, by path and line; accepted ones have a reason.

    `reasons` has the reviewers' reasons by (path, rule, hash). A secret in several versions of a
    file is one finding: with the lines of the last version in `sources`, and the first commit.
    """
    secrets: dict[tuple[str, str], list[_Version]] = defaultdict(list)
    for source, group in grouped(sightings, sources):
        secrets[source.path, group[0].secret].append((source, group))
    seen = (one.secret for versions in secrets.values() for _, group in versions for one in group)
    hashes = fingerprints(seen, salt)
    findings = [
        _finding(path, versions, hashes, reasons) for (path, _), versions in secrets.items()
    ]
    return sorted(findings, key=lambda found: (found.path, found.lines, found.rule))


def grouped(sightings: Iterable[Sighting], sources: Sequence[Source]) -> Iterator[_Version]:
    """The sightings of each secret in each file of `sources`, without those that are none.

    The first of a group is the one whose rule and value name the secret.
    """
    by_file: dict[int, list[Sighting]] = defaultdict(list)
    for sighting in sightings:
        by_file[sighting.file].append(sighting)
    for number, seen in sorted(by_file.items()):
        for group in _groups(_places(seen, sources[number].text())):
            yield sources[number], [place.sighting for place in group]


def _finding(
    path: str,
    versions: Sequence[_Version],
    hashes: Mapping[str, str],
    reasons: Mapping[tuple[str, str, str], str],
) -> Finding:
    newest = versions[-1][1]
    marks = tuple(
        dict.fromkeys((one.name, hashes[one.secret]) for _, group in versions for one in group)
    )
    excuses = (reasons.get((path, rule, value)) for rule, value in marks)
    return Finding(
        path=path,
        lines=tuple(sorted({one.line for one in newest})),
        redacted=redact(newest[0].secret),
        marks=marks,
        commit=next((source.commit for source, _ in versions if source.commit), None),
        reason=next((reason for reason in excuses if reason), None),
    )


def _places(seen: Sequence[Sighting], text: str) -> list[_Place]:
    """Where each sighting is, without those that are no secret; the most telling scanner first."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    places = []
    for told in seen:
        sighting = told
        line_start = starts[min(sighting.line, len(starts)) - 1]
        start = text.find(sighting.secret, line_start)
        if start < 0:
            start = text.find(sighting.secret)
        if start < 0:  # decoded or put together by the scanner: the line has to do
            start = line_start
            end = start + len(text[start:].partition("\n")[0])
        else:
            end = start + len(sighting.secret)
            # Some scanners name the first line of the part that they were reading.
            sighting = replace(sighting, line=bisect_right(starts, start))
        if not _harmless(sighting, text, start):
            places.append(_Place(sighting=sighting, start=start, end=end))
    return sorted(
        places,
        key=lambda place: (
            _ORDER.index(place.sighting.scanner),
            place.start,
            -len(place.sighting.secret),
        ),
    )


def _harmless(sighting: Sighting, text: str, start: int) -> bool:
    if sighting.scanner is Scanner.STRONGROOM:
        return False  # our rules have asked already
    secret = sighting.secret
    if "PRIVATE KEY" in secret[:40]:  # long zeros within it are no sign of a placeholder
        return conditions.without_body(text, start)
    return (
        conditions.placeholder(secret)
        or conditions.public(secret, text, start)
        or (sighting.name in _BY_NAME and conditions.name_only(secret))
    )


def _groups(places: Sequence[_Place]) -> list[list[_Place]]:
    """Sightings of the same secret together, in the order given."""
    groups: list[list[_Place]] = []
    for place in places:
        same = [group for group in groups if any(_same(place, other) for other in group)]
        if not same:
            groups.append([place])
            continue
        home, *others = same
        for other in others:  # the new one joins what seemed to be two
            home.extend(other)
            groups.remove(other)
        home.append(place)
    return groups


def _same(one: _Place, other: _Place) -> bool:
    overlap = one.start < other.end and other.start < one.end
    return overlap or one.sighting.secret == other.sighting.secret
