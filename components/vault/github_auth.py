"""GitHub auth, for people without an identity provider: they log in with a personal access token.

Owns the mount and which teams get which policies. Every member of the organisation can log in, so
a login alone gives nothing: policies come from teams, and the `default` policy is off. The
organisation is bound by its number, since a name given up can be registered by anybody. Prefer
OIDC: a personal access token is a password that GitHub, laptops and scripts keep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_vault as vault

from components.vault import inputs
from components.vault.inputs import TokenLife, refuse


@dataclass(frozen=True, kw_only=True)
class GithubAuthArgs:
    """`teams` maps a team's slug to the policies of its members."""

    organization: str
    organization_id: int
    teams: Mapping[str, Sequence[str]]
    life: TokenLife = field(default_factory=TokenLife)
    path: str = "github"

    def __post_init__(self) -> None:
        inputs.mount_path("path", self.path)
        inputs.exact("organization", [self.organization], example="example-org")
        if self.organization_id < 1:
            raise refuse(
                "organization_id",
                self.organization_id,
                "is no organisation's number; whoever takes over the name would log in",
                "Read `id` from api.github.com/orgs/NAME",
            )
        inputs.exact("teams", self.teams, example="ml-engineers")
        for team, policies in self.teams.items():
            inputs.policies(f"team {team} policies", policies)


class GithubAuth(pulumi.ComponentResource):
    """Produces the auth mount with its configuration, and the policies of each team."""

    path: pulumi.Output[str]

    def __init__(
        self, name: str, args: GithubAuthArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:GithubAuth", name, {}, opts)
        mount = vault.github.AuthBackend(
            f"{name}-mount",
            path=args.path,
            description="People, by their GitHub team",
            organization=args.organization,
            organization_id=args.organization_id,
            token_no_default_policy=True,
            token_ttl=args.life.ttl,
            token_max_ttl=args.life.max_ttl,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self.path = mount.path.apply(lambda path: path or args.path)
        for team, policies in args.teams.items():
            vault.github.Team(
                f"{name}-team-{team}",
                backend=self.path,
                team=team,
                policies=list(policies),
                opts=pulumi.ResourceOptions(
                    parent=self, deleted_with=mount, delete_before_replace=True
                ),
            )
        self.register_outputs({"path": self.path})
