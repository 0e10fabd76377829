"""Cases of the rules on Vault policies."""

from __future__ import annotations

from policies.resource_types import KUBERNETES_ROLE, VAULT_MOUNT, VAULT_POLICY
from policies.rule import Resource
from policies.view import UNKNOWN
from tests.policies.cases.case import Case, bad, ok, resource, unsure


def hcl(*rules: tuple[str, str], extra: str = "") -> dict[str, object]:
    """A policy's properties, from paths and capabilities."""
    blocks = [
        f'path "{path}" {{ capabilities = [{", ".join(repr(c) for c in words.split())}] {extra} }}'
        for path, words in rules
    ]
    return {"name": "team", "policy": "\n".join(blocks).replace("'", '"')}


MINE = ("secret/data/ml/mlflow", "read")
BROKEN = {"name": "team", "policy": 'path "a" { capabilities = ["reed"] }'}
KV = resource(VAULT_MOUNT, "kv", path="secret", type="kv-v2")


def written(name: str, *rules: tuple[str, str]) -> Resource:
    return resource(VAULT_POLICY, name, **{**hcl(*rules), "name": name})


def stack(*resources: Resource) -> tuple[Resource, ...]:
    return resources


def role(name: str, *policies: object) -> Resource:
    return resource(KUBERNETES_ROLE, name, tokenPolicies=list(policies))


CASES: dict[str, dict[str, Case]] = {
    "vault-policy-names-mounts": {
        "one auth mount": bad(hcl(("auth/kubernetes/*", "read")), 'path "auth/kubernetes/*"'),
        "pass": ok(hcl(MINE, ("secret/data/ml/*", "read"), ("sys/leases/renew", "update"))),
        "fail": bad(hcl(("secret/*", "read")), 'path "secret/*" allows read'),
        "wildcard": bad(hcl(("*", "create read update")), 'path "*" allows read, update, create'),
        "second-position": bad(hcl(MINE, ("+/data/+", "read")), 'path "+/data/+"'),
        "unknown": unsure({"name": "team", "policy": UNKNOWN}),
        "not-applicable": ok(hcl(("*", "deny"), ("cubbyhole/*", "read create"))),
        "taken back by a deny": ok(
            hcl(("secret/data/*", "deny"), ("secret/data/a", "read"), ("secret/config", "read"))
        ),
        "auth mounts": bad(hcl(("auth/token/lookup-self", "read"), ("auth/*", "read")), "auth/*"),
        "a mount by its first letter": bad(hcl(("s*", "read")), 'path "s*"'),
        "patching values": bad(hcl(("secret/data/*", "patch")), "allows patch"),
        "an engine below another path": bad(
            hcl(("teams/kv/data/a", "read"), ("teams/+/data/*", "read")), "teams/+/data/*"
        ),
        "an engine with the name of a part": bad(hcl(("data/data/*", "read")), "data/data/*"),
        "roles that hand out sessions": bad(hcl(("aws/sts/*", "read")), 'path "aws/sts/*"'),
        "deep below the top": bad(hcl(("secret/data/+/+/*", "read")), "secret/data/+/+/*"),
        "a deny for the name that is asked for": bad(
            hcl(
                ("secret/data/*", "read"),
                ("secret/data/zz-unnamed", "deny"),
                ("secret/data/zz-unnamed/*", "deny"),
            ),
            'path "secret/data/*" allows read',
        ),
        "JSON with a path for each of two keys": bad(
            {
                "name": "team",
                "policy": '{"path": {"secret/*": {"capabilities": ["read"]}},'
                ' "path": {"secret/data/a": {"capabilities": ["read"]}}}',
            },
            'path "secret/*" allows read',
        ),
        "unreadable": unsure(BROKEN),
    },
    "vault-policy-sudo-is-named": {
        "pass": ok(hcl(("sys/step-down", "update sudo"), ("sys/auth/kubernetes", "create sudo"))),
        "fail": bad(hcl(("secret/data/a", "read sudo")), 'path "secret/data/a" has sudo'),
        "wildcard": bad(hcl(("sys/*", "read sudo")), 'path "sys/*" has sudo'),
        "second-position": bad(hcl(("sys/seal", "update sudo"), ("sys/raw", "read sudo")), "raw"),
        "unknown": unsure({"policy": UNKNOWN}),
        "not-applicable": ok(hcl(("sys/*", "read"))),
    },
    "vault-policy-no-self-escalation": {
        "a rule that another one decides for": bad(
            hcl(("+/policies/*", "read"), ("sys/policies/*", "update")), 'path "sys/policies/*"'
        ),
        "pass": ok(
            hcl(MINE, ("sys/policies/acl/*", "read list"), ("identity/lookup/entity", "update"))
        ),
        "fail": bad(hcl(("sys/policies/acl/team", "update")), "sys/policies/acl/team"),
        "wildcard": bad(hcl(("+/+/acl/*", "update")), 'allows update on "sys/policies/acl/'),
        "second-position": bad(hcl(MINE, ("auth/token/create-orphan", "update")), "create-orphan"),
        "unknown": unsure({"policy": UNKNOWN}),
        "not-applicable": ok(hcl(("sys/policies/acl/*", "deny"), ("sys/mounts", "read"))),
        "taken back by a deny": ok(
            hcl(
                ("auth/+/config", "deny"),
                ("auth/kubernetes/config", "deny"),
                ("auth/+/login", "update"),
            )
        ),
        "reading raw storage": bad(hcl(("sys/raw/core/keyring", "read")), "sys/raw/core/keyring"),
        "in a child namespace": bad(
            hcl(MINE, ("team-a/sys/policies/acl/*", "update"), ("a/sys/auth*", "read")),
            'path "team-a/sys/policies/acl/*" allows update on "team-a/sys/policies/acl/',
        ),
        "in every child namespace, and deeper": bad(
            hcl(("a/b/auth/jwt/role/ci", "create"), ("+/sys/raw/*", "read")),
            'path "a/b/auth/jwt/role/ci" allows create',
            2,
        ),
        "in a child namespace, or secrets of a service": unsure(
            hcl(("secret/identity/*", "update"), ("secret/auth/web/*", "create")), 2
        ),
        "taken back in the same namespace": ok(
            hcl(("a/sys/mounts/*", "deny"), ("a/sys/mounts/kv", "deny"), ("a/sys/seal", "update"))
        ),
        "secrets with names of the system": ok(
            hcl(
                ("secret/data/sys/policies/acl/a", "update"),
                ("teams/kv/metadata/auth/token/create", "update"),
                ("cubbyhole/identity/entity", "update"),
            )
        ),
        "deleting an audit device": bad(hcl(("sys/audit/file", "delete")), "allows delete"),
        "identities by an older path": bad(hcl(("identity/alias", "update")), "identity/alias"),
        "a login mounted deeper": bad(hcl(("auth/team/jwt/role/a", "create")), "team/jwt/role/a"),
        "a role of an engine": bad(hcl(("database/roles/ml", "update")), "database/roles/ml"),
        "a role of an engine within bounds": ok(
            hcl(("database/roles/ml", "update"), extra='allowed_parameters = { "ttl" = ["1h"] }')
        ),
        "a whole engine, of which another rule speaks": ok(hcl(("database/*", "update"))),
        "a deny for the name that is asked for": bad(
            hcl(("sys/policies/acl/*", "update"), ("sys/policies/acl/z*", "deny")),
            'path "sys/policies/acl/*" allows update',
        ),
    },
    "vault-policy-no-irreversible-delete": {
        "pass": ok(hcl(("secret/data/ml/*", "read delete"), ("secret/metadata/ml/*", "read list"))),
        "fail": bad(hcl(("secret/metadata/ml/a", "delete")), 'allows delete on "secret/metadata'),
        "wildcard": bad(hcl(("secret/+/ml/*", "read delete")), "secret/metadata/ml/"),
        "second-position": bad(hcl(MINE, ("secret/destroy/ml/a", "update")), "destroy/ml/a"),
        "unknown": unsure({"policy": UNKNOWN}),
        "not-applicable": ok(hcl(("secret/metadata/*", "deny"), ("pki/roles/a", "delete"))),
    },
    "vault-policy-deny-holds": {
        "pass": ok(hcl(("secret/data/*", "deny"), ("secret/data/ml/a", "read"))),
        "fail": bad(
            hcl(("+/data/ml/mlflow", "deny"), ("secret/data/ml/*", "read")),
            '"secret/data/ml/*" is more specific and allows read',
        ),
        "wildcard": bad(hcl(("+/+/ml/*", "deny"), ("secret/data/*", "read")), "secret/data/*"),
        "second-position": bad(
            hcl(
                MINE,
                ("secret/data/b", "deny"),
                ("+/data/prod/*", "deny"),
                ("secret/data/*", "read"),
            ),
            "+/data/prod/*",
        ),
        "unknown": unsure({"policy": UNKNOWN}),
        "not-applicable": ok(hcl(("secret/data/a", "deny"), ("secret/data/+", "read"))),
    },
    "vault-policy-parameters-hold": {
        "any value of one parameter": ok(
            hcl(("auth/token/create/job", "update"), extra='allowed_parameters = { "ttl" = [] }')
        ),
        "every parameter with some values": ok(
            hcl(
                ("auth/token/create/job", "update"),
                extra='allowed_parameters = { "*" = ["1h", 1] }',
            )
        ),
        "pass": ok(
            hcl(
                ("auth/token/create/job", "update"), extra='allowed_parameters = { "ttl" = ["1h"] }'
            )
        ),
        "fail": bad(
            hcl(("auth/token/create/job", "update"), extra='allowed_parameters = { "*" = [] }'),
            "every parameter, every value",
        ),
        "wildcard": bad(
            hcl(
                ("auth/+/role/a", "update"),
                extra='allowed_parameters = { "token_policies" = ["*"] }',
            ),
            'the glob "*"',
        ),
        "second-position": bad(
            hcl(
                ("identity/entity", "update"),
                extra='allowed_parameters = { "name" = ["a"], "policies" = ["a", "team-*"] }',
            ),
            '"policies" with the glob "team-*"',
        ),
        "unknown": unsure({"policy": UNKNOWN}),
        "not-applicable": ok(
            hcl(("secret/data/a", "update"), extra='allowed_parameters = { "*" = [] }')
        ),
        "a rule that writes nothing": ok(
            hcl(("auth/token/create", "read"), extra='allowed_parameters = { "*" = [] }')
        ),
    },
    "vault-policy-kv-paths": {
        "every part of the engine": ok(
            stack(
                KV,
                written(
                    "a",
                    ("secret/delete/ml/a", "update"),
                    ("secret/undelete/ml/a", "update"),
                    ("secret/destroy/ml/a", "update"),
                    ("secret/subkeys/ml/a", "read"),
                    ("secret/config", "read"),
                ),
            )
        ),
        "lists no names": ok(
            stack(KV, written("a", ("secret/data/*", "read list"), ("secret/metadata/*", "read")))
        ),
        "pass": ok(
            stack(KV, written("a", MINE, ("secret/metadata/ml/*", "list"), ("secret/*", "read")))
        ),
        "fail": bad(stack(KV, written("a", ("secret/ml/mlflow", "read"))), "does nothing"),
        "wildcard": bad(stack(KV, written("a", ("secret/metadata/*", "list"))), "every team"),
        "second-position": bad(
            stack(KV, written("a", MINE), written("b", MINE, ("secret/data/ml/", "list"))),
            "has list",
        ),
        "unknown": unsure(stack(KV, resource(VAULT_POLICY, "a", policy=UNKNOWN))),
        "not-applicable": ok(
            stack(
                resource(VAULT_MOUNT, "old", path="old", type="kv"),
                written("a", ("old/ml", "read")),
            )
        ),
        "a kv mount of version 2": bad(
            stack(
                resource(VAULT_MOUNT, "kv", path="kv/", type="kv", options={"version": "2"}),
                written("a", ("kv/ml", "read"), ("kv", "read"), ("kv/metadata/ml", "read")),
            ),
            "kv/ml",
        ),
    },
    "vault-policies-are-used": {
        "Vault's own policies": ok(stack(written("a", MINE), role("r", "a", "default", "root"))),
        "pass": ok(stack(written("a", MINE), role("r", "a", "default"))),
        "fail": bad(stack(written("a", MINE), role("r", "a", "b")), "names 'b'"),
        "wildcard": bad(stack(written("a", MINE), role("r", "a", "*")), "names '*'"),
        "second-position": bad(
            stack(written("a", MINE), written("b", MINE), role("r", "a")), "holds 'b'"
        ),
        "unknown": unsure(stack(written("a", MINE), role("r", UNKNOWN, "a")), unknowns=2),
        "not-applicable": ok(stack(role("r", "made-elsewhere"))),
        "policies alone": ok(stack(written("a", MINE))),
        "names as Vault reads them": ok(stack(written("A", MINE), role("r", " a", "DEFAULT"))),
        "held by a group": ok(
            stack(
                written("a", MINE),
                resource("vault:identity/group:Group", "g", policies=["a"]),
            )
        ),
    },
}
