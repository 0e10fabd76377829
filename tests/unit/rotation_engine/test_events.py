"""The event log: what was changed, added, moved or taken away is found, whatever it is."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rotation import events
from rotation.events import Event, Happened
from rotation.record import Conflict
from tests.unit.rotation_engine.fakes import LocalSigner, MemoryLog

Lines = list[str | None]


def filled(signer: LocalSigner, count: int = 5) -> MemoryLog:
    log = MemoryLog()
    for number in range(count):
        events.append(
            log,
            signer,
            Event(
                time=events.at(1_800_000_000 + number),
                event=Happened.FINISHED,
                rotation="app",
                kind="database-password",
                subject="users app and app_clone",
                run=f"run-{number}",
                facts={"new": "app"},
            ),
        )
    return log


def test_a_whole_log_has_no_fault() -> None:
    signer = LocalSigner()
    log = filled(signer)
    assert events.verify(log.lines(), signer.public) == []
    assert events.missing_runs(log.lines(), ["run-4"]) == []


def edited(line: str, **values: object) -> str:
    return json.dumps({**json.loads(line), **values}, sort_keys=True, separators=(",", ":"))


def resigned(lines: Lines) -> Lines:
    """The third line by another key, chained correctly."""
    body = json.loads(str(lines[2]))
    body.pop("signature")
    key = body.pop("key")
    other = LocalSigner(Ed25519PrivateKey.generate())
    _, signature = other.sign(events._canonical(body))
    forged = {**body, "key": key, "signature": base64.b64encode(signature).decode()}
    return [*lines[:2], events._canonical(forged).decode(), *lines[3:]]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda ls: [edited(ls[0], rotation="other"), *ls[1:]], "line 1 was changed"),
        (lambda ls: [edited(ls[0], time="2020"), *ls[1:]], "line 2 does not follow"),
        (lambda ls: [*ls[:2], *ls[3:]], "line 3 calls itself line 4"),
        (lambda ls: [ls[1], ls[0], *ls[2:]], "line 1 does not follow"),
        (lambda ls: [*ls[:4], ls[3]], "line 5 calls itself line 4"),
        (lambda ls: [*ls[:2], None, *ls[3:]], "line 3 is gone"),
        (lambda ls: [*ls[:4], ls[4][:50]], "line 5 is no event line"),
        (lambda ls: [*ls[:4], "[1]"], "line 5 is no event line"),
        (lambda ls: [*ls[:4], edited(ls[4], key="7")], "line 5 is signed with key version 7"),
        (lambda ls: [*ls[:4], edited(ls[4], signature="!")], "line 5 was changed"),
        (resigned, "line 3 was changed"),
    ],
)
def test_a_changed_log_is_told(change: Callable[[Lines], Lines], told: str) -> None:
    signer = LocalSigner()
    found = events.verify(change(filled(signer).lines()), signer.public)
    assert any(told in one for one in found), found


def test_lines_taken_from_the_end_are_missed_by_the_records() -> None:
    log = filled(LocalSigner())
    del log.kept[5]
    assert events.missing_runs(log.lines(), ["run-4"]) == [
        "run run-4 has finished, and no line says so"
    ]


def test_two_writers_never_write_the_same_line() -> None:
    signer, log = LocalSigner(), filled(LocalSigner(), 0)
    event = Event(time="now", event=Happened.BEGAN, rotation="a", kind="k", subject="s", run="r")

    class Raced(MemoryLog):
        """Another writer is faster once."""

        raced = False

        def add(self, number: int, line: str) -> None:
            if not self.raced:
                self.raced = True
                events.append(log, signer, event)
            super().add(number, line)

    raced = Raced(log.kept)
    assert events.append(raced, signer, event) == 2
    assert events.verify(log.lines(), signer.public) == []


def test_a_log_that_never_gives_way_ends() -> None:
    class Full(MemoryLog):
        def add(self, number: int, line: str) -> None:
            raise Conflict("always")

    with pytest.raises(Conflict):
        events.append(
            Full(),
            LocalSigner(),
            Event(time="", event=Happened.BEGAN, rotation="", kind="", subject="", run=""),
        )
