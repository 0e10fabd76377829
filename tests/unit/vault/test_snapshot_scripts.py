"""The snapshot pods' scripts, run by a real shell against fake `vault`, `aws` and `gcloud`.

With busybox where it is installed, as in the pods; otherwise with the machine's own sh and tools.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from components.vault.snapshot_scripts import (
    FRESH_GCS,
    FRESH_S3,
    FRESH_VOLUME,
    KEEP_NEWEST,
    SAVE,
    UPLOAD_GCS,
    UPLOAD_S3,
)

BUSYBOX = Path("/bin/busybox")
FAKE_TOKEN = "fake-batch-token"
FAKE_VAULT = """\
#!/bin/sh
# A fake of Vault's client: notes its arguments, answers a login, gives a prepared snapshot.
echo "$*" >> "$FAKE/calls"
case "$1" in
  write) [ -z "${FAKE_DENIED:-}" ] || { echo "permission denied" >&2; exit 2; }
         echo "fake-batch-token" ;;
  operator) [ "$VAULT_TOKEN" = "fake-batch-token" ] || { echo "no token" >&2; exit 2; }
            cat "$FAKE/snapshot" > "$5" ;;
esac
"""
FAKE_AWS = """\
#!/bin/sh
# A fake of the AWS client: notes its arguments; lists the keys in $FAKE/keys behind --start-after.
echo "$*" >> "$FAKE/calls"
[ "$1" = s3api ] || exit 0
while [ "$1" != --start-after ]; do shift; done
found=$(printf '%s\\n' "$2" | cat - "$FAKE/keys" | sort | sed "1,\\|^$2\\$|d" | head -n 1)
echo "${found:-None}"
"""
FAKE_GCLOUD = """\
#!/bin/sh
# A fake of Google's client: notes its arguments, lists what is in $FAKE/keys.
echo "$*" >> "$FAKE/calls"
[ "$2" = cp ] || sed "s|^|gs://bucket/|" "$FAKE/keys"
"""


def archive(
    *, sums: Callable[[str], str] = lambda text: text, leave_out: str = "", size: int = 9000
) -> bytes:
    """A snapshot in Vault's form, made of noise; `sums` and `leave_out` spoil it."""
    parts = {"meta.json": b"{}", "state.bin": os.urandom(size)}
    listed = "".join(f"{hashlib.sha256(p).hexdigest()}  {n}\n" for n, p in parts.items())
    parts["SHA256SUMS"] = sums(listed).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in parts.items():
            if name != leave_out:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@dataclass
class Pod:
    """A folder of snapshots, a folder of tools, and the environment that a pod would have."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder, self.tools = self.root / "snapshots", self.root / "tools"
        self.folder.mkdir()
        self.tools.mkdir()
        self.shell = ["/bin/sh"]
        if BUSYBOX.exists():
            subprocess.run([BUSYBOX, "--install", "-s", self.tools], check=True)
            self.shell = [str(BUSYBOX), "sh"]
        for name, text in (("vault", FAKE_VAULT), ("aws", FAKE_AWS), ("gcloud", FAKE_GCLOUD)):
            (self.tools / name).write_text(text)
            (self.tools / name).chmod(0o755)

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.tools}:{os.environ['PATH']}",
            "FAKE": str(self.root),
            "FOLDER": str(self.folder),
            "AUTH_PATH": "kubernetes",
            "ROLE": "fake-role",
            "JWT_FILE": "/fake/token",
            "MINIMUM_BYTES": "4096",
            "STALE_MINUTES": "30",
            "MAX_AGE_SECONDS": "3600",
            "BUCKET": "bucket",
            "PREFIX": "vault/",
        }
        return subprocess.run(
            [*self.shell, "-euc", script],
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def offer(self, snapshot: bytes) -> None:
        (self.root / "snapshot").write_bytes(snapshot)

    def kept(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def calls(self) -> str:
        return (self.root / "calls").read_text()

    def put(self, name: str, *, age: float = 0) -> None:
        path = self.folder / name
        path.write_bytes(b"old")
        then = time.time() - age
        os.utime(path, (then, then))


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    return Pod(tmp_path)


def test_a_whole_snapshot_gets_a_name_with_the_time(pod: Pod) -> None:
    pod.offer(archive())
    done = pod.run(SAVE)
    assert done.returncode == 0, done.stderr
    (name,) = pod.kept()
    assert re.fullmatch(r"vault-\d{8}T\d{6}Z\.snap", name)
    assert (pod.folder / name).stat().st_mode & 0o777 == 0o600
    assert (pod.folder / name).read_bytes() == (pod.root / "snapshot").read_bytes()


def test_the_token_is_in_no_argument_and_no_output(pod: Pod) -> None:
    pod.offer(archive())
    done = pod.run(SAVE)
    assert done.returncode == 0
    assert FAKE_TOKEN not in pod.calls() + done.stdout + done.stderr
    login = pod.calls().splitlines()[0]
    assert login == "write -field=token auth/kubernetes/login role=fake-role jwt=@/fake/token"


@pytest.mark.parametrize(
    ("snapshot", "reason"),
    [
        pytest.param(archive()[:-40], "cut off or damaged", id="truncated"),
        pytest.param(b"", "cut off or damaged", id="empty"),
        pytest.param(b"no archive at all" * 999, "cut off or damaged", id="text"),
        pytest.param(archive(leave_out="state.bin"), "state.bin is missing", id="no-state"),
        pytest.param(archive(leave_out="SHA256SUMS"), "SHA256SUMS is missing", id="no-sums"),
        pytest.param(archive(leave_out="meta.json"), "meta.json is missing", id="no-meta"),
        pytest.param(archive(sums=lambda _: ""), "checksum of meta.json", id="empty-sums"),
        pytest.param(
            archive(sums=lambda text: text.splitlines(keepends=True)[0]),
            "checksum of state.bin",
            id="state-not-listed",
        ),
        pytest.param(
            archive(sums=lambda text: re.sub(r"\w{64}(?=  state)", "0" * 64, text)),
            "checksum of state.bin",
            id="changed-state",
        ),
        pytest.param(archive(size=100), "fewer than the 4096", id="too-small"),
    ],
)
def test_a_bad_snapshot_is_refused_and_removed(pod: Pod, snapshot: bytes, reason: str) -> None:
    pod.offer(snapshot)
    done = pod.run(SAVE)
    assert done.returncode == 1
    assert reason in done.stderr
    assert pod.kept() == []


def test_a_refused_login_asks_for_no_snapshot(pod: Pod) -> None:
    done = pod.run(SAVE, FAKE_DENIED="yes")
    assert done.returncode == 1
    assert "refuses the login at auth/kubernetes as role fake-role" in done.stderr
    assert "operator" not in pod.calls()


def test_leftovers_of_a_killed_run_go_and_those_of_a_running_one_stay(pod: Pod) -> None:
    pod.put("vault-20260101T000000Z.snap.partial", age=2 * 3600)
    pod.put("vault-20260102T000000Z.snap.partial", age=60)
    pod.offer(archive())
    assert pod.run(SAVE).returncode == 0
    assert [n for n in pod.kept() if n.endswith("partial")] == [
        "vault-20260102T000000Z.snap.partial"
    ]


def test_the_newest_are_kept_and_nothing_else_is_touched(pod: Pod) -> None:
    for day in range(1, 6):
        pod.put(f"vault-2026010{day}T000000Z.snap")
    pod.put("lost+found")
    assert pod.run(KEEP_NEWEST, RETAIN="2").returncode == 0
    assert pod.kept() == [
        "lost+found",
        "vault-20260104T000000Z.snap",
        "vault-20260105T000000Z.snap",
    ]


def test_a_failed_snapshot_removes_no_old_one(pod: Pod) -> None:
    for day in range(1, 4):
        pod.put(f"vault-2026010{day}T000000Z.snap")
    pod.offer(b"")
    assert pod.run(SAVE + KEEP_NEWEST, RETAIN="1").returncode == 1
    assert len(pod.kept()) == 3


@pytest.mark.parametrize(("age", "status"), [(1800, 0), (2 * 3600, 1), (None, 1)])
def test_the_volume_s_newest_snapshot_must_be_young(
    pod: Pod, age: float | None, status: int
) -> None:
    pod.put("vault-20260101T000000Z.snap.partial")
    if age is not None:
        pod.put("vault-20260101T000000Z.snap", age=age)
    done = pod.run(FRESH_VOLUME)
    assert done.returncode == status
    assert ("last 60 minutes" in done.stderr) is (status == 1)


def stamp(age: float) -> str:
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() - age))
    return f"vault/vault-{moment}.snap"


@pytest.mark.parametrize("script", [FRESH_S3, FRESH_GCS], ids=["s3", "gcs"])
@pytest.mark.parametrize(
    ("ages", "status"),
    [((90_000, 1800), 0), ((1800, 90_000), 0), ((90_000, 7200), 1), ((), 1)],
)
def test_a_bucket_s_newest_snapshot_must_be_young(
    pod: Pod, script: str, ages: tuple[float, ...], status: int
) -> None:
    (pod.root / "keys").write_text("".join(f"{stamp(age)}\n" for age in ages))
    done = pod.run(script)
    assert done.returncode == status, done.stdout + done.stderr
    assert ("last 60 minutes" in done.stderr) is (status == 1)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (UPLOAD_S3, "s3 cp --only-show-errors {file} s3://bucket/vault/{name}"),
        (UPLOAD_GCS, "storage cp --quiet {file} gs://bucket/vault/{name}"),
    ],
    ids=["s3", "gcs"],
)
def test_a_snapshot_is_uploaded_under_its_name(pod: Pod, script: str, expected: str) -> None:
    name = "vault-20260101T000000Z.snap"
    pod.put(name)
    assert pod.run(script).returncode == 0
    assert pod.calls().strip() == expected.format(file=pod.folder / name, name=name)
