"""A log in slices: whole lines, some at a time, so that memory does not grow with the log.

Owns where a line begins and which number it has. Each slice lies in the same file, in place of the
one before. The last line is taken when it is whole; else it is left for the next time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO

import orjson

from audit.logs import KINDS, Log, source_of
from audit.streams import Stream

SLICE_BYTES = 96 * 2**20
LONGEST_LINE = 8 * 2**20
_READ = 2**20
_TAIL = 4096
# Stands for a line that is not read, so that the lines after it keep their numbers.
_NOTHING = b"{}\n"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a log was read: bytes, lines, and the hash of the last `tail_bytes` bytes.

    `ended`: whether the last line had its newline.
    """

    offset: int = 0
    lines: int = 0
    tail: str = ""
    tail_bytes: int = 0
    ended: bool = True


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A line that is no entry, and why. The line itself is never kept."""

    line: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Slice:
    """`lines` lines after the first `before`, in the slice's file; `after` counts them too.

    `too_long` are lines that were left out. `unfinished` is the end that is not whole.
    """

    before: int
    lines: int
    after: Progress
    too_long: tuple[Problem, ...] = ()
    unfinished: Problem | None = None


def goes_on(stream: Stream, start: Progress) -> bool | None:
    """Go to where reading stopped. None: the log is a shorter copy. False: it is another log."""
    before = start.offset - start.tail_bytes
    if stream.skip(before) < before:
        return None
    tail = _read(stream, start.tail_bytes)
    if len(tail) < start.tail_bytes:
        return None
    return not start.offset or hashlib.sha256(tail).hexdigest() == start.tail


def slices(
    log: Log, stream: Stream, start: Progress, file: FileIO, *, size: int = SLICE_BYTES
) -> Iterator[Slice]:
    """Write slice after slice to `file`. The stream stands where `start` tells."""
    if log.document:
        return _document(log, stream, start, file)
    return _lines(stream, start, file, size)


def _document(log: Log, stream: Stream, start: Progress, file: FileIO) -> Iterator[Slice]:
    if start.offset:
        return
    content = _read(stream)
    try:
        records = orjson.loads(content)[KINDS[log.source].LIST]
        lines = [orjson.dumps(record) + b"\n" for record in records]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        cut = Problem(line=1, reason="the document is cut or damaged")
        yield Slice(before=0, lines=0, after=start, unfinished=cut)
        return
    file.seek(0)
    file.truncate()
    for line in lines:
        file.write(line)
    after = _progress(len(content), len(lines), content[-_TAIL:])
    yield Slice(before=0, lines=len(lines), after=after)


def _lines(stream: Stream, start: Progress, file: FileIO, size: int) -> Iterator[Slice]:
    buffer = bytearray(_READ)
    view = memoryview(buffer)
    pending = bytearray()  # a line whose end was not read yet
    left_out = 0  # bytes of such a line when it is too long
    offset, number = start.offset, start.lines
    if not start.ended and (first := _read(stream, 1)):
        offset += first == b"\n"
        pending += first.strip(b"\n")
    more = True
    while more:
        file.seek(0)
        written = lines = 0
        tail = b""
        too_long = []
        while written < size and (more := bool(got := stream.readinto(view))):
            end = buffer.rfind(b"\n", 0, got) + 1
            if end:
                here = buffer.count(b"\n", 0, end)
                begun = buffer.find(b"\n", 0, end) + 1 if left_out else 0
                if left_out:
                    too_long.append(_too_long(number + lines + 1))
                    file.write(_NOTHING)
                file.write(pending)
                file.write(view[begun:end])
                written += len(pending) + end
                lines += here
                offset += len(pending) + left_out + end
                tail = bytes(view[max(0, end - _TAIL) : end])
                pending.clear()
                left_out = 0
            pending += view[end:got]
            if len(pending) > LONGEST_LINE or left_out:
                left_out += len(pending)
                pending.clear()
        ended = True
        unfinished = None
        if not more and source_of(bytes(pending)) and not stream.truncated:
            file.write(pending + b"\n")
            lines += 1
            offset += len(pending)
            tail, ended = bytes(pending[-_TAIL:]), False
        elif not more and (pending.strip() or left_out or stream.truncated):
            reason = _unfinished(truncated=stream.truncated, left_out=bool(left_out))
            unfinished = Problem(line=number + lines + 1, reason=reason)
        file.truncate()
        if lines:
            start = _progress(offset, number + lines, tail, ended=ended)
        if lines or unfinished:
            yield Slice(
                before=number,
                lines=lines,
                after=start,
                too_long=tuple(too_long),
                unfinished=unfinished,
            )
        number += lines


def _unfinished(*, truncated: bool, left_out: bool) -> str:
    if truncated:
        return "the compressed file ends in its middle"
    if left_out:
        return _too_long(0).reason
    return "the last line has no end: it is cut, or still being written"


def _too_long(line: int) -> Problem:
    return Problem(line=line, reason=f"the line is longer than {LONGEST_LINE >> 20} MiB")


def _progress(offset: int, lines: int, tail: bytes, *, ended: bool = True) -> Progress:
    return Progress(
        offset=offset,
        lines=lines,
        tail=hashlib.sha256(tail).hexdigest(),
        tail_bytes=len(tail),
        ended=ended,
    )


def _read(stream: Stream, count: int | None = None) -> bytes:
    """All that comes, or the next `count` bytes."""
    found = bytearray()
    buffer = memoryview(bytearray(_READ if count is None else count))
    while count is None or len(found) < count:
        got = stream.readinto(buffer if count is None else buffer[: count - len(found)])
        if not got:
            break
        found += buffer[:got]
    return bytes(found)
