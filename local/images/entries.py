"""What an image's file system may hold: directories, files and symbolic links.

Every entry is normalised (mtime 0, explicit owner and mode), so that equal inputs give equal bytes.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Directory:
    """A directory; `path` is relative to the image's root."""

    path: str
    mode: int = 0o755
    uid: int = 0
    gid: int = 0

    def add_to(self, layer: tarfile.TarFile) -> None:
        """Write the entry into a layer."""
        info = _info(self.path, self.mode, self.uid, self.gid)
        info.type = tarfile.DIRTYPE
        layer.addfile(info)

    def fingerprint(self) -> str:
        """Changes with everything that reaches the layer."""
        return repr(self)


@dataclass(frozen=True)
class File:
    """A regular file owned by root: a copy of `source`, or the text itself."""

    path: str
    source: Path | str
    mode: int = 0o644

    def add_to(self, layer: tarfile.TarFile) -> None:
        """Stream the file into a layer."""
        info = _info(self.path, self.mode, 0, 0)
        with self._open() as stream:
            info.size = stream.seek(0, io.SEEK_END)
            stream.seek(0)
            layer.addfile(info, stream)

    def fingerprint(self) -> str:
        """Changes with everything that reaches the layer, not with where the source lies."""
        with self._open() as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        return repr((self.path, self.mode, content))

    def _open(self) -> io.BufferedReader | io.BytesIO:
        if isinstance(self.source, Path):
            return self.source.open("rb")
        return io.BytesIO(self.source.encode())


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    path: str
    target: str

    def add_to(self, layer: tarfile.TarFile) -> None:
        """Write the entry into a layer."""
        info = _info(self.path, 0o777, 0, 0)
        info.type = tarfile.SYMTYPE
        info.linkname = self.target
        layer.addfile(info)

    def fingerprint(self) -> str:
        """Changes with everything that reaches the layer."""
        return repr(self)


Entry = Directory | File | Link


def _info(path: str, mode: int, uid: int, gid: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.mode, info.uid, info.gid, info.mtime = mode, uid, gid, 0
    return info
