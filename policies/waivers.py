"""Waivers: findings that somebody answers for until a day.

Owns the reading of the file, and the one decision whether a waiver holds; the pack, the checker and
every report ask it. A waiver that is malformed does not hold; a lapsed one brings the finding back
with its owner's name; one that excuses nothing is reported.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("waivers.yaml")
LONGEST = timedelta(days=366)
# URNs of a resource and of a manifest that nobody has: a glob that covers them covers any.
_STRANGERS = (
    "urn:pulumi:zz-unnamed::zz-unnamed::zz:unnamed:Unnamed::zz-unnamed",
    "zz-unnamed#ZzUnnamed/zz-unnamed/zz-unnamed",
)
_KEYS = ("rule", "urn", "reason", "owner", "expires")


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """`rule` is excused for the resources whose URN matches the glob `urn`, through `expires`."""

    rule: str
    urn: str
    reason: str
    owner: str
    expires: date

    def holds(self, today: date) -> bool:
        """Whether it is still in force: on its last day it is."""
        return today <= self.expires

    def covers(self, rule: str, urn: str) -> bool:
        """Whether it speaks of a rule and a resource, in force or not."""
        return rule == self.rule and _glob(self.urn).fullmatch(urn) is not None

    def __str__(self) -> str:
        return f"waiver of {self.rule} for {self.urn} ({self.owner}, until {self.expires})"


@dataclass(kw_only=True)
class Waivers:
    """All waivers of a run, what is wrong with the file, and which of them excused something."""

    today: date
    entries: tuple[Waiver, ...] = ()
    problems: tuple[str, ...] = ()
    _used: set[Waiver] = field(default_factory=set)

    def excuse(self, rule: str, urn: str) -> Waiver | None:
        """The waiver in force for a finding; it counts as used from then on."""
        covering = self._covering(rule, urn)
        return next((waiver for waiver in covering if waiver.holds(self.today)), None)

    def lapsed(self, rule: str, urn: str) -> Waiver | None:
        """The waiver that would have excused a finding, had it not lapsed."""
        covering = self._covering(rule, urn)
        return None if any(w.holds(self.today) for w in covering) else next(iter(covering), None)

    @property
    def in_force(self) -> tuple[Waiver, ...]:
        """Those that a finding met and that hold today, in the file's order."""
        return tuple(w for w in self.entries if w in self._used and w.holds(self.today))

    @property
    def unused(self) -> tuple[Waiver, ...]:
        """Those that no finding met, in the file's order."""
        return tuple(waiver for waiver in self.entries if waiver not in self._used)

    def _covering(self, rule: str, urn: str) -> list[Waiver]:
        covering = [waiver for waiver in self.entries if waiver.covers(rule, urn)]
        self._used.update(covering)
        return covering


def load(path: Path, rules: Iterable[str], today: date) -> Waivers:
    """Read a file of waivers for the rules with these ids.

    Whatever is wrong in it is kept in `problems`, with the entry's number; nothing is raised for
    it, so that a bad entry cannot hide the findings of the others. Raises OSError without a file.
    """
    try:
        document = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        return Waivers(today=today, problems=(f"{path.name} is no YAML: {error}",))
    listed = document.get("waivers") if isinstance(document, Mapping) else None
    if not isinstance(listed, list):
        problem = f"{path.name} has no list `waivers`; write `waivers: []` for none"
        return Waivers(today=today, problems=(problem,))
    known = frozenset(rules)
    entries: list[Waiver] = []
    problems: list[str] = []
    for number, entry in enumerate(listed, start=1):
        faults = _faults(entry, known, today)
        problems.extend(f"{path.name}, waiver {number}: {fault}" for fault in faults)
        if not faults:
            entries.append(Waiver(**entry))
    return Waivers(today=today, entries=tuple(entries), problems=tuple(problems))


def _faults(entry: Any, known: frozenset[str], today: date) -> list[str]:
    if not isinstance(entry, Mapping):
        return [f"is {entry!r}; write {', '.join(_KEYS)}"]
    faults = [f"{key} is missing" for key in _KEYS if not entry.get(key)]
    faults.extend(f"{key} is unknown; it takes {', '.join(_KEYS)}" for key in set(entry) - {*_KEYS})
    faults.extend(
        f"{key} is {entry[key]!r}, which is no text"
        for key in _KEYS[:-1]
        if entry.get(key) and not isinstance(entry[key], str)
    )
    if faults:
        return sorted(faults)
    expires = entry["expires"]
    if entry["rule"] not in known:
        faults.append(f"rule {entry['rule']!r} does not exist")
    if any(map(_glob(entry["urn"]).fullmatch, _STRANGERS)):
        faults.append(f"urn {entry['urn']!r} covers everything; name the resource")
    if type(expires) is not date:  # a time is a date to Python, and cannot be compared with one
        faults.append(f"expires is {expires!r}; write a date as in 2030-01-31")
    elif expires - today > LONGEST:
        faults.append(f"expires is {expires}, more than a year away; review it sooner")
    return faults


def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))
