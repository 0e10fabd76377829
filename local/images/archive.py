"""One image as an OCI layout in a tar file, written the same way for the same inputs.

The single layer is an uncompressed tar: archives are read on the machine that wrote them, so that
compression would only cost time (361 MB of Vault: seconds on the way in and again on the way out).
`manifest.json` beside the OCI index lets `docker load` and `kind load image-archive` read it too.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.images.entries import Entry, File

_FORMAT = "oci-layout-2"  # a new value makes every archive anew
_OCI = "application/vnd.oci.image"
_ARCHITECTURE = "amd64"


class ImageError(Exception):
    """An image cannot be made: an input is missing or unusable. The message says which and why."""


@dataclass(frozen=True)
class Image:
    """What an image is: its full name with tag, its file system, how it starts."""

    name: str
    entries: tuple[Entry, ...]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = "0:0"
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def short_name(self) -> str:
        """The name without registry and tag, for example `vault`."""
        return self.name.rpartition("/")[2].partition(":")[0]

    def check(self) -> None:
        """Raises ImageError when a file to copy is missing or one path comes twice."""
        seen: set[str] = set()
        for entry in self.entries:
            if entry.path in seen:
                raise ImageError(f"{self.name}: /{entry.path} is defined twice")
            seen.add(entry.path)
            source = entry.source if isinstance(entry, File) else None
            if isinstance(source, Path) and not source.is_file():
                raise ImageError(f"{self.name}: {source}, needed as /{entry.path}, is missing")

    def fingerprint(self) -> str:
        """SHA-256 in hex of everything that makes the archive, file contents included."""
        parts = [_FORMAT, json.dumps(self._config([]), sort_keys=True), self.name]
        parts += [entry.fingerprint() for entry in self.entries]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def write(self, archive: Path) -> None:
        """Write the archive. Needs room for the layer twice; holds none of it in memory.

        The file appears under its name only when it is complete.
        """
        spool = archive.with_name(f"{archive.name}.layer")
        partial = archive.with_name(f"{archive.name}.partial")
        try:
            digest = self._write_layer(spool)
            with tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as outer:
                self._write_layout(outer, spool, digest)
            partial.replace(archive)
        finally:
            spool.unlink(missing_ok=True)
            partial.unlink(missing_ok=True)

    def _write_layer(self, target: Path) -> str:
        with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as layer:
            for entry in self.entries:
                entry.add_to(layer)
        with target.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def _write_layout(self, outer: tarfile.TarFile, spool: Path, digest: str) -> None:
        config = _json(self._config([f"sha256:{digest}"]))
        layer = {
            "mediaType": f"{_OCI}.layer.v1.tar",
            "digest": f"sha256:{digest}",
            "size": spool.stat().st_size,
        }
        manifest = _json(
            {
                "schemaVersion": 2,
                "mediaType": f"{_OCI}.manifest.v1+json",
                "config": _descriptor(f"{_OCI}.config.v1+json", config),
                "layers": [layer],
            }
        )
        described = {
            **_descriptor(f"{_OCI}.manifest.v1+json", manifest),
            "platform": {"architecture": _ARCHITECTURE, "os": "linux"},
            "annotations": {
                "io.containerd.image.name": self.name,
                "org.opencontainers.image.ref.name": self.name.rpartition(":")[2],
            },
        }
        docker = [
            {"Config": _blob(config), "RepoTags": [self.name], "Layers": [f"blobs/sha256/{digest}"]}
        ]
        _add(outer, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add(outer, "index.json", _json({"schemaVersion": 2, "manifests": [described]}))
        _add(outer, "manifest.json", _json(docker))
        _add(outer, _blob(config), config)
        _add(outer, _blob(manifest), manifest)
        File(f"blobs/sha256/{digest}", spool).add_to(outer)

    def _config(self, layers: list[str]) -> dict[str, Any]:
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            **self.environment,
        }
        return {
            "architecture": _ARCHITECTURE,
            "os": "linux",
            "config": {
                "Entrypoint": list(self.entrypoint),
                "Cmd": list(self.command),
                "User": self.user,
                "Env": [f"{key}={value}" for key, value in environment.items()],
                "WorkingDir": "/",
            },
            "rootfs": {"type": "layers", "diff_ids": layers},
        }


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _blob(content: bytes) -> str:
    return f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _add(outer: tarfile.TarFile, name: str, content: bytes) -> None:
    File(name, content.decode()).add_to(outer)
