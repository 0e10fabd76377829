"""The rotation function's code as Pulumi takes it. Owns where the archive lies.

Called before anything is declared: a component's constructor writes no file.
"""

from __future__ import annotations

from pathlib import Path

import pulumi

from rotation import archive

HANDLER = archive.HANDLER


def rotation_archive(path: Path, *, ca_pem: str | None) -> pulumi.Archive:
    """The archive, written to `path`; the same code and authorities give the same bytes.

    `ca_pem` are the authorities of the database's certificate, the system's when None.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    archive.write(path, ca_pem=ca_pem)
    return pulumi.FileArchive(str(path))
