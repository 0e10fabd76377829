"""Unsealing a Shamir-sealed cluster with shares. Owns the handing in; keeps no share."""

from __future__ import annotations

from collections.abc import Sequence

import hvac.exceptions

from vaultops.errors import DeniedError, UnreachableError, VaultOpsError
from vaultops.state import Replica, probe
from vaultops.target import Target


def unseal(target: Target, shares: Sequence[str]) -> tuple[Replica, ...]:
    """Hand `shares` to every sealed replica; each stops asking when it has enough.

    Replicas that have not joined yet are left alone. Fewer shares than the threshold are kept by
    the servers, so holders may come one after the other. A text that is no share costs none of
    them; a share of another cluster shows when the last one is entered, and costs all. Raises
    DeniedError for both and VaultOpsError when the seal is not Shamir.
    """
    for ordinal in range(target.replicas):
        replica = probe(target, ordinal)
        if replica.answers and replica.initialised and replica.sealed:
            _unseal(target, ordinal, replica, shares)
    return tuple(probe(target, ordinal) for ordinal in range(target.replicas))


def _unseal(target: Target, ordinal: int, replica: Replica, shares: Sequence[str]) -> None:
    if replica.seal_type not in ("", "shamir"):
        raise VaultOpsError(
            f"{replica.name} is sealed by {replica.seal_type}, not by shares",
            where=replica.name,
            why="recovery shares cannot decrypt; only the KMS key can",
            fix="make the KMS key reachable and restart the pod",
        )
    entered = replica.unseal_progress
    with target.pod_client(ordinal) as client:
        for share in shares:
            try:
                status = client.sys.submit_unseal_key(share)
            except hvac.exceptions.InvalidRequest as reason:
                if client.sys.read_seal_status()["progress"] == entered:
                    raise DeniedError(
                        f"{replica.name} refuses the share; those entered before are kept",
                        where=replica.name,
                        why="; ".join(map(str, reason.errors or ())),
                        fix="enter this share again, and the whole of it",
                    ) from None
                _forget(target)
                raise DeniedError(
                    f"{replica.name} refuses the shares; every server has forgotten them",
                    where=replica.name,
                    why="at least one share is not of this cluster",
                    fix="all holders begin anew, with the shares of the newest custody record",
                ) from None
            except hvac.exceptions.InternalServerError as reason:
                raise UnreachableError(
                    f"{replica.name} cannot unseal yet",
                    where=replica.name,
                    why=str(reason),
                    fix="wait until it has joined and try again",
                ) from None
            if not status["sealed"]:
                return
            entered = status["progress"]


def _forget(target: Target) -> None:
    """Reset every sealed server: those that have not tried the wrong share yet hold it, too."""
    for ordinal in range(target.replicas):
        replica = probe(target, ordinal)
        if replica.answers and replica.initialised and replica.sealed:
            with target.pod_client(ordinal) as client:
                client.sys.submit_unseal_key(reset=True)
