"""A Vault policy must not open a whole mount, or all of them.

Judged by what it allows: a mount and a secret that nobody named must stay closed, in whatever
pattern the path is written (`*`, `+/*`, `secret/*`, `secret/data/+`), and a later deny counts.
Source: HashiCorp, "Policies"; the paths of wide policies seen in production programs.
"""

from __future__ import annotations

from collections.abc import Iterator

from access.evaluate import Acl
from access.policy import Capability
from policies.resource_types import VAULT_POLICY
from policies.rule import Finding, Judgement, Rule, Severity
from policies.vault_policy import policy_of, stranger
from policies.view import View

OPENS = (
    Capability.READ,
    Capability.UPDATE,
    Capability.CREATE,
    Capability.PATCH,
    Capability.DELETE,
)
# A requester's own cubbyhole is nobody else's.
OWN = frozenset({"cubbyhole"})
# What stands before a secret's or a role's name in the paths of the engines.
PARTS = (
    "creds",
    "data",
    "decrypt",
    "export",
    "issue",
    "sign",
    "sign-verbatim",
    "static-cred",
    "static-creds",
    "sts",
)


def _mounts(paths: tuple[str, ...], unnamed: str) -> Iterator[str]:
    for path in dict.fromkeys(paths):
        segments = path.split("/")
        if segments[0] in OWN:
            continue
        # A mount's path may have several segments: it ends where a part of the engine begins.
        parts = (index for index, each in enumerate(segments) if index and each in PARTS)
        length = 2 if segments[0] == "auth" else next(parts, 1)
        yield "/".join(
            unnamed if each == "+" else each.replace("*", unnamed) for each in segments[:length]
        )


def _inside(deepest: int, unnamed: str) -> Iterator[str]:
    """What nobody named in a mount, by every part and as deep as any rule of the policy."""
    yield unnamed
    for part in PARTS:
        for depth in range(1, deepest):
            yield "/".join((part, *[unnamed] * depth))


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each rule that decides for a secret nobody named."""
    policy = policy_of(properties)
    acl = Acl([policy])
    told = set()
    paths, unnamed = tuple(rule.path for rule in policy.rules), stranger(policy)
    deepest = max((path.count("/") for path in paths), default=0) + 1
    for mount in dict.fromkeys(_mounts(paths, unnamed)):
        for inside in _inside(deepest, unnamed):
            path = f"{mount}/{inside}"
            rule = acl.rule_for(path, listing=False)
            if rule is None or rule.path in told:
                continue
            if allowed := [c for c in OPENS if acl.explain(path, c).allowed]:
                told.add(rule.path)
                yield Finding(
                    evidence=f'path "{rule.path}" allows {", ".join(allowed)} on "{path}"',
                    fix=f'replace path "{rule.path}" by the paths that are needed',
                )


RULE = Rule(
    id="vault-policy-names-mounts",
    title="A Vault policy must not open a whole mount.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 AC-6", "CIS Controls 3.3"),
    resource_types=frozenset({VAULT_POLICY}),
    remediation="Name each secret or role; give a prefix only below a team's own folder.",
    check=check,
)
