"""A short session as the operator, for commands that people run. Owns the token's end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from vaultops.errors import DoubtError, VaultOpsError
from vaultops.identity import log_in, operator_role, request_jwt
from vaultops.kubectl import Kubectl
from vaultops.state import observe
from vaultops.target import Target


@contextmanager
def operator_session(target: Target, kubectl: Kubectl) -> Iterator[str]:
    """A token of the operator role, revoked afterwards; it is kept in memory only.

    Raises DoubtError without an active server, NotFoundError without the service account, and
    DeniedError when the cluster or Vault refuses the login.
    """
    active = observe(target).active
    if active is None:
        raise DoubtError(
            "no server is active, so nobody can log in",
            where="sys/leader",
            why=observe(target).missing or "no leader yet",
            fix="wait for a leader, or unseal (`strongroom vault unseal`)",
        )
    role = operator_role(kubectl.namespace)
    jwt = request_jwt(kubectl)(role)
    with target.pod_client(active) as client:
        token: str = log_in(client, role, jwt)["client_token"]
    try:
        yield token
    finally:
        with suppress(VaultOpsError):  # out of reach: it ends by itself within the hour
            _revoke(target, token)


def _revoke(target: Target, token: str) -> None:
    with target.pod_client(observe(target).active or 0, token) as client:
        client.auth.token.revoke_self()
