"""Where records and events are kept, in memory; a signer with a key of its own; a clock; a world.

Nothing here is a secret. Each refuses what the real one refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rotation.record import Conflict, Record
from rotation.runner import Runner
from rotation.schedule import DAY, Timetable
from rotation.steps import Facts, Pending, Rotation, Run, Step

WINDOW = 3600


@dataclass
class MemoryRecords:
    """Records with check-and-set, kept as text. `fail` is called before each write."""

    kept: dict[str, tuple[str, int]] = field(default_factory=dict)
    fail: Callable[[Record], None] = lambda _: None

    def load(self, rotation: str) -> tuple[Record | None, int]:
        text, version = self.kept.get(rotation, ("", 0))
        return (Record.read(text, where="memory") if text else None), version

    def save(self, record: Record, version: int) -> int:
        self.fail(record)
        if version != self.kept.get(record.rotation, ("", 0))[1]:
            raise Conflict(record.rotation)
        self.kept[record.rotation] = (record.text(), version + 1)
        return version + 1


@dataclass
class MemoryLog:
    """Lines that are only added."""

    kept: dict[int, str] = field(default_factory=dict)

    def count(self) -> int:
        return max(self.kept, default=0)

    def line(self, number: int) -> str | None:
        return self.kept.get(number)

    def lines(self) -> list[str | None]:
        return [self.line(number) for number in range(1, self.count() + 1)]

    def add(self, number: int, line: str) -> None:
        if number in self.kept:
            raise Conflict(str(number))
        self.kept[number] = line


@dataclass
class LocalSigner:
    """An Ed25519 key of this process, version 1."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def sign(self, message: bytes) -> tuple[str, bytes]:
        return "1", self.key.sign(message)

    @property
    def public(self) -> dict[str, bytes]:
        return {"1": self.key.public_key().public_bytes_raw()}


@dataclass
class Clock:
    """Seconds since the epoch, as the test says."""

    at: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Bench:
    """A runner with everything in memory, and what the steps did."""

    records: MemoryRecords = field(default_factory=MemoryRecords)
    log: MemoryLog = field(default_factory=MemoryLog)
    signer: LocalSigner = field(default_factory=LocalSigner)
    clock: Clock = field(default_factory=Clock)
    done: list[str] = field(default_factory=list)

    @property
    def runner(self) -> Runner:
        return Runner(records=self.records, log=self.log, signer=self.signer, now=self.clock)

    def step(self, name: str, outcome: Callable[[Run], Facts | Pending] | None = None) -> Step:
        """A step that is noted each time it acts."""

        def act(run: Run) -> Facts | Pending:
            self.done.append(name)
            return outcome(run) if outcome else {f"fact-of-{name}": "known"}

        return Step(name=name, act=act, remedy=f"the remedy of {name}")

    def rotation(
        self,
        name: str = "one",
        *steps: Step,
        kind: str = "fake-kind",
        pair: str | None = None,
        phase: int = 0,
    ) -> Rotation:
        """A rotation of 90 days."""
        return Rotation(
            name=name,
            kind=kind,
            subject=f"the subject of {name}",
            timetable=Timetable(every=90 * DAY, phase=phase, window=WINDOW),
            steps=steps or (self.step("first"), self.step("second"), self.step("third")),
            stuck_after=DAY,
            pair=pair,
        )
