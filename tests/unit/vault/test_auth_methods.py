"""Auth methods besides Kubernetes: whom each admits, what a login may do, and what is refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pulumi
import pulumi_vault as vault
import pytest

from components.vault.approle import AppRole, AppRoleAuth, AppRoleAuthArgs
from components.vault.auth import KubernetesAuthArgs
from components.vault.aws_auth import AwsAuth, AwsAuthArgs, AwsRole
from components.vault.github_actions import (
    GithubActionsAuth,
    GithubActionsAuthArgs,
    GithubActionsRole,
)
from components.vault.github_auth import GithubAuth, GithubAuthArgs
from components.vault.inputs import TokenLife
from components.vault.ldap import LdapAuth, LdapAuthArgs
from components.vault.oidc import CLI_REDIRECT, OidcAuth, OidcAuthArgs, OidcRole
from tests.unit.support.monitor import Deployment, deploy

CLIENT_SECRET = "fake-client-secret-for-tests"
BIND_PASSWORD = "fake-bind-password-for-tests"
ENGINEERS = OidcRole(
    name="ml-engineers",
    bound_claims={"groups": ("ml-engineers", "ml-leads")},
    redirect_uris=(
        "https://vault.example.com:8200/ui/vault/auth/oidc/oidc/callback",
        CLI_REDIRECT,
    ),
    policies=("ml-engineers",),
)
OIDC = OidcAuthArgs(
    discovery_url="https://login.example.com",
    client_id="strongroom-vault",
    client_secret=CLIENT_SECRET,
    roles=(ENGINEERS,),
)
DEPLOY = GithubActionsRole(
    name="deploy",
    repository="example-org/models",
    audience="https://vault.example.com",
    environment="production",
    policies=("model-deploy",),
)
BUILD = replace(DEPLOY, name="build", environment=None, ref="refs/heads/main")
BATCH = AppRole(name="batch", policies=("batch",), cidrs=("10.20.0.0/16",))
TRAINING = AwsRole(
    name="training",
    principal_arns=("arn:aws:iam::123456789012:role/training",),
    policies=("training",),
)
AWS = AwsAuthArgs(server_id="vault.example.com", region="eu-central-1", roles=(TRAINING,))
LDAP = LdapAuthArgs(
    url="ldaps://directory.example.com",
    ca_pem="fake-ca-pem",
    bind_dn="cn=vault,dc=example,dc=com",
    bind_password=BIND_PASSWORD,
    user_dn="ou=people,dc=example,dc=com",
    group_dn="ou=groups,dc=example,dc=com",
    groups={"ml-engineers": ("ml-engineers",)},
)
GITHUB = GithubAuthArgs(
    organization="example-org", organization_id=1, teams={"ml-engineers": ("ml-engineers",)}
)
MOUNTS = {
    "vault:index/authBackend:AuthBackend",
    "vault:jwt/authBackend:AuthBackend",
    "vault:ldap/authBackend:AuthBackend",
    "vault:github/authBackend:AuthBackend",
}


def program() -> None:
    given = pulumi.ResourceOptions(
        providers=[vault.Provider("vault", address="https://vault.example.com:8200")]
    )
    OidcAuth("oidc", OIDC, given)
    GithubActionsAuth("actions", GithubActionsAuthArgs(roles=(DEPLOY, BUILD)), given)
    AppRoleAuth("approle", AppRoleAuthArgs(roles=(BATCH,)), given)
    AwsAuth("aws-auth", AWS, given)
    LdapAuth("ldap", LDAP, given)
    GithubAuth("github", GITHUB, given)


@pytest.fixture(scope="module", params=[False, True], ids=["up", "preview"])
def deployed(request: pytest.FixtureRequest) -> Deployment:
    return deploy(program, preview=request.param)


def test_the_tree_is_as_pinned(deployed: Deployment) -> None:
    assert deployed.tree() == [
        "pulumi:providers:vault vault",
        "strongroom:vault:AppRoleAuth approle",
        "  vault:appRole/authBackendRole:AuthBackendRole approle-role-batch",
        "  vault:index/authBackend:AuthBackend approle-mount",
        "strongroom:vault:AwsAuth aws-auth",
        "  vault:aws/authBackendClient:AuthBackendClient aws-auth-client",
        "  vault:aws/authBackendRole:AuthBackendRole aws-auth-role-training",
        "  vault:index/authBackend:AuthBackend aws-auth-mount",
        "strongroom:vault:GithubActionsAuth actions",
        "  vault:jwt/authBackend:AuthBackend actions-mount",
        "  vault:jwt/authBackendRole:AuthBackendRole actions-role-build",
        "  vault:jwt/authBackendRole:AuthBackendRole actions-role-deploy",
        "strongroom:vault:GithubAuth github",
        "  vault:github/authBackend:AuthBackend github-mount",
        "  vault:github/team:Team github-team-ml-engineers",
        "strongroom:vault:LdapAuth ldap",
        "  vault:ldap/authBackend:AuthBackend ldap-mount",
        "  vault:ldap/authBackendGroup:AuthBackendGroup ldap-group-ml-engineers",
        "strongroom:vault:OidcAuth oidc",
        "  vault:jwt/authBackend:AuthBackend oidc-mount",
        "  vault:jwt/authBackendRole:AuthBackendRole oidc-role-ml-engineers",
    ]


def test_everything_goes_through_the_given_provider(deployed: Deployment) -> None:
    assert {r.provider for r in deployed.resources if r.type.startswith("vault:")} == {"vault"}


def test_what_is_below_a_mount_goes_with_it(deployed: Deployment) -> None:
    made = [r for r in deployed.resources if r.type.startswith("vault:")]
    mounts = {r.urn for r in made if r.type in MOUNTS}
    assert {r.request.deletedWith for r in made if r.urn not in mounts} == mounts


@pytest.mark.parametrize(
    ("type_", "name", "property_", "value"),
    [
        ("vault:jwt/authBackend:AuthBackend", "oidc-mount", "oidcClientSecret", CLIENT_SECRET),
        ("vault:ldap/authBackend:AuthBackend", "ldap-mount", "bindpass", BIND_PASSWORD),
    ],
)
def test_credentials_are_write_only_and_secret(
    deployed: Deployment, type_: str, name: str, property_: str, value: str
) -> None:
    mount = deployed.one(type_, name)
    assert mount.inputs[f"{property_}Wo"] == value
    assert mount.inputs[f"{property_}WoVersion"] == 1
    assert f"{property_}Wo" in mount.secret_inputs
    assert property_ not in mount.inputs
    others = [r.inputs for r in deployed.resources if r is not mount]
    assert value not in json.dumps(others, default=str)


def test_people_are_admitted_by_exact_claims_and_addresses(deployed: Deployment) -> None:
    role = deployed.one("vault:jwt/authBackendRole:AuthBackendRole", "oidc-role-ml-engineers")
    assert role.inputs["boundClaims"] == {"groups": "ml-engineers,ml-leads"}
    assert role.inputs["boundClaimsType"] == "string"
    assert role.inputs["boundAudiences"] == ["strongroom-vault"]
    assert role.inputs["userClaim"] == "sub"
    assert role.inputs["allowedRedirectUris"] == list(ENGINEERS.redirect_uris)
    assert (role.inputs["tokenTtl"], role.inputs["tokenMaxTtl"]) == (3600, 28_800)


def test_a_workflow_is_bound_to_repository_place_and_event(deployed: Deployment) -> None:
    kind = "vault:jwt/authBackendRole:AuthBackendRole"
    deploying = deployed.one(kind, "actions-role-deploy").inputs
    building = deployed.one(kind, "actions-role-build").inputs
    events = "push,workflow_dispatch,schedule"
    assert deploying["boundClaims"] == {
        "repository": "example-org/models",
        "event_name": events,
        "environment": "production",
    }
    assert building["boundClaims"] == {
        "repository": "example-org/models",
        "event_name": events,
        "ref": "refs/heads/main",
    }
    assert deploying["boundAudiences"] == ["https://vault.example.com"]
    mount = deployed.one("vault:jwt/authBackend:AuthBackend", "actions-mount").inputs
    assert mount["boundIssuer"] == "https://token.actions.githubusercontent.com"


def test_an_approle_secret_works_once_for_minutes_from_its_network(deployed: Deployment) -> None:
    role = deployed.one("vault:appRole/authBackendRole:AuthBackendRole").inputs
    assert role["bindSecretId"] is True
    assert (role["secretIdNumUses"], role["secretIdTtl"]) == (1, 600)
    assert role["secretIdBoundCidrs"] == role["tokenBoundCidrs"] == ["10.20.0.0/16"]


def test_no_secret_id_is_made(deployed: Deployment) -> None:
    assert not [r for r in deployed.resources if "SecretId" in r.type]


def test_an_aws_login_is_bound_to_one_principal_and_one_vault(deployed: Deployment) -> None:
    role = deployed.one("vault:aws/authBackendRole:AuthBackendRole").inputs
    client = deployed.one("vault:aws/authBackendClient:AuthBackendClient").inputs
    assert role["authType"] == "iam"
    assert role["boundIamPrincipalArns"] == ["arn:aws:iam::123456789012:role/training"]
    assert role["resolveAwsUniqueIds"] is True
    assert client["iamServerIdHeaderValue"] == "vault.example.com"
    assert not {key for key in client if "Key" in key}


def test_the_directory_is_verified_and_needs_a_password(deployed: Deployment) -> None:
    mount = deployed.one("vault:ldap/authBackend:AuthBackend").inputs
    assert mount["insecureTls"] is False
    assert mount["certificate"] == "fake-ca-pem"
    assert mount["denyNullBind"] is True


def test_a_github_organisation_is_bound_by_number(deployed: Deployment) -> None:
    assert deployed.one("vault:github/authBackend:AuthBackend").inputs["organizationId"] == 1


def test_logins_that_are_no_browsers_have_no_default_policy(deployed: Deployment) -> None:
    holders = [r for r in deployed.resources if "tokenMaxTtl" in r.inputs]
    with_default = {r.name for r in holders if r.inputs.get("tokenNoDefaultPolicy") is not True}
    assert len(holders) == 7
    assert with_default == {"oidc-role-ml-engineers"}
    assert all(0 < r.inputs["tokenTtl"] <= r.inputs["tokenMaxTtl"] <= 86_400 for r in holders)


def claims(**values: Any) -> Any:
    return lambda: replace(ENGINEERS, bound_claims=values)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (claims(), "binds nobody, or everybody"),
        (claims(groups=()), "binds nobody, or everybody"),
        (claims(groups=("ml-engineers", "*")), "empty or a pattern"),
        (claims(groups=("a,b",)), "splits it into two"),
        (
            lambda: replace(ENGINEERS, redirect_uris=("https://*.example.com/cb",)),
            "empty or a pattern",
        ),
        (lambda: replace(ENGINEERS, redirect_uris=("http://vault.example.com/cb",)), "in clear"),
        (lambda: replace(ENGINEERS, redirect_uris=()), "binds nobody"),
        (lambda: replace(ENGINEERS, policies=("ml", "root")), "Name a narrow policy"),
        (lambda: replace(OIDC, discovery_url="http://login.example.com"), "no plain https"),
        (lambda: replace(OIDC, client_id=""), "empty or a pattern"),
        (lambda: replace(OIDC, client_secret_version=0), "Start at 1"),
        (lambda: replace(DEPLOY, repository="example-org/*"), "not one repository"),
        (lambda: replace(DEPLOY, repository="example-org"), "not one repository"),
        (lambda: replace(DEPLOY, environment="prod-*"), "empty or a pattern"),
        (lambda: replace(DEPLOY, environment=None), "exactly one of them"),
        (lambda: replace(DEPLOY, ref="refs/heads/main"), "exactly one of them"),
        (lambda: replace(BUILD, ref="refs/heads/*"), "not one branch"),
        (lambda: replace(BUILD, ref="refs/pull/7/merge"), "not one branch"),
        (lambda: replace(BUILD, events=("push", "pull_request_target")), "without write access"),
        (lambda: replace(BUILD, audience=""), "empty or a pattern"),
        (lambda: replace(BATCH, cidrs=()), "from anywhere"),
        (lambda: replace(BATCH, cidrs=("10.0.0.0/8", "0.0.0.0/0")), "every address"),
        (lambda: replace(BATCH, cidrs=("::/0",)), "every address"),
        (lambda: replace(BATCH, cidrs=("10.0.0.1/8",)), "no network"),
        (lambda: replace(BATCH, secret_id_num_uses=0), "0 means endless"),
        (lambda: replace(BATCH, secret_id_ttl=0), "0 means for ever"),
        (lambda: replace(TRAINING, principal_arns=()), "not one IAM role"),
        (
            lambda: replace(TRAINING, principal_arns=("arn:aws:iam::123456789012:root",)),
            "not one IAM role",
        ),
        (
            lambda: replace(TRAINING, principal_arns=("arn:aws:iam::123456789012:role/*",)),
            "not one IAM role",
        ),
        (lambda: replace(AWS, server_id=""), "empty or a pattern"),
        (lambda: replace(AWS, region="nowhere"), "no AWS region"),
        (lambda: replace(LDAP, url="ldap://directory.example.com"), "in clear"),
        (lambda: replace(LDAP, start_tls=True), "contradicts start_tls"),
        (lambda: replace(LDAP, groups={}), "binds nobody"),
        (lambda: replace(LDAP, groups={"g": ()}), "binds nobody"),
        (lambda: replace(GITHUB, organization_id=0), "takes over the name"),
        (lambda: replace(GITHUB, teams={"*": ("p",)}), "empty or a pattern"),
        (lambda: TokenLife(ttl=0), "ttl <= max_ttl"),
        (lambda: TokenLife(max_ttl=7 * 86_400), "live too long"),
        (lambda: KubernetesAuthArgs(kubernetes_host="http://10.0.0.1"), "no plain https"),
    ],
)
def test_what_would_do_harm_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_arguments_do_not_show_credentials() -> None:
    assert CLIENT_SECRET not in repr(OIDC)
    assert BIND_PASSWORD not in repr(LDAP)
    assert "ldaps://directory.example.com" in repr(LDAP)


def test_a_directory_with_start_tls_is_accepted() -> None:
    assert replace(LDAP, url="ldap://directory.example.com", start_tls=True).start_tls


def test_a_refusal_never_repeats_a_credential_of_an_address() -> None:
    with pytest.raises(ValueError, match="discovery_url") as refused:
        replace(OIDC, discovery_url="https://someone:fake-password@login.example.com")
    assert "fake-password" not in str(refused.value)
