"""Raft snapshots: take, verify, restore, and prove by a canary that the data came back.

Owns the snapshot file. It is encrypted by the cluster's seal: a restore needs the same KMS key (or
the same Shamir shares), so the key's id belongs beside it.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import hvac

from vaultops.custody_file import sync_folder
from vaultops.errors import DeniedError, DoubtError, UnreachableError, VaultOpsError
from vaultops.state import BootstrapState, observe
from vaultops.target import Target
from vaultops.wait import wait_for

_NEEDED = frozenset({"meta.json", "state.bin", "SHA256SUMS"})
_CHUNK = 1 << 20
TRANSFER_SECONDS = 600.0
LEADERLESS_SECONDS = 20.0  # an election takes one to three
_KEY = (
    "the seal's key must be the snapshot's: check the KMS key, or unseal with the snapshot's shares"
)

Canary = Callable[[hvac.Client], str]


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A verified snapshot file. `size` in bytes, `sha256` of the whole file."""

    path: Path
    size: int
    sha256: str


def take(target: Target, token: str, path: Path) -> Snapshot:
    """Save a snapshot of the active server as `path` (0600), verified before it gets that name.

    Raises DeniedError without `read` on sys/storage/raft/snapshot, VaultOpsError for a bad one or
    a path that cannot be written.
    """
    active = observe(target).active
    if active is None:
        raise DoubtError(
            "no server is active",
            where="sys/leader",
            why="a standby's snapshot may miss writes",
            fix="wait for a leader, or unseal",
        )
    try:
        _save(target, active, token, path)
    except OSError as reason:
        raise VaultOpsError(
            "the snapshot cannot be written",
            where=str(path),
            why=str(reason),
            fix="name a file in a folder that you may write, on a disk with room",
        ) from None
    return verify(path)


def _save(target: Target, active: int, token: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with (
            os.fdopen(descriptor, "wb") as file,
            target.pod_client(active, token, seconds=TRANSFER_SECONDS) as client,
        ):
            answer = client.sys.take_raft_snapshot()
            for block in answer.iter_content(_CHUNK):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        verify(Path(temporary))
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def verify(path: Path) -> Snapshot:
    """Check a snapshot's own checksums. Raises VaultOpsError with the part that is wrong."""
    try:
        # To its end, where gzip's own checksum is: tarfile stops before it.
        with gzip.open(path) as whole:
            while whole.read(_CHUNK):
                pass
        with tarfile.open(path, "r:gz") as archive:
            parts = {
                member.name: archive.extractfile(member) for member in archive if member.isfile()
            }
            if missing := _NEEDED - set(parts):
                raise _bad(path, f"{', '.join(sorted(missing))} is missing in it")
            sums = parts["SHA256SUMS"]
            lines = sums.read().decode().splitlines() if sums else []
            listed = {name: expected for expected, name in (line.split() for line in lines)}
            for name in sorted(_NEEDED - {"SHA256SUMS"} | set(listed)):
                part = parts.get(name)
                if part is None or _digest(part.read) != listed.get(name):
                    raise _bad(path, f"the checksum of {name} is wrong")
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as reason:
        raise _bad(path, str(reason)) from None
    with path.open("rb") as file:
        return Snapshot(path=path, size=path.stat().st_size, sha256=_digest(file.read))


def restore(
    target: Target,
    token: str,
    path: Path,
    *,
    restart: Callable[[], None],
    unserved: Callable[[], str | None],
    seconds: float = 300,
    progress: Callable[[str], None] | None = None,
) -> None:
    """Replace everything the cluster holds by the snapshot (`snapshot-force`), and wait for it.

    `token` belongs to the cluster as it is now and dies with its data; afterwards the old
    cluster's tokens, roles and shares are valid again. `restart` ends every server, and returns
    when all have ended; their controller starts them anew. Without it the restored cluster falls
    apart at the next restart of any server: Vault 1.21 keeps the TLS keys of Raft's own connections
    in memory when the restored ones have the same term, as those of a new cluster do, and a server
    that starts afterwards reads the restored ones and is not understood by the others. Some
    standbys keep the former barrier keys too. `unserved` tells why clients do not reach the
    restored cluster yet, and None when they do.

    Raises DeniedError, VaultOpsError for a bad file (nothing is changed), WaitedTooLongError. A
    connection that breaks while the snapshot is sent is no error yet: the servers tell.
    """
    verify(path)
    observation = observe(target)
    if observation.active is None:
        raise DoubtError(
            "no server is active",
            where="sys/leader",
            why="a restore goes through the leader",
            fix="bootstrap or unseal the cluster first",
        )
    with target.pod_client(observation.active, token) as client:
        # Vault answers before it has restored. What is made now is in no snapshot, so that its
        # end is the end of the old data, in a restore of a cluster into itself too.
        mark = client.auth.token.create(policies=["default"], ttl="1h")["auth"]["client_token"]
    fix = _KEY
    try:
        with (
            target.pod_client(observation.active, token, seconds=TRANSFER_SECONDS) as client,
            path.open("rb") as file,
        ):
            client.sys.force_restore_raft_snapshot(file)
    except UnreachableError as reason:
        # It may be in all the same, and then nothing but the restart keeps the cluster together.
        fix = "the connection broke; if the old data is still there, run the restore again"
        if progress:
            progress(f"{reason.what} ({reason.why}); looking whether the snapshot has arrived")

    def wait(probe: Callable[[], str | None], what: str) -> None:
        wait_for(
            probe,
            what=what,
            where="sys/seal-status and sys/leader of each replica",
            seconds=seconds,
            fix=fix,
            on_change=progress,
        )

    wait(_Installed(target, mark), "every server to have the snapshot")
    fix = _KEY
    if progress:
        progress("restarting every server, so that all load the restored keys")
    restart()
    for ordinal in range(target.replicas):
        target.reset(ordinal)
    wait(lambda: _not_restored(target, mark), "the restored cluster to unseal and elect a leader")
    wait(unserved, "clients to reach it")


class _Installed:
    """Asks whether every server has the snapshot's data on its disk, whichever keys it holds.

    A server that could not follow seals itself; where one with the former keys wins the election,
    nobody leads. Both have the data, and a restart gives them the keys.
    """

    def __init__(self, target: Target, mark: str) -> None:
        self._target = target
        self._mark = mark
        self._led = time.monotonic()
        self._index: int | None = None

    def __call__(self) -> str | None:
        now = observe(self._target)
        if silent := [r.name for r in now.replicas if not r.answers]:
            return f"no answer from {', '.join(silent)}"
        if now.active is None:
            waited = time.monotonic() - self._led
            return None if waited > LEADERLESS_SECONDS else "no leader yet"
        self._led = time.monotonic()
        if still := _still_known(self._target, now.active, self._mark):
            return still
        if self._index is None:
            self._index = now.replicas[now.active].applied_index
        behind = [r.name for r in now.replicas if not r.sealed and r.applied_index < self._index]
        return f"{', '.join(behind)} has yet to install it" if behind else None


def _not_restored(target: Target, mark: str) -> str | None:
    now = observe(target)
    if now.state is not BootstrapState.JOINED or now.active is None:
        return now.missing or "no leader yet"
    if len({replica.cluster_id for replica in now.replicas}) > 1:
        return "the servers name different clusters"
    return _still_known(target, now.active, mark)


def _still_known(target: Target, active: int, mark: str) -> str | None:
    try:
        with target.pod_client(active, mark) as client:
            client.auth.token.lookup_self()
    except DeniedError:
        return None
    except VaultOpsError as reason:
        return reason.what
    return "the old data is still there"


def check_canary(target: Target, token: str, canary: Canary, expected: str) -> None:
    """Read a value that was written before the snapshot. Raises DoubtError when it is another."""
    active = observe(target).active or 0
    with target.pod_client(active, token) as client:
        found = canary(client)
    if found != expected:
        raise DoubtError(
            "the canary read back is not the one written",
            where=target.name(active),
            why="the restored data is not that of the snapshot",
            fix="do not use this cluster; check which snapshot was restored",
        )


def _digest(read: Callable[[int], bytes]) -> str:
    digest = hashlib.sha256()
    while block := read(_CHUNK):
        digest.update(block)
    return digest.hexdigest()


def _bad(path: Path, why: str) -> VaultOpsError:
    return VaultOpsError(
        "this is no whole snapshot",
        where=str(path),
        why=why,
        fix="take another one; never restore from this file",
    )
