"""One side of the comparison in `benchmarks.grants`, and the side that is Strongroom.

Owns the steps and how Pulumi is called. Every side gets the same parallelism, no preview before a
change, no update check, and file state beside its project. OpenTofu is in grants_tofu.py.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import hvac
import yaml

from access.grant import Grant
from local import toolchain
from local.paths import REPOSITORY

PULUMI_TOOLS = (
    "pulumi",
    "pulumi-language-python",
    "pulumi-language-python-exec",
    "pulumi-resource-pulumi-python",
    "pulumi-resource-vault",
)
PARALLEL = 10  # OpenTofu's default


class Step(StrEnum):
    """What is timed, in this order."""

    PREVIEW = "preview (plan), nothing there"
    CREATE = "up (apply) from nothing"
    UNCHANGED = "up (apply), nothing to change, by the state"
    REFRESHED = "up (apply), nothing to change, Vault read anew"
    MORE = "up (apply) of ten more grants, by the state"
    DESTROY = "destroy"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Seconds until the end, and processor seconds of the program, its plugins and its children.

    Other work on the machine lengthens the former much more than the latter.
    """

    seconds: float
    processor: float


@dataclass(frozen=True, kw_only=True)
class Side:
    """One project: `commands` are the arguments for each step, `environment` is complete.

    `more` is the path in `folder`, and the text, of the file that brings ten more grants.
    """

    program: Path
    commands: Mapping[Step, Sequence[str]]
    folder: Path
    environment: Mapping[str, str]
    more: tuple[str, str]

    def cost(self, step: Step) -> Cost:
        """What the step took. Raises RuntimeError with the program's output if it failed."""
        if step is Step.MORE:
            path, text = self.more
            (self.folder / path).write_text(text)
        started, before = time.monotonic(), _processor_seconds()
        self.run(*self.commands[step])
        return Cost(seconds=time.monotonic() - started, processor=_processor_seconds() - before)

    def run(self, *arguments: str) -> None:
        """Run the program in the project's folder."""
        done = subprocess.run(
            [self.program, *arguments],
            cwd=self.folder,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{self.program.name} {' '.join(arguments)}:\n{done.stdout}")


def strongroom(
    grants: Sequence[Grant], more: Sequence[Grant], vault: hvac.Client, folder: Path
) -> Side:
    """The components of this repository; the program's processor seconds go to `folder`/share."""
    side = _pulumi("grants_program.py", {"grants": str(folder / "grants")}, vault, folder)
    files = folder / "grants"
    files.mkdir()
    for team in {grant.namespaces for grant in grants}:
        rows = [grant for grant in grants if grant.namespaces == team]
        (files / f"{team[0]}.yaml").write_text(_yaml(rows))
    return replace(side, more=("grants/team-new.yaml", _yaml(more)))


def without_checkpoints(
    grants: Sequence[Grant], more: Sequence[Grant], vault: hvac.Client, folder: Path
) -> Side:
    """The same; the engine saves its state once, at the end, and not twice for each resource."""
    return unsaved(strongroom(grants, more, vault, folder))


def unsaved(side: Side) -> Side:
    """`side` without checkpoints from here on."""
    saving = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
    return replace(side, environment={**side.environment, **saving})


def sdk_alone(count: int, vault: hvac.Client, folder: Path, *, search_rarely: bool) -> float:
    """Processor seconds of a program that makes as many resources with Pulumi's SDK alone."""
    config = {"count": str(count), "searchRarely": str(search_rarely).lower()}
    side = _pulumi("grants_sdk_program.py", config, vault, folder)
    side.run(*side.commands[Step.PREVIEW])
    return share(side)


def share(side: Side) -> float:
    """Processor seconds of the program itself in the command that `side` ran last."""
    return float((side.folder / "share").read_text())


def _pulumi(program: str, config: Mapping[str, str], vault: hvac.Client, folder: Path) -> Side:
    folder.mkdir()
    tools = toolchain.bin_dir(PULUMI_TOOLS)
    for name in ("home", "state"):
        (folder / name).mkdir()
    shutil.copy(Path(__file__).with_name(program), folder / "__main__.py")
    runtime = {"name": "python", "options": {"virtualenv": str(REPOSITORY / ".venv")}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "benchmark", "runtime": runtime}))
    up = ("up", "--yes", "--skip-preview", "--stack", "grants", "--parallel", str(PARALLEL))
    side = Side(
        program=tools / "pulumi",
        commands={
            Step.PREVIEW: ("preview", "--stack", "grants", "--parallel", str(PARALLEL)),
            Step.CREATE: up,
            Step.UNCHANGED: up,
            Step.REFRESHED: (*up, "--refresh"),
            Step.MORE: up,
            Step.DESTROY: ("destroy", *up[1:]),
        },
        folder=folder,
        environment={
            **environment(vault),
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "a fake passphrase of a benchmark",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        },
        more=("", ""),
    )
    side.run("stack", "init", "grants")
    file = folder / "Pulumi.grants.yaml"
    values = {"repository": str(REPOSITORY), "share": str(folder / "share"), **config}
    written = yaml.safe_load(file.read_text())
    named = {f"benchmark:{key}": value for key, value in values.items()}
    file.write_text(yaml.safe_dump(written | {"config": named}))
    return side


def _yaml(grants: Sequence[Grant]) -> str:
    return yaml.safe_dump([grant.model_dump(mode="json", by_alias=True) for grant in grants])


def _processor_seconds() -> float:
    """Of every child that has ended, with its own: each side waits for its plugins."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def environment(vault: hvac.Client) -> dict[str, str]:
    """What every side inherits, and how it reaches the Vault."""
    foreign = ("PULUMI_", "TF_", "VAULT_")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    return inherited | {"VAULT_ADDR": vault.url, "VAULT_TOKEN": vault.token}
