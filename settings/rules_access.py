"""The rules about engines, grants and logins: what no single field of theirs can judge.

Each takes the sections it is about, so that settings/rules.py can hand them over as it has them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from access.grant import Grant
from access.lifetimes import Lease, Token, mismatches
from settings.auth import Auth
from settings.cloud import Cloud
from settings.engines import Engines
from settings.errors import Problem
from settings.rules_buckets import bucket_problems
from settings.types import Duration

_DAY = Duration(24 * 60 * 60)


def access_problems(
    engines: Engines, auth: Auth, grants: Sequence[Grant], cloud: Cloud
) -> Iterator[Problem]:
    """Every violation in engines, auth methods, and what grants expect of engines."""
    yield from _lives(engines, auth)
    yield from _names(engines, auth)
    yield from _users(engines)
    yield from _granted_roles_exist(engines, grants)
    yield from _lifetimes(engines, grants)
    if cloud is not Cloud.AWS:
        for key, section in (("engines.aws", engines.aws), ("auth.aws", auth.aws)):
            if section is not None:
                yield Problem(
                    key,
                    f"is given though `cloud` is {cloud}",
                    "its region is read from `aws`, and Vault has no AWS identity",
                    "`cloud: aws`, or remove the section",
                    also=("cloud",),
                )
    for index, role in enumerate(engines.aws.roles if engines.aws else ()):
        if (role.role is None) is (role.permissions_boundary is None):
            yield Problem(
                f"engines.aws.roles[{index}].role",
                "is unclear: give exactly one of `role` and `permissionsBoundary`",
                "it decides whether Vault assumes a role or makes users",
                "`role: arn:aws:iam::…`, whose credentials end by themselves",
                also=(f"engines.aws.roles[{index}].permissionsBoundary",),
            )
        partition = (role.role or role.permissions_boundary or "arn:aws").split(":")[1]
        key = f"engines.aws.roles[{index}].buckets"
        yield from bucket_problems(key, role.buckets, partition=partition)
    for index, workflow in enumerate(auth.github_actions.roles if auth.github_actions else ()):
        if (workflow.ref is None) is (workflow.environment is None):
            yield Problem(
                f"auth.githubActions.roles[{index}].ref",
                "is unclear: give exactly one of `ref` and `environment`",
                "without either, any branch of the repository may log in",
                "`environment: production`, or `ref: refs/heads/main`",
                also=(f"auth.githubActions.roles[{index}].environment",),
            )


def _lives(engines: Engines, auth: Auth) -> Iterator[Problem]:
    for key, ttl, max_ttl, longest in _ttls(engines, auth):
        if not ttl <= max_ttl <= longest:
            yield Problem(
                f"{key}.maxTtl",
                f"is {str(max_ttl)!r} with a ttl of {str(ttl)!r}",
                "what leaks stays of use until then",
                f"between `ttl` and {longest}",
                also=(f"{key}.ttl",),
            )


def _ttls(engines: Engines, auth: Auth) -> Iterator[tuple[str, Duration, Duration, Duration]]:
    for index, login in enumerate(engines.database.roles if engines.database else ()):
        yield f"engines.database.roles[{index}]", login.ttl, login.max_ttl, _DAY
    for index, role in enumerate(engines.pki.roles if engines.pki else ()):
        longest = Duration(90 * _DAY.seconds)
        yield f"engines.pki.roles[{index}]", role.ttl, role.max_ttl, longest
    for method in ("oidc", "githubActions", "appRole", "aws"):
        for index, admitted in enumerate(_roles(auth, method)):
            yield f"auth.{method}.roles[{index}]", admitted.ttl, admitted.max_ttl, _DAY


def _lifetimes(engines: Engines, grants: Sequence[Grant]) -> Iterator[Problem]:
    """A login must not be promised for longer than the token that asks for it can live."""
    roles = {role.name: role for role in engines.database.roles} if engines.database else {}
    for index, grant in enumerate(grants):
        leases = [
            Lease(
                path=f"database/creds/{name}",
                ttl=roles[name].ttl.seconds,
                max_ttl=roles[name].max_ttl.seconds,
            )
            for name in grant.database
            if name in roles
        ]
        for mismatch in mismatches(Token.of(grant), leases, ()):
            yield Problem(
                f"grants[{index}].ttl",
                f"is {grant.ttl!r}, and {mismatch.where} {mismatch.what}",
                mismatch.why,
                mismatch.fix,
                also=("engines.database",),
            )


def _names(engines: Engines, auth: Auth) -> Iterator[Problem]:
    lists = {
        f"auth.{m}.roles": _roles(auth, m) for m in ("oidc", "githubActions", "appRole", "aws")
    }
    if engines.database:
        lists["engines.database.roles"] = (
            *engines.database.roles,
            *engines.database.static_roles,
        )
    lists["engines.aws.roles"] = engines.aws.roles if engines.aws else ()
    lists["engines.pki.roles"] = engines.pki.roles if engines.pki else ()
    lists["engines.transit.keys"] = engines.transit.keys if engines.transit else ()
    for key, entries in lists.items():
        for name, count in Counter(entry.name for entry in entries).items():
            if count > 1:
                yield Problem(
                    key,
                    f"has {name!r} {count} times",
                    "one of them would silently win",
                    "each name once",
                )


def _users(engines: Engines) -> Iterator[Problem]:
    """Each user's password has one owner: a role, or Vault for itself."""
    database = engines.database
    if database is None:
        return
    taken = [database.username]
    for index, role in enumerate(database.static_roles):
        if role.username in taken:
            yield Problem(
                f"engines.database.staticRoles[{index}].username",
                f"is {role.username!r}, whose password is Vault's own or another role's",
                "each change would make the other's password useless",
                "a user that only this role is for",
                also=("engines.database.username",),
            )
        taken.append(role.username)


def _granted_roles_exist(engines: Engines, grants: Sequence[Grant]) -> Iterator[Problem]:
    database, aws = engines.database, engines.aws
    logins = {role.name for role in database.roles} if database else set()
    static = {role.name for role in database.static_roles} if database else set()
    cloud = {role.name for role in aws.roles} if aws else set()
    for index, grant in enumerate(grants):
        for key, names, engine, list_, known in (
            ("database", grant.database, "database", "roles", logins),
            ("databaseStatic", grant.database_static, "database", "staticRoles", static),
            ("aws", grant.aws, "aws", "roles", cloud),
        ):
            for place, name in enumerate(names):
                if name not in known:
                    yield Problem(
                        f"grants[{index}].{key}[{place}]",
                        f"is {name!r}, which is no role of `engines.{engine}.{list_}`",
                        "the workload would be refused when it asks",
                        f"one of {', '.join(sorted(known)) or 'none yet'}, or add it there",
                        also=(f"engines.{engine}",),
                    )


def _roles(auth: Auth, method: str) -> Sequence[Any]:
    section = {
        "oidc": auth.oidc,
        "githubActions": auth.github_actions,
        "appRole": auth.app_role,
        "aws": auth.aws,
    }[method]
    return section.roles if section else ()
