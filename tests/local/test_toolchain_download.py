"""Official releases over HTTP from this machine: checked, unpacked, refused."""

from __future__ import annotations

import functools
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local.toolchain import ToolchainError, choose, download
from local.toolchain.choose import How
from local.toolchain.download import RELEASES, Release, fetch
from tests.local.tiny_go import sha256, write_script


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without telling."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder and the address under which it is served."""
    monkeypatch.setenv("STRONGROOM_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "site"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def publish(site: tuple[Path, str], name: str, content: bytes, checksums: str = "") -> Release:
    """Put a file and its checksum file on the site; `{sum}` in `checksums` is the right one."""
    folder, address = site
    (folder / name).write_bytes(content)
    right = sha256(folder / name)
    (folder / "SUMS").write_text((checksums or "{sum}  " + name).replace("{sum}", right))
    return Release("tool-release", f"{address}/{name}", f"{address}/SUMS")


def tar(member: str, content: bytes) -> bytes:
    """A .tar.gz with one file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        about = tarfile.TarInfo(member)
        about.size = len(content)
        archive.addfile(about, io.BytesIO(content))
    return packed.getvalue()


def zipped(member: str, content: bytes) -> bytes:
    """A .zip with one file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(member, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tool.tar.gz", tar("pulumi/tool", b"fake program")),
        ("tool.zip", zipped("tool", b"fake program")),
        ("tool", b"fake program"),
    ],
)
def test_a_release_is_unpacked_once(site: tuple[Path, str], name: str, content: bytes) -> None:
    release = publish(site, name, content)
    first = fetch(release, print)
    assert (first.path / "tool").read_bytes() == b"fake program"
    assert (first.path / "tool").stat().st_mode & 0o111
    assert {path.name for path in first.path.iterdir()} == {"tool", "manifest.json"}
    assert fetch(release, print).fresh is False


@pytest.mark.parametrize("line", ["{sum}", "{sum}  tool", "{sum} *tool", "00  other\n{sum}  tool"])
def test_the_usual_forms_of_checksum_files_are_read(site: tuple[Path, str], line: str) -> None:
    assert fetch(publish(site, "tool", b"fake", line), print).fresh


@pytest.mark.parametrize(
    ("line", "message"),
    [("0" * 64 + "  tool", "has SHA-256"), ("{sum}  other", "does not list tool")],
)
def test_a_release_that_does_not_match_is_refused(
    site: tuple[Path, str], tmp_path: Path, line: str, message: str
) -> None:
    with pytest.raises(ToolchainError, match=message):
        fetch(publish(site, "tool", b"fake", line), print)
    left = [path for path in (tmp_path / "cache/tools").iterdir() if path.suffix != ".lock"]
    assert left == []


def test_an_unreachable_release_says_what_to_do(site: tuple[Path, str]) -> None:
    release = Release("tool-release", f"{site[1]}/missing", f"{site[1]}/SUMS")
    with pytest.raises(ToolchainError, match=r"cannot be fetched .* Install Go"):
        fetch(release, print)


def test_without_go_the_release_is_taken_and_said(
    site: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    release = publish(site, "vault.tar.gz", tar("vault", b"fake program"))
    monkeypatch.setattr(download, "RELEASES", {"vault": release})
    (choice,) = choose(["vault"], print)
    assert choice.how is How.DOWNLOADED
    assert "no Go on PATH" in choice.reason


def test_with_go_nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STRONGROOM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    write_script(tmp_path / "go", "echo fake go refuses >&2; exit 1")
    with pytest.raises(ToolchainError, match="fake go refuses"):
        choose(["vault"], print)


def test_the_releases_are_fetched_over_https_only() -> None:
    assert RELEASES
    for release in RELEASES.values():
        assert release.url.startswith("https://")
        assert release.checksums.startswith("https://")
