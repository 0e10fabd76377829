"""Vault's initialisation, once. Owns the order: the custodian is proven, then Vault is asked.

Between Vault's answer and the custodian's durable write lies one window that no client can close:
a power cut of this machine in those milliseconds leaves an initialised Vault without shares. It
holds nothing else than the write itself, and a Vault in it holds no data yet: it is wiped and
initialised anew (docs, "key custody").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import hvac.exceptions

from vaultops.custody import Custodian, InitRecord
from vaultops.errors import UnreachableError, VaultOpsError
from vaultops.target import Target

INIT_SECONDS = 120.0
_LOST = (
    "it goes on with the record, and where there is none says so: then nobody has this Vault's "
    "shares and it holds no data; delete its volumes (runbook 'key custody')"
)


def initialise(
    target: Target, custodian: Custodian, *, shares: int, threshold: int, auto_unseal: bool
) -> InitRecord | None:
    """Initialise through replica 0 and keep the answer; None when somebody else was faster.

    Raises VaultOpsError before Vault is asked when the custodian cannot write, and afterwards when
    Vault refuses (for example its KMS does), does not answer, or the answer cannot be kept.
    """
    if custodian.pgp_keys and len(custodian.pgp_keys) != shares:
        raise VaultOpsError(
            f"{len(custodian.pgp_keys)} PGP keys for {shares} shares; Vault was not initialised",
            where="strongroom:vault custodian.keys",
            why="each share is encrypted to one holder's key",
            fix=f"name {shares} public keys, or set custodian.shares",
        )
    custodian.check()
    kind = "recovery" if auto_unseal else "secret"
    request: dict[str, Any] = {f"{kind}_shares": shares, f"{kind}_threshold": threshold}
    if custodian.pgp_keys:
        request["recovery_pgp_keys" if auto_unseal else "pgp_keys"] = list(custodian.pgp_keys)
    with target.pod_client(0) as client:
        seal_type = client.sys.read_seal_status()["type"]
    _check_seal(seal_type, auto_unseal, target.name(0))
    response = _ask(target, request)
    if response is None:
        return None
    record = InitRecord.from_response(
        response, seal_type=seal_type, threshold=threshold, wrapped=bool(custodian.pgp_keys)
    )
    _keep(custodian, record)
    return record


def _ask(target: Target, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Vault's answer, None when it was initialised already."""
    try:
        with target.pod_client(0, seconds=INIT_SECONDS) as client:
            try:
                answer: Mapping[str, Any] = client.adapter.put("/v1/sys/init", json=request)
            except hvac.exceptions.VaultError as reason:
                if "already initialized" in str(reason):
                    return None
                raise VaultOpsError(
                    "Vault refuses to initialise",
                    where=target.name(0),
                    why=str(reason),
                    fix="for a KMS error: check the key, its policy and the pods' cloud identity; "
                    "if the server calls itself initialised now, it holds no data: delete its "
                    "volumes",
                ) from None
    except UnreachableError as reason:
        raise VaultOpsError(
            "Vault did not answer to its initialisation",
            where=target.name(0),
            why=reason.why,
            fix=f"run `up` again; {_LOST}",
        ) from None
    return answer


def _keep(custodian: Custodian, record: InitRecord) -> None:
    try:
        custodian.store(record)
    except (VaultOpsError, OSError) as reason:
        raise VaultOpsError(
            "Vault is initialised, and its shares may not have been kept",
            where=custodian.where,
            why=reason.why if isinstance(reason, VaultOpsError) else str(reason),
            fix=f"put right what is named, then run `up` again; {_LOST}",
        ) from None


def _check_seal(seal_type: str, auto_unseal: bool, where: str) -> None:
    if (seal_type == "shamir") is auto_unseal:
        wanted = "an auto-unseal seal" if auto_unseal else "the shamir seal"
        raise VaultOpsError(
            f"the server runs with seal {seal_type!r}, the stack asks for {wanted}",
            where=f"{where}, strongroom:vault seal.type",
            why="shares of the wrong kind would be made",
            fix="deploy the server with the stack's seal, or correct seal.type",
        )
