"""How far a Vault cluster has come, read from the running servers.

Owns the states of the bootstrap and how each is recognised. Without a token it sees as far as
`joined`; the rest is hidden behind Vault's own access rules, and asked with the token given.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import hvac
import hvac.exceptions

from vaultops.errors import UntrustedError, VaultOpsError
from vaultops.target import Target

AUDIT_DEVICES = ("stdout", "file")
_BUILT_IN_MOUNTS = frozenset({"cubbyhole/", "identity/", "sys/", "agent-registry/"})
PROBE_SECONDS = 5.0


class BootstrapState(StrEnum):
    """From nothing to ready, in order."""

    NO_SERVER = "no-server"
    UNINITIALISED = "uninitialised"
    INITIALISED = "initialised"
    UNSEALED = "unsealed"
    JOINED = "joined"
    AUDITED = "audited"
    DEPLOYER_CREDENTIAL = "deployer-credential"
    CONFIGURED = "configured"

    @property
    def rank(self) -> int:
        """The place in the order, from 0."""
        return list(BootstrapState).index(self)


@dataclass(frozen=True, kw_only=True)
class Replica:
    """What one server says of itself without a token; `answers` False leaves the rest empty.

    `applied_index` is the last entry of Raft's log that is in its data; 0 while it is sealed.
    """

    name: str
    answers: bool
    initialised: bool = False
    sealed: bool = True
    active: bool = False
    leader: str = ""
    cluster_id: str = ""
    applied_index: int = 0
    version: str = ""
    seal_type: str = ""
    unseal_progress: int = 0
    unseal_threshold: int = 0


@dataclass(frozen=True, kw_only=True)
class Observation:
    """The state and what it was read from."""

    state: BootstrapState
    replicas: tuple[Replica, ...]

    @property
    def active(self) -> int | None:
        """The ordinal of the active server, None while there is none."""
        return next((i for i, replica in enumerate(self.replicas) if replica.active), None)

    @property
    def cluster_id(self) -> str:
        """Vault's own id of the cluster; empty while it is sealed."""
        return next((r.cluster_id for r in self.replicas if r.cluster_id), "")

    @property
    def missing(self) -> str:
        """What keeps the servers from being joined, in a few words."""
        silent = [r.name for r in self.replicas if not r.answers]
        if silent:
            return f"no answer from {', '.join(silent)}"
        outside = [r.name for r in self.replicas if not r.initialised]
        if outside:
            return f"not joined: {', '.join(outside)}"
        sealed = [r.name for r in self.replicas if r.sealed]
        if sealed:
            return f"sealed: {', '.join(sealed)}"
        active = [r.name for r in self.replicas if r.active]
        if len(active) != 1:
            return f"{len(active)} active servers instead of 1"
        return "" if _joined(self.replicas) else "the servers follow different leaders"


def observe(target: Target, token: str | None = None) -> Observation:
    """Read the state. With a token also what it may see; a token without the right sees less.

    Raises UntrustedError for a certificate that our CA did not issue.
    """
    replicas = tuple(probe(target, ordinal) for ordinal in range(target.replicas))
    observation = Observation(state=_open_state(replicas), replicas=replicas)
    if token is None or observation.active is None:
        return observation
    with target.pod_client(observation.active, token) as client:
        state = _hidden_state(client, observation.state)
    return Observation(state=state, replicas=replicas)


def probe(target: Target, ordinal: int) -> Replica:
    """What one server says of itself without a token."""
    name = target.name(ordinal)
    try:
        with target.pod_client(ordinal, seconds=PROBE_SECONDS) as client:
            status = client.sys.read_seal_status()
            leader = {} if status["sealed"] else client.sys.read_leader_status()
    except UntrustedError:
        raise
    except VaultOpsError:
        return Replica(name=name, answers=False)
    return Replica(
        name=name,
        answers=True,
        initialised=status["initialized"],
        sealed=status["sealed"],
        active=bool(leader.get("is_self")),
        leader=leader.get("leader_cluster_address", ""),
        cluster_id=status.get("cluster_id", ""),
        applied_index=leader.get("raft_applied_index", 0),
        version=status.get("version", ""),
        # Not recovery_seal_type: that is "shamir" under every auto-unseal seal.
        seal_type=status.get("type", ""),
        unseal_progress=status.get("progress", 0),
        unseal_threshold=status.get("t", 0),
    )


def audit_devices(client: hvac.Client) -> frozenset[str]:
    """The names of the enabled audit devices. Raises hvac's Forbidden without the right."""
    listed = client.sys.list_enabled_audit_devices()["data"]
    return frozenset(path.removesuffix("/") for path in listed)


def _open_state(replicas: tuple[Replica, ...]) -> BootstrapState:
    answering = [replica for replica in replicas if replica.answers]
    if not answering:
        return BootstrapState.NO_SERVER
    if not any(replica.initialised for replica in answering):
        return BootstrapState.UNINITIALISED
    if not any(replica.active for replica in answering):
        return BootstrapState.INITIALISED
    return BootstrapState.JOINED if _joined(replicas) else BootstrapState.UNSEALED


def _joined(replicas: tuple[Replica, ...]) -> bool:
    return (
        all(r.answers and r.initialised and not r.sealed for r in replicas)
        and len({r.leader for r in replicas}) == 1
        and sum(r.active for r in replicas) == 1
    )


def _hidden_state(client: hvac.Client, known: BootstrapState) -> BootstrapState:
    if known is not BootstrapState.JOINED:
        return known
    try:
        audited = audit_devices(client).issuperset(AUDIT_DEVICES)
    except hvac.exceptions.Forbidden:
        pass  # the deployer's own policy keeps it from the audit devices
    else:
        return BootstrapState.AUDITED if audited else known
    try:
        mounts = client.sys.list_mounted_secrets_engines()["data"]
    except hvac.exceptions.Forbidden:
        return known
    configured = set(mounts) - _BUILT_IN_MOUNTS
    return BootstrapState.CONFIGURED if configured else BootstrapState.DEPLOYER_CREDENTIAL
