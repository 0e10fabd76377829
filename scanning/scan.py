"""One scan: a snapshot, every scanner over it at the same time, and the report.

Owns the order of the steps and what a report means for the exit status. Prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scanning import detect_secrets, git, gitleaks, ours, programs, trufflehog
from scanning.config import FILE, Accepted, Config, load
from scanning.errors import ScanError
from scanning.merge import merge
from scanning.model import Finding, Scanner, Sighting
from scanning.snapshot import Mode, Snapshot, Unscanned, taken

NONE_FOUND, SECRETS_FOUND, NOT_DONE = 0, 1, 2  # exit statuses


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a scan says. `files` counts versions of files; `stale` entries accept nothing any more.

    Whether an entry is stale is known only after the whole history, since it may be there.
    """

    mode: Mode
    scanners: tuple[Scanner, ...]
    files: int
    findings: tuple[Finding, ...]
    unscanned: tuple[Unscanned, ...]
    stale: tuple[Accepted, ...]
    salt: bytes

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that no reviewer has accepted."""
        return tuple(found for found in self.findings if found.reason is None)

    @property
    def status(self) -> int:
        """2 when a file that should be scanned was not, else 1 with open findings, else 0."""
        if not all(file.in_order for file in self.unscanned):
            return NOT_DONE
        return SECRETS_FOUND if self.open else NONE_FOUND


def scan(
    folder: Path,
    mode: Mode = Mode.TREE,
    *,
    paths: Sequence[Path] = (),
    since: str | None = None,
    config_file: Path | None = None,
    without: Collection[Scanner] = (),
) -> Report:
    """Scan what `mode` names, for the repository that `folder` is in.

    `paths` are for Mode.PATHS, which needs no repository; `since` is a revision for Mode.HISTORY,
    with which only newer commits count. `config_file` replaces `secret-scan.yaml` at the root.
    Raises ScanError when a scanner is missing or fails, the configuration has a fault, there is no
    repository, or a path does not exist.
    """
    root = git.top(folder)
    if root is None and mode is not Mode.PATHS:
        raise ScanError(
            "there is no git repository",
            where=str(folder.absolute()),
            why=f"`{mode}` asks git which files there are",
            fix="run it in a repository, or name files or folders: `strongroom scan PATH`",
        )
    root = root or folder.absolute()
    scanners = tuple(scanner for scanner in Scanner if scanner not in without)
    _require(scanners)
    config = load(config_file or root / FILE, required=config_file is not None)
    with taken(root, mode, config, paths=paths, since=since) as snapshot:
        findings = merge(
            sightings(snapshot, scanners),
            snapshot.sources,
            salt=bytes.fromhex(config.salt),
            reasons=config.reasons,
        )
        return Report(
            mode=mode,
            scanners=scanners,
            files=len(snapshot.sources),
            findings=tuple(findings),
            unscanned=tuple(snapshot.unscanned),
            stale=_stale(config, findings, scanners) if mode is Mode.HISTORY and not since else (),
            salt=bytes.fromhex(config.salt),
        )


def sightings(snapshot: Snapshot, scanners: Sequence[Scanner]) -> list[Sighting]:
    """What the scanners see, each at its own pace."""
    if not snapshot.sources:
        return []
    run: dict[Scanner, Callable[[], Iterable[Sighting]]] = {
        Scanner.STRONGROOM: lambda: ours.sightings(snapshot),
        Scanner.GITLEAKS: lambda: gitleaks.sightings(snapshot.folder),
        Scanner.TRUFFLEHOG: lambda: trufflehog.sightings(snapshot.folder),
        Scanner.DETECT_SECRETS: lambda: detect_secrets.sightings(snapshot.folder),
    }
    with ThreadPoolExecutor(max_workers=len(run)) as pool:
        seen = pool.map(lambda scanner: list(run[scanner]()), scanners)
        try:
            return [sighting for several in seen for sighting in several]
        except BaseException:
            snapshot.remove()  # with nothing left to read the other scanners end
            raise


def _require(scanners: Collection[Scanner]) -> None:
    for scanner in scanners:
        if scanner is Scanner.DETECT_SECRETS:
            detect_secrets.require()
        elif scanner is not Scanner.STRONGROOM:
            programs.find(scanner)


def _stale(
    config: Config, findings: Iterable[Finding], scanners: Collection[Scanner]
) -> tuple[Accepted, ...]:
    """Entries that nothing bears out, among those whose scanner looked."""
    alive = {(found.path, *mark) for found in findings for mark in found.marks}
    return tuple(
        entry
        for entry in config.accepted
        if entry.key not in alive and entry.rule.partition("/")[0] in scanners
    )
