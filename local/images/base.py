"""Parts that several images share: users, certificates, busybox, Debian programs with libraries."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from local.images.archive import ImageError
from local.images.entries import Directory, Entry, File, Link

BUSYBOX = Path("/bin/busybox")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

_USERS = """\
root:x:0:0:root:/root:/sbin/nologin
vault:x:100:1000:vault:/home/vault:/sbin/nologin
sealed-secrets:x:1001:1001:sealed-secrets:/:/sbin/nologin
nonroot:x:65532:65532:nonroot:/:/sbin/nologin
nobody:x:65534:65534:nobody:/:/sbin/nologin
"""
_GROUP = """\
root:x:0:
vault:x:1000:
sealed-secrets:x:1001:
nonroot:x:65532:
nobody:x:65534:
"""
_FOLDERS = (
    *("bin", "etc", "etc/ssl", "etc/ssl/certs", "usr", "usr/bin"),
    *("dev", "proc", "sys", "usr/local", "usr/local/bin"),
)
_MADE = {Path("/", folder) for folder in ("", "tmp", *_FOLDERS)}
_LIBRARY = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$", re.MULTILINE)
# Applets that make no sense in a container or need a privilege that no container here has.
_LEFT_OUT = re.compile(
    r"busybox|dpkg.*|rpm.*|init|linuxrc|halt|reboot|poweroff|mdev|u?mount|insmod|rmmod|modprobe"
    r"|swapo(n|ff)|mkswap|su|sulogin|login|passwd|chroot|pivot_root|switch_root|run-init"
)


def skeleton() -> tuple[Entry, ...]:
    """Directories, users and name resolution that any program expects."""
    return (
        *(Directory(path) for path in _FOLDERS),
        Directory("tmp", mode=0o1777),
        File("etc/passwd", _USERS),
        File("etc/group", _GROUP),
        File("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    )


def certificates() -> tuple[Entry, ...]:
    """The public certificate authorities that this machine trusts."""
    return (File("etc/ssl/certs/ca-certificates.crt", CERTIFICATES),)


def busybox() -> tuple[Entry, ...]:
    """A static busybox with its applets linked. Raises ImageError when it is not installed."""
    if not BUSYBOX.is_file():
        raise ImageError(f"{BUSYBOX} is missing: install the package busybox-static")
    listed = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True)
    applets = [name for name in listed.stdout.split() if not _LEFT_OUT.fullmatch(name)]
    links = (Link(f"bin/{name}", "busybox") for name in sorted(applets))
    return (File("bin/busybox", BUSYBOX, mode=0o755), *links)


def debian_program(path: str, program: Path) -> tuple[Entry, ...]:
    """A dynamically linked program as `/path`, with its loader and every library it needs.

    Raises ImageError when the program is missing or one of its libraries is.
    """
    return (*libraries([program]), File(path, program, mode=0o755))


def libraries(programs: Iterable[Path]) -> tuple[Entry, ...]:
    """The loader and every library that dynamically linked files need, with their folders.

    Libraries keep the places where the loader looks for them. Raises ImageError when a file is
    missing or one of its libraries is.
    """
    found: set[Path] = set()
    for program in programs:
        if not program.is_file():
            raise ImageError(f"{program} is missing: install the package it belongs to")
        done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
        if done.returncode or "not found" in done.stdout:
            raise ImageError(f"{program}: not every library it needs is installed:\n{done.stdout}")
        found |= {Path(library) for library in _LIBRARY.findall(done.stdout)}
    return (
        *folders(found),
        *(File(str(path).lstrip("/"), path.resolve(), 0o755) for path in sorted(found)),
    )


def folders(paths: Iterable[Path]) -> tuple[Entry, ...]:
    """The folders above absolute paths, without those that `skeleton` makes."""
    above = {parent for path in paths for parent in path.parents}
    return tuple(Directory(str(f).lstrip("/")) for f in sorted(above - _MADE))
