"""The bytes of a log: plain, gzip or zstd, told apart by their first bytes and not by the name.

Owns opening and decompressing. A stream that ends in its middle gives what it holds, and says so.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow

from audit.errors import AuditError

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_STEP = 2**20
# The reader of zstd keeps what it has of a step when the stream ends too early: less than a line.
_SMALL_STEP = 512


class Stream(Protocol):
    """Bytes in their order."""

    truncated: bool
    """Whether the compressed stream ended before its end. Known once all is read."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer from its start, and say how far; 0 at the end."""

    def skip(self, count: int, /) -> int:
        """Go forward, and say how far; less than asked where the stream ends."""


class Plain:
    """A file without compression, to which more may be written."""

    truncated = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readinto(self, buffer: memoryview) -> int:
        return self._file.readinto(buffer)  # type: ignore[attr-defined, no-any-return]

    def skip(self, count: int) -> int:
        size = self._file.seek(0, 2)
        return self._file.seek(min(count, size))


class _Chunks:
    """What decompressors give, piece by piece."""

    truncated = False

    def __init__(self, file: BinaryIO, *, zstd: bool) -> None:
        self._pieces = self._zstd(file) if zstd else self._gzip(file)
        self._rest = memoryview(b"")

    def readinto(self, buffer: memoryview) -> int:
        filled = 0
        while filled < len(buffer):
            if not self._rest:
                self._rest = memoryview(next(self._pieces, b""))
            if not self._rest:
                break
            count = min(len(self._rest), len(buffer) - filled)
            buffer[filled : filled + count] = self._rest[:count]
            self._rest = self._rest[count:]
            filled += count
        return filled

    def skip(self, count: int) -> int:
        scratch = memoryview(bytearray(min(count, _STEP)))
        left = count
        while left and (got := self.readinto(scratch[: min(left, _STEP)])):
            left -= got
        return count - left

    def _gzip(self, file: BinaryIO) -> Iterator[bytes]:
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while compressed := file.read(_STEP // 4):
            while compressed:
                try:
                    piece = member.decompress(compressed, _STEP)
                except zlib.error:
                    self.truncated = True
                    return
                if piece:
                    yield piece
                compressed = member.unconsumed_tail
                if member.eof:
                    compressed = member.unused_data
                    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
                    fresh = True
                else:
                    fresh = False
        self.truncated = not fresh

    def _zstd(self, file: BinaryIO) -> Iterator[bytes]:
        with pyarrow.CompressedInputStream(file, "zstd") as decompressed:
            try:
                while piece := decompressed.read(_SMALL_STEP):
                    yield piece
            except OSError:
                self.truncated = True


@contextmanager
def opened(path: Path) -> Iterator[Stream]:
    """The decompressed bytes of a file. Raises AuditError when it cannot be read."""
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise unreadable(path, error) from None
    with file:
        try:
            magic = file.read(len(_ZSTD))
        except OSError as error:
            raise unreadable(path, error) from None
        file.seek(0)
        if magic.startswith(_GZIP) or magic == _ZSTD:
            yield _Chunks(file, zstd=magic == _ZSTD)
        else:
            yield Plain(file)


def is_compressed(path: Path) -> bool:
    """Whether a file is one whole compressed stream, to which nobody appends."""
    with path.open("rb") as file:
        magic = file.read(len(_ZSTD))
    return magic.startswith(_GZIP) or magic == _ZSTD


def unreadable(path: Path, error: OSError) -> AuditError:
    """The error for a file that is not there or may not be read."""
    return AuditError(
        "the log cannot be read",
        where=str(path),
        why=error.strerror or type(error).__name__,
        fix="name a file that exists and that you may read, or a folder of such files",
    )
