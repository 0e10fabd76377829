"""Our rules over a snapshot. Owns the loop and the line numbers."""

from __future__ import annotations

from collections.abc import Iterator

from scanning.model import Scanner, Sighting
from scanning.rules import matches
from scanning.snapshot import Snapshot


def sightings(snapshot: Snapshot) -> Iterator[Sighting]:
    """Every match of our rules."""
    for number, source in enumerate(snapshot.sources):
        text = source.text()
        for rule, start, secret in matches(text):
            yield Sighting(
                scanner=Scanner.STRONGROOM,
                rule=rule.id,
                file=number,
                line=text.count("\n", 0, start) + 1,
                secret=secret,
            )
