"""A grant: which service accounts get which secrets, for how long. The one source of access.

Owns the meaning of a grant: the Vault policy it becomes and the limits it must keep. Makes nothing;
`components.vault.grant` deploys it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from access.policy import Capability, PathRule, Policy

MAX_TTL_SECONDS = 24 * 60 * 60
TOKEN_PERIOD_SECONDS = 60 * 60

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

_READ = frozenset({Capability.READ})
_MANAGE = frozenset(
    {Capability.CREATE, Capability.READ, Capability.UPDATE, Capability.PATCH, Capability.DELETE}
)

# What a client needs to look after the token and the leases it holds; the `default` policy, which
# allows more, is switched off for granted tokens.
OWN_TOKEN = (
    PathRule(path="auth/token/lookup-self", capabilities=_READ),
    PathRule(path="auth/token/renew-self", capabilities=frozenset({Capability.UPDATE})),
    PathRule(path="auth/token/revoke-self", capabilities=frozenset({Capability.UPDATE})),
    PathRule(path="sys/leases/renew", capabilities=frozenset({Capability.UPDATE})),
)


def seconds(duration: str) -> int:
    """The seconds of a duration such as `90s`, `30m`, `1h30m` or `7d`.

    Raises ValueError for anything else, and for nothing at all.
    """
    parts = re.findall(r"(\d+)([smhd])", duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise ValueError(f"{duration!r} is no duration; write for example 30m, 1h or 1h30m")
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def _dns_label(value: str) -> str:
    if "*" in value:
        raise ValueError(
            f"{value!r}: a wildcard would let every pod that matches log in; name each one"
        )
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", value):
        raise ValueError(
            f"{value!r} is no Kubernetes name; use at most 63 lower-case letters, digits and dashes"
        )
    return value


def _secret_path(value: str) -> str:
    if "*" in value or "+" in value:
        raise ValueError(
            f"{value!r}: a wildcard also covers secrets that nobody has written yet; "
            "name each secret"
        )
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)+", value):
        raise ValueError(
            f"{value!r} is no path of a secret; write mount/path, as in secret/ml/mlflow"
        )
    if value.split("/")[1] in {"data", "metadata"}:
        raise ValueError(
            f"{value!r}: leave out {value.split('/')[1]!r}, which the grant adds by itself"
        )
    return value


def _role_name(value: str) -> str:
    if not re.fullmatch(r"[\w-]+", value):
        raise ValueError(f"{value!r} is no role name; use letters, digits, dashes and underscores")
    return value


def _not_empty(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise ValueError("is empty, and an empty list binds nobody; name at least one")
    return values


Name = Annotated[str, AfterValidator(_dns_label)]
Names = Annotated[tuple[Name, ...], AfterValidator(_not_empty)]
SecretPath = Annotated[str, AfterValidator(_secret_path)]
RoleName = Annotated[str, AfterValidator(_role_name)]


class Grant(BaseModel):
    """One row of access: these accounts in these namespaces may read exactly these secrets.

    `secrets` are KV v2 paths as people type them (`secret/ml/mlflow`), `database` and `aws` are
    role names of the engines at `database/` and `aws/`, `database_static` of the former's static
    roles, whose user others share and whose password outlives the token. `manages` are KV v2 paths
    whose values the accounts write; they cannot destroy versions. `ttl` bounds the token's life.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )

    name: Name
    service_accounts: Names
    namespaces: Names
    audience: str = Field(default="vault", min_length=1)
    secrets: tuple[SecretPath, ...] = ()
    manages: tuple[SecretPath, ...] = ()
    database: tuple[RoleName, ...] = ()
    database_static: tuple[RoleName, ...] = ()
    aws: tuple[RoleName, ...] = ()
    ttl: str = "1h"

    @model_validator(mode="after")
    def _grants_something_for_a_while(self) -> Self:
        engines = (*self.database, *self.database_static, *self.aws)
        if not (self.secrets or self.manages or engines):
            raise ValueError(
                "the grant gives nothing; fill secrets, manages, database, databaseStatic or aws"
            )
        if both := set(self.secrets) & set(self.manages):
            raise ValueError(f"{min(both)} is in secrets and in manages, which includes reading it")
        if not 60 <= seconds(self.ttl) <= MAX_TTL_SECONDS:
            raise ValueError(f"ttl is {self.ttl}; it must lie between 1m and 24h")
        return self

    @property
    def ttl_seconds(self) -> int:
        """The longest life of a token of this grant, in seconds."""
        return seconds(self.ttl)

    @property
    def token_ttl_seconds(self) -> int:
        """A token's first period, in seconds; renewals prolong it up to `ttl_seconds`."""
        return min(self.ttl_seconds, TOKEN_PERIOD_SECONDS)

    @property
    def policy(self) -> Policy:
        """The Vault policy: exactly what is granted, and care for the own token."""
        return Policy(name=self.name, rules=(*self._rules(), *OWN_TOKEN))

    def _rules(self) -> Iterator[PathRule]:
        for secret in self.secrets:
            yield PathRule(path=_below("data", secret), capabilities=_READ)
        for secret in self.manages:
            yield PathRule(path=_below("data", secret), capabilities=_MANAGE)
            yield PathRule(path=_below("metadata", secret), capabilities=_READ)
        for role in self.database:
            yield PathRule(path=f"database/creds/{role}", capabilities=_READ)
        for role in self.database_static:
            yield PathRule(path=f"database/static-creds/{role}", capabilities=_READ)
        for role in self.aws:
            yield PathRule(path=f"aws/creds/{role}", capabilities=_READ)


def _below(part: str, secret: str) -> str:
    mount, path = secret.split("/", 1)
    return f"{mount}/{part}/{path}"
