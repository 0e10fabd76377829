"""A small deployed stack, and a Vault and a cluster that hold exactly what it says.

A test changes one side and sees what is told. Forms are those of the real engine, Vault 1.21 and
Kubernetes; values are made up.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import hvac.exceptions

from review.events import SECRET
from tests.access.exports import export, resource
from vaultops.kubectl import Kubectl
from vaultops.policies import deployer_policy, operator_policy

ENCRYPTED = {SECRET: "encrypted", "ciphertext": "x"}
POLICY_TEXT = 'path "secret/data/ml/mlflow" {\n  capabilities = ["read"]\n}\n'
ROLE = {
    "alias_name_source": "serviceaccount_uid",
    "audience": "vault",
    "bound_service_account_names": ["ml-app-sa"],
    "bound_service_account_namespaces": ["ml-training", "ml-serving"],
    "token_bound_cidrs": [],
    "token_max_ttl": 86400,
    "token_no_default_policy": True,
    "token_period": 0,
    "token_policies": ["ml-app"],
    "token_ttl": 3600,
    "token_type": "default",
}
DATABASE_ROLE: dict[str, Any] = {
    "creation_statements": [
        "CREATE ROLE fake VALID UNTIL '{{expiration}}';",
        "GRANT SELECT ON fake TO fake;",
    ],
    "revocation_statements": [
        "ALTER ROLE fake NOLOGIN;",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'fake';",
        "REVOKE ALL ON fake FROM fake;",
        "DROP ROLE fake;",
    ],
    "db_name": "mlflow",
    "default_ttl": 3600,
    "max_ttl": 86400,
    "rollback_statements": [],
}
CONNECTION: dict[str, Any] = {
    "allowed_roles": ["ml-readonly"],
    "connection_details": {
        "connection_url": "postgresql://{{username}}:{{password}}@db:5432/mlflow?sslmode=verify-full",
        "max_open_connections": 2,
        "username": "vault",
    },
    "verify_connection": True,
}
RULES = [
    {
        "apiGroups": [""],
        "resources": ["secrets"],
        "resourceNames": ["one", "two"],
        "verbs": ["get"],
    },
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get"]},
]
STORE = {"provider": {"vault": {"path": "secret", "server": "https://vault:8200"}}}


def _login(account: str) -> dict[str, Any]:
    return {
        **{key: value for key, value in ROLE.items() if key != "token_policies"},
        "audience": account,
        "bound_service_account_names": [account],
        "bound_service_account_namespaces": ["vault"],
        "token_max_ttl": 3600,
        "token_policies": [account],
    }


def _mount(type_: str, description: str = "", **more: Any) -> dict[str, Any]:
    config = {"default_lease_ttl": 0, "max_lease_ttl": 0, **more.pop("config", {})}
    return {"type": type_, "description": description, "config": config, "options": None, **more}


def answers() -> dict[str, Any]:
    """What Vault answers to a read of each path."""
    return {
        "sys/mounts": {
            "secret/": _mount("kv", "People's", options={"version": "2"}),
            "database/": _mount("database", "Logins", config={"max_lease_ttl": 86400}),
            "cubbyhole/": _mount("cubbyhole"),
            "identity/": _mount("identity"),
            "sys/": _mount("system"),
        },
        "sys/auth": {
            "kubernetes/": _mount("kubernetes", "Workloads"),
            "deployer/": _mount("kubernetes"),
            "token/": _mount("token"),
        },
        "sys/audit": {
            "stdout/": {"type": "file", "options": {"file_path": "stdout"}},
            "file/": {
                "type": "file",
                "options": {"file_path": "/vault/audit/audit.log", "mode": "0600"},
            },
        },
        "sys/policies/acl/default": {"policy": "# Vault's own"},
        "sys/policies/acl/ml-app": {"policy": POLICY_TEXT},
        "sys/policies/acl/strongroom-deployer": {"policy": deployer_policy()},
        "sys/policies/acl/strongroom-operator": {"policy": operator_policy()},
        "auth/kubernetes/config": {"kubernetes_host": "https://k8s", "pem_keys": []},
        "auth/kubernetes/role/ml-app": ROLE,
        "auth/deployer/config": {"kubernetes_host": "https://k8s", "token_reviewer_jwt_set": False},
        "auth/deployer/role/operator": _login("strongroom-operator"),
        "auth/deployer/role/strongroom": _login("strongroom-deployer"),
        "secret/config": {"max_versions": 10, "delete_version_after": "0s"},
        "database/config/mlflow": CONNECTION,
        "database/roles/ml-readonly": DATABASE_ROLE,
    }


@dataclass
class FakeVault:
    """As much of hvac's client as a look uses. `denied` are the paths it refuses."""

    answers: dict[str, Any] = field(default_factory=answers)
    denied: frozenset[str] = frozenset()
    tokens: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def adapter(self) -> FakeVault:
        """The same: hvac keeps plain requests there."""
        return self

    def get(self, url: str) -> dict[str, Any]:
        """A read."""
        return {"data": copy.deepcopy(self._found(url))}

    def list(self, url: str) -> dict[str, Any]:
        """A list of the names one level below."""
        below = f"{self._path(url)}/"
        names = {path.removeprefix(below).partition("/")[0] for path in self._below(below)}
        if not names:
            raise hvac.exceptions.InvalidPath
        return {"data": {"keys": sorted(names)}}

    def post(self, url: str, json: Mapping[str, str]) -> dict[str, Any]:
        """A token's facts, by its accessor."""
        self._path(url)
        if json["accessor"] not in self.tokens:
            raise hvac.exceptions.InvalidRequest
        return {"data": self.tokens[json["accessor"]]}

    def _below(self, prefix: str) -> Iterator[str]:
        own = (f"auth/token/accessors/{accessor}" for accessor in self.tokens)
        return (path for path in (*self.answers, *own) if path.startswith(prefix))

    def _found(self, url: str) -> Any:
        path = self._path(url)
        if path not in self.answers:
            raise hvac.exceptions.InvalidPath
        return self.answers[path]

    def _path(self, url: str) -> str:
        path = url.removeprefix("/v1/")
        self.asked.append(path)
        if path in self.denied:
            raise hvac.exceptions.Forbidden
        return path


def manifests() -> list[dict[str, Any]]:
    """The cluster's objects."""
    account = {"kind": "ServiceAccount", "name": "ml-app-sa", "namespace": "ml-training"}
    return [
        _manifest("Role", "app", namespace="ml-training", rules=RULES),
        _manifest(
            "RoleBinding",
            "app",
            namespace="ml-training",
            roleRef={"kind": "Role", "name": "app"},
            subjects=[account],
        ),
        _manifest("ClusterRole", "wide", rules=RULES[1:]),
        _manifest("SecretStore", "vault-backend", namespace="ml-training", spec=STORE),
    ]


def foreign() -> list[dict[str, Any]]:
    """What Kubernetes and others have of their own, and is no concern of the platform."""
    everybody = {"kind": "Group", "name": "system:authenticated"}
    return [
        _manifest("ClusterRole", "cluster-admin", rules=[]),
        _manifest(
            "ClusterRoleBinding",
            "system:basic-user",
            roleRef={"kind": "ClusterRole", "name": "system:basic-user"},
            subjects=[everybody],
        ),
        _manifest("Role", "theirs", namespace="kube-system", rules=RULES),
        _manifest("SecretStore", "theirs", namespace="elsewhere", spec=STORE),
    ]


def _manifest(kind: str, name: str, *, namespace: str = "", **more: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"kind": kind, "metadata": metadata, **copy.deepcopy(more)}


@dataclass(frozen=True)
class FakeKubectl(Kubectl):
    """Answers `get` from `objects`; `failure` is raised in place of an answer."""

    objects: tuple[Mapping[str, Any], ...] = ()
    failure: Exception | None = None

    def json(self, *arguments: str) -> Any:
        """The objects whose kind is asked for."""
        if self.failure:
            raise self.failure
        kinds = [what.partition(".")[0] for what in arguments[1].split(",")]
        return {"items": [o for o in self.objects if _plural(o["kind"]) in kinds]}


def _plural(kind: str) -> str:
    return f"{kind.lower()}s".replace("ys", "ies")


def kubectl(*more: Mapping[str, Any], without: str = "") -> FakeKubectl:
    """The cluster as deployed, with `more` objects and without those called `without`."""
    kept = [m for m in (*manifests(), *foreign()) if m["metadata"]["name"] != without]
    return FakeKubectl(namespace="vault", objects=(*kept, *more))


def stack() -> dict[str, Any]:
    """What `pulumi stack export` says of it, as plain data of its own."""
    kubernetes = [
        resource(
            _type_of(m), f"k8s-{m['kind']}", {}, outputs={k: v for k, v in m.items() if k != "kind"}
        )
        for m in manifests()
    ]
    made = export(
        resource(
            "kubernetes:core/v1:Namespace",
            "ns",
            {},
            outputs={"metadata": {"name": "ml-training"}},
        ),
        resource(
            "pulumi-python:dynamic/strongroom:VaultBootstrap",
            "run",
            {},
            outputs={"namespace": "vault", "token_ttl": "1h", "audit_devices": ["stdout", "file"]},
        ),
        resource(
            "vault:index/mount:Mount",
            "kv",
            {},
            outputs={"path": "secret", "type": "kv-v2", "description": "People's"},
        ),
        resource(
            "vault:index/mount:Mount",
            "db",
            {},
            outputs={
                "path": "database",
                "type": "database",
                "description": "Logins",
                "maxLeaseTtlSeconds": 86400,
            },
        ),
        resource(
            "vault:index/authBackend:AuthBackend",
            "auth",
            {"path": "kubernetes"},
            outputs={
                "path": "kubernetes",
                "type": "kubernetes",
                "description": "Workloads",
                "tune": {"defaultLeaseTtl": "768h", "maxLeaseTtl": "768h"},
            },
        ),
        resource(
            "vault:kubernetes/authBackendConfig:AuthBackendConfig",
            "auth-config",
            {},
            id="auth/kubernetes/config",
            outputs={
                "kubernetesHost": "https://k8s",
                "tokenReviewerJwt": ENCRYPTED,
                "pemKeys": None,
            },
        ),
        resource(
            "vault:index/policy:Policy",
            "policy",
            {},
            id="ml-app",
            outputs={"name": "ml-app", "policy": POLICY_TEXT},
        ),
        resource(
            "vault:kubernetes/authBackendRole:AuthBackendRole",
            "role",
            {},
            id="auth/kubernetes/role/ml-app",
            outputs={
                "aliasNameSource": "serviceaccount_uid",
                "audience": "vault",
                "boundServiceAccountNames": ["ml-app-sa"],
                "boundServiceAccountNamespaces": ["ml-serving", "ml-training"],
                "tokenBoundCidrs": None,
                "tokenMaxTtl": 86400,
                "tokenNoDefaultPolicy": True,
                "tokenPeriod": 0,
                "tokenPolicies": ["ml-app"],
                "tokenTtl": 3600,
                "tokenType": "default",
            },
        ),
        resource(
            "vault:kv/secretBackendV2:SecretBackendV2",
            "kv-settings",
            {},
            id="secret/config",
            outputs={"mount": "secret", "maxVersions": 10, "deleteVersionAfter": 0},
        ),
        resource(
            "vault:database/secretBackendConnection:SecretBackendConnection",
            "connection",
            {},
            id="database/config/mlflow",
            outputs={
                "allowedRoles": ["ml-readonly"],
                "mysql": None,
                "verifyConnection": True,
                "postgresql": {
                    "connectionUrl": CONNECTION["connection_details"]["connection_url"],
                    "maxOpenConnections": 2,
                    "password": ENCRYPTED,
                    "username": "vault",
                },
            },
        ),
        resource(
            "vault:database/secretBackendRole:SecretBackendRole",
            "database-role",
            {},
            id="database/roles/ml-readonly",
            outputs={
                "creationStatements": DATABASE_ROLE["creation_statements"],
                "revocationStatements": DATABASE_ROLE["revocation_statements"],
                "dbName": "mlflow",
                "defaultTtl": 3600,
                "maxTtl": 86400,
                "rollbackStatements": None,
            },
        ),
        *kubernetes,
    )
    plain: dict[str, Any] = json.loads(json.dumps(made))
    return plain


def _type_of(manifest: Mapping[str, Any]) -> str:
    store = manifest["kind"].endswith("Store")
    group = "external-secrets.io" if store else "rbac.authorization.k8s.io"
    return f"kubernetes:{group}/v1:{manifest['kind']}"
