"""The function's archive: the same bytes each time, and all that it needs."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from rotation import archive

# Lambda's Python brings boto3 and what it needs; python-dateutil and six come with the archive.
BOTO = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3")
CALL = """
import importlib, json, sys
sys.path[:0] = sys.argv[1:]
module, _, name = {handler!r}.rpartition(".")
handler = getattr(importlib.import_module(module), name)
print(importlib.import_module(module).__file__)
import pg8000.native
print(pg8000.native.__file__)
try:
    handler({{"Step": "createSecret", "SecretId": "fake", "ClientRequestToken": "fake"}}, None)
except Exception as error:
    print(type(error).__name__)
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "function.zip"
    archive.write(path)
    return path


def test_the_same_bytes_each_time(written: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    mask = os.umask(0o077)
    try:
        archive.write(again)
    finally:
        os.umask(mask)
    assert again.read_bytes() == written.read_bytes()
    with zipfile.ZipFile(again) as opened:
        entries = opened.infolist()
    names = [entry.filename for entry in entries]
    assert names == sorted(set(names))
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert [path.name for path in tmp_path.iterdir()] == ["again.zip"]


def test_it_holds_code_and_licences_and_nothing_of_this_machine(written: Path) -> None:
    with zipfile.ZipFile(written) as opened:
        names = opened.namelist()
        everything = b"".join(opened.read(name) for name in names)
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == {
        "asn1crypto",
        "dateutil",
        "pg8000",
        "rotation",
        "scramp",
        "six.py",
    }
    assert sum("LICENSE" in name for name in names) == len(archive.DISTRIBUTIONS)
    assert not any(name.endswith((".pyc", "RECORD", "INSTALLER", ".pem")) for name in names)
    assert str(Path(__file__).parents[3]).encode() not in everything
    assert written.stat().st_size < 4_000_000


def test_authorities_come_along_when_given(tmp_path: Path) -> None:
    path = tmp_path / "function.zip"
    archive.write(path, ca_pem="fake authority\n")
    with zipfile.ZipFile(path) as opened:
        assert opened.read("rotation/ca.pem") == b"fake authority\n"


def test_it_runs_by_itself(written: Path, tmp_path: Path) -> None:
    for name in BOTO:
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        (tmp_path / name).symlink_to(Path(found.origin).parent)
    done = subprocess.run(
        [
            *(sys._base_executable, "-I", "-S", "-c"),  # type: ignore[attr-defined]
            *(CALL.format(handler=archive.HANDLER), str(written), str(tmp_path)),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"SECRET_ARN": "fake", "ADMIN_SECRET_ARN": "fake", "USERS": "a,b"},
    )
    assert done.returncode == 0, done.stderr
    module, driver, line, error = done.stdout.splitlines()
    assert module == f"{written}/rotation/function.py"
    assert driver == f"{written}/pg8000/native.py"
    assert "OWNER_ROLE is not set" in line
    assert error == "ConfigurationError"
