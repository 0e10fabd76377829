"""A Vault policy must not let its holder widen what it may do.

Whoever writes policies, roles, identities or tokens can give itself everything; whoever chooses the
parameters of an engine's role has what the engine's strong user has; whoever writes audit devices
can do so unseen; raw storage and root generation go past every policy. The same holds in a child
namespace, whose paths begin with its own; one that may as well be a secret's is not judged.
Source: HashiCorp, "Policies" and "Production hardening"; CKV_AWS_286 is the same for IAM.
"""

from __future__ import annotations

from collections.abc import Iterator

from access.overlap import covers
from access.policy import Capability, PathRule, Policy
from policies.resource_types import VAULT_POLICY
from policies.rule import Finding, Judgement, NotChecked, Rule, Severity
from policies.vault_policy import WRITES, child_namespaces, grants, policy_of
from policies.view import View

PROTECTED = (
    "sys/policies/*",
    "sys/policy/*",
    "sys/auth/*",
    "sys/mounts/*",
    "sys/remount",
    "sys/audit/*",
    "sys/generate-root*",
    "sys/rekey*",
    "sys/storage/raft/snapshot*",
    "identity/entity*",
    "identity/group*",
    "identity/persona*",
    "identity/alias*",
    "identity/oidc/key*",
    "identity/oidc/role*",
    "auth/token/create*",
    "auth/+/role/*",
    "auth/+/roles/*",
    "auth/+/users/*",
    "auth/+/groups/*",
    "auth/+/map/*",
    "auth/+/certs/*",
    "auth/+/config*",
    "auth/+/+/role/*",
)
ENGINE_ROLES = ("+/role/*", "+/roles/*", "+/static-role/*", "+/static-roles/*")
MAKES = (Capability.CREATE, Capability.UPDATE, Capability.PATCH)
RAW = ("sys/raw", "sys/raw/*")


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each rule that writes a protected path, or reaches raw storage."""
    policy = policy_of(properties)
    for namespace, inside in (("", policy), *child_namespaces(policy)):
        yield from _judge(inside, namespace)


def _judge(policy: Policy, namespace: str) -> Iterator[Judgement]:
    written = list(grants(policy, PROTECTED, WRITES))
    raw = grants(policy, RAW, (*WRITES, Capability.READ, Capability.LIST))
    written += (each for each in grants(policy, ENGINE_ROLES, MAKES) if _is_free_choice(each[0]))
    told = {rule.path for rule, _, _ in written}
    for rule, path, given in [*written, *(each for each in raw if each[0].path not in told)]:
        place, words = f'path "{namespace}{rule.path}"', ", ".join(given)
        evidence = f'{place} allows {words} on "{namespace}{path}"'
        if namespace and not any(covers(each, rule.path) for each in (*PROTECTED, *RAW)):
            reason = f'{evidence}, which is no secret if "{namespace}" is a namespace'
            yield NotChecked(path="policy", reason=reason)
        else:
            yield Finding(evidence=evidence, fix=f"remove {words} from {place}")


def _is_free_choice(rule: PathRule) -> bool:
    """Whether a rule is about engines' roles (a wider one opens the mount), and binds nothing."""
    named = any(covers(pattern, rule.path) for pattern in ENGINE_ROLES)
    return named and not rule.allowed_parameters


RULE = Rule(
    id="vault-policy-no-self-escalation",
    title="A Vault policy must not allow writing policies, roles, identities or audit devices.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 AC-6(10)", "NIST SP 800-53 AU-9"),
    resource_types=frozenset({VAULT_POLICY}),
    remediation="Leave administration to the deployer's login; a workload's policy only reads.",
    check=check,
)
