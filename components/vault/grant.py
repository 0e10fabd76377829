"""A grant in Vault: one policy, and one role that hands it to exactly the accounts named.

Owns the Vault side of `access.grant.Grant`. The role binds names, namespaces and audience together,
ties the login to the account's uid (a name can be created anew by somebody else), and switches the
`default` policy off.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_vault as vault

from access.grant import Grant
from access.policy_hcl import render


@dataclass(frozen=True, kw_only=True)
class VaultGrantArgs:
    """`auth_path` is the Kubernetes auth mount that the role belongs to."""

    grant: Grant
    auth_path: pulumi.Input[str]


class VaultGrant(pulumi.ComponentResource):
    """Produces the policy and the role, both named after the grant."""

    role: pulumi.Output[str]

    def __init__(
        self, name: str, args: VaultGrantArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:Grant", name, {}, opts)
        grant = args.grant
        policy = vault.Policy(
            f"{name}-policy",
            name=grant.name,
            policy=render(grant.policy),
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        role = vault.kubernetes.AuthBackendRole(
            f"{name}-role",
            backend=args.auth_path,
            role_name=grant.name,
            bound_service_account_names=list(grant.service_accounts),
            bound_service_account_namespaces=list(grant.namespaces),
            audience=grant.audience,
            alias_name_source="serviceaccount_uid",
            token_policies=[policy.name],
            token_no_default_policy=True,
            token_ttl=grant.token_ttl_seconds,
            token_max_ttl=grant.ttl_seconds,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self.role = role.role_name
        self.register_outputs({"role": self.role})
