"""Makes an audit log of any length out of a real Vault's entries, with labelled attacks in it.

Owns the rendering and the files. The shapes in audit_shapes.jsonl were recorded from a real server
(tests/vaultops/record_audit.py); who calls when is in `audit_population`, what is planted in
`audit_attacks`. The same seed makes the same bytes. Memory holds one week's plan and one hour's
calls, whatever the length. Rates are fixed, so more lines are more days: a million are six weeks.

    python -m benchmarks.audit_replay --lines 1000000 --seed 1 --out FOLDER

writes `audit.log`, `cloudtrail.log` (see `audit_cloud`), `labels.jsonl` (one attack a line: its
kind, its time, and its lines in each log) and `known.yaml`
(the decoy, the pods' network and the deployment windows, for `strongroom audit anomalies --known`).
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import yaml

from benchmarks import audit_cloud
from benchmarks.audit_attacks import GAP, WARM_UP, Attack, plan
from benchmarks.audit_oddities import oddities
from benchmarks.audit_population import (
    AWS_READ,
    CANARY,
    DEPLOY_DAYS,
    DEPLOY_HOUR,
    PODS,
    Call,
    Subject,
    hour_of,
    population,
)

SHAPES = Path(__file__).with_name("audit_shapes.jsonl")
VAULT, CLOUD = "audit.log", "cloudtrail.log"
Lines = dict[str, list[int]]
START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
_HASH = 0x9E3779B97F4A7C15F39CC0605CEDC834_1082276BF3A27251F86C6A11D0C18E95


@dataclass(frozen=True, kw_only=True)
class Replay:
    """The files of one replay, and what is in the log."""

    log: Path
    cloud: Path
    labels: Path
    known: Path
    lines: int
    end: datetime


def write(folder: Path, *, lines: int, seed: int) -> Replay:
    """Write a replay of at least `lines` lines, up to the end of the hour in which it has them."""
    folder.mkdir(parents=True, exist_ok=True)
    log, cloud, labels = folder / VAULT, folder / CLOUD, folder / "labels.jsonl"
    written = Written()
    with log.open("w") as out, cloud.open("w") as second, labels.open("w") as truth:
        for hour, records in hours(seed, written, truth.write):
            out.write(hour)
            second.write(records)
            if written.lines >= lines:
                break
        for attack in written.unfinished():
            truth.write(attack)
    end = START + timedelta(hours=written.hours)
    known = folder / "known.yaml"
    known.write_text(yaml.safe_dump(known_of(end), sort_keys=False))
    return Replay(log=log, cloud=cloud, labels=labels, known=known, lines=written.lines, end=end)


class Written:
    """How far the log is, and the lines of the attacks that are not over yet."""

    def __init__(self) -> None:
        self.lines = 0
        self.records = 0
        self.hours = 0
        self._attacks: dict[int, tuple[Attack, Lines]] = {}

    def add(self, attack: Attack) -> None:
        """Expect an attack."""
        self._attacks[attack.number] = (attack, defaultdict(list))

    def line_of(self, attack: int) -> None:
        """The line just written belongs to the attack."""
        self._attacks[attack][1][VAULT].append(self.lines)

    def record_of(self, call: Call) -> None:
        """A record is written for the call."""
        self.records += 1
        if call.attack:
            self._attacks[call.attack][1][CLOUD].append(self.records)

    def over(self, second: float) -> Iterator[str]:
        """Labels of the attacks that ended before `second`."""
        for number in [n for n, (attack, _) in self._attacks.items() if attack.end < second]:
            attack, lines = self._attacks.pop(number)
            if lines or attack.kind == GAP:  # a silence may have swallowed it whole
                yield _label(attack, lines)

    def unfinished(self) -> Iterator[str]:
        """Labels of those that the end of the log cuts; none of those that it leaves out."""
        return (_label(attack, lines) for attack, lines in self._attacks.values() if lines)


def hours(seed: int, written: Written, label: Callable[[str], object]) -> Iterator[tuple[str, str]]:
    """Both logs without end, an hour at a time; `label` takes each attack once it is over."""
    random = Random(seed)  # noqa: S311 -- a made log, the same for the same seed
    subjects, shapes = population(random), _shapes()
    planned: dict[int, list[Call]] = defaultdict(list)
    silences: list[Attack] = []
    hour = 0
    while True:
        if hour % 168 == 0 and hour >= WARM_UP * 24:
            week = range(hour // 168, hour // 168 + 1)
            for attack in plan(subjects, week, random):
                written.add(attack)
                silences += [attack] if attack.kind == GAP else []
                for call in attack.calls:
                    planned[int(call.second // 3600)].append(call)
            for call in oddities(subjects, week, random):
                planned[int(call.second // 3600)].append(call)
        calls = planned.pop(hour, [])
        for subject in subjects:
            calls += hour_of(subject, hour, random)
        calls.sort(key=lambda call: call.second)
        silences = [s for s in silences if s.end > hour * 3600]
        asked = (c for c in calls if c.kind != AWS_READ)
        heard = (c for c in asked if not any(s.start <= c.second < s.end for s in silences))
        lines = "".join(_lines(heard, shapes, written))
        elsewhere = [c for c in calls if c.kind == AWS_READ]
        records = "".join(audit_cloud.records(elsewhere, START, written.records))
        for call in elsewhere:
            written.record_of(call)
        yield lines, records
        hour += 1
        written.hours = hour
        for each in written.over(hour * 3600):
            label(each)


def known_of(end: datetime) -> dict[str, object]:
    """What the audit is told beforehand: the decoy, the pods' network, the deployments."""
    days = (START + timedelta(days=n) for n in range((end - START).days + 1))
    return {
        "canaries": [CANARY],
        "networks": [PODS],
        "deployments": [
            {
                "from": (day + timedelta(hours=DEPLOY_HOUR)).isoformat(),
                "to": (day + timedelta(hours=DEPLOY_HOUR + 1)).isoformat(),
            }
            for day in days
            if day.weekday() in DEPLOY_DAYS
        ],
    }


def _shapes() -> dict[str, list[str]]:
    shapes = {}
    for line in SHAPES.read_text(encoding="utf-8").splitlines():
        shape = json.loads(line)
        shapes[shape["kind"]] = [_template(entry) for entry in shape["entries"]]
    return shapes


def _template(entry: dict[str, object]) -> str:
    """A format string with a place for all that one call has of its own."""
    text = json.dumps(entry, separators=(",", ":")).replace("%", "%%")
    text = text.replace("hmac-sha256:fake", "hmac-sha256:%(hash)s")
    text = text.replace('"@port@"', "%(port)d")
    text = text.replace('"mount_point":"secret/"', '"mount_point":"%(mount)s/"')
    return re.sub(r"@(\w+)@", r"%(\1)s", text) + "\n"


def _lines(calls: Iterator[Call], shapes: dict[str, list[str]], written: Written) -> Iterator[str]:
    issued = START.isoformat().replace("+00:00", "Z")
    for call in calls:
        values = _values(call.subject)
        number = written.lines
        values |= {
            "path": call.path,
            "mount": call.path.partition("/")[0],
            "address": call.address,
            "port": 32768 + number % 28000,
            "request": f"fa4e0000-0000-4000-8000-{number:012x}",
            "lease": f"{call.path}/fake{number:020d}",
            "hash": f"{number * _HASH % 2**256:064x}",
            "issued": issued,
        }
        for later, shape in enumerate(shapes[call.kind]):
            time = START + timedelta(seconds=call.second, microseconds=later * 2000)
            values["time"] = f"{time:%Y-%m-%dT%H:%M:%S.%f}Z"
            written.lines += 1
            if call.attack:
                written.line_of(call.attack)
            yield shape % values


def _values(subject: Subject | None) -> dict[str, object]:
    if subject is None:
        return {"role": "none", "display": "root", "entity": "", "policy": "none"}
    return {
        "display": f"kubernetes-{subject.namespace}-{subject.account}",
        "entity": f"fa4e0000-0000-4000-9000-{subject.number:012x}",
        "role": subject.account,
        "account": subject.account,
        "namespace": subject.namespace,
        "uid": f"fa4e0000-0000-4000-a000-{subject.number:012x}",
        "policy": f"grant-{subject.account}",
    }


def _label(attack: Attack, lines: Lines) -> str:
    return (
        json.dumps(
            {
                "attack": attack.number,
                "kind": attack.kind,
                "start": (START + timedelta(seconds=attack.start)).isoformat(),
                "end": (START + timedelta(seconds=attack.end)).isoformat(),
                "lines": lines,
            }
        )
        + "\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="An audit log with labelled attacks.")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    replay = write(options.out, lines=options.lines, seed=options.seed)
    print(f"{replay.lines} lines in {replay.log}, until {replay.end:%Y-%m-%d %H:%M}")


if __name__ == "__main__":
    main()
