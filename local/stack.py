"""The `local` stack through the real engine: its environment, configuration and commands.

Owns how the Pulumi CLI is called for one instance: an engine home, a file backend, a passphrase
file and a configuration file of the instance's own, so that neither the user's Pulumi login nor the
committed stack files are touched. Knows nothing of nodes or images.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local import pending
from local.files import write_private
from local.paths import REPOSITORY, Instance

STACK = "local"
COMMITTED_CONFIG = REPOSITORY / f"Pulumi.{STACK}.yaml"
POLICY_PACK = REPOSITORY / "policies"


class StackError(Exception):
    """The engine ended a command with an error; its own output has already been shown."""


def merge(base: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `facts` laid over it, mapping by mapping."""
    merged = dict(base)
    for key, value in facts.items():
        below = merged.get(key)
        merged[key] = (
            merge(below, value)
            if isinstance(below, Mapping) and isinstance(value, Mapping)
            else value
        )
    return merged


@dataclass(frozen=True)
class Stack:
    """The local stack of one instance. `tools` is the folder with the engine and its plugins."""

    instance: Instance
    tools: Path

    @property
    def config_file(self) -> Path:
        """The committed Pulumi.local.yaml plus this instance's facts."""
        return self.instance.state_dir / COMMITTED_CONFIG.name

    @property
    def passphrase_file(self) -> Path:
        """What encrypts this stack's secrets; 0600."""
        return self.instance.state_dir / "pulumi-passphrase"

    def environment(self) -> dict[str, str]:
        """The environment of every engine command; holds paths, never a secret."""
        home = self.instance.state_dir / "pulumi-home"
        state = self.instance.state_dir / "pulumi-state"
        own = {
            "PATH": f"{self.tools}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(home),
            "PULUMI_BACKEND_URL": state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.passphrase_file),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        foreign = ("PULUMI_", "VAULT_", "AWS_", "KUBECONFIG")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        return inherited | own

    def prepare(self, facts: Mapping[str, Any]) -> None:
        """Write this instance's configuration and make the stack; does nothing twice.

        `facts` are configuration values of the instance under their full keys, for example
        `strongroom:kubernetes`. The engine's own encryption salt is kept.
        """
        (self.instance.state_dir / "pulumi-state").mkdir(parents=True, exist_ok=True)
        if not self.passphrase_file.exists():
            write_private(self.passphrase_file, secrets.token_urlsafe(32).encode())
        committed = yaml.safe_load(COMMITTED_CONFIG.read_text())
        written = yaml.safe_load(self.config_file.read_text()) if self.config_file.exists() else {}
        if salt := written.get("encryptionsalt"):
            committed["encryptionsalt"] = salt
        merged = merge(committed, {"config": facts})
        # Whole or not at all: the salt in it opens the stack's secrets.
        write_private(self.config_file, yaml.safe_dump(merged, sort_keys=False).encode(), 0o644)
        shutil.copyfile(REPOSITORY / "Pulumi.yaml", self.config_file.with_name("Pulumi.yaml"))
        self._release_dead_locks()
        self.run("stack", "select", "--create", STACK)
        self._settle_pending_operations()

    def _release_dead_locks(self) -> None:
        """Remove what an engine that was killed left behind; a living engine keeps its lock."""
        for lock in (self.instance.state_dir / "pulumi-state" / ".pulumi/locks").rglob("*.json"):
            holder = json.loads(lock.read_text())["pid"]
            program = Path(f"/proc/{holder}/exe")
            if program.exists() and program.readlink().name == "pulumi":
                raise StackError(f"the stack is being deployed by process {holder}; wait for it")
            lock.unlink()

    def _settle_pending_operations(self) -> None:
        """Take up what a killed engine had begun to create; its other steps are done again."""
        exported = self.export()
        begun = pending.settle(exported["deployment"])
        unread = pending.unread(exported["deployment"])
        if unread:
            self.preview()  # the program logs in anew, which a refresh does not
        if begun:
            settled = self.instance.state_dir / "pulumi-settled.json"
            settled.touch(mode=0o600)
            settled.write_text(json.dumps(exported))
            try:
                self.run("stack", "import", "--file", str(settled), "--stack", STACK)
            finally:
                settled.unlink()
        if unread:
            self.refresh(*unread)

    def up(self, *arguments: str) -> None:
        """Deploy under the policy pack. Raises StackError when the engine reports one."""
        self.run("up", "--yes", "--skip-preview", *self._deployment, *arguments)

    def preview(self, *arguments: str) -> None:
        """Show what `up` would do, under the policy pack."""
        self.run("preview", *self._deployment, *arguments)

    def refresh(self, *urns: str) -> None:
        """Compare the resources named with what there is, and forget those that are gone."""
        targets = [argument for urn in urns for argument in ("--target", urn)]
        self.run("refresh", "--yes", "--skip-preview", *self._config, "--stack", STACK, *targets)

    def destroy(self) -> None:
        """Delete every resource of the stack."""
        self.run("destroy", "--yes", "--skip-preview", *self._config, "--stack", STACK)

    def export(self) -> dict[str, Any]:
        """The stack's state as the engine stores it, secrets encrypted."""
        exported: dict[str, Any] = json.loads(self.run("stack", "export", "--stack", STACK))
        return exported

    def has(self, resource_type: str) -> bool:
        """Whether the state holds a resource of that type; False before the stack was made."""
        if not any((self.instance.state_dir / "pulumi-state/.pulumi/stacks").rglob("*.json")):
            return False
        resources = self.export()["deployment"].get("resources", [])
        return any(resource["type"] == resource_type for resource in resources)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs; secret ones masked."""
        text = self.run("stack", "output", "--json", "--stack", STACK)
        outputs: dict[str, Any] = json.loads(text)
        return outputs

    @property
    def _config(self) -> tuple[str, ...]:
        return ("--config-file", str(self.config_file))

    @property
    def _deployment(self) -> tuple[str, ...]:
        return (*self._config, "--stack", STACK, "--policy-pack", str(POLICY_PACK))

    def run(self, *arguments: str) -> str:
        """Run one engine command in the project and return its standard output.

        What changes or previews the stack is shown as it goes, and kept in the instance's logs. An
        interrupt reaches the engine, which ends its running steps and saves its state before it
        stops. Raises StackError with the command and its exit status.
        """
        streamed = arguments[0] in {"up", "preview", "refresh", "destroy"}
        with subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive"],
            # A new stack's salt is written beside the project's file: there, not in the repository.
            cwd=REPOSITORY if streamed else self.instance.state_dir,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if streamed else subprocess.PIPE,
            text=True,
            # A second SIGINT makes the engine abandon its steps, and the terminal sends one to the
            # whole foreground group: in a group of its own the engine gets only the one below.
            process_group=0,
        ) as engine:
            try:
                if streamed:
                    self._show(engine)
                output, errors = engine.communicate()
            except KeyboardInterrupt:
                engine.send_signal(signal.SIGINT)
                if streamed:
                    self._show(engine)
                engine.wait()
                raise
        if engine.returncode:
            detail = f": {errors.strip()}" if errors else ""
            raise StackError(f"`pulumi {arguments[0]}` ended with {engine.returncode}{detail}")
        return output

    def _show(self, engine: subprocess.Popen[str]) -> None:
        """Pass the engine's lines on until it ends."""
        self.instance.logs.mkdir(parents=True, exist_ok=True)
        with (self.instance.logs / "pulumi.log").open("a") as log:
            for line in engine.stdout or ():
                log.write(line)
                # Which plugin is used, and why, the toolchain has said already.
                if "warning: using pulumi-" not in line:
                    print(line, end="", flush=True)
