"""How people and machines outside the cluster log in to Vault, from the settings."""

from __future__ import annotations

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
from wiring.files import Contents


def methods(
    configured: wanted.Auth,
    files: Contents,
    *,
    aws: Aws | None,
    opts: pulumi.ResourceOptions,
) -> None:
    """Every auth method that is configured; `files` are what files.read has read."""
    if configured.oidc:
        OidcAuth("oidc-auth", _oidc(configured.oidc, files), opts)
    if configured.github_actions:
        GithubActionsAuth("github-actions-auth", _workflows(configured.github_actions), opts)
    if configured.app_role:
        AppRoleAuth("approle-auth", _machines(configured.app_role), opts)
    if configured.aws and aws:
        AwsAuth("aws-auth", _aws(configured.aws, aws.region), opts)
    if configured.ldap:
        LdapAuth("ldap-auth", _ldap(configured.ldap, files), opts)
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


def _oidc(oidc: wanted.Oidc, files: Contents) -> OidcAuthArgs:
    return OidcAuthArgs(
        discovery_url=oidc.discovery_url,
        client_id=oidc.client_id,
        client_secret=files["auth.oidc.clientSecretFile"],
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


def _ldap(ldap: wanted.Ldap, files: Contents) -> LdapAuthArgs:
    return LdapAuthArgs(
        url=ldap.url,
        ca_pem=files["auth.ldap.caFile"],
        bind_dn=ldap.bind_dn,
        bind_password=files["auth.ldap.bindPasswordFile"],
        bind_password_version=ldap.bind_password_version,
        user_dn=ldap.user_dn,
        group_dn=ldap.group_dn,
        groups=ldap.groups,
    )
