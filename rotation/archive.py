"""The rotation function as a zip file that AWS Lambda takes, with everything it imports.

Pure Python throughout, so that one archive fits every processor; boto3 is part of Lambda's Python.
The same installed packages give the same bytes, wherever and whenever they are written, so a
deployment that changes nothing uploads nothing.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from rotation.function import CA_FILE

HANDLER = "rotation.function.handler"
MODULES = (
    "__init__",
    "alternation",
    "credential",
    "errors",
    "four_steps",
    "function",
    "postgresql",
    "roles",
)
DISTRIBUTIONS = ("asn1crypto", "pg8000", "python-dateutil", "scramp", "six")

_PACKAGE = Path(__file__).parent
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip file can name
_FILE = 0o100644 << 16


def write(path: Path, *, ca_pem: str | None = None) -> None:
    """Write the archive to `path`, as a whole or not at all.

    `ca_pem` are the authorities that may have signed the database's certificate (for RDS, the
    bundle of its region); without them the system's are trusted. Raises
    importlib.metadata.PackageNotFoundError when a distribution is not installed.
    """
    contents = {f"rotation/{name}.py": (_PACKAGE / f"{name}.py").read_bytes() for name in MODULES}
    for name in DISTRIBUTIONS:
        contents |= dict(_files(metadata.distribution(name)))
    if ca_pem is not None:
        contents[f"rotation/{CA_FILE}"] = ca_pem.encode()
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")  # two previews at a time
    with zipfile.ZipFile(partial, "w") as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, whichever system writes
            entry.external_attr = _FILE
            archive.writestr(entry, contents[name])  # stored: compressors differ
    partial.replace(path)


def _files(distribution: metadata.Distribution) -> Iterator[tuple[str, bytes]]:
    """What the function needs of a distribution: code, metadata (its version), data, licence.

    Not what installers write beside it, which differs from one to the next.
    """
    for file in distribution.files or ():
        name = file.as_posix()
        if name.startswith("..") or "__pycache__" in file.parts:
            continue
        if file.parts[0].endswith(".dist-info") and not (
            file.name == "METADATA" or "LICENSE" in file.name.upper()
        ):
            continue
        yield name, Path(str(distribution.locate_file(file))).read_bytes()
