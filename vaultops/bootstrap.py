"""A running Vault from nothing to a deployer credential, in steps that can each be repeated.

Owns the order: initialise, keep, unseal, join, audit, deployer credential, root token revoked and
proven dead. Killed anywhere, the next `run` reads the servers' state and goes on. Vault's contents
(mounts, roles, policies of workloads) belong to the Pulumi program.
"""

from __future__ import annotations

from dataclasses import dataclass

from vaultops.configure import configure, drop_root
from vaultops.custody import Custodian, InitRecord
from vaultops.errors import DeniedError, VaultOpsError
from vaultops.identity import log_in
from vaultops.initialise import initialise
from vaultops.options import BootstrapOptions, Progress, silent
from vaultops.state import AUDIT_DEVICES, BootstrapState, Observation, observe
from vaultops.target import Target
from vaultops.unseal import unseal
from vaultops.wait import wait_for


@dataclass(frozen=True, kw_only=True)
class BootstrapResult:
    """Facts for outputs; no secret among them. `initialised` says whether this run did it."""

    cluster_id: str
    completed_state: BootstrapState
    audit_devices: tuple[str, ...]
    initialised: bool


def run(
    target: Target,
    custodian: Custodian,
    options: BootstrapOptions,
    progress: Progress = silent,
) -> BootstrapResult:
    """Bring the cluster to a working deployer credential, from whatever state it is in.

    `progress` is told each state as it is reached. Raises VaultOpsError; the next run goes on.
    """
    observation = _await_servers(target, options, progress)
    record, initialised = None, False
    if observation.state is BootstrapState.UNINITIALISED:
        record = initialise(
            target,
            custodian,
            shares=options.shares,
            threshold=options.threshold,
            auto_unseal=options.auto_unseal,
        )
        initialised = record is not None
        if initialised:
            progress(BootstrapState.INITIALISED, f"shares are kept in {custodian.where}")
    record = record or custodian.load()
    _bring_up(target, record, options, progress)
    observation = observe(target)
    active = observation.active or 0
    if record and record.root_token:
        with target.pod_client(active, record.root_token) as client:
            configure(client, options, custodian, progress)
    jwt = options.issue_jwt(options.deployer)
    try:
        verify_deployer(target, active, options, jwt)
    except DeniedError as reason:
        raise _stuck(custodian, record, reason) from None
    if record and record.root_token:
        with target.pod_client(active, record.root_token) as client:
            drop_root(client, custodian, progress)
    progress(BootstrapState.DEPLOYER_CREDENTIAL, "the deployer logs in; no root token exists")
    return BootstrapResult(
        cluster_id=observation.cluster_id,
        completed_state=BootstrapState.DEPLOYER_CREDENTIAL,
        audit_devices=AUDIT_DEVICES,
        initialised=initialised,
    )


def verify_deployer(target: Target, ordinal: int, options: BootstrapOptions, jwt: str) -> None:
    """Log in as the deployer and give the token back. Raises DeniedError when Vault refuses."""
    with target.pod_client(ordinal) as client:
        auth = log_in(client, options.deployer, jwt)
        client.token = auth["client_token"]
        client.auth.token.revoke_self()


def _await_servers(target: Target, options: BootstrapOptions, progress: Progress) -> Observation:
    """Wait until no server's silence can hide an initialised cluster."""
    seen: list[Observation] = []

    def probe() -> str | None:
        seen[:] = [observe(target)]
        silent = [r.name for r in seen[0].replicas if not r.answers]
        initialised = any(r.initialised for r in seen[0].replicas)
        return None if initialised or not silent else f"no answer from {', '.join(silent)}"

    wait_for(
        probe,
        what="every Vault server to answer",
        where="sys/seal-status of each replica",
        seconds=options.deadline,
        fix="`kubectl describe pod` and the pods' logs say why; then run `up` again",
        on_change=lambda message: progress(BootstrapState.NO_SERVER, message),
    )
    progress(seen[0].state, f"the cluster is {seen[0].state}")
    return seen[0]


def _bring_up(
    target: Target, record: InitRecord | None, options: BootstrapOptions, progress: Progress
) -> None:
    shares = record.shares if record and not options.auto_unseal and not record.wrapped else ()
    told = False

    def probe() -> str | None:
        nonlocal told
        observation = observe(target)
        if not told and observation.state.rank >= BootstrapState.UNSEALED.rank:
            told = True
            progress(BootstrapState.UNSEALED, "a leader is unsealed")
        if observation.state is BootstrapState.JOINED:
            return None
        if shares and any(r.initialised and r.sealed for r in observation.replicas):
            unseal(target, shares)
        return observation.missing or "no leader yet"

    wait_for(
        probe,
        what=f"{target.replicas} unsealed, joined servers",
        where="sys/seal-status and sys/leader of each replica",
        seconds=options.deadline,
        fix=_way_out(record, options.auto_unseal),
        on_change=lambda message: progress(BootstrapState.INITIALISED, message),
    )
    progress(BootstrapState.JOINED, f"{target.replicas} servers follow one leader")


def _way_out(record: InitRecord | None, auto_unseal: bool) -> str:
    logs = "look for `core: ` and `raft` lines in the pods' logs: KMS access, certificates, network"
    if record is None:
        return (
            f"{logs}; the custodian keeps no record: if its initialisation broke off, this Vault "
            "holds no data; delete its volumes and run `up` again, else correct custodian in the "
            "stack"
        )
    if record.wrapped and not auto_unseal:
        return (
            "the shares are wrapped: their holders run `strongroom vault unseal`, then `up` again"
        )
    return logs


def _stuck(custodian: Custodian, record: InitRecord | None, reason: DeniedError) -> VaultOpsError:
    if record is None:
        what = "Vault is initialised, the custodian holds no record, and the deployer cannot log in"
    elif record.root_token is None:
        what = "the deployer cannot log in, and the root token was revoked"
    else:
        what = "neither the deployer nor the kept root token is accepted"
    return DeniedError(
        what,
        where=f"{custodian.where}; {reason.where}",
        why=reason.why,
        fix="if this Vault holds data: generate a root token with the share holders (runbook "
        "'key custody') and put it into the record; if it never held any: delete its volumes "
        "and run `up` again; if the record is of another cluster: correct custodian in the stack",
    )
