"""A generic endpoint must call an action: what Vault keeps has a resource of its own.

Every other rule judges typed resources, so a policy, a role, an audit device or an engine's
configuration that is written to its path goes past all of them. The endpoint's data stands in the
state, and so do the fields of the answer that it keeps. A generic secret needs no such rule: its
data is always in the state, which vault-no-stored-credential refuses.
Source: Pulumi Vault provider, generic.Endpoint; HashiCorp, "Vault HTTP API".
"""

from __future__ import annotations

from collections.abc import Iterator

from access.overlap import covers
from policies.rule import Finding, Judgement, Rule, Severity, each, each_of
from policies.secret_values import kind_of
from policies.view import View

# Paths that look like those below, and keep nothing that somebody wrote.
ACTIONS = (
    "+/rotate-root/+",
    "+/rotate-role/+",
    "+/config/rotate-root",
    "auth/+/config/rotate-root",
)
LOGIN = "the role, user or configuration of its login, such as vault.kubernetes.AuthBackendRole"
ENGINE = "the role or configuration of its engine, such as vault.database.SecretBackendRole"
IDENTITY = "a resource of vault.identity, such as vault.identity.Entity"
TYPED = {
    "sys/policies/rgp/*": "vault.RgpPolicy",
    "sys/policies/egp/*": "vault.EgpPolicy",
    "sys/policies/acl/*": "vault.Policy",
    "sys/policy/*": "vault.Policy",
    "sys/audit/*": "vault.Audit",
    "sys/config/auditing/request-headers/*": "vault.AuditRequestHeader",
    "sys/auth/*": "vault.AuthBackend",
    "sys/mounts/*": "vault.Mount",
    "sys/namespaces/*": "vault.Namespace",
    "sys/plugins/catalog/*": "vault.Plugin",
    "sys/quotas/lease-count/*": "vault.QuotaLeaseCount",
    "sys/quotas/rate-limit/*": "vault.QuotaRateLimit",
    "sys/storage/raft/autopilot/*": "vault.RaftAutopilot",
    "sys/storage/raft/snapshot-auto/*": "vault.RaftSnapshotAgentConfig",
    "identity/*": IDENTITY,
    "auth/token/create*": "vault.Token",
    "auth/token/roles/*": "vault.tokenauth.AuthBackendRole",
    "auth/+/role/*": LOGIN,
    "auth/+/roles/*": LOGIN,
    "auth/+/users/*": LOGIN,
    "auth/+/groups/*": LOGIN,
    "auth/+/map/*": LOGIN,
    "auth/+/certs/*": LOGIN,
    "auth/+/config*": LOGIN,
    "+/data/*": "vault.kv.SecretV2",
    "+/role/*": ENGINE,
    "+/roles/*": ENGINE,
    "+/static-role/*": ENGINE,
    "+/static-roles/*": ENGINE,
    "+/config*": ENGINE,
}
"""The resource that writes each path. The first that fits is meant."""


def _typed(path: str) -> str | None:
    segments = path.strip("/").split("/")
    # A mount, or a namespace before it, may have several segments.
    for start in range(len(segments)):
        below = "/".join(segments[start:])
        if any(covers(action, below) for action in ACTIONS):
            return None
        for pattern, typed in TYPED.items():
            if covers(pattern, below):
                return typed
    return None


def _path(path: View) -> Iterator[Judgement]:
    if typed := _typed(path.text()):
        yield Finding(evidence=f"{path.path} is {path.text()!r}", fix=f"use {typed}")


def _data(data: View) -> Iterator[Judgement]:
    waiting = [("", data.json().value)]
    while waiting:
        match waiting.pop():
            case (_, dict(entries)):
                waiting += entries.items()
            case (name, list(entries)):
                waiting += ((name, entry) for entry in entries)
            case (name, field) if kind_of(name, View(field, f"{data.path}.{name}").text()):
                yield Finding(
                    evidence=f"{data.path}, key {name}, looks like a credential in the state",
                    fix="write it by a resource with a property that ends in Wo",
                )


def _kept(field: View) -> Iterator[Judgement]:
    if kind_of(field.text(), "any"):
        yield Finding(
            evidence=f"{field.path} is {field.text()!r}, so the state holds the answer's",
            fix=f"remove {field.path}, and let who needs it ask Vault",
        )


def check(endpoint: View) -> Iterator[Judgement]:
    """Yield a finding for what a typed resource would write, and for credentials in the state."""
    yield from each([endpoint["path"]], _path)
    yield from each([endpoint["dataJson"]], _data)
    yield from each_of(endpoint["writeFields"], _kept)


RULE = Rule(
    id="vault-endpoint-is-an-action",
    title="A generic endpoint must call an action, and keep no credential in the state.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 AC-6(10)", "NIST SP 800-53 IA-5(7)"),
    resource_types=frozenset({"vault:generic/endpoint:Endpoint"}),
    remediation="Write the typed resource, which the other rules judge.",
    check=check,
)
