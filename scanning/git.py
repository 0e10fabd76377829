"""Questions to git about one repository: what is tracked, staged, and was ever committed.

Owns the calls and their parsing. Writes nothing to the repository.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scanning.errors import ScanError

_REGULAR = ("100644", "100755")  # neither links nor submodules
_DEADLINE = 600.0  # seconds
_ABBREVIATED = 12  # hex digits of a commit, as people are shown it


@dataclass(frozen=True, kw_only=True)
class Blob:
    """A version of a file. `commit` is the first that has it at that path; None when staged."""

    id: str
    path: str
    commit: str | None = None


def top(folder: Path) -> Path | None:
    """The root of the work tree that `folder` is in; None outside of any, or without git."""
    try:
        asked = _call(folder, ["rev-parse", "--show-toplevel"])
    except FileNotFoundError:
        return None
    return Path(os.fsdecode(asked.stdout.removesuffix(b"\n"))) if asked.returncode == 0 else None


def working_files(root: Path) -> list[str]:
    """Every file of the work tree that git tracks or would offer to."""
    listed = _run(root, ["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    return list(dict.fromkeys(_strings(listed)))


def staged(root: Path) -> list[Blob]:
    """What the next commit adds or changes."""
    fields = _strings(_run(root, ["diff", "--cached", *_RAW]))
    return list(_blobs(fields, commit=None))


def history(root: Path, since: str | None) -> list[Blob]:
    """Every version of every file in all branches and tags; with `since`, what HEAD has beyond it.

    Raises ScanError in a shallow clone, whose history is not all there, and for an unknown `since`.
    """
    if _run(root, ["rev-parse", "--is-shallow-repository"]).strip() == b"true":
        raise ScanError(
            "the history is not all there",
            where=str(root),
            why="this is a shallow clone: what is older cannot be scanned",
            fix="`git fetch --unshallow`; in a workflow, check out with `fetch-depth: 0`",
        )
    revisions = [f"{since}..HEAD"] if since else ["--all"]
    # -m: what a merge itself brought in is compared with each parent.
    plain = ("--no-show-signature", "--no-color")  # whatever the person's configuration adds
    form = ("--reverse", "-m", "--root", *plain, "--format=%x01%H")
    log = ["log", *form, *_RAW, *revisions, "--"]
    seen: dict[tuple[str, str], Blob] = {}
    commit: str | None = None
    fields = iter(_strings(_run(root, log)))
    for field in fields:
        if "\x01" in field:
            commit = field.replace("\x01", "").strip()[:_ABBREVIATED]
            continue
        for blob in _blobs([field.strip(), next(fields)], commit=commit):
            seen.setdefault((blob.id, blob.path), blob)
    return list(seen.values())


def contents(root: Path, blobs: Sequence[Blob], limit: int) -> Iterator[tuple[Blob, bytes | int]]:
    """Each blob with its bytes, or with its size in bytes where that is above `limit`."""
    command = ["git", "-C", str(root), "cat-file", "--batch-command", "--buffer"]
    sizes = _run(
        root,
        ["cat-file", "--batch-check=%(objectsize)"],
        given="".join(f"{blob.id}\n" for blob in blobs).encode(),
    )
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None  # noqa: S101 - for the type checker
        assert process.stdout is not None  # noqa: S101 -- for the type checker
        for blob, size in zip(blobs, map(int, sizes.split()), strict=True):
            if size > limit:
                yield blob, size
                continue
            process.stdin.write(f"contents {blob.id}\nflush\n".encode())
            process.stdin.flush()
            process.stdout.readline()
            yield blob, process.stdout.read(size + 1)[:-1]


_RAW = ("--raw", "-z", "--no-abbrev", "--no-renames", "--diff-filter=d")


def _blobs(fields: Sequence[str], commit: str | None) -> Iterator[Blob]:
    """`:100644 100755 OLD NEW M`, then the path, for each change."""
    for change, path in zip(fields[::2], fields[1::2], strict=True):
        _, mode, _, new, _ = change.split()
        if mode in _REGULAR:
            yield Blob(id=new, path=path, commit=commit)


def _strings(output: bytes) -> list[str]:
    return [part.decode(errors="surrogateescape") for part in output.split(b"\0") if part]


def _run(root: Path, arguments: Sequence[str], given: bytes = b"") -> bytes:
    def unanswered(why: str) -> ScanError:
        return ScanError(
            "git does not answer",
            where=f"git {arguments[0]} in {root}",
            why=why,
            fix="check the revision's name, and that the repository is sound (`git fsck`)",
        )

    try:
        done = _call(root, arguments, given)
    except subprocess.TimeoutExpired:
        raise unanswered(f"it had {_DEADLINE:.0f} s") from None
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise unanswered(lines[0] if lines else "it gave no reason")
    return done.stdout


def _call(
    folder: Path, arguments: Sequence[str], given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        input=given,
        capture_output=True,
        timeout=_DEADLINE,
        check=False,
    )
