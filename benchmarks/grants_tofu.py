"""The grants of `benchmarks.grants` in OpenTofu, in two forms, with the provider that ours bridges.

Owns how they are written and called. The provider is built from the module that pulumi-vault pins.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hvac

from access.grant import Grant
from access.policy_hcl import render
from benchmarks.grants_sides import PARALLEL, Side, Step, environment
from local import toolchain

TOOLS = ("tofu", "terraform-provider-vault")
MAIN = "main.tf.json"

Json = dict[str, Any]


def blocks(
    grants: Sequence[Grant], more: Sequence[Grant], vault: hvac.Client, folder: Path
) -> Side:
    """OpenTofu with two blocks a grant, as a generator writes them."""
    return _tofu(_blocks(grants), _blocks([*grants, *more]), vault, folder)


def for_each(
    grants: Sequence[Grant], more: Sequence[Grant], vault: hvac.Client, folder: Path
) -> Side:
    """OpenTofu with two blocks for all grants, as people write them."""
    return _tofu(_two_blocks(grants), _two_blocks([*grants, *more]), vault, folder)


def _blocks(grants: Sequence[Grant]) -> Json:
    names = {grant.name: f"${{vault_policy.{grant.name}.name}}" for grant in grants}
    return {
        "resource": {
            "vault_policy": {
                grant.name: {"name": grant.name, "policy": render(grant.policy)} for grant in grants
            },
            "vault_kubernetes_auth_backend_role": {
                grant.name: _role(grant) | {"token_policies": [names[grant.name]]}
                for grant in grants
            },
        }
    }


def _two_blocks(grants: Sequence[Grant]) -> Json:
    rows = {grant.name: _role(grant) | {"policy_text": render(grant.policy)} for grant in grants}
    role: Json = {key: f"${{each.value.{key}}}" for key in _role(grants[0])}
    every = {"for_each": "${local.grants}"}
    return {
        "locals": {"grants": rows},
        "resource": {
            "vault_policy": {
                "grant": every | {"name": "${each.key}", "policy": "${each.value.policy_text}"}
            },
            "vault_kubernetes_auth_backend_role": {
                "grant": every | role | {"token_policies": ["${vault_policy.grant[each.key].name}"]}
            },
        },
    }


def _tofu(configuration: Json, grown: Json, vault: hvac.Client, folder: Path) -> Side:
    folder.mkdir()
    tools = toolchain.ensure(TOOLS)
    head: Json = {
        "terraform": {"required_providers": {"vault": {"source": "hashicorp/vault"}}},
        "provider": {"vault": {"skip_child_token": True}},
    }
    (folder / MAIN).write_text(json.dumps(head | configuration))
    provider = json.dumps(str(tools["terraform-provider-vault"].parent))
    cli = folder / "tofu.rc"
    cli.write_text(
        f'provider_installation {{\n  dev_overrides {{\n    "hashicorp/vault" = {provider}\n  }}\n'
        "  direct {}\n}\n"
    )
    common = ("-input=false", "-no-color", f"-parallelism={PARALLEL}")
    apply = ("apply", "-auto-approve", *common)
    return Side(
        program=tools["tofu"],
        commands={
            Step.PREVIEW: ("plan", *common),
            Step.CREATE: apply,
            Step.UNCHANGED: (*apply, "-refresh=false"),
            Step.REFRESHED: apply,
            Step.MORE: (*apply, "-refresh=false"),
            Step.DESTROY: ("destroy", *apply[1:], "-refresh=false"),
        },
        folder=folder,
        environment={
            **environment(vault),
            "TF_CLI_CONFIG_FILE": str(cli),
            "CHECKPOINT_DISABLE": "1",
        },
        more=(MAIN, json.dumps(head | grown)),
    )


def _role(grant: Grant) -> Json:
    """What `components.vault.grant` gives the role, but for the policy."""
    return {
        "backend": "kubernetes",
        "role_name": grant.name,
        "bound_service_account_names": list(grant.service_accounts),
        "bound_service_account_namespaces": list(grant.namespaces),
        "audience": grant.audience,
        "alias_name_source": "serviceaccount_uid",
        "token_no_default_policy": True,
        "token_ttl": grant.token_ttl_seconds,
        "token_max_ttl": grant.ttl_seconds,
    }
