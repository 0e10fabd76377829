"""Resource types that several rules speak of, as the Pulumi providers name them.

Owns the tokens. Plain manifests and files are given the same tokens by `policies.sources`.
"""

from __future__ import annotations

VAULT_POLICY = "vault:index/policy:Policy"
VAULT_MOUNT = "vault:index/mount:Mount"
VAULT_AUDIT = "vault:index/audit:Audit"
KUBERNETES_ROLE = "vault:kubernetes/authBackendRole:AuthBackendRole"
JWT_ROLE = "vault:jwt/authBackendRole:AuthBackendRole"
APPROLE_ROLE = "vault:appRole/authBackendRole:AuthBackendRole"
TOKEN_ROLE = "vault:tokenauth/authBackendRole:AuthBackendRole"  # noqa: S105 -- a type
VAULT_TOKEN = "vault:index/token:Token"  # noqa: S105 -- a type
DATABASE_ROLE = "vault:database/secretBackendRole:SecretBackendRole"
DATABASE_STATIC_ROLE = "vault:database/secretBackendStaticRole:SecretBackendStaticRole"
DATABASE_CONNECTION = "vault:database/secretBackendConnection:SecretBackendConnection"
DATABASE_CONNECTIONS = frozenset({DATABASE_CONNECTION, "vault:database/secretsMount:SecretsMount"})
"""What holds connections: each a resource of its own, or listed in the engine's mount."""
DATABASE_ENGINES = (
    "cassandra",
    "couchbase",
    "elasticsearch",
    "hana",
    "influxdb",
    "mongodb",
    "mongodbatlas",
    "mssql",
    "mysql",
    "mysqlAurora",
    "mysqlLegacy",
    "mysqlRds",
    "oracle",
    "postgresql",
    "redis",
    "redisElasticache",
    "redshift",
    "snowflake",
)
"""The properties of a connection that hold one engine's settings each."""

# In a mount with connections each is a list under its plural.
_IN_MOUNT = {
    "elasticsearch": "elasticsearches",
    "mongodbatlas": "mongodbatlas",
    "mysqlLegacy": "mysqlLegacies",
    "mysqlRds": "mysqlRds",
    "redis": "redis",
}


def engine_properties(*engines: str) -> tuple[str, ...]:
    """The properties of a connection, and of a mount with connections, for these engines."""
    in_mount = (_IN_MOUNT.get(engine, f"{engine}s") for engine in engines)
    return tuple(dict.fromkeys((*engines, *in_mount)))


AWS_ENGINE_ROLE = "vault:aws/secretBackendRole:SecretBackendRole"

AUTH_ROLES = frozenset(
    {
        KUBERNETES_ROLE,
        JWT_ROLE,
        APPROLE_ROLE,
        TOKEN_ROLE,
        "vault:aws/authBackendRole:AuthBackendRole",
        "vault:azure/authBackendRole:AuthBackendRole",
        "vault:gcp/authBackendRole:AuthBackendRole",
        "vault:alicloud/authBackendRole:AuthBackendRole",
        "vault:saml/authBackendRole:AuthBackendRole",
        "vault:index/certAuthBackendRole:CertAuthBackendRole",
        "vault:index/ociAuthBackendRole:OciAuthBackendRole",
        "vault:index/scepAuthBackendRole:ScepAuthBackendRole",
        # Logins without roles: the method itself says what its tokens are.
        "vault:github/authBackend:AuthBackend",
        "vault:ldap/authBackend:AuthBackend",
        "vault:okta/authBackend:AuthBackend",
    }
)

IDENTITIES = frozenset(
    {
        "vault:identity/entity:Entity",
        "vault:identity/entityPolicies:EntityPolicies",
        "vault:identity/group:Group",
        "vault:identity/groupPolicies:GroupPolicies",
        "vault:github/team:Team",
        "vault:github/user:User",
        "vault:ldap/authBackendGroup:AuthBackendGroup",
        "vault:ldap/authBackendUser:AuthBackendUser",
        "vault:okta/authBackendGroup:AuthBackendGroup",
        "vault:okta/authBackendUser:AuthBackendUser",
    }
)
"""Users and groups, which name what they hold in the property `policies`."""

VAULT_SERVER_CONFIG = "strongroom:file:VaultServerConfig"
"""A Vault server's configuration file, in the property `config`. No provider has such a type."""

HELM_RELEASE = "kubernetes:helm.sh/v3:Release"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SERVICE_ACCOUNT = "kubernetes:core/v1:ServiceAccount"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
CLUSTER_ROLE = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"
ROLE_BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
CLUSTER_ROLE_BINDING = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"


def with_patches(*types: str) -> frozenset[str]:
    """Kubernetes types and what changes parts of such an object: `Role` and `RolePatch`."""
    return frozenset(types) | {f"{each}Patch" for each in types}
