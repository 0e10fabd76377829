"""How people and machines outside the cluster log in to Vault, from the settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pulumi

from components.vault.approle import AppRole, AppRoleAuth, AppRoleAuthArgs
from components.vault.aws_auth import AwsAuth, AwsAuthArgs, AwsRole
from components.vault.github_actions import (
    GithubActionsAuth,
    GithubActionsAuthArgs,
    GithubActionsRole,
)
from components.vault.github_auth import GithubAuth, GithubAuthArgs
from components.vault.inputs import TokenLife
from components.vault.ldap import LdapAuth, LdapAuthArgs
from components.vault.oidc import OidcAuth, OidcAuthArgs, OidcRole
from settings import auth as wanted
from settings.cloud import Aws
from settings.types import Duration


def methods(
    configured: wanted.Auth,
    credentials: Mapping[str, pulumi.Output[str]],
    *,
    aws: Aws | None,
    opts: pulumi.ResourceOptions,
) -> None:
    """Every auth method that is configured; `credentials` are what secret_files has read."""
    if configured.oidc:
        secret = credentials["auth.oidc.clientSecretFile"]
        OidcAuth("oidc-auth", _oidc(configured.oidc, secret), opts)
    if configured.github_actions:
        GithubActionsAuth("github-actions-auth", _workflows(configured.github_actions), opts)
    if configured.app_role:
        AppRoleAuth("approle-auth", _machines(configured.app_role), opts)
    if configured.aws and aws:
        AwsAuth("aws-auth", _aws(configured.aws, aws.region), opts)
    if configured.ldap:
        password = credentials["auth.ldap.bindPasswordFile"]
        LdapAuth("ldap-auth", _ldap(configured.ldap, password), opts)
    if configured.github:
        GithubAuth(
            "github-auth",
            GithubAuthArgs(
                organization=configured.github.organization,
                organization_id=configured.github.organization_id,
                teams=configured.github.teams,
            ),
            opts,
        )


def _life(ttl: Duration, max_ttl: Duration) -> TokenLife:
    return TokenLife(ttl=ttl.seconds, max_ttl=max_ttl.seconds)


def _oidc(oidc: wanted.Oidc, secret: pulumi.Output[str]) -> OidcAuthArgs:
    return OidcAuthArgs(
        discovery_url=oidc.discovery_url,
        client_id=oidc.client_id,
        client_secret=secret,
        client_secret_version=oidc.client_secret_version,
        roles=tuple(
            OidcRole(
                name=role.name,
                bound_claims=role.bound_claims,
                redirect_uris=role.redirect_uris,
                policies=role.policies,
                life=_life(role.ttl, role.max_ttl),
            )
            for role in oidc.roles
        ),
    )


def _workflows(actions: wanted.GithubActions) -> GithubActionsAuthArgs:
    return GithubActionsAuthArgs(
        roles=tuple(
            GithubActionsRole(
                name=role.name,
                repository=role.repository,
                audience=role.audience,
                ref=role.ref,
                environment=role.environment,
                policies=role.policies,
                life=_life(role.ttl, role.max_ttl),
            )
            for role in actions.roles
        )
    )


def _machines(app_role: wanted.AppRole) -> AppRoleAuthArgs:
    return AppRoleAuthArgs(
        roles=tuple(
            AppRole(
                name=role.name,
                policies=role.policies,
                cidrs=role.cidrs,
                secret_id_ttl=role.secret_id_ttl.seconds,
                secret_id_num_uses=role.secret_id_num_uses,
                life=_life(role.ttl, role.max_ttl),
            )
            for role in app_role.roles
        )
    )


def _aws(login: wanted.AwsLogin, region: str) -> AwsAuthArgs:
    return AwsAuthArgs(
        server_id=login.server_id,
        region=region,
        roles=tuple(
            AwsRole(
                name=role.name,
                principal_arns=role.principals,
                policies=role.policies,
                life=_life(role.ttl, role.max_ttl),
            )
            for role in login.roles
        ),
    )


def _ldap(ldap: wanted.Ldap, password: pulumi.Output[str]) -> LdapAuthArgs:
    return LdapAuthArgs(
        url=ldap.url,
        ca_pem=Path(ldap.ca_file).read_text(),
        bind_dn=ldap.bind_dn,
        bind_password=password,
        bind_password_version=ldap.bind_password_version,
        user_dn=ldap.user_dn,
        group_dn=ldap.group_dn,
        groups=ldap.groups,
    )
