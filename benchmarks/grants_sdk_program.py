"""As many resources as `grants_program` makes, of the same kinds, written out without Strongroom.

What this takes is what Pulumi's SDK takes for a component, a policy and a role a grant.
"""

from __future__ import annotations

import atexit
import gc
import time
from pathlib import Path

import pulumi
import pulumi_vault as vault

config = pulumi.Config("benchmark")
share = Path(config.require("share"))
atexit.register(lambda: share.write_text(str(time.process_time())))
if config.get_bool("searchRarely"):
    gc.set_threshold(100_000)
POLICY = """\
path "secret/data/team/app" {
  capabilities = ["read"]
}
"""
opts = pulumi.ResourceOptions(providers=[vault.Provider("vault", skip_child_token=True)])
for number in range(config.require_int("count")):
    name = f"grant-{number:04}"
    pair = pulumi.ComponentResource("benchmark:index:Pair", name, {}, opts)
    below = pulumi.ResourceOptions(parent=pair, delete_before_replace=True)
    policy = vault.Policy(f"{name}-policy", name=name, policy=POLICY, opts=below)
    role = vault.kubernetes.AuthBackendRole(
        f"{name}-role",
        backend="kubernetes",
        role_name=name,
        bound_service_account_names=["app"],
        bound_service_account_namespaces=["team"],
        audience="vault",
        alias_name_source="serviceaccount_uid",
        token_policies=[policy.name],
        token_no_default_policy=True,
        token_ttl=3600,
        token_max_ttl=3600,
        opts=below,
    )
    pair.register_outputs({"role": role.role_name})
