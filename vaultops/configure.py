"""The only work of the root token: audit, Raft housekeeping, the two roles; then its end.

Owns the order (audit devices before anything else is written) and the proof that the token is dead.
Every step is written as it should be, so that a second time changes nothing.
"""

from __future__ import annotations

import hvac
import hvac.exceptions

from vaultops.custody import Custodian
from vaultops.errors import DoubtError
from vaultops.identity import Role
from vaultops.options import BootstrapOptions, Progress
from vaultops.policies import deployer_policy, operator_policy
from vaultops.state import BootstrapState, audit_devices
from vaultops.wait import wait_for


def configure(
    client: hvac.Client, options: BootstrapOptions, custodian: Custodian, progress: Progress
) -> None:
    """Do the root token's work. Does nothing when the token is already revoked."""
    if not _alive(client):
        progress(BootstrapState.DEPLOYER_CREDENTIAL, f"the token in {custodian.where} is revoked")
        return
    enable_audit(client, options.audit_file)
    progress(BootstrapState.AUDITED, f"audit devices: stdout and {options.audit_file}")
    await_autopilot(client, options.deadline)
    client.adapter.post(
        "/v1/sys/storage/raft/autopilot/configuration",
        json={
            "cleanup_dead_servers": options.cleanup_dead_servers,
            "min_quorum": options.min_quorum,
            "dead_server_last_contact_threshold": options.dead_server_last_contact_threshold,
            "server_stabilization_time": options.server_stabilization_time,
        },
    )
    progress(BootstrapState.AUDITED, "autopilot is healthy and cleans up dead servers")
    client.sys.create_or_update_policy(options.deployer.policy, deployer_policy())
    client.sys.create_or_update_policy(options.operator.policy, operator_policy())
    progress(BootstrapState.AUDITED, "policies of the deployer and the operator are written")
    _enable_login(client, options)
    progress(BootstrapState.AUDITED, f"login at auth/{options.deployer.mount} is configured")


def enable_audit(client: hvac.Client, audit_file: str) -> None:
    """Log to the pod's output and to a file: Vault goes on while one of them works."""
    enabled = audit_devices(client)
    wanted = {
        "stdout": {"file_path": "stdout"},
        "file": {"file_path": audit_file, "mode": "0600"},
    }
    for name, device in wanted.items():
        if name not in enabled:
            client.sys.enable_audit_device(device_type="file", path=name, options=device)


def await_autopilot(client: hvac.Client, seconds: float) -> None:
    """Wait until autopilot calls every server healthy. Raises WaitedTooLongError."""

    def probe() -> str | None:
        state = client.adapter.get("/v1/sys/storage/raft/autopilot/state")["data"]
        if state["healthy"]:
            return None
        servers = state.get("servers") or {}
        ill = [name for name, server in servers.items() if not server["healthy"]]
        return f"not healthy: {', '.join(sorted(ill))}" if ill else "no verdict yet"

    wait_for(
        probe,
        what="Raft autopilot to call every server healthy",
        where="sys/storage/raft/autopilot/state",
        seconds=seconds,
        fix="look at the named servers' logs and network (port 8201)",
    )


def drop_root(client: hvac.Client, custodian: Custodian, progress: Progress) -> None:
    """Revoke the client's token, prove that it is denied, and remove it from custody."""
    if _alive(client):
        client.auth.token.revoke_self()
        progress(BootstrapState.DEPLOYER_CREDENTIAL, "the root token is revoked")
    if _alive(client):
        raise DoubtError(
            "the root token still works after it was revoked",
            where="auth/token/lookup-self",
            why="Vault accepted it",
            fix=f"revoke it by hand; it is still in {custodian.where}",
        )
    progress(BootstrapState.DEPLOYER_CREDENTIAL, "lookup-self with the root token is denied")
    custodian.drop_root_token()


def _alive(client: hvac.Client) -> bool:
    try:
        client.auth.token.lookup_self()
    except hvac.exceptions.Forbidden:
        return False
    return True


def _enable_login(client: hvac.Client, options: BootstrapOptions) -> None:
    mount = options.deployer.mount
    if f"{mount}/" not in client.sys.list_auth_methods()["data"]:
        client.sys.enable_auth_method("kubernetes", path=mount)
    client.adapter.post(f"/v1/auth/{mount}/config", json=options.kubernetes_auth)
    for role in (options.operator, options.deployer):
        client.adapter.post(f"/v1/auth/{mount}/role/{role.name}", json=_role(role))


def _role(role: Role) -> dict[str, object]:
    return {
        "bound_service_account_names": [role.service_account],
        "bound_service_account_namespaces": [role.namespace],
        "audience": role.audience,
        "alias_name_source": "serviceaccount_uid",
        "token_policies": [role.policy],
        "token_no_default_policy": True,
        "token_ttl": role.ttl,
        "token_max_ttl": role.ttl,
    }
