"""How people and machines outside the cluster log in to Vault. Workloads inside it have grants.

Mounts have fixed names (`oidc`, `github-actions`, `approle`, `aws`, `ldap`, `github`). Holds no
credential, only the files they are read from. Who is admitted is named in full, without patterns.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from settings.base import Section, setting
from settings.types import (
    AnyUrl,
    Cidr,
    Count,
    Duration,
    HttpsUrl,
    Label,
    RoleArn,
    Text,
    between,
    refuse,
)


def _exact(value: str) -> str:
    if set(value) & set("*?+,"):
        raise refuse(f"is {value!r}, which is a pattern or a list, not one name")
    return value


def _narrow(value: str) -> str:
    if value == "root":
        raise refuse("is 'root', which may do everything")
    return value


def _hidden(value: str) -> str:
    if urlsplit(value).scheme != "https" and urlsplit(value).hostname != "localhost":
        raise refuse(f"is {value!r}, neither https nor localhost: the code would cross in clear")
    return value


def _some(value: str) -> str:
    if value.endswith("/0"):
        raise refuse(f"is {value!r}, which is every address there is")
    return value


Exact = Annotated[Text, AfterValidator(_exact)]
Policy = Annotated[Label, AfterValidator(_narrow)]
Policies = Annotated[tuple[Policy, ...], Field(min_length=1)]
_ONE = "each one by its full name"


def _policies() -> Any:
    return setting(
        why="a login gets these policies and no others", write="[ml-engineers]", min_length=1
    )


def _ttl(default: str) -> Any:
    return setting(Duration.parse(default), why="a login ends unless it is renewed", write=default)


def _max_ttl(default: str) -> Any:
    return setting(
        Duration.parse(default), why="a login ends for good (24h at most)", write=default
    )


class OidcRole(Section):
    """People whom the identity provider says something certain about."""

    name: Label = setting(why="people choose it when they log in", write="ml-engineers")
    bound_claims: dict[Exact, Annotated[tuple[Exact, ...], Field(min_length=1)]] = setting(
        why="everybody else at the identity provider is refused; " + _ONE,
        write="{groups: [ml-engineers]}",
        min_length=1,
    )
    redirect_uris: tuple[
        Annotated[AnyUrl, AfterValidator(_exact), AfterValidator(_hidden)], ...
    ] = setting(
        why="the login's code is sent to these addresses and no others",
        write='["http://localhost:8250/oidc/callback"]',
        min_length=1,
    )
    policies: tuple[Policy, ...] = _policies()
    ttl: Duration = _ttl("1h")
    max_ttl: Duration = _max_ttl("8h")


class Oidc(Section):
    """The identity provider of people."""

    discovery_url: HttpsUrl = setting(
        why="Vault learns there whose signatures to trust", write="https://login.example.com"
    )
    client_id: Exact = setting(why="tokens for other clients are refused", write="strongroom-vault")
    client_secret_file: Text = setting(
        why="the client's secret is read there", write=".strongroom/oidc-client-secret"
    )
    client_secret_version: Count = setting(
        1, why="Vault is given the secret anew when it grows", write="2, after a change", ge=1
    )
    roles: tuple[OidcRole, ...] = setting(
        why="people are admitted as they say", write="[{name: ml-engineers, …}]", min_length=1
    )


class WorkflowRole(Section):
    """Workflows of one repository, on one ref or in one environment."""

    name: Label = setting(why="the workflow names it", write="deploy")
    repository: Annotated[Text, Field(pattern=r"^[\w-]+/[\w.-]+$")] = setting(
        why="other repositories are refused", write="example-org/models"
    )
    audience: Exact = setting(
        why="tokens made for something else are refused", write="https://vault.example.com"
    )
    ref: Annotated[Text, Field(pattern=r"^refs/(heads|tags)/[\w./-]+$")] | None = setting(
        None, why="other branches are refused", write="refs/heads/main"
    )
    environment: Exact | None = setting(
        None, why="runs outside that environment are refused", write="production"
    )
    policies: tuple[Policy, ...] = _policies()
    ttl: Duration = _ttl("15m")
    max_ttl: Duration = _max_ttl("1h")


class GithubActions(Section):
    """Workflows of GitHub Actions."""

    roles: tuple[WorkflowRole, ...] = setting(
        why="workflows are admitted as they say", write="[{name: deploy, …}]", min_length=1
    )


class MachineRole(Section):
    """Machines that hold a secret ID."""

    name: Label = setting(why="the machine names it", write="batch")
    cidrs: tuple[Annotated[Cidr, AfterValidator(_some)], ...] = setting(
        why="a stolen secret ID is of no use elsewhere", write='["10.0.0.0/16"]', min_length=1
    )
    policies: tuple[Policy, ...] = _policies()
    secret_id_ttl: Annotated[Duration, between("1s", "1d")] = setting(
        Duration.parse("10m"), why="a secret ID that nobody used ends after it", write="10m"
    )
    secret_id_num_uses: Count = setting(
        1, why="a copied secret ID works no more often", write="1", ge=1, le=10
    )
    ttl: Duration = _ttl("20m")
    max_ttl: Duration = _max_ttl("1h")


class AppRole(Section):
    """Machines without an identity that Vault could check."""

    roles: tuple[MachineRole, ...] = setting(
        why="machines are admitted as they say", write="[{name: batch, …}]", min_length=1
    )


class AwsPrincipalRole(Section):
    """Machines with an AWS role."""

    name: Label = setting(why="the machine names it", write="training")
    principals: tuple[RoleArn, ...] = setting(
        why="other AWS identities are refused",
        write="[arn:aws:iam::123456789012:role/training]",
        min_length=1,
    )
    policies: tuple[Policy, ...] = _policies()
    ttl: Duration = _ttl("1h")
    max_ttl: Duration = _max_ttl("8h")


class AwsLogin(Section):
    """Machines, by their AWS identity."""

    server_id: Exact = setting(
        why="a login signed for another server is refused", write="vault.example.com"
    )
    roles: tuple[AwsPrincipalRole, ...] = setting(
        why="machines are admitted as they say", write="[{name: training, …}]", min_length=1
    )


class Ldap(Section):
    """People of a directory; TLS is required."""

    url: Annotated[Text, Field(pattern=r"^ldaps://[A-Za-z0-9.-]+(:[0-9]+)?$")] = setting(
        why="passwords are sent there; plain ldap would show them",
        write="ldaps://directory.example.com",
    )
    ca_file: Text = setting(
        why="only servers that this CA signed for see passwords", write="directory-ca.crt"
    )
    bind_dn: Text = setting(
        why="Vault searches the directory as it", write="cn=vault,dc=example,dc=com"
    )
    bind_password_file: Text = setting(
        why="its password is read there", write=".strongroom/ldap-bind-password"
    )
    bind_password_version: Count = setting(
        1, why="Vault is given the password anew when it grows", write="2, after a change", ge=1
    )
    user_dn: Text = setting(why="people are below it", write="ou=people,dc=example,dc=com")
    group_dn: Text = setting(why="groups are below it", write="ou=groups,dc=example,dc=com")
    groups: dict[Exact, Policies] = setting(
        why="members get the policies of their groups and no others",
        write="{ml-engineers: [ml-engineers]}",
        min_length=1,
    )


class Github(Section):
    """People of a GitHub organisation."""

    organization: Exact = setting(why="its members can log in", write="example-org")
    organization_id: Count = setting(
        why="the name may pass to somebody else, the number does not", write="1234567", ge=1
    )
    teams: dict[Exact, Policies] = setting(
        why="members get the policies of their teams and no others",
        write="{ml-engineers: [ml-engineers]}",
        min_length=1,
    )


class Auth(Section):
    """Every way to log in besides the cluster's own; none is on by itself."""

    oidc: Oidc | None = setting(None, why="people log in by it", write="{discoveryUrl: …}")
    github_actions: GithubActions | None = setting(
        None, why="workflows log in by it", write="{roles: […]}"
    )
    app_role: AppRole | None = setting(
        None, why="machines elsewhere log in by it", write="{roles: […]}"
    )
    aws: AwsLogin | None = setting(
        None, why="machines at AWS log in by it", write="{serverId: …, roles: […]}"
    )
    ldap: Ldap | None = setting(None, why="people log in by it", write="{url: ldaps://…}")
    github: Github | None = setting(
        None, why="people log in by it", write="{organization: example-org, …}"
    )
