"""The images of the local environment: names, contents, how they start.

Names carry the registry `strongroom.local`, which does not exist: an image that was not imported
cannot be pulled from anywhere by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from local.images import base
from local.images import python as interpreter
from local.images.archive import Image, ImageError
from local.images.entries import Directory, Entry, File, Link
from local.paths import REPOSITORY
from local.services import postgresql_cluster

REGISTRY = "strongroom.local"

# Process 1 of every pod: ends on SIGTERM, reaps what is orphaned, wakes once a day.
_PAUSE = "trap 'exit 0' TERM INT; while :; do sleep 86400 & wait; done"
# Where the official image drops privileges and adds capabilities; here it starts as its user.
_ENTRYPOINT = '#!/bin/sh\nulimit -c 0\nexec "$@"\n'
# As in the Dockerfile, which builds the image of other environments.
_APPLICATION = "opt/strongroom"
# What a rotation in the cluster runs, and the distributions that it imports.
_PACKAGES = ("access", "cli", "rotation", "settings", "vaultops")
_DISTRIBUTIONS = (
    *("boto3", "cryptography", "hvac", "pg8000", "pydantic"),
    *("python-hcl2", "PyYAML", "rich", "typer"),
)
_VAULT_FOLDERS = ("vault", "vault/config", "vault/data", "vault/file", "vault/logs", "vault/audit")


def catalogue(binaries: Mapping[str, Path]) -> tuple[Image, ...]:
    """Every image. `binaries` maps the names of built programs to their files.

    Raises ImageError for a program that is not in `binaries` or not installed on this machine.
    """
    wanted = ("vault", "vault-k8s", "external-secrets", "sealed-secrets-controller", "kubectl")
    if missing := [name for name in wanted if name not in binaries]:
        raise ImageError(f"images need programs that were not built: {', '.join(missing)}")
    return (
        pause(),
        busybox(),
        _vault(binaries["vault"]),
        _vault_k8s(binaries["vault-k8s"]),
        _external_secrets(binaries["external-secrets"]),
        _sealed_secrets(binaries["sealed-secrets-controller"]),
        psql(),
        _strongroom(binaries["kubectl"]),
    )


def pause() -> Image:
    """The process that holds a pod's namespaces."""
    entries = (*base.skeleton(), *base.busybox())
    command = ("/bin/sh", "-c", _PAUSE)
    return Image(f"{REGISTRY}/pause:1", entries, entrypoint=command, user="65532:65532")


def busybox() -> Image:
    """A shell for trials and small jobs."""
    entries = (*base.skeleton(), *base.certificates(), *base.busybox())
    return Image(f"{REGISTRY}/busybox:1", entries, command=("/bin/sh",), user="65532:65532")


def psql() -> Image:
    """PostgreSQL's client and a shell, for workloads that use a database."""
    entries = (
        *base.skeleton(),
        *base.certificates(),
        *base.busybox(),
        *base.debian_program("usr/bin/psql", postgresql_cluster.program("psql")),
    )
    return Image(
        f"{REGISTRY}/psql:1",
        entries,
        command=("/bin/sh",),
        user="65532:65532",
        environment={"PGCLIENTENCODING": "UTF8"},
    )


def _vault(binary: Path) -> Image:
    """Vault with the shell, users and folders that the official chart and injector count on."""
    owned = (Directory(folder, 0o770, uid=100, gid=1000) for folder in _VAULT_FOLDERS)
    entries: tuple[Entry, ...] = (
        *base.skeleton(),
        *base.certificates(),
        *base.busybox(),
        *owned,
        Directory("home"),
        Directory("home/vault", 0o770, uid=100, gid=1000),
        File("usr/local/bin/docker-entrypoint.sh", _ENTRYPOINT, mode=0o755),
        File("bin/vault", binary, mode=0o755),
        Link("usr/local/bin/vault", "/bin/vault"),
    )
    return Image(
        f"{REGISTRY}/vault:1.21.0",
        entries,
        entrypoint=("docker-entrypoint.sh",),
        command=("vault", "version"),
        user="100:1000",
        environment={"HOME": "/home/vault"},
    )


def _vault_k8s(binary: Path) -> Image:
    program = File("vault-k8s", binary, mode=0o755)
    entries = (*base.skeleton(), *base.certificates(), program)
    name = f"{REGISTRY}/vault-k8s:1.6.2"
    return Image(name, entries, entrypoint=("/vault-k8s",), user="100:1000")


def _external_secrets(binary: Path) -> Image:
    program = File("bin/external-secrets", binary, mode=0o755)
    entries = (*base.skeleton(), *base.certificates(), program)
    name = f"{REGISTRY}/external-secrets:0.20.4"
    return Image(name, entries, entrypoint=("/bin/external-secrets",), user="65534:65534")


def _sealed_secrets(binary: Path) -> Image:
    program = File("usr/local/bin/controller", binary, mode=0o755)
    entries = (*base.skeleton(), *base.certificates(), program)
    name = f"{REGISTRY}/sealed-secrets-controller:0.36.6"
    return Image(name, entries, entrypoint=("controller",), user="1001:1001")


def _strongroom(kubectl: Path) -> Image:
    """The part of the command line that rotates, in place of the image that a release builds."""
    application = {
        f"{_APPLICATION}/{path.relative_to(REPOSITORY)}": path
        for package in _PACKAGES
        for path in sorted((REPOSITORY / package).rglob("*.py"))
    }
    entries = (
        *base.skeleton(),
        *base.certificates(),
        *interpreter.python(_DISTRIBUTIONS, application),
        File("usr/local/bin/kubectl", kubectl, mode=0o755),
    )
    return Image(
        f"{REGISTRY}/strongroom:1",
        entries,
        entrypoint=("python3", "-m", "cli.rotator"),
        user="65532:65532",
        environment={
            "PYTHONPATH": f"/{_APPLICATION}:{interpreter.SITE}",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
