"""Image archives: layout, names, contents, and equal bytes for equal inputs. No containerd.

They hold programs of the distribution, which the environment's set-up installs.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from local.images import ImageError, build, build_all, catalogue
from local.images.archive import Image
from local.images.catalogue import busybox, pause, psql
from local.images.entries import Directory, File, Link
from local.paths import REPOSITORY

pytestmark = pytest.mark.e2e

PROGRAMS = ("vault", "vault-k8s", "external-secrets", "sealed-secrets-controller", "kubectl")


@pytest.fixture
def binaries(tmp_path: Path) -> dict[str, Path]:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).write_text(f"not a real {name}")
    return {name: folder / name for name in PROGRAMS}


class Archive:
    """A written archive, read as containerd would."""

    def __init__(self, path: Path) -> None:
        with tarfile.open(path) as outer:
            self.members = {m.name: m for m in outer.getmembers()}
            self.blobs = {n: outer.extractfile(m).read() for n, m in self.members.items()}  # type: ignore[union-attr] # only regular files are inside
        self.index = json.loads(self.blobs["index.json"])["manifests"][0]
        self.manifest = json.loads(self.blob(self.index["digest"]))
        self.config = json.loads(self.blob(self.manifest["config"]["digest"]))
        layer = self.blob(self.manifest["layers"][0]["digest"])
        self.layer = tarfile.open(fileobj=io.BytesIO(layer))  # noqa: SIM115 - in memory
        self.files = {m.name: m for m in self.layer.getmembers()}

    def blob(self, digest: str) -> bytes:
        return self.blobs[f"blobs/sha256/{digest.removeprefix('sha256:')}"]

    def text(self, path: str) -> str:
        file = self.layer.extractfile(path)
        assert file is not None
        return file.read().decode()


def test_all_images_have_the_names_that_charts_use(
    binaries: dict[str, Path], tmp_path: Path
) -> None:
    built = build_all(binaries, tmp_path / "images")
    assert set(built) == {
        "strongroom.local/pause:1",
        "strongroom.local/busybox:1",
        "strongroom.local/vault:1.21.0",
        "strongroom.local/vault-k8s:1.6.2",
        "strongroom.local/external-secrets:0.20.4",
        "strongroom.local/sealed-secrets-controller:0.36.6",
        "strongroom.local/psql:1",
        "strongroom.local/strongroom:1",
    }
    for name, path in built.items():
        archive = Archive(path)
        assert archive.index["annotations"]["io.containerd.image.name"] == name
        assert json.loads(archive.blobs["manifest.json"])[0]["RepoTags"] == [name]


def test_every_digest_and_size_is_true(tmp_path: Path) -> None:
    archive = Archive(build(busybox(), tmp_path))
    described = [archive.index, archive.manifest["config"], *archive.manifest["layers"]]
    for descriptor in described:
        content = archive.blob(descriptor["digest"])
        assert descriptor["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert descriptor["size"] == len(content)
    assert archive.config["rootfs"]["diff_ids"] == [archive.manifest["layers"][0]["digest"]]
    assert json.loads(archive.blobs["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}


def test_equal_inputs_give_equal_bytes(binaries: dict[str, Path], tmp_path: Path) -> None:
    first = build_all(binaries, tmp_path / "first")
    for path in binaries.values():
        os.utime(path, (1, 1))
    second = build_all(binaries, tmp_path / "second")
    for name in first:
        assert first[name].name == second[name].name
        assert first[name].read_bytes() == second[name].read_bytes()


def test_an_unchanged_image_is_not_written_again(tmp_path: Path) -> None:
    said: list[str] = []
    archive = build(pause(), tmp_path, said.append)
    before = archive.stat().st_mtime_ns
    assert build(pause(), tmp_path, said.append) == archive
    assert archive.stat().st_mtime_ns == before
    assert len(said) == 1


def test_a_changed_program_replaces_the_archive(binaries: dict[str, Path], tmp_path: Path) -> None:
    images = tmp_path / "images"
    old = build_all(binaries, images)
    binaries["vault"].write_text("another vault")
    new = build_all(binaries, images)
    changed = {name for name in old if old[name] != new[name]}
    assert changed == {"strongroom.local/vault:1.21.0"}
    assert not old["strongroom.local/vault:1.21.0"].exists()
    assert old["strongroom.local/vault-k8s:1.6.2"].exists()


def test_an_interrupted_write_leaves_no_archive(tmp_path: Path) -> None:
    class Broken(File):
        def add_to(self, layer: tarfile.TarFile) -> None:
            raise OSError("no space left")

    image = Image("strongroom.local/broken:1", (Broken("a", "text"),))
    with pytest.raises(OSError, match="no space left"):
        build(image, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [".broken.lock"]


def test_vault_fits_the_official_chart(binaries: dict[str, Path], tmp_path: Path) -> None:
    archive = Archive(build_all(binaries, tmp_path / "images")["strongroom.local/vault:1.21.0"])
    assert archive.text("bin/vault") == "not a real vault"
    assert "vault:x:100:1000:" in archive.text("etc/passwd")
    assert archive.config["config"]["User"] == "100:1000"
    assert archive.files["usr/local/bin/docker-entrypoint.sh"].mode == 0o755
    for applet in ("sh", "sed", "cp", "cat", "pidof", "kill", "sleep", "base64", "wget", "chown"):
        assert archive.files[f"bin/{applet}"].linkname == "busybox"
    for folder in ("vault/data", "vault/audit", "home/vault"):
        entry = archive.files[folder]
        assert (entry.uid, entry.gid, entry.mode) == (100, 1000, 0o770)
    assert "BEGIN CERTIFICATE" in archive.text("etc/ssl/certs/ca-certificates.crt")


def test_images_start_as_their_users_and_without_a_date(
    binaries: dict[str, Path], tmp_path: Path
) -> None:
    starts: dict[str, tuple[Any, Any]] = {}
    for name, path in build_all(binaries, tmp_path / "images").items():
        archive = Archive(path)
        assert {m.mtime for m in archive.files.values()} == {0}
        starts[name.partition("/")[2]] = (
            archive.config["config"]["Entrypoint"],
            archive.config["config"]["User"],
        )
        program = starts[name.partition("/")[2]][0]
        if program and program[0].startswith("/"):
            assert program[0].lstrip("/") in archive.files
    assert starts["external-secrets:0.20.4"] == (["/bin/external-secrets"], "65534:65534")
    assert starts["sealed-secrets-controller:0.36.6"] == (["controller"], "1001:1001")
    assert starts["vault-k8s:1.6.2"] == (["/vault-k8s"], "100:1000")
    assert not any(user.startswith("0") for _, user in starts.values())


def test_psql_runs_from_the_image_alone(tmp_path: Path) -> None:
    archive = Archive(build(psql(), tmp_path / "images"))
    root = tmp_path / "root"
    archive.layer.extractall(root, filter="fully_trusted")  # noqa: S202 - written just above
    loader = root / "lib64/ld-linux-x86-64.so.2"
    library_path = ":".join(
        str(p) for p in sorted({f.parent for f in root.rglob("*.so*") if f.is_file()})
    )
    argv = [str(loader), "--inhibit-cache", "--library-path", library_path]
    argv += [str(root / "usr/bin/psql"), "--version"]
    told = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert told.stdout.startswith("psql (PostgreSQL) ")


def test_a_missing_program_is_named(binaries: dict[str, Path], tmp_path: Path) -> None:
    binaries["vault"].unlink()
    with pytest.raises(ImageError, match=r"vault:1\.21\.0: .*bin/vault, needed as /bin/vault"):
        build_all(binaries, tmp_path / "images")
    del binaries["vault-k8s"]
    with pytest.raises(ImageError, match="not built: vault-k8s"):
        catalogue(binaries)


def test_one_path_twice_is_refused(tmp_path: Path) -> None:
    image = Image("strongroom.local/odd:1", (Directory("a"), Link("a", "b")))
    with pytest.raises(ImageError, match="/a is defined twice"):
        build(image, tmp_path)


def test_the_dockerfile_and_the_local_image_hold_the_same_packages(
    binaries: dict[str, Path],
) -> None:
    """One is built where there is Docker, the other here; each has what a rotation imports."""
    (image,) = (i for i in catalogue(binaries) if i.short_name == "strongroom")
    root = "opt/strongroom/"
    here = {e.path.removeprefix(root).partition("/")[0] for e in image.entries if root in e.path}
    text = (REPOSITORY / "Dockerfile").read_text()
    there = {m[1] for m in re.finditer(r"^COPY (\w+) /opt/strongroom/\1$", text, re.MULTILINE)}
    assert there == here
    assert "cli.rotator" in text.splitlines()[-1]
    assert image.entrypoint[-1] == "cli.rotator"
