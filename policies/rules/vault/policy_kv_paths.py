"""Paths into a KV version 2 engine must name the part that the capability is about.

Version 2 keeps values below `data/` and names below `metadata/`: a rule on the path as people type
it does nothing, and `list` on the engine's top shows every team's names, which no policy filters.
Source: HashiCorp, "KV secrets engine - version 2", ACL rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from access.policy import Capability, PathRule
from policies.resource_types import VAULT_MOUNT, VAULT_POLICY
from policies.rule import (
    ADVISED,
    Finding,
    Judgement,
    Resource,
    Severity,
    StackRule,
    each_resource,
    of_type,
)
from policies.vault_policy import policy_of

PARTS = frozenset({"data", "metadata", "delete", "undelete", "destroy", "subkeys", "config"})


def _is_kv_2(mount: Resource) -> bool:
    view = mount.view
    return view["type"].text() == "kv-v2" or view["options"]["version"].text() == "2"


def _judge(rule: PathRule, mount: str) -> Iterator[Judgement]:
    _, _, rest = rule.path.partition("/")
    part, slash, below = rest.partition("/")
    if not rest or part in ("*", "+"):
        return
    if part not in PARTS:
        yield Finding(
            evidence=f'path "{rule.path}" does nothing: {mount} is KV version 2',
            fix=f'write "{mount}/data/{rest}" for values, "{mount}/metadata/{rest}" for names',
        )
    elif part == "data" and rule.capabilities == {Capability.LIST}:
        yield Finding(
            evidence=f'path "{rule.path}" has list, which KV version 2 answers at metadata/ only',
            fix=f'move list to "{mount}/metadata/{below}"',
        )
    elif part == "metadata" and Capability.LIST in rule.capabilities and below in ("", "*", "+"):
        yield Finding(
            evidence=f'path "{rule.path}" lists the names of every team in {mount}{slash}',
            fix=f'list below a team\'s folder, as in "{mount}/metadata/team/*"',
        )


def check(resources: Sequence[Resource]) -> Iterator[Judgement]:
    """Yield a finding for each path that misses the engine's layout, or lists its top."""
    mounts = [
        each.view["path"].text().strip("/")
        for each in of_type(resources, VAULT_MOUNT)
        if _is_kv_2(each)
    ]
    yield from each_resource(of_type(resources, VAULT_POLICY), partial(_judge_policy, mounts))


def _judge_policy(mounts: list[str], policy: Resource) -> Iterator[Judgement]:
    for rule in policy_of(policy.view).rules:
        if (first := rule.path.partition("/")[0]) in mounts:
            yield from _judge(rule, first)


RULE = StackRule(
    id="vault-policy-kv-paths",
    title="A path into a KV version 2 engine must name data/ or metadata/, and list no top.",
    severity=Severity.MEDIUM,
    frameworks=("NIST SP 800-53 AC-6",),
    resource_types=frozenset({VAULT_MOUNT, VAULT_POLICY}),
    remediation="Read below data/, list below metadata/ of one team's folder.",
    levels=ADVISED,
    check=check,
)
