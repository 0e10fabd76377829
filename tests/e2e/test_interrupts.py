"""`make up` broken off at nine places, by hand and by kill, and started again: the same end.

And `make down` afterwards: nothing of it is left on the machine.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.environment import Environment
from local.paths import REPOSITORY, Instance
from tests.e2e.instances import new_environment, processes_of
from tests.e2e.traces import Traces

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

# What `up` prints just then, and how it is ended: Ctrl-C, or a kill of program, engine and plugins.
PLACES = (
    ("node: bringing Kubernetes up", signal.SIGINT),
    ("images: imported", signal.SIGINT),
    ("services: ", signal.SIGINT),
    ("] initialised: shares are kept", signal.SIGKILL),
    ("] unsealed: ", signal.SIGKILL),
    ("] joined: ", signal.SIGKILL),
    ("] audited: audit devices", signal.SIGKILL),
    ("] deployer-credential: the root token is revoked", signal.SIGKILL),
    # Vault may make it, and nobody notes that: a mount is refused the second time.
    ("vault:index:Mount pki-root-mount creating", signal.SIGKILL),
)


def up(instance: Instance) -> subprocess.Popen[str]:
    """`make up` of one instance, in a session of its own."""
    return subprocess.Popen(
        [
            sys.executable,
            "-u",
            "-m",
            "local",
            "up",
            "--instance",
            instance.name,
        ],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def break_off(instance: Instance, line: str, number: signal.Signals) -> str:
    """Start `up` and end it as soon as it prints `line`; returns what it printed."""
    with up(instance) as running:
        assert running.stdout is not None
        said = []
        for text in running.stdout:
            said.append(text)
            if line in text:
                if number is signal.SIGKILL:
                    kill_engine(instance, running.pid)
                else:
                    os.killpg(running.pid, number)
                break
        said += running.stdout.readlines()
    output = "".join(said)
    assert line in output, f"up never printed {line!r}:\n{output}"
    assert running.returncode != 0, f"up ended before it could be broken off:\n{output}"
    return output


def kill_engine(instance: Instance, program: int) -> None:
    """SIGKILL to the program, the engine and every plugin; the node's own processes live on."""
    home = str(instance.state_dir / "pulumi-home").encode()
    os.kill(program, signal.SIGKILL)
    for pid, text in processes_of(instance).items():
        if b"PULUMI_HOME=" + home in text:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it ended with its parent


def custody_records(environment: Environment) -> list[Path]:
    """Every initialisation that was ever kept."""
    return sorted(environment.instance.state_dir.glob("vault-init*"))


def urns(environment: Environment) -> set[str]:
    return {r["urn"] for r in environment.stack.export()["deployment"]["resources"]}


def test_broken_off_anywhere_the_same_command_goes_on(environment: Environment) -> None:
    before = Traces.now()
    with new_environment() as broken:
        for line, number in PLACES:
            output = break_off(broken.instance, line, number)
            if number is signal.SIGINT:
                assert "interrupted; `make up` goes on from here" in output
        with up(broken.instance) as last:
            output = last.communicate()[0]
        assert last.returncode == 0, output
        assert "the job says: tracking at" in output
        broken.stack.up("--expect-no-changes")
        assert urns(broken) == urns(environment)
        records = custody_records(broken)
        assert len(records) == 1, "Vault was initialised more than once"
        record = json.loads(records[0].read_text())
        assert record["root_token"] is None
        assert len(record["shares"]) == 5
    Traces.now().none_new(before, broken.instance)
    assert not broken.instance.state_dir.exists()
