"""Cases of the rules on Vault's engines, mounts and audit devices."""

from __future__ import annotations

import base64
import json
from typing import Any

from policies.resource_types import DATABASE_CONNECTION, DATABASE_STATIC_ROLE, VAULT_AUDIT
from policies.view import ENCRYPTED, UNKNOWN
from tests.policies.cases.case import Case, bad, ok, resource, unsure

DAY = 24 * 3600
CREATE = (
    "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' "
    'NOSUPERUSER; GRANT readers TO "{{name}}";'
)


def base64_of(statement: str) -> str:
    return base64.b64encode(statement.encode()).decode()


def creates(*statements: Any) -> dict[str, Any]:
    return {"creationStatements": list(statements)}


def postgresql(url: Any, **more: Any) -> dict[str, Any]:
    return {"postgresql": {"connectionUrl": url, **more}}


def device(name: str, kind: str, **options: Any) -> Any:
    return resource(VAULT_AUDIT, name, type=kind, options=options)


def connection(name: str, user: Any) -> Any:
    return resource(DATABASE_CONNECTION, name, name=name, postgresql={"username": user})


def static(name: str, database: str, user: Any) -> Any:
    return resource(DATABASE_STATIC_ROLE, name, dbName=database, username=user)


def endpoint(path: Any, data: Any = None, *kept: str) -> dict[str, Any]:
    return {"path": path, "dataJson": json.dumps(data or {}), "writeFields": list(kept)}


GOOD_URL = "postgresql://{{username}}:{{password}}@db.example.com/ml?sslmode=verify-full"
ENDS = [
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}'",
    'REASSIGN OWNED BY "{{name}}" TO owner; DROP OWNED BY "{{name}}"; DROP ROLE "{{name}}"',
]
BOUNDARY = "arn:aws:iam::123456789012:policy/vault-boundary"

CASES: dict[str, dict[str, Case]] = {
    "vault-database-creation-is-narrow": {
        "pass": ok(creates(CREATE)),
        "fail": bad(creates("CREATE ROLE x SUPERUSER"), "creationStatements[0] says SUPERUSER"),
        "wildcard": bad(creates("GRANT SELECT ON *.* TO '{{name}}'"), "says ON *.*"),
        "second-position": bad(creates(CREATE, "grant ALL on t to x"), "[1] says GRANT ALL"),
        "unknown": unsure(creates(UNKNOWN, "ALTER ROLE x CREATEDB"), findings=1, evidence="[1]"),
        "not-applicable": ok(
            creates("/* SUPERUSER */ SELECT 'CREATEROLE', \"REPLICATION\" -- GRANT ALL")
        ),
        "handed on": bad(creates("GRANT SELECT ON t TO x WITH GRANT OPTION"), "WITH GRANT OPTION"),
        "handed on in new words": bad(
            creates("GRANT x TO y WITH INHERIT TRUE, ADMIN TRUE"), "ADMIN TRUE"
        ),
        "in base64, as Vault takes it": bad(creates(base64_of("CREATE ROLE x SUPERUSER")), "SUPER"),
        "as a list in JSON": bad(creates('["CREATE ROLE x", "ALTER ROLE x CREATEDB"]'), "CREATEDB"),
        "a role's name in quotes": bad(
            creates('GRANT "pg_read_all_data" TO x'), "PG_READ_ALL_DATA"
        ),
        "beyond ASCII": bad(creates('CREATE ROLE "müller" SUPERUSER'), "SUPERUSER"),
        "a cloud's superuser": bad(creates("GRANT rds_superuser TO x"), "RDS_SUPERUSER"),
        "a comment that MySQL runs": bad(creates("/*!50000 GRANT ALL ON t TO x */"), "GRANT ALL"),
        "behind an escaped quote": bad(creates(r"SELECT '\''; GRANT ALL ON t TO x; -- '"), "GRANT"),
        "between dollar quotes": bad(
            creates("SELECT $$ ' $$; ALTER ROLE x BYPASSRLS; SELECT $a$ ' $a$"), "BYPASSRLS"
        ),
        "behind MySQL's comment": bad(creates("# it's\nGRANT ALL ON t TO x; # '"), "GRANT ALL"),
    },
    "vault-database-lease-is-bounded": {
        "pass": ok({"defaultTtl": 3600, "maxTtl": DAY}),
        "fail": bad({"defaultTtl": 7200, "maxTtl": DAY}, "defaultTtl is 7200 s"),
        "wildcard": bad({"defaultTtl": "*", "maxTtl": DAY}, "defaultTtl is not set"),
        "second-position": bad({"defaultTtl": 60, "maxTtl": 2 * DAY}, "maxTtl is 172800 s"),
        "unknown": unsure({"defaultTtl": UNKNOWN}, findings=1, evidence="maxTtl is not set"),
        "not-applicable": ok({"defaultTtl": 1, "maxTtl": 1}),
    },
    "vault-database-user-expires": {
        "pass": ok(creates(CREATE)),
        "fail": bad(creates("CREATE ROLE x LOGIN PASSWORD '{{password}}'"), "makes a user without"),
        "wildcard": bad(creates("CREATE USER x VALID UNTIL '*'"), "makes a user without"),
        "second-position": bad(creates(CREATE, "CREATE USER y VALID UNTIL 'infinity'"), "[1]"),
        "in base64, as Vault takes it": bad(creates(base64_of("CREATE ROLE x LOGIN")), "[0]"),
        "in a comment only": bad(
            creates("CREATE ROLE x LOGIN; -- VALID UNTIL '{{expiration}}'"), "makes a user without"
        ),
        "taken back later": bad(
            creates(f"{CREATE} ALTER ROLE x VALID UNTIL 'infinity'"), "makes a user without"
        ),
        "unknown": unsure(creates(UNKNOWN)),
        "not-applicable": ok(
            creates("CREATE USER '{{name}}' IDENTIFIED BY '{{password}}'", "GRANT a TO b")
        ),
    },
    "vault-database-revocation-is-clean": {
        "pass": ok({"revocationStatements": ENDS}),
        "fail": bad({}, "revocationStatements is empty"),
        "wildcard": bad({"revocationStatements": ["*"]}, "drops no user", 2),
        "second-position": bad({"revocationStatements": [ENDS[1]]}, "closes no session"),
        "unknown": unsure({"revocationStatements": [ENDS[0], UNKNOWN]}),
        "not-applicable": ok({"revocationStatements": ["KILL 1", "DROP USER '{{name}}'"]}),
    },
    "vault-database-connection-names-roles": {
        "pass": ok({"allowedRoles": ["trainer"]}),
        "fail": bad({"allowedRoles": ["*"]}, "allowedRoles[0] is '*'"),
        "wildcard": bad({"allowedRoles": ["ml-*"]}, "allowedRoles[0] is 'ml-*'"),
        "second-position": bad({"allowedRoles": ["trainer", "*"]}, "allowedRoles[1] is '*'"),
        "in a mount with connections": bad(
            {"mysqlLegacies": [{"allowedRoles": ["trainer"]}, {"allowedRoles": ["*"]}]},
            "mysqlLegacies[1].allowedRoles[0]",
        ),
        "unknown": unsure({"allowedRoles": [UNKNOWN, "*"]}, findings=1, evidence="[1]"),
        "not-applicable": ok({"allowedRoles": []}),
    },
    "vault-database-connection-tls": {
        "pass": ok(postgresql(GOOD_URL)),
        "fail": bad(postgresql("postgresql://db.example.com/ml"), "sslmode not set"),
        "wildcard": bad(postgresql("postgresql://db/ml?sslmode=*"), "sslmode *"),
        "second-position": bad(postgresql(f"{GOOD_URL}&sslmode=require"), "sslmode require"),
        "unknown": unsure(postgresql(UNKNOWN)),
        "not-applicable": ok(
            {"postgresql": {"username": "vault"}, "mongodb": {"connectionUrl": "x"}}
        ),
        "in a mount with connections": bad(
            {"postgresqls": [{"connectionUrl": GOOD_URL}, {"connectionUrl": "postgresql://db"}]},
            "postgresqls[1].connectionUrl has sslmode not set",
        ),
        "two modes, of which the driver takes the first": bad(
            postgresql("postgresql://db/ml?sslmode=disable&sslmode=verify-full"), "sslmode disable"
        ),
        "a mode under an escaped name": bad(
            postgresql("postgresql://db/ml?ssl%6dode=allow&sslmode=verify-full"), "sslmode allow"
        ),
        "a certificate that nobody checks": bad(
            {"redis": {"tls": True, "insecureTls": True}, "elasticsearch": {"insecure": True}},
            "elasticsearch.insecure is true",
            2,
        ),
        "MySQL in clear": bad({"mysql": {"connectionUrl": "u@tcp(db:3306)/"}}, "neither tlsCa"),
        "MySQL without an address": ok({"mysql": {"username": "vault"}}),
        "MySQL with a CA": ok({"mysql": {"connectionUrl": "u@tcp(db:3306)/", "tlsCa": "PEM"}}),
        "MySQL with TLS": ok({"mysqlRds": {"connectionUrl": "u@tcp(db:3306)/?tls=true"}}),
    },
    "vault-database-static-role-is-not-root": {
        "pass": ok((connection("ml", "vault"), static("s", "ml", "app"))),
        "fail": bad(
            (connection("ml", "vault"), static("s", "ml", "vault")), "user with which 'ml'"
        ),
        "wildcard": bad((connection("ml", "*"), static("s", "ml", "*")), "username '*'"),
        "second-position": bad(
            (
                connection("other", "app"),
                connection("ml", "vault"),
                static("s", "ml", "app"),
                static("t", "ml", "vault"),
            ),
            "'vault'",
        ),
        "unknown": unsure((connection("ml", "vault"), static("s", "ml", UNKNOWN))),
        "not-applicable": ok((connection("other", "app"), static("s", "ml", "app"))),
    },
    "vault-no-stored-credential": {
        "pass": ok(postgresql(GOOD_URL, passwordWo=ENCRYPTED, passwordWoVersion=1)),
        "fail": bad({"dataJson": '{"password": "not-a-real-one"}'}, "dataJson is set"),
        "wildcard": bad(postgresql(GOOD_URL, password="*"), "postgresql.password is set"),
        "second-position": bad(
            {
                "postgresql": {"connectionUrl": GOOD_URL},
                "redshift": {"connectionUrl": "x://u:fake@h"},
            },
            "redshift.connectionUrl holds a password",
        ),
        "unknown": unsure({"secretKey": UNKNOWN}),
        "not-applicable": ok({"dataJsonWo": "{}", "name": UNKNOWN}),
        "in a mount with connections": bad(
            {"redis": [{"host": "a"}, {"password": "not-a-real-one"}]}, "redis[1].password is set"
        ),
        "as MySQL's driver takes it": bad(
            {"mysql": {"connectionUrl": "root:fake@tcp(db:3306)/"}}, "holds a password"
        ),
        "with names for the driver": ok(
            {"mysql": {"connectionUrl": "{{username}}:{{password}}@tcp(db:3306)/"}}
        ),
        "as a parameter": bad({"mssql": {"connectionUrl": "server=db;PWD=fake"}}, "holds"),
        "encrypted is stored too": bad({"dataJson": ENCRYPTED}, "dataJson is set"),
    },
    "vault-endpoint-is-an-action": {
        "pass": ok(endpoint("database/rotate-root/ml")),
        "fail": bad(endpoint("sys/policies/acl/ml"), "path is 'sys/policies/acl/ml'"),
        "wildcard": bad(endpoint("auth/kubernetes/role/*"), "path is 'auth/kubernetes/role/*'"),
        "second-position": bad(
            endpoint("database/rotate-root/ml", {"a": "b", "c": [{"d": 1}, {"token": "made-up"}]}),
            "dataJson, key token, looks like a credential",
        ),
        "unknown": unsure(endpoint(UNKNOWN, {"password": "not-a-real-one"}), findings=1),
        "not-applicable": ok(endpoint("pki/tidy", {"tidy_cert_store": True}, "accessor")),
        "encrypted data": unsure({"path": "database/rotate-root/ml", "dataJson": ENCRYPTED}),
        "a credential that only Vault names so": bad(
            endpoint("aws/tidy", {"secret_key": "made-up"}), "key secret_key"
        ),
        "an answer's credential": bad(
            endpoint("pki/tidy", {}, "accessor", "secret_id", "client_token"),
            "writeFields[1] is 'secret_id'",
            2,
        ),
        "in a namespace": bad(endpoint("/team-a/sys/audit/file"), "audit/file"),
        "a role of an engine in a folder": bad(endpoint("team/db/roles/reader"), "roles/reader"),
        "the rotation of a connection of that name": ok(endpoint("team/db/rotate-root/config")),
        "the rotation of an engine's key": ok(endpoint("auth/aws/config/rotate-root")),
    },
    "vault-mount-lease-is-bounded": {
        "pass": ok({"type": "database", "maxLeaseTtlSeconds": DAY}),
        "fail": bad({"type": "aws"}, "aws engine is not set"),
        "wildcard": bad({"type": "aws", "maxLeaseTtlSeconds": "*"}, "not set"),
        "second-position": bad(
            {"type": "database", "defaultLeaseTtlSeconds": 60, "maxLeaseTtlSeconds": 2 * DAY},
            "172800",
        ),
        "unknown": unsure({"type": "database", "maxLeaseTtlSeconds": UNKNOWN}),
        "not-applicable": ok({"type": "kv-v2"}),
    },
    "vault-mount-audits-hashed": {
        "pass": ok({"auditNonHmacRequestKeys": ["common_name"]}),
        "fail": bad({"auditNonHmacResponseKeys": ["password"]}, "ResponseKeys[0] is 'password'"),
        "wildcard": bad({"auditNonHmacRequestKeys": ["*"]}, "is '*'"),
        "second-position": bad({"auditNonHmacRequestKeys": ["role", "secret_id"]}, "[1]"),
        "unknown": unsure({"auditNonHmacRequestKeys": UNKNOWN}),
        "not-applicable": ok({"description": "password"}),
        "tuned": bad({"tune": {"auditNonHmacRequestKeys": ["jwt"]}}, "tune.auditNonHmac"),
    },
    "vault-kv-is-versioned": {
        "pass": ok({"type": "kv", "options": {"version": "2"}}),
        "fail": bad({"type": "kv"}, "not set (1)"),
        "wildcard": bad({"type": "kv", "options": {"version": "*"}}, "is *"),
        "second-position": bad({"type": "generic", "options": {"a": "2", "version": "1"}}, "is 1"),
        "by its other name": bad({"type": "kv-v1", "options": {"version": "2"}}, "kv-v1 engine"),
        "unknown": unsure({"type": "kv", "options": UNKNOWN}),
        "not-applicable": ok({"type": "database"}),
    },
    "vault-audit-device-hides-values": {
        "pass": ok({"options": {"file_path": "stdout", "log_raw": "false"}}),
        "fail": bad({"options": {"log_raw": "true"}}, "options.log_raw is 'true'"),
        "wildcard": bad({"options": {"log_raw": "*"}}, "log_raw is '*'"),
        "second-position": bad({"options": {"log_raw": False, "hmac_accessor": "false"}}, "hmac"),
        "unknown": unsure({"options": {"log_raw": UNKNOWN, "hmac_accessor": "0"}}, findings=1),
        "not-applicable": ok({"options": {"hmac_accessor": "true"}}),
    },
    "vault-two-audit-devices": {
        "two sockets": ok(
            (device("a", "socket", address="x:9"), device("b", "socket", address="y:9"))
        ),
        "pass": ok(
            (
                device("a", "file", file_path="/vault/audit/log"),
                device("b", "socket", address="x:9"),
            )
        ),
        "fail": bad((device("a", "file", file_path="/vault/audit/log"),), "write to 1 place"),
        "wildcard": bad(
            (device("a", "file", file_path="*"), device("b", "file", file_path="*")), "1 place"
        ),
        "second-position": bad(
            (device("a", "file", file_path="/a"), device("b", "file", file_path="/b")), "own disk"
        ),
        "unknown": unsure((device("a", "file", file_path=UNKNOWN), device("b", "syslog"))),
        "not-applicable": ok(()),
        "a place that keeps nothing": bad(
            (device("a", "file", file_path="stdout"), device("b", "file", file_path="discard")),
            "write to 1 place",
        ),
        "standard output": ok(
            (device("a", "file", file_path="/a"), device("b", "file", file_path="stdout"))
        ),
    },
    "vault-aws-iam-user-has-boundary": {
        "pass": ok({"credentialType": "iam_user", "permissionsBoundaryArn": BOUNDARY}),
        "fail": bad({"credentialType": "iam_user"}, "permissionsBoundaryArn is not set"),
        "wildcard": bad(
            {"credentialType": "iam_user", "permissionsBoundaryArn": "arn:aws:iam::*:policy/*"},
            "nothing",
        ),
        "second-position": bad(
            {
                "credentialType": "iam_user",
                "permissionsBoundaryArn": "arn:aws:iam::aws:policy/AdministratorAccess",
            },
            "which bounds nothing",
        ),
        "unknown": unsure({"credentialType": "iam_user", "permissionsBoundaryArn": UNKNOWN}),
        "not-applicable": ok({"credentialType": "assumed_role"}),
    },
    "vault-aws-sts-is-short": {
        "pass": ok({"credentialType": "assumed_role", "defaultStsTtl": 3600, "maxStsTtl": 14400}),
        "fail": bad(
            {"credentialType": "assumed_role", "defaultStsTtl": 3600}, "maxStsTtl is not set"
        ),
        "wildcard": bad({"defaultStsTtl": "*", "maxStsTtl": 60}, "defaultStsTtl is not set"),
        "second-position": bad({"defaultStsTtl": 60, "maxStsTtl": 43200}, "maxStsTtl is 43200 s"),
        "unknown": unsure({"defaultStsTtl": UNKNOWN, "maxStsTtl": 60}),
        "not-applicable": ok({"credentialType": "iam_user"}),
    },
}
