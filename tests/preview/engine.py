"""The real Pulumi engine on this program, with a backend and a stack file of the test's own."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.unit.support.stacks import REPOSITORY

DEADLINE_SECONDS = 180
TOOLS = (
    "pulumi",
    "pulumi-language-python",
    "pulumi-language-python-exec",
    "pulumi-resource-pulumi-python",
    "pulumi-resource-kubernetes",
    "pulumi-resource-vault",
    "pulumi-resource-aws",
    "kubectl",
)


@dataclass(frozen=True)
class Engine:
    """`tools` holds the engine and its plugins, `folder` everything a run writes.

    `project` is the folder of the program that is run.
    """

    tools: Path
    folder: Path
    stack: str
    project: Path = REPOSITORY

    def configure(self, config: dict[str, Any]) -> None:
        """Make the stack with `config` (full keys). The repository's own files are not touched:
        the engine writes a new stack's salt beside the project it is called in, here a copy."""
        for name in ("home", "state"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "Pulumi.yaml").write_text(
            "name: strongroom\nruntime:\n  name: python\n  options:\n"
            f"    virtualenv: {REPOSITORY / '.venv'}\n"
        )
        self._run("stack", "init", self.stack, cwd=self.folder)
        written = yaml.safe_load(self.config_file.read_text()) or {}
        self.config_file.write_text(yaml.safe_dump(written | {"config": config}))

    @property
    def config_file(self) -> Path:
        return self.folder / f"Pulumi.{self.stack}.yaml"

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`preview` or `up` of the program."""
        config = ("--config-file", str(self.config_file), "--stack", self.stack)
        return self._run(command, *config, *arguments, cwd=self.project, check=False)

    def resources(self) -> list[str]:
        """Type tokens of everything in the stack's state."""
        deployment = json.loads(self.exported())["deployment"]
        return [resource["type"] for resource in deployment.get("resources") or []]

    def exported(self, *arguments: str) -> str:
        """The stack's state; `--show-secrets` decrypts what it holds."""
        return self._run(
            "stack", "export", "--stack", self.stack, *arguments, cwd=self.folder
        ).stdout

    def _run(
        self, *arguments: str, cwd: Path, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        foreign = ("PULUMI_", "VAULT_", "AWS_", "KUBECONFIG")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=cwd,
            env={
                **inherited,
                "PATH": f"{self.tools}{os.pathsep}{inherited['PATH']}",
                "PULUMI_HOME": str(self.folder / "home"),
                "PULUMI_BACKEND_URL": (self.folder / "state").as_uri(),
                "PULUMI_CONFIG_PASSPHRASE": "a fake passphrase of a test",
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            },
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done
