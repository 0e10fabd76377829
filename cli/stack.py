"""Which stack a command works on: its settings file, its cluster, its Vault.

Owns the two options that name a stack. The file is read and checked as a deployment reads it; the
engine is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from settings import Settings
from settings.reader import read
from vaultops.deployer import read_ca
from vaultops.errors import VaultOpsError
from vaultops.kubectl import Kubectl
from vaultops.target import Target, VaultTarget

StackName = Annotated[
    str | None,
    typer.Option("--stack", "-s", help="The stack; its settings are Pulumi.<stack>.yaml here."),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config-file", help="A settings file elsewhere, in place of --stack."),
]


def settings_of(stack: str | None, config_file: Path | None) -> Settings:
    """The checked settings of a stack.

    Raises typer.BadParameter unless exactly one of both names it, VaultOpsError for a file that
    cannot be read, and SettingsError for wrong settings.
    """
    if (stack is None) is (config_file is None):
        raise typer.BadParameter("name the stack: either --stack NAME or --config-file FILE")
    path = config_file or _stack_file(stack or "")
    values = _values(path)
    encrypted = {key for key, value in values.items() if _is_encrypted(value)}
    return read(values, secret_keys=encrypted, source=str(path))


def kubectl_of(settings: Settings) -> Kubectl:
    """kubectl for the namespace that Vault runs in."""
    return Kubectl(
        namespace=settings.vault.namespace,
        kubeconfig=settings.kubernetes.kubeconfig,
        context=settings.kubernetes.context,
    )


@contextmanager
def vault_of(settings: Settings) -> Iterator[Target]:
    """The stack's Vault servers. Raises UnreachableError, NotFoundError before a deployment."""
    kubectl = kubectl_of(settings)
    target = VaultTarget(kubectl=kubectl, replicas=settings.vault.replicas, ca_pem=read_ca(kubectl))
    with target:
        yield target


def _stack_file(stack: str) -> Path:
    path = Path(f"Pulumi.{stack}.yaml")
    if re.fullmatch(r"[\w.-]+", stack) and path.is_file():
        return path
    known = sorted(p.name.split(".")[1] for p in Path().glob("Pulumi.*.yaml"))
    raise VaultOpsError(
        f"there is no stack {stack!r}",
        where=str(Path.cwd()),
        why=f"its settings would be in {path.name}, which is not there",
        fix=f"use one of {', '.join(known)}" if known else "run it in the project's folder",
    )


def _values(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(path.read_text())
    except OSError as reason:
        why = reason.strerror or type(reason).__name__
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as reason:
        why = f"it is no YAML: {str(reason).splitlines()[0]}"
    else:
        config = document.get("config") if isinstance(document, dict) else None
        strange = [key for key in config or () if not isinstance(key, str)]
        if isinstance(config, dict) and not strange:
            return config
        why = f"{strange[0]} is no setting's name" if strange else "it has no mapping `config:`"
    raise VaultOpsError(
        "the stack's settings cannot be read",
        where=str(path),
        why=why,
        fix="name a file such as Pulumi.prod.yaml",
    )


def _is_encrypted(value: Any) -> bool:
    return isinstance(value, dict) and "secure" in value
