"""Official releases for machines without Go: fetched, checked against their checksum file, cached.

Owns the addresses of the few releases that publish a checksum file. Never used where Go is there.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import tarfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from local.paths import cache_dir
from local.progress import Progress
from local.toolchain.catalogue import KUBERNETES, PULUMI_VERSION, VAULT_VERSION
from local.toolchain.errors import ToolchainError
from local.toolchain.store import Facts, Sealed, Store

_CONNECT_DEADLINE = 15  # seconds without a byte
_LIFE_SIGN = 15.0
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Release:
    """One published file and the file that holds its SHA-256, alone or in a list by file name."""

    name: str
    url: str
    checksums: str

    @property
    def file(self) -> str:
        """The last part of the address."""
        return self.url.rpartition("/")[2]


def _releases() -> Mapping[str, Release]:
    cpu = _ARCHITECTURES.get(platform.machine())
    if cpu is None:
        return {}
    sdk = "https://get.pulumi.com/releases/sdk"
    pulumi_cpu = {"amd64": "x64"}.get(cpu, cpu)
    pulumi = Release(
        "pulumi-release",
        f"{sdk}/pulumi-v{PULUMI_VERSION}-linux-{pulumi_cpu}.tar.gz",
        f"{sdk}/pulumi-{PULUMI_VERSION}-checksums.txt",
    )
    hashicorp = f"https://releases.hashicorp.com/vault/{VAULT_VERSION}/vault_{VAULT_VERSION}"
    vault = Release("vault-release", f"{hashicorp}_linux_{cpu}.zip", f"{hashicorp}_SHA256SUMS")
    binaries = f"https://dl.k8s.io/release/v{KUBERNETES.version}/bin/linux/{cpu}"
    kubernetes = {
        name: Release(f"{name}-release", f"{binaries}/{name}", f"{binaries}/{name}.sha256")
        for name in KUBERNETES.packages
    }
    in_pulumi = (
        "pulumi",
        "pulumi-language-python",
        "pulumi-language-python-exec",
        "pulumi-resource-pulumi-python",
    )
    return {**dict.fromkeys(in_pulumi, pulumi), "vault": vault, **kubernetes}


RELEASES = _releases()


def fetch(release: Release, progress: Progress) -> Sealed:
    """The folder with the release's programs; downloaded unless a sound copy is in the cache.

    Raises ToolchainError when the release cannot be reached or does not match its checksum.
    """

    def fill(folder: Path) -> Facts:
        started = time.monotonic()
        progress(f"{release.name}: no Go on PATH, fetching {release.url}")
        try:
            with urlopen(release.checksums, timeout=_CONNECT_DEADLINE) as answer:  # noqa: S310 - https only, from the table above
                wanted = _checksum(answer.read().decode(), release)
            archive = folder / release.file
            digest = _save(release, archive, progress)
        except (URLError, OSError) as error:
            raise ToolchainError(
                f"{release.name}: {release.url} cannot be fetched ({error}), and there is no Go to "
                "build it with. Install Go (https://go.dev/dl/) or give this machine a way to "
                f"{urlsplit(release.url).netloc}"
            ) from error
        if digest != wanted:
            raise ToolchainError(
                f"{release.name}: {release.url} has SHA-256 {digest}, but {release.checksums} "
                f"says {wanted}. Nothing was kept; something between here and there changes files"
            )
        _unpack(archive, folder)
        return {"url": release.url, "seconds": round(time.monotonic() - started, 1)}

    key = hashlib.sha256(release.url.encode()).hexdigest()[:12]
    return Store(cache_dir() / "tools").obtain(release.name, key, fill, progress)


def _checksum(text: str, release: Release) -> str:
    for line in text.splitlines():
        digest, _, file = line.partition(" ")
        if file.strip().lstrip("*") in {"", release.file}:
            return digest.lower()
    raise ToolchainError(f"{release.name}: {release.checksums} does not list {release.file}")


def _save(release: Release, archive: Path, progress: Progress) -> str:
    digest = hashlib.sha256()
    reported = time.monotonic()
    with urlopen(release.url, timeout=_CONNECT_DEADLINE) as answer, archive.open("wb") as file:  # noqa: S310 - https only, from the table above
        while block := answer.read(1 << 20):
            digest.update(block)
            file.write(block)
            if time.monotonic() - reported >= _LIFE_SIGN:
                reported = time.monotonic()
                progress(f"{release.name}: {file.tell() / 2**20:.0f} MiB fetched")
    return digest.hexdigest()


def _unpack(archive: Path, folder: Path) -> None:
    """Leave only programs in `folder`, directly below it."""
    if archive.name.endswith(".tar.gz"):
        with tarfile.open(archive) as packed:
            for member in packed.getmembers():
                if member.isfile() and (content := packed.extractfile(member)):
                    with content, (folder / Path(member.name).name).open("wb") as file:
                        shutil.copyfileobj(content, file)
        archive.unlink()
    elif archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed_zip:
            for name in packed_zip.namelist():
                with (
                    packed_zip.open(name) as content,
                    (folder / Path(name).name).open("wb") as file,
                ):
                    shutil.copyfileobj(content, file)
        archive.unlink()
    for path in folder.iterdir():
        path.chmod(0o755)
