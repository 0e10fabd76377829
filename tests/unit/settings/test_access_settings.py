"""Engines and auth methods in the settings: the way to Vault, and what is refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pydantic import ValidationError

from access.grant import Grant
from components.vault.aws_root_key import DeployerLogin
from settings import SettingsError
from settings.auth import Auth
from settings.base import Section
from settings.cloud import Aws, Cloud
from settings.engines import Engines
from settings.rules_access import access_problems
from settings.shape import problems_of
from tests.unit.support.monitor import Deployment, deploy
from wiring import auth, engines, files

ENGINES = """
database:
  host: postgres.example.com
  database: mlflow
  passwordFile: {folder}/postgres-password
  caFile: {folder}/ca.crt
  roles:
    - {{ name: ml-readonly }}
    - {{ name: ml-readwrite, access: read-write }}
  staticRoles: [{{ name: ml-tracking, username: tracking, schedule: "0 3 * * 0" }}]
aws:
  endpoint: http://10.77.0.2:5000
  rootKey: {{ file: {folder}/aws-key }}
  roles:
    - {{ name: ml-s3-access, role: "arn:aws:iam::123456789012:role/ml", buckets: [example-data] }}
    - name: ml-s3-user
      permissionsBoundary: arn:aws:iam::123456789012:policy/vault-boundary
      buckets: [example-data]
pki:
  commonName: Example ML
  roles: [{{ name: serving, domains: [ml-serving.svc.cluster.local], subdomains: true }}]
transit:
  keys: [{{ name: ml-models }}]
"""
AUTH = """
oidc:
  discoveryUrl: https://login.example.com
  clientId: strongroom-vault
  clientSecretFile: {folder}/client-secret
  roles:
    - name: ml-engineers
      boundClaims: {{ groups: [ml-engineers] }}
      redirectUris: ["http://localhost:8250/oidc/callback"]
      policies: [ml-engineers]
githubActions:
  roles:
    - name: deploy
      repository: example-org/models
      audience: https://vault.example.com
      environment: production
      policies: [model-deploy]
appRole:
  roles: [{{ name: batch, cidrs: [10.20.0.0/16], policies: [batch] }}]
aws:
  serverId: vault.example.com
  roles:
    - name: training
      principals: ["arn:aws:iam::123456789012:role/training"]
      policies: [training]
ldap:
  url: ldaps://directory.example.com
  caFile: {folder}/ca.crt
  bindDn: cn=vault,dc=example,dc=com
  bindPasswordFile: {folder}/bind-password
  userDn: ou=people,dc=example,dc=com
  groupDn: ou=groups,dc=example,dc=com
  groups: {{ ml-engineers: [ml-engineers] }}
github:
  organization: example-org
  organizationId: 1
  teams: {{ ml-engineers: [ml-engineers] }}
"""
AWS = Aws(region="eu-central-1")


def section(text: str, folder: Path = Path("/nowhere"), **changes: Any) -> dict[str, Any]:
    """The YAML as a mapping, with values set by dotted key (underscores for dots); ... removes."""
    mapping: dict[str, Any] = yaml.safe_load(text.format(folder=folder))
    for key, value in changes.items():
        *parents, last = key.split("_")
        below: Any = mapping
        for part in parents:
            below = below[int(part)] if part.isdigit() else below[part]
        if value is ...:
            del below[last]
        else:
            below[last] = value
    return mapping


def rules(
    engine_changes: dict[str, Any] | None = None,
    auth_changes: dict[str, Any] | None = None,
    grants: tuple[Grant, ...] = (),
    cloud: Cloud = Cloud.AWS,
) -> list[str]:
    """`key what` of every broken rule."""
    found = access_problems(
        Engines.model_validate(section(ENGINES, **(engine_changes or {}))),
        Auth.model_validate(section(AUTH, **(auth_changes or {}))),
        grants,
        cloud,
    )
    return [f"{problem.key} {problem.what}" for problem in found]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("postgres-password", "client-secret", "bind-password", "aws-key", "ca.crt"):
        (tmp_path / name).write_text(f"fake {name}\n")
        (tmp_path / name).chmod(0o600)
    return tmp_path


def deployed(folder: Path, *, preview: bool) -> Deployment:
    wanted_engines = Engines.model_validate(section(ENGINES, folder))
    wanted_auth = Auth.model_validate(section(AUTH, folder))
    made = {
        "vault:pkiSecret/secretBackendIntermediateSetSigned:SecretBackendIntermediateSetSigned": {
            "importedIssuers": ["issuer"]
        }
    }

    def program() -> None:
        read = files.read(wanted_engines, wanted_auth, source="Pulumi.test.yaml")
        opts = pulumi.ResourceOptions()
        engines.engines(
            wanted_engines,
            read,
            address="https://vault.example.com:8200",
            deployer=DeployerLogin(
                address="https://vault.example.com:8200",
                token_file="fake-token-file",
                ca_file="fake-ca-file",
            ),
            aws=AWS,
            protect=True,
            opts=opts,
        )
        auth.methods(wanted_auth, read, aws=AWS, opts=opts)

    return deploy(program, preview=preview, outputs=made)


@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
def test_settings_become_components(folder: Path, preview: bool) -> None:
    result = deployed(folder, preview=preview)
    assert [line for line in result.tree() if not line.startswith(" ")] == [
        "strongroom:vault:AppRoleAuth approle-auth",
        "strongroom:vault:AwsAuth aws-auth",
        "strongroom:vault:AwsEngine aws-engine",
        "strongroom:vault:DatabaseEngine database",
        "strongroom:vault:GithubActionsAuth github-actions-auth",
        "strongroom:vault:GithubAuth github-auth",
        "strongroom:vault:LdapAuth ldap-auth",
        "strongroom:vault:OidcAuth oidc-auth",
        "strongroom:vault:PkiEngine pki",
        "strongroom:vault:TransitEngine transit",
    ]
    connection = result.one("vault:database/secretBackendConnection:SecretBackendConnection")
    assert connection.inputs["postgresql"]["passwordWo"] == "fake postgres-password"
    assert connection.inputs["postgresql"]["tlsCa"] == "fake ca.crt\n"
    static = result.one("vault:database/secretBackendStaticRole:SecretBackendStaticRole").inputs
    assert static["rotationSchedule"] == "0 3 * * 0"


def test_vault_reaches_the_stand_in_by_an_address_of_its_own(folder: Path) -> None:
    engine = deployed(folder, preview=False).one("vault:aws/secretBackend:SecretBackend").inputs
    assert engine["iamEndpoint"] == engine["stsEndpoint"] == "http://10.77.0.2:5000"


def test_credentials_are_secrets_wherever_they_go(folder: Path) -> None:
    credentials = [
        f"fake {name}" for name in ("postgres-password", "client-secret", "bind-password")
    ]
    holders = [
        (key, key in resource.secret_inputs)
        for resource in deployed(folder, preview=False).resources
        for key, value in resource.inputs.items()
        if any(credential in json.dumps(value, default=str) for credential in credentials)
    ]
    assert sorted(holders) == [
        ("bindpassWo", True),
        ("oidcClientSecretWo", True),
        ("postgresql", True),
    ]


def test_the_aws_key_is_named_and_nowhere_else(folder: Path) -> None:
    result = deployed(folder, preview=False)
    key = result.one("pulumi-python:dynamic/strongroom:AwsRootKey").inputs
    assert key["file"] == str(folder / "aws-key")
    assert "fake aws-key" not in json.dumps([r.inputs for r in result.resources], default=str)


def test_nothing_is_on_by_itself() -> None:
    assert files.read(Engines(), Auth(), source="Pulumi.test.yaml") == {}
    assert not any(
        value is not None for value in (*Auth().model_dump().values(), Engines().database)
    )


def test_every_missing_or_open_file_is_named_and_none_is_shown(folder: Path) -> None:
    (folder / "postgres-password").unlink()
    (folder / "client-secret").chmod(0o644)
    (folder / "ca.crt").unlink()
    (folder / "aws-key").chmod(0o640)
    with pytest.raises(SettingsError) as refused:
        deployed(folder, preview=True)
    message = str(refused.value)
    assert "5 mistakes" in message
    assert "engines.aws.rootKey.file" in message
    assert "engines.database.passwordFile" in message
    assert "which is no file" in message
    assert "auth.oidc.clientSecretFile" in message
    assert "chmod 600" in message
    assert "engines.database.caFile" in message
    assert "auth.ldap.caFile" in message
    assert "fake client-secret" not in message


def test_a_certificate_that_is_no_text_is_named(folder: Path) -> None:
    """Authorities are often handed on as DER."""
    (folder / "ca.crt").write_bytes(b"\x30\x82\xff\xfe")
    with pytest.raises(SettingsError, match=r"caFile names '.*ca\.crt', which holds no text"):
        deployed(folder, preview=True)


def test_a_file_may_be_empty_once_vault_has_its_value(folder: Path) -> None:
    (folder / "postgres-password").write_text("")
    connection = deployed(folder, preview=True).one(
        "vault:database/secretBackendConnection:SecretBackendConnection"
    )
    assert connection.inputs["postgresql"]["passwordWoVersion"] == 1


def test_good_settings_break_no_rule() -> None:
    assert rules() == []


def grant(**what: Any) -> Grant:
    return Grant(
        name="ml-app", service_accounts=("ml-app-sa",), namespaces=("ml-training",), **what
    )


@pytest.mark.parametrize(
    ("arguments", "key", "what"),
    [
        (
            {"engine_changes": {"database_roles_1_maxTtl": "48h"}},
            "engines.database.roles[1]",
            "48h",
        ),
        ({"engine_changes": {"database_roles_0_ttl": "25h"}}, "engines.database.roles[0]", "25h"),
        ({"engine_changes": {"pki_roles_0_maxTtl": "1h"}}, "engines.pki.roles[0]", "1h"),
        ({"auth_changes": {"oidc_roles_0_maxTtl": "30m"}}, "auth.oidc.roles[0]", "30m"),
        (
            {"engine_changes": {"database_staticRoles_0_name": "ml-readonly"}},
            "engines.database.roles",
            "2 times",
        ),
        ({"engine_changes": {"aws_roles_0_role": ...}}, "engines.aws.roles[0].role", "unclear"),
        (
            {"engine_changes": {"aws_roles_1_role": "arn:aws:iam::123456789012:role/ml"}},
            "engines.aws.roles[1].role",
            "unclear",
        ),
        (
            {"auth_changes": {"githubActions_roles_0_environment": ...}},
            "auth.githubActions.roles[0].ref",
            "unclear",
        ),
        ({"cloud": Cloud.NONE}, "engines.aws", "`cloud` is none"),
        ({"cloud": Cloud.GCP}, "auth.aws", "`cloud` is gcp"),
        (
            {"grants": (grant(database=("ml-readonly", "ml-admin")),)},
            "grants[0].database[1]",
            "'ml-admin', which is no role",
        ),
        (
            {"grants": (grant(database=("ml-tracking",)),)},
            "grants[0].database[0]",
            "no role of `engines.database.roles`",
        ),
        (
            {"grants": (grant(database_static=("ml-tracking", "ml-readonly")),)},
            "grants[0].databaseStatic[1]",
            "no role of `engines.database.staticRoles`",
        ),
        ({"grants": (grant(aws=("other",)),)}, "grants[0].aws[0]", "'other', which is no role"),
    ],
)
def test_what_contradicts_itself_is_named(arguments: Any, key: str, what: str) -> None:
    assert any(found.startswith(key) and what in found for found in rules(**arguments))


def test_grants_of_existing_roles_are_right() -> None:
    granted = grant(
        database=("ml-readonly",), database_static=("ml-tracking",), aws=("ml-s3-access",)
    )
    assert rules(grants=(granted,)) == []


@pytest.mark.parametrize(
    ("model", "text", "changes", "key"),
    [
        (Engines, ENGINES, {"database_host": "db/x?sslmode=disable"}, "database.host"),
        (Engines, ENGINES, {"database_username": 'x"; DROP'}, "database.username"),
        (Engines, ENGINES, {"database_passwordVersion": 0}, "database.passwordVersion"),
        (Engines, ENGINES, {"database_password": "fake"}, "database.password"),
        (Engines, ENGINES, {"aws_roles_0_buckets": ["ml-*"]}, "aws.roles[0].buckets[0]"),
        (Engines, ENGINES, {"pki_roles_0_domains": ["*.example.com"]}, "pki.roles[0].domains[0]"),
        (Engines, ENGINES, {"transit_keys_0_algorithm": "rsa-1024"}, "transit.keys[0].algorithm"),
        (
            Auth,
            AUTH,
            {"oidc_roles_0_redirectUris": ["https://*.example.com"]},
            "oidc.roles[0].redirectUris[0]",
        ),
        (Auth, AUTH, {"oidc_roles_0_policies": ["root"]}, "oidc.roles[0].policies[0]"),
        (Auth, AUTH, {"oidc_roles_0_boundClaims": {}}, "oidc.roles[0].boundClaims"),
        (Auth, AUTH, {"githubActions_roles_0_ref": "refs/heads/*"}, "githubActions.roles[0].ref"),
        (Auth, AUTH, {"appRole_roles_0_secretIdNumUses": 0}, "appRole.roles[0].secretIdNumUses"),
        (Auth, AUTH, {"ldap_url": "ldap://directory.example.com"}, "ldap.url"),
        (Auth, AUTH, {"ldap_bindPassword": "fake"}, "ldap.bindPassword"),
        (Auth, AUTH, {"github_organizationId": 0}, "github.organizationId"),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(
    model: type[Section], text: str, changes: dict[str, Any], key: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(section(text, **changes))
    (problem,) = problems_of(refused.value, model)
    assert problem.key == key
    assert problem.why
    assert problem.fix
