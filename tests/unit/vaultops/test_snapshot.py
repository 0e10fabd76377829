"""What makes a snapshot file whole: all its parts, and a right checksum for each."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from vaultops.errors import VaultOpsError
from vaultops.snapshot import verify

PARTS = {"meta.json": b'{"fake": true}', "state.bin": b"fake state" * 1000}


def sums(parts: dict[str, bytes]) -> bytes:
    """The file of checksums as Vault writes it."""
    return "".join(f"{hashlib.sha256(b).hexdigest()}  {n}\n" for n, b in parts.items()).encode()


def write(path: Path, parts: dict[str, bytes]) -> Path:
    """A snapshot file with these parts."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_a_whole_snapshot_is_measured(tmp_path: Path) -> None:
    path = write(tmp_path / "fake.snap", {**PARTS, "SHA256SUMS": sums(PARTS)})
    found = verify(path)
    assert (found.path, found.size) == (path, path.stat().st_size)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (PARTS, "SHA256SUMS is missing in it"),
        ({"SHA256SUMS": sums(PARTS)}, "meta.json, state.bin is missing in it"),
        ({**PARTS, "SHA256SUMS": b""}, "the checksum of meta.json is wrong"),
        (
            {**PARTS, "SHA256SUMS": sums({"meta.json": PARTS["meta.json"]})},
            "the checksum of state.bin is wrong",
        ),
        (
            {**PARTS, "state.bin": b"other state", "SHA256SUMS": sums(PARTS)},
            "the checksum of state.bin is wrong",
        ),
        (
            {**PARTS, "SHA256SUMS": sums({**PARTS, "more.bin": b"fake"})},
            "the checksum of more.bin is wrong",
        ),
        ({**PARTS, "SHA256SUMS": b"no sums at all here\n"}, "too many values"),
        ({**PARTS, "SHA256SUMS": b"\xff\xfe"}, "can't decode"),
    ],
)
def test_the_part_that_is_wrong_is_named(
    tmp_path: Path, parts: dict[str, bytes], said: str
) -> None:
    path = write(tmp_path / "fake.snap", parts)
    with pytest.raises(VaultOpsError, match="this is no whole snapshot") as refused:
        verify(path)
    assert said in refused.value.why
    assert refused.value.where == str(path)


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08" + b"\x00" * 40])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "fake.snap").write_bytes(content)
    with pytest.raises(VaultOpsError, match="this is no whole snapshot"):
        verify(tmp_path / "fake.snap")


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(VaultOpsError, match="No such file"):
        verify(tmp_path / "none.snap")
