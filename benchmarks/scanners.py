"""What each scanner finds alone, and what `strongroom scan` finds, on a corpus with labels.

    python -m benchmarks.scanners --seed 20261 --held-out

Owns the counting. A secret counts as found when a finding in its file is the value, holds it, or is
a telling part of it; a harmless file counts as accused when anything in it is reported. Alone means
with the scanner's own default configuration, and TruffleHog without verification, which needs the
services. Each value is used once, and belongs to nobody.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from detect_secrets.settings import default_settings

from benchmarks.machine import facts
from benchmarks.scanner_corpus import Sample, corpus
from local.toolchain import bin_dir
from scanning import detect_secrets, gitleaks, ours, scan, trufflehog
from scanning.merge import grouped
from scanning.model import Scanner, Sighting
from scanning.snapshot import Mode, Snapshot

TELLING = 6  # characters; a shorter part of a secret is no sign that it was seen
SET = "strongroom scan"

# Which file, and the values seen in it.
Seen = Mapping[int, Collection[str]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the corpus, run every side over it, and print the section for RESULTS.md."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=14, help="files of each kind and type")
    parser.add_argument("--held-out", action="store_true", help="surroundings never tuned on")
    parser.add_argument("--misses", action="store_true", help="show where the set is wrong")
    options = parser.parse_args(arguments)
    bin_dir([Scanner.GITLEAKS, Scanner.TRUFFLEHOG])
    samples = list(corpus(options.seed, held_out=options.held_out, each=options.each))
    with tempfile.TemporaryDirectory() as folder:
        snapshot = Snapshot(folder=Path(folder), mode=Mode.PATHS)
        for sample in samples:
            snapshot.add(sample.name, sample.text.encode())
        sides, seconds = run(snapshot)
    secrets = sum(bool(sample.values) for sample in samples)
    print(
        f"Seed {options.seed}, {facts()}: {secrets} secrets, {len(samples) - secrets} harmless.\n"
    )
    print(table("secret", samples, sides, harmless=False))
    print(table("harmless", samples, sides, harmless=True))
    print(f"Seconds: {', '.join(f'{side} {spent:.1f}' for side, spent in seconds.items())}.")
    if options.misses:
        show_mistakes(samples, sides[SET])


def run(snapshot: Snapshot) -> tuple[dict[str, Seen], dict[str, float]]:
    """What each side saw, and the seconds that it took."""
    with default_settings() as settings:
        everything = settings.json()
    runs: dict[str, Callable[[], Iterable[Sighting]]] = {
        "Gitleaks": lambda: gitleaks.sightings(snapshot.folder, config=None),
        "TruffleHog": lambda: trufflehog.sightings(snapshot.folder),
        "detect-secrets": lambda: detect_secrets.sightings(snapshot.folder, everything),
        "our rules": lambda: ours.sightings(snapshot),
    }
    sides: dict[str, Seen] = {}
    seconds: dict[str, float] = {}
    for name, side in runs.items():
        started = time.monotonic()
        sides[name] = by_file(side())
        seconds[name] = time.monotonic() - started
    started = time.monotonic()
    groups = grouped(scan.sightings(snapshot, tuple(Scanner)), snapshot.sources)
    sides[SET] = by_file(sighting for _, group in groups for sighting in group)
    seconds[SET] = time.monotonic() - started
    return sides, seconds


def by_file(sightings: Iterable[Sighting]) -> Seen:
    """The values seen in each file."""
    seen: dict[int, list[str]] = defaultdict(list)
    for sighting in sightings:
        seen[sighting.file].append(sighting.secret)
    return seen


def right(sample: Sample, seen: Collection[str]) -> bool:
    """Whether a side saw the file's secret, or kept silent about a harmless file."""
    if not sample.values:
        return not seen
    return any(
        secret in one or (len(one) >= TELLING and one in secret)
        for secret in sample.values
        for one in (value.replace("\\n", "\n") for value in seen)
    )


def table(
    heading: str, samples: Sequence[Sample], sides: Mapping[str, Seen], *, harmless: bool
) -> str:
    """A line a kind: the share of secrets found, or how many harmless files were accused."""
    rows: dict[str, list[int]] = defaultdict(list)
    for number, sample in enumerate(samples):
        if bool(sample.values) is not harmless:
            rows[sample.kind].append(number)
    rows["**all**"] = [number for several in rows.values() for number in several]
    lines = [f"| {heading} | files | {' | '.join(sides)} |", "|---" * (2 + len(sides)) + "|"]
    for kind, numbers in rows.items():
        cells = []
        for seen in sides.values():
            good = sum(right(samples[number], seen.get(number, ())) for number in numbers)
            cells.append(str(len(numbers) - good) if harmless else f"{good / len(numbers):.3f}")
        lines.append(f"| {kind} | {len(numbers)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def show_mistakes(samples: Sequence[Sample], seen: Seen) -> None:
    """Each file that the set judged wrongly, for tuning; the values are nobody's."""
    for number, sample in enumerate(samples):
        if not right(sample, seen.get(number, ())):
            print(f"--- {sample.kind}, {sample.type}: {seen.get(number)}\n{sample.text}")


if __name__ == "__main__":
    main()
