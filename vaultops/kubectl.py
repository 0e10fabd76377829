"""kubectl as a function call: one cluster, named once. Owns the call and what its failures mean.

kubectl finds credentials of every kind (exec plugins of the clouds too) in a tenth of the start-up
time of a client library. No secret is ever one of its arguments.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaultops.errors import DeniedError, UnreachableError, VaultOpsError

_UNREACHABLE = (
    "connection refused",
    "no such host",
    "was refused",
    "i/o timeout",
    "no configuration has been provided",
    "current-context is not set",
    "no such file or directory",
    "Unable to connect",
    "network is unreachable",
    "EOF",
)


class NotFoundError(VaultOpsError):
    """The cluster answers and has no such object."""


@dataclass(frozen=True)
class Kubectl:
    """`kubeconfig` and `context` None mean kubectl's own defaults; `namespace` is always given."""

    namespace: str
    kubeconfig: str | None = None
    context: str | None = None

    def command(self, *arguments: str) -> list[str]:
        """The argument vector of a call."""
        own = ["--namespace", self.namespace]
        if self.kubeconfig:
            own += ["--kubeconfig", str(Path(self.kubeconfig).expanduser())]
        if self.context:
            own += ["--context", self.context]
        return ["kubectl", *own, *arguments]

    def run(self, *arguments: str, seconds: float = 30) -> str:
        """Standard output of one call.

        Raises UnreachableError without a cluster, NotFoundError, DeniedError, or VaultOpsError.
        """
        where = f"kubectl {' '.join(arguments[:3])} (namespace {self.namespace})"
        try:
            done = subprocess.run(
                self.command(*arguments, f"--request-timeout={seconds:.0f}s"),
                capture_output=True,
                text=True,
                timeout=seconds + 5,
                check=False,
            )
        except FileNotFoundError:
            raise VaultOpsError(
                "kubectl is not on PATH",
                where=where,
                why="the cluster is reached through it",
                fix="install kubectl, or run `.venv/bin/python -m local.toolchain kubectl`",
            ) from None
        except subprocess.TimeoutExpired:
            raise UnreachableError(
                "the cluster does not answer",
                where=where,
                why=f"nothing came back in {seconds:.0f} s",
                fix="check the kubeconfig's server address",
            ) from None
        if done.returncode == 0:
            return done.stdout
        raise _failure(done.stderr.strip(), where)

    def json(self, *arguments: str) -> Any:
        """The parsed answer of a call with `--output=json`."""
        return json.loads(self.run(*arguments, "--output=json"))


def _failure(text: str, where: str) -> VaultOpsError:
    lines = text.splitlines() or ["kubectl gave no reason"]
    why = lines[-1]
    if told := [line for line in lines if "getting credentials" in line]:
        return DeniedError(
            "the kubeconfig gives no credentials",
            where=where,
            why=told[-1],
            fix="log in to the cloud that has the cluster, and install the program that is named",
        )
    if "NotFound" in text or "not found" in text:
        return NotFoundError(
            "the cluster has no such object", where=where, why=why, fix="deploy the stack first"
        )
    if "Forbidden" in text or "forbidden" in text or "Unauthorized" in text:
        return DeniedError(
            "the cluster refuses this identity",
            where=where,
            why=why,
            fix="use a kubeconfig whose user may do that",
        )
    if "context" in text and "does not exist" in text:
        return VaultOpsError(
            "the kubeconfig has no such context",
            where=where,
            why=why,
            fix="set strongroom:kubernetes.context to a name of `kubectl config get-contexts`",
        )
    if any(sign in text for sign in _UNREACHABLE):
        return UnreachableError(
            "no cluster answers",
            where=where,
            why=why,
            fix="start the cluster, or correct strongroom:kubernetes (kubeconfig, context)",
        )
    return VaultOpsError("kubectl failed", where=where, why=why, fix="see the reason above")
