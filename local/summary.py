"""The table of what runs in one local environment. Looks and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from kubernetes import client
from rich.console import Console
from rich.table import Table
from urllib3.exceptions import HTTPError

from local.environment import Environment
from local.workload import Cluster

# What Vault writes into its own pods' labels: label, value, and what it means.
_VAULT_LABELS = (
    ("vault-initialized", "true", "initialised"),
    ("vault-sealed", "false", "unsealed"),
    ("vault-active", "true", "active"),
)


MINIMUM_WIDTH = 132  # characters: paths that are folded cannot be copied


def show(environment: Environment) -> None:
    """Print one row for each part: what it is, where it is reached, how it is."""
    console = Console(width=max(Console().width, MINIMUM_WIDTH), highlight=False)
    status = environment.node.status()
    if not status.exists:
        console.print(f"nothing runs in environment {environment.instance.name}; `make up` does it")
        return
    table = Table(title=f"environment {environment.instance.name}", title_justify="left")
    for heading in ("what", "where", "state"):
        table.add_column(heading, overflow="fold")
    ready = "Ready" if status.ready else "not Ready"
    table.add_row("Kubernetes node", f"KUBECONFIG={environment.node.kubeconfig}", ready)
    for name, forward in sorted(status.forwards.items()):
        running = status.processes.get(name, status.processes.get("keeper"))
        state = "not running" if running is None else f"pid {running}"
        scheme = _SCHEMES.get(name, "")
        table.add_row(_TITLES.get(name, name), f"{scheme}127.0.0.1:{forward.host_port}", state)
    if status.ready and "vault" in status.forwards:
        cluster = environment.cluster()
        table.add_row("Vault's CA", str(cluster.vault_ca), "")
        for row in _pods(cluster):
            table.add_row(*row)
    console.print(table)


_TITLES = {
    "kube-apiserver": "API server",
    "vault": "Vault, its API and UI",
    "postgresql": "PostgreSQL",
    "aws": "AWS stand-in (moto)",
}
_SCHEMES = {"kube-apiserver": "https://", "vault": "https://", "aws": "http://"}


def _pods(cluster: Cluster) -> Iterator[tuple[str, str, str]]:
    try:
        pods = client.CoreV1Api(cluster.api()).list_pod_for_all_namespaces().items
    except (client.ApiException, HTTPError) as error:
        yield "pods", "", f"the API server does not list them: {type(error).__name__}"
        return
    for pod in pods:
        metadata, status = pod.metadata, pod.status
        labels = metadata.labels or {}
        facts = [text for label, value, text in _VAULT_LABELS if labels.get(label) == value]
        yield "pod", f"{metadata.namespace}/{metadata.name}", ", ".join([status.phase, *facts])
