"""JWT auth for GitHub Actions: workflows log in with the token GitHub gives to each run.

Owns the mount and the roles. A role binds one repository, and one ref or one deployment
environment, and the audience the workflow asked for. Runs that strangers can start are left out by
the event that started them: a pull request from a fork may run with the base branch as its ref.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_vault as vault

from components.vault import inputs
from components.vault.inputs import HOUR, TokenLife, refuse

ISSUER = "https://token.actions.githubusercontent.com"
TRUSTED_EVENTS = ("push", "workflow_dispatch", "schedule")
_STRANGERS_EVENTS = frozenset(
    {"pull_request", "pull_request_target", "workflow_run", "issue_comment", "issues", "fork"}
)


@dataclass(frozen=True, kw_only=True)
class GithubActionsRole:
    """Runs of `repository` at exactly `ref`, or in exactly `environment`, get `policies`."""

    name: str
    repository: str
    audience: str
    policies: Sequence[str]
    ref: str | None = None
    environment: str | None = None
    events: Sequence[str] = TRUSTED_EVENTS
    life: TokenLife = field(default_factory=lambda: TokenLife(ttl=900, max_ttl=HOUR))

    def __post_init__(self) -> None:
        place = f"role {self.name}"
        inputs.policies(f"{place} policies", self.policies)
        inputs.exact(f"{place} audience", [self.audience], example="https://vault.example.com")
        inputs.exact(f"{place} events", self.events, example="push")
        if not re.fullmatch(r"[\w-]+/[\w.-]+", self.repository):
            raise refuse(
                f"{place} repository",
                self.repository,
                "is not one repository; others could log in as it",
                "Write owner/name",
            )
        if (self.ref is None) is (self.environment is None):
            raise refuse(
                f"{place} ref, environment",
                (self.ref, self.environment),
                "bind every branch, or leave open which of both decides",
                "Give exactly one of them",
            )
        if self.ref is not None and not re.fullmatch(r"refs/(heads|tags)/[\w./-]+", self.ref):
            raise refuse(
                f"{place} ref",
                self.ref,
                "is not one branch or tag; what anybody may push would log in",
                "Write refs/heads/main",
            )
        if self.environment is not None:
            inputs.exact(f"{place} environment", [self.environment], example="production")
        if strangers := sorted(_STRANGERS_EVENTS & set(self.events)):
            raise refuse(
                f"{place} events",
                strangers[0],
                "is started by people without write access, with code of their own",
                f"Use some of {', '.join(TRUSTED_EVENTS)}",
            )

    @property
    def bound_claims(self) -> dict[str, str]:
        """What the run's token must say, to the letter. A comma separates what is equally good."""
        where = {"ref": self.ref, "environment": self.environment}
        return {
            "repository": self.repository,
            "event_name": ",".join(self.events),
            **{claim: value for claim, value in where.items() if value is not None},
        }


@dataclass(frozen=True, kw_only=True)
class GithubActionsAuthArgs:
    """`issuer` differs from GitHub's own only for a GitHub Enterprise server."""

    roles: Sequence[GithubActionsRole]
    issuer: str = ISSUER
    path: str = "github-actions"

    def __post_init__(self) -> None:
        inputs.mount_path("path", self.path)
        inputs.https("issuer", self.issuer)
        inputs.role_names("roles", [role.name for role in self.roles])


class GithubActionsAuth(pulumi.ComponentResource):
    """Produces the auth mount with its configuration, and the roles."""

    path: pulumi.Output[str]

    def __init__(
        self, name: str, args: GithubActionsAuthArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:GithubActionsAuth", name, {}, opts)
        mount = vault.jwt.AuthBackend(
            f"{name}-mount",
            path=args.path,
            type="jwt",
            description="Workflows of GitHub Actions, by the token of each run",
            oidc_discovery_url=args.issuer,
            bound_issuer=args.issuer,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self.path = mount.path.apply(lambda path: path or args.path)
        for role in args.roles:
            vault.jwt.AuthBackendRole(
                f"{name}-role-{role.name}",
                backend=self.path,
                role_name=role.name,
                role_type="jwt",
                user_claim="repository",
                bound_audiences=[role.audience],
                bound_claims=role.bound_claims,
                bound_claims_type="string",
                token_policies=list(role.policies),
                token_no_default_policy=True,
                token_ttl=role.life.ttl,
                token_max_ttl=role.life.max_ttl,
                opts=pulumi.ResourceOptions(
                    parent=self, deleted_with=mount, delete_before_replace=True
                ),
            )
        self.register_outputs({"path": self.path})
