"""Helm charts that lie in the tools' Go modules, made complete and copied into the cache.

Owns what a chart needs to be loaded without a network. Owns no values.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from rich.console import Console

from local.paths import cache_dir
from local.progress import Clock, Progress
from local.toolchain.build import key, module_folder
from local.toolchain.catalogue import EXTERNAL_SECRETS, GO_MODULES, SEALED_SECRETS, Build
from local.toolchain.errors import ToolchainError
from local.toolchain.store import Facts, Store


@dataclass(frozen=True)
class _Chart:
    """`path` within the Go module `dependency` of `entry`; `complete` finishes the copy."""

    entry: Build
    dependency: str
    path: str
    complete: Callable[[Path, Path], None]


def charts(name: str, progress: Progress | None = None) -> Path:
    """The folder of the named chart (`external-secrets` or `sealed-secrets`), ready to render.

    Raises ToolchainError for another name, or when the Go module cannot be fetched.
    """
    if name not in _CHARTS:
        raise ToolchainError(f"no chart named {name!r}; known: {', '.join(_CHARTS)}")
    chart = _CHARTS[name]
    module = GO_MODULES / chart.entry.name
    report = progress or Clock(Console(stderr=True, highlight=False, soft_wrap=True))

    def fill(folder: Path) -> Facts:
        source = module_folder(module, chart.dependency)
        copied = folder / name
        shutil.copytree(source / chart.path, copied)
        for path in [copied, *copied.rglob("*")]:  # Go keeps its modules read-only
            path.chmod(0o755 if path.is_dir() else 0o644)
        chart.complete(source, copied)
        return {"version": chart.entry.version}

    store = Store(cache_dir() / "charts")
    return store.obtain(name, key(chart.entry, module), fill, report).path / name


def _external_secrets(source: Path, chart: Path) -> None:
    """Add the definitions that the project's release adds, and drop the optional subchart.

    The subchart (`bitwarden-sdk-server`) is off by default, but Helm refuses a chart whose
    Chart.yaml names a dependency that is not in the folder.
    """
    for definition in sorted((source / "config/crds/bases").glob("*external-secrets.io_*.yaml")):
        text = definition.read_text().removeprefix("---\n")
        kind = yaml.safe_load(text)["spec"]["names"]["kind"]
        condition = ".Values.installCRDs"
        if "Cluster" in kind or "PushSecret" in kind:  # as in the project's hack/helm.generate.sh
            condition = f"and (.Values.installCRDs) (.Values.crds.create{kind})"
        target = chart / "templates/crds" / f"{kind.lower()}.yaml"
        target.write_text(f"{{{{- if {condition} }}}}\n{text}{{{{- end }}}}\n")
    about = chart / "Chart.yaml"
    described = yaml.safe_load(about.read_text())
    del described["dependencies"]
    about.write_text(yaml.safe_dump(described, sort_keys=False))
    (chart / "Chart.lock").unlink()


def _nothing(_source: Path, _chart: Path) -> None:
    """The chart is complete as it is."""


_CHARTS: Mapping[str, _Chart] = {
    "external-secrets": _Chart(
        EXTERNAL_SECRETS,
        "github.com/external-secrets/external-secrets",
        "deploy/charts/external-secrets",
        _external_secrets,
    ),
    "sealed-secrets": _Chart(
        SEALED_SECRETS,
        "github.com/bitnami-labs/sealed-secrets",
        "helm/sealed-secrets",
        _nothing,
    ),
}
