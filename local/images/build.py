"""Images into a folder: each made once, found again by the fingerprint in its file's name."""

from __future__ import annotations

import fcntl
from collections.abc import Mapping
from pathlib import Path

from local.images.archive import Image
from local.images.catalogue import catalogue
from local.progress import Progress


def build_all(
    binaries: Mapping[str, Path], out_dir: Path, progress: Progress = lambda _: None
) -> dict[str, Path]:
    """Make every image that is missing or whose inputs changed; full image name to archive.

    Older archives of the same image are removed. Raises ImageError for a missing input.
    """
    return {image.name: build(image, out_dir, progress) for image in catalogue(binaries)}


def build(image: Image, out_dir: Path, progress: Progress = lambda _: None) -> Path:
    """Make one image unless it is there already, and return its archive.

    Safe beside another process that builds into the same folder. Raises ImageError.
    """
    image.check()
    tag = image.name.rpartition(":")[2]
    archive = out_dir / f"{image.short_name}-{tag}-{image.fingerprint()[:16]}.tar"
    out_dir.mkdir(parents=True, exist_ok=True)
    with (out_dir / f".{image.short_name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            progress(f"assembling image {image.name}")
            image.write(archive)
        for other in out_dir.glob(f"{image.short_name}-{tag}-*.tar*"):
            if other != archive:
                other.unlink()
    return archive
