"""TruffleHog over a snapshot, without a network. Owns its arguments and its report's fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from scanning import programs
from scanning.model import Scanner, Sighting

# Verifying sends what was found to the service it seems to belong to; that is not for a scan. With
# --local-dev it runs without a parent of its own that could renew it: that one ends with status 1
# after a whole scan now and then (seen in 1 of 24 runs of 3.90.0; in none of 80 without it).
ARGUMENTS = (
    *("filesystem", ".", "--json", "--log-level=-1"),
    *("--no-verification", "--no-update", "--local-dev"),
)


def sightings(folder: Path) -> Iterator[Sighting]:
    """Everything it reports in `folder`, laid out as a snapshot.

    A line that ends in `trufflehog:ignore` is invisible to it, and to it alone: it has no switch
    against that.
    """
    answer = programs.output(Scanner.TRUFFLEHOG, ARGUMENTS, folder)
    try:
        for line in answer.splitlines():
            entry = json.loads(line)
            where = entry["SourceMetadata"]["Data"]["Filesystem"]
            yield Sighting(
                scanner=Scanner.TRUFFLEHOG,
                rule=entry["DetectorName"].lower(),
                file=int(Path(where["file"]).parts[0]),
                line=int(where.get("line", 1)),
                secret=entry["Raw"],
            )
    except (ValueError, KeyError, TypeError) as error:
        raise programs.unreadable(Scanner.TRUFFLEHOG, type(error).__name__) from None
