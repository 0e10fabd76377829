"""What the engine runs for a `VaultBootstrap`: the bootstrap itself, in a process of its own.

Owns the translation between the engine's properties and `vaultops`. The class is stored by its
module path, so its code is no part of the state. A preview calls nothing but `diff`, which compares
properties and asks no server. What happens is told on standard error, which the engine shows.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pulumi import dynamic

from vaultops import bootstrap, deployer
from vaultops.custodians import build
from vaultops.errors import UnreachableError
from vaultops.identity import deployer_role, operator_role, request_jwt
from vaultops.kubectl import Kubectl
from vaultops.options import BootstrapOptions
from vaultops.state import BootstrapState, observe
from vaultops.target import VaultTarget

SHAMIR = "shamir"
_COMPARED = (
    "namespace",
    "release",
    "address",
    "replicas",
    "seal",
    "ca_pem",
    "custodian",
    "token_file",
    "token_ttl",
    "kubeconfig",
    "context",
    "autopilot",
)
_REPLACING = ("namespace", "release")


class BootstrapProvider(dynamic.ResourceProvider):
    """Create and update run the same resumable bootstrap; delete leaves Vault and custody alone."""

    serialize_as_secret_always = False  # it holds nothing, and a secret would blur every diff

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Bring Vault to a deployer credential. Raises VaultOpsError; the next `up` goes on."""
        outs = _run(props)
        return dynamic.CreateResult(id_=outs["cluster_id"], outs=outs)

    def update(
        self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]
    ) -> dynamic.UpdateResult:
        """Go through all steps again; those already done change nothing."""
        return dynamic.UpdateResult(outs=_run(_news))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Compare the facts. `ready` is no fact: it only makes the resource wait."""
        changed = [key for key in _COMPARED if _plain(_olds.get(key)) != _plain(_news.get(key))]
        return dynamic.DiffResult(
            changes=bool(changed), replaces=[key for key in _REPLACING if key in changed]
        )

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Forget a Vault that is not initialised any more, so that the next `up` does it anew."""
        with _target(props) as target:
            try:
                state = observe(target).state
            except UnreachableError:
                state = BootstrapState.NO_SERVER
        if state is BootstrapState.UNINITIALISED:
            return dynamic.ReadResult(id_="", outs={})
        return dynamic.ReadResult(id_=id_, outs=props)


def _run(props: Mapping[str, Any]) -> dict[str, Any]:
    facts = _plain(props)
    kubectl = _kubectl(facts)
    custody = facts["custodian"]
    role = deployer_role(facts["namespace"], facts["token_ttl"])
    options = BootstrapOptions(
        issue_jwt=request_jwt(kubectl),
        auto_unseal=facts["seal"] != SHAMIR,
        shares=int(custody.get("shares", 5)),
        threshold=int(custody.get("threshold", 3)),
        deployer=role,
        operator=operator_role(facts["namespace"]),
        **_autopilot(facts.get("autopilot") or {}),
    )
    with _target(facts) as target:
        result = bootstrap.run(target, build(custody), options, _Reporter())
        active = observe(target).active or 0
        deployer.login(target, active, role, kubectl, Path(facts["token_file"]).expanduser())
    return {
        **props,
        "cluster_id": result.cluster_id,
        "completed_state": str(result.completed_state),
        "audit_devices": list(result.audit_devices),
    }


class _Reporter:
    """Tells each step with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, state: BootstrapState, message: str) -> None:
        elapsed = time.monotonic() - self._started
        print(f"vault [{elapsed:4.0f} s] {state}: {message}", file=sys.stderr, flush=True)


def _kubectl(facts: Mapping[str, Any]) -> Kubectl:
    return Kubectl(
        namespace=facts["namespace"],
        kubeconfig=facts.get("kubeconfig"),
        context=facts.get("context"),
    )


def _target(facts: Mapping[str, Any]) -> VaultTarget:
    return VaultTarget(
        kubectl=_kubectl(facts),
        replicas=int(facts["replicas"]),
        ca_pem=facts["ca_pem"],
        release=facts["release"],
    )


def _autopilot(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers come from the engine as floats, which Vault refuses."""
    return {key: int(value) if isinstance(value, float) else value for key, value in facts.items()}


def _plain(value: Any) -> Any:
    """Without the engine's own keys, and numbers of one kind, for comparing."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items() if not k.startswith("__")}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
