"""Proofs that only the running system can give, each a function over `compliance.live.Live`.

Owns the collection, and that a check which cannot ask is "not checked" with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import hvac.exceptions

from compliance.checks import cluster, tokens, transport, vault
from compliance.checks.answers import Answer, unknown
from compliance.live import Live
from compliance.model import Evidence
from vaultops.errors import VaultOpsError
from vaultops.look import NotAllowedError

CHECKS: Mapping[str, Callable[[Live], Answer]] = {
    "audit-answers": vault.audit_answers,
    "audit-devices": vault.audit_devices,
    "certificates-are-valid": transport.certificates_are_valid,
    "default-deny": cluster.default_deny,
    "keys-are-rotated": vault.keys_are_rotated,
    "listener-is-hardened": vault.listener_is_hardened,
    "no-password-logins": vault.no_password_logins,
    "no-root-token": tokens.no_root_token,
    "old-tls-is-refused": transport.old_tls_is_refused,
    "raft-is-healthy": vault.raft_is_healthy,
    "seal-is-automatic": vault.seal_is_automatic,
    "servers-are-joined": vault.servers_are_joined,
    "servers-are-spread": cluster.servers_are_spread,
    "snapshots-succeed": cluster.snapshots_succeed,
    "stores-are-ready": cluster.stores_are_ready,
    "tokens-end": tokens.tokens_end,
    "vault-is-confined": cluster.vault_is_confined,
    "vault-is-unprivileged": cluster.vault_is_unprivileged,
}
"""Every check by its id; the first line of its docstring is what it asks."""


def ask(live: Live) -> Mapping[str, Evidence]:
    """The answer of every check."""
    return {id_: _asked(id_, check, live) for id_, check in CHECKS.items()}


def _asked(id_: str, check: Callable[[Live], Answer], live: Live) -> Evidence:
    try:
        answer = check(live)
    except (NotAllowedError, VaultOpsError, hvac.exceptions.VaultError) as error:
        answer = unknown("; ".join(line.strip() for line in str(error).splitlines()))
    return Evidence(
        proof=id_, state=answer.state, said=answer.said, where=answer.where, fix=answer.fix
    )
