"""What the bootstrap makes in Vault by itself, so that no state knows it, as things.

Owns their facts as `vaultops.configure` writes them: audit devices, the two platform logins with
their mount, and their policies. They are the program's as much as a grant is.
"""

from __future__ import annotations

from collections.abc import Iterator

from drift.model import Kind, Thing
from vaultops.identity import Role, deployer_role, operator_role
from vaultops.options import BootstrapOptions
from vaultops.policies import DEPLOYER_MOUNT, deployer_policy, operator_policy
from vaultops.state import AUDIT_DEVICES

# A device is as safe as these are unset: values in clear, accessors that can be used, entries or
# parts of them left out, and lines that no reader of audit logs knows.
AUDIT_OPTIONS = (
    *("log_raw", "hmac_accessor", "elide_list_responses", "mode"),
    *("exclude", "fallback", "filter", "format", "prefix"),
)


def bootstrapped(*, namespace: str, token_ttl: str, origin: str) -> Iterator[Thing]:
    """Everything that the bootstrap of a stack has made."""
    for device in AUDIT_DEVICES:
        stdout = device == "stdout"
        facts = {
            "type": "file",
            **dict.fromkeys(AUDIT_OPTIONS),
            "file_path": "stdout" if stdout else BootstrapOptions.audit_file,
            "mode": None if stdout else "0600",
        }
        yield Thing(kind=Kind.AUDIT, name=device, facts=facts, origin=origin)
    yield Thing(
        kind=Kind.AUTH,
        name=DEPLOYER_MOUNT,
        facts={"type": "kubernetes", "default_lease_ttl": 0, "max_lease_ttl": 0},
        origin=origin,
    )
    yield Thing(
        kind=Kind.LOGIN,
        name=f"auth/{DEPLOYER_MOUNT}/config",
        facts={"kubernetes_ca_cert": "", "pem_keys": [], "token_reviewer_jwt_set": False},
        origin=origin,
    )
    roles = (deployer_role(namespace, token_ttl), operator_role(namespace))
    for role, text in zip(roles, (deployer_policy(), operator_policy()), strict=True):
        yield Thing(kind=Kind.POLICY, name=role.policy, facts={"policy": text}, origin=origin)
        yield Thing(
            kind=Kind.LOGIN,
            name=f"auth/{role.mount}/role/{role.name}",
            facts=_login(role),
            origin=origin,
        )


def _login(role: Role) -> dict[str, object]:
    return {
        "bound_service_account_names": [role.service_account],
        "bound_service_account_namespaces": [role.namespace],
        "bound_service_account_namespace_selector": "",
        "audience": role.audience,
        "alias_name_source": "serviceaccount_uid",
        "token_policies": [role.policy],
        "token_no_default_policy": True,
        "token_ttl": role.ttl,
        "token_max_ttl": role.ttl,
        "token_explicit_max_ttl": 0,
        "token_period": 0,
        "token_num_uses": 0,
        "token_bound_cidrs": [],
    }
