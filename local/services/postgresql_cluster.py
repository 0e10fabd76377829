"""PostgreSQL's files: data directory, certificate, access rules, and the user who owns them.

PostgreSQL refuses to run as root, and its own user cannot reach a state folder below somebody's
home. So every PostgreSQL program started by root runs in a mount namespace of its own, in which
the folder appears at the home of user `postgres`; the mount ends with the program. A user other
than root runs it as himself, from where it lies.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.files import write_private
from local.services import tls
from local.services.host import ServiceError

INSTALLED = Path("/usr/lib/postgresql")  # by major version, on Debian and Ubuntu
USER = "postgres"

# $1 is mounted over $2; then the rest runs as the user.
_ENTER = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
_ACCESS = """\
# Written at every start. Nothing without TLS, nothing without a password.
# The superuser comes from the node itself only, not from pods.
hostssl all {admin} {node}/32    scram-sha-256
hostssl all {admin} 0.0.0.0/0    reject
hostssl all all     0.0.0.0/0    scram-sha-256
"""


def program(name: str, version: str = "*") -> Path:
    """A program of the newest PostgreSQL installed, or of one major `version`.

    Raises ServiceError when it is not there.
    """
    found = list(INSTALLED.glob(f"{version}/bin/{name}"))
    if not found:
        package = "postgresql" if version == "*" else f"postgresql-{version}"
        raise ServiceError(f"{INSTALLED}/{version}/bin/{name} is missing: install {package}")
    return max(found, key=lambda path: float(path.parts[-3]))


@dataclass(frozen=True)
class Cluster:
    """The files of one database cluster below `folder`."""

    folder: Path
    admin: str
    node_ip: str

    @property
    def files(self) -> Path:
        """What PostgreSQL's user owns and sees."""
        return self.folder / "cluster"

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.files / "data"

    @property
    def ca_file(self) -> Path:
        """The authority that clients trust."""
        return self.folder / "ca.crt"

    def seen(self, name: str) -> str:
        """The path under which PostgreSQL itself sees one of `files`."""
        return str(Path(pwd.getpwnam(USER).pw_dir if _is_root() else self.files) / name)

    @property
    def version(self) -> str:
        """The major version that made the data directory; before that, whichever is newest."""
        made_by = self.data / "PG_VERSION"
        return made_by.read_text().strip() if made_by.exists() else "*"

    def confined(self, name: str, *arguments: str) -> list[str]:
        """The argv that runs a PostgreSQL program as the right user with its files in sight.

        Raises ServiceError when the version that the data needs is not installed.
        """
        argv = [str(program(name, self.version)), *arguments]
        if not _is_root():
            return argv
        user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--"]
        enter = ["unshare", "--mount", "--propagation=private", "sh", "-c", _ENTER, "postgresql"]
        return [*enter, str(self.files), pwd.getpwnam(USER).pw_dir, *user, *argv]

    def prepare(self, addresses: Sequence[str], admin_password: str) -> None:
        """Make or renew whatever the server needs before it starts.

        Raises ServiceError when PostgreSQL is not installed, or not in the version that made the
        data, and when it refuses to make its files.
        """
        program("postgres", self.version)
        self.files.mkdir(mode=0o700, exist_ok=True)
        self._give(self.files)
        if not self.data.exists():
            self._initialise(admin_password)
        self._drop_stale_pid()
        access = _ACCESS.format(admin=self.admin, node=self.node_ip)
        self._write(self.files / "pg_hba.conf", access.encode())
        tls.authority(self.folder, "strongroom local postgresql CA")
        certificate = self.files / "server.crt"
        fresh = tls.server(self.folder, certificate, "postgresql", addresses)
        if fresh is not None:
            # The certificate comes last: an interrupt in between leaves none, never an odd pair.
            certificate.unlink(missing_ok=True)
            self._write(self.files / "server.key", fresh.key.encode())
            self._write(certificate, fresh.certificate.encode())

    def _drop_stale_pid(self) -> None:
        """Remove the pid file that a crash left, whoever has that pid now.

        PostgreSQL itself gives up when another instance's server has got the same pid after a
        reboot. The file of a server that does run on this data directory stays.
        """
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
            running = Path(f"/proc/{pid}/cwd").stat()
        except (OSError, ValueError):
            running = None
        here = self.data.stat()
        if running is None or (running.st_dev, running.st_ino) != (here.st_dev, here.st_ino):
            pid_file.unlink(missing_ok=True)

    def _initialise(self, admin_password: str) -> None:
        """Run initdb. The data directory gets its name when it is complete."""
        partial = self.files / "data.partial"
        if partial.exists():
            shutil.rmtree(partial)
        password_file = self.files / "initial-password"
        self._write(password_file, f"{admin_password}\n".encode())
        options = ["--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8"]
        options += ["--locale=C.UTF-8", f"--username={self.admin}"]
        options += [f"--pwfile={self.seen(password_file.name)}", "-D", self.seen(partial.name)]
        try:
            done = subprocess.run(
                self.confined("initdb", *options),
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
                timeout=120,
            )
        finally:
            password_file.unlink()
        if done.returncode != 0:
            raise ServiceError(f"initdb in {partial} failed: {done.stderr.strip()}")
        partial.rename(self.data)

    def _write(self, path: Path, content: bytes) -> None:
        write_private(path, content)
        self._give(path)

    def _give(self, path: Path) -> None:
        if _is_root():
            shutil.chown(path, USER, USER)


def _is_root() -> bool:
    return os.geteuid() == 0
