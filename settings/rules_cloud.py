"""The rules about cloud secrets and identities: what no single field of theirs can judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from settings.cloud import Aws, Cloud, Gcp
from settings.cloud_secrets import CloudSecrets, DatabaseLogins
from settings.environments import Environment
from settings.errors import Problem
from settings.identities import AwsRole, GoogleIdentity, Identities
from settings.rules_buckets import bucket_problems
from settings.types import Duration

_DAY = 24 * 60 * 60
# The periods that CloudWatch Logs knows, in days. Source: AWS, "PutRetentionPolicy".
LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557)
_LOGINS = "cloudSecrets.databaseLogins"


def cloud_secret_problems(
    secrets: CloudSecrets,
    identities: Identities,
    environment: Environment,
    *,
    cloud: Cloud,
    aws: Aws | None,
    gcp: Gcp | None,
) -> Iterator[Problem]:
    """Every violation in `cloudSecrets`."""
    why = "AWS would refuse it, or a deleted secret be gone at once"
    yield from _days("cloudSecrets.recovery", secrets.recovery, 7, 30, why)
    if logins := secrets.database_logins:
        known = [role.name for role in identities.aws.roles] if identities.aws else []
        yield from _in_cloud(_LOGINS, Cloud.AWS, cloud)
        yield from _logins(logins, known, environment)
        if aws:
            yield from _beside(logins.administrator, aws)
    if secrets.google:
        yield from _in_cloud("cloudSecrets.google", Cloud.GCP, cloud)
        yield from _google(secrets, identities, gcp)


def _logins(
    logins: DatabaseLogins, identities: Sequence[str], environment: Environment
) -> Iterator[Problem]:
    for field, names in (
        ("name", [login.name for login in logins.logins]),
        ("secret", [login.secret for login in logins.logins]),
        ("user", [login.user for login in logins.logins]),
    ):
        yield from _once(f"{_LOGINS}.logins", field, names)
    account = logins.administrator.split(":")[4]
    yield from _of_account(f"{_LOGINS}.writers", logins.writers, account)
    for index, login in enumerate(logins.logins):
        key = f"{_LOGINS}.logins[{index}]"
        why = "a login that leaks would open the database for too long"
        yield from _days(f"{key}.rotation", login.rotation, 1, 90, why)
        roles = [reader for reader in login.readers if not reader.startswith("arn:")]
        yield from _known(f"{key}.readers", roles, identities, "identities.aws.roles")
        arns = [reader for reader in login.readers if reader.startswith("arn:")]
        yield from _of_account(f"{key}.readers", arns, account)
        if f"{login.user}_clone" in [other.user for other in logins.logins]:
            yield Problem(
                f"{key}.user",
                f"is {login.user!r}, whose clone has a login of its own",
                "two rotations would change one password in turn, and lock its readers out",
                "a user of this login alone",
            )
        if login.owner in (login.user, f"{login.user}_clone"):
            yield Problem(
                f"{key}.owner",
                f"is {login.owner!r}, which is one of the two users",
                "taking turns needs two users, and an owner that nobody logs in as",
                f"another role, or nothing for {login.user}_owner",
                also=(f"{key}.user",),
            )
    if logins.logs.seconds not in [days * _DAY for days in LOG_DAYS]:
        yield Problem(
            f"{_LOGINS}.logs",
            f"is {str(logins.logs)!r}",
            "CloudWatch Logs keeps lines for certain periods only",
            f"one of {', '.join(f'{days}d' for days in LOG_DAYS)}",
        )
    if logins.network is None and environment is not Environment.LOCAL:
        yield Problem(
            f"{_LOGINS}.network",
            f"is missing in environment {environment}",
            "the functions would reach the database only if it is open to the whole Internet",
            "`{subnets: [subnet-…], securityGroups: [sg-…]}`",
            also=("environment",),
        )


def _of_account(key: str, roles: Sequence[str], account: str) -> Iterator[Problem]:
    for role in roles:
        if role.split(":")[4] != account:
            yield Problem(
                key,
                f"names {role!r}, which is not of account {account}",
                "another account's administrators would decide who that is",
                f"roles of account {account}, where the secrets are",
            )


def _beside(administrator: str, aws: Aws) -> Iterator[Problem]:
    _, _, _, region, account = administrator.split(":")[:5]
    if region != aws.region or aws.account_id not in (None, account):
        yield Problem(
            f"{_LOGINS}.administrator",
            f"is in {region} of account {account}, and the stack in {aws.region} of "
            f"{aws.account_id or 'another'}",
            "the functions would not find it",
            "a secret beside those that are rotated",
            also=("aws",),
        )


def _google(secrets: CloudSecrets, identities: Identities, gcp: Gcp | None) -> Iterator[Problem]:
    known = [each.name for each in identities.google.accounts] if identities.google else []
    yield from _once("cloudSecrets.google", "name", [secret.name for secret in secrets.google])
    yield from _once("cloudSecrets.google", "key", [secret.key for secret in secrets.google])
    for index, secret in enumerate(secrets.google):
        key = f"cloudSecrets.google[{index}]"
        why = "a value that leaks would be of use for too long"
        yield from _days(f"{key}.rotation", secret.rotation, 1, 90, why)
        why = "a version destroyed by mistake would be gone"
        yield from _days(f"{key}.destroyedAfter", secret.destroyed_after, 1, 1000, why)
        names = [reader for reader in secret.readers if "@" not in reader]
        yield from _known(f"{key}.readers", names, known, "identities.google.accounts")
        if gcp and f"/locations/{gcp.region}/" not in secret.key:
            yield Problem(
                f"{key}.key",
                f"is {secret.key!r}, and the stack is in {gcp.region}",
                "Google encrypts a secret only by a key in its own region",
                f"a key in {gcp.region}",
                also=("gcp",),
            )


def identity_problems(
    identities: Identities,
    namespaces: Sequence[str],
    *,
    cloud: Cloud,
    aws: Aws | None,
) -> Iterator[Problem]:
    """Every violation in `identities`; `namespaces` are the names in `namespaces`."""
    named = []
    if roles := identities.aws:
        yield from _in_cloud("identities.aws", Cloud.AWS, cloud)
        yield from _once("identities.aws.roles", "name", [role.name for role in roles.roles])
        yield from _one_each("identities.aws.roles", roles.roles)
        partition = roles.provider.split(":")[1]
        for index, role in enumerate(roles.roles):
            key = f"identities.aws.roles[{index}].buckets"
            yield from bucket_problems(key, role.buckets, partition=partition)
        named += [(f"identities.aws.roles[{i}]", r.namespace) for i, r in enumerate(roles.roles)]
        if not 3600 <= roles.session.seconds <= 12 * 3600:
            yield Problem(
                "identities.aws.session",
                f"is {str(roles.session)!r}",
                "AWS makes no session that short or that long",
                "between 1h and 12h",
            )
        account = roles.provider.split(":")[4]
        if aws and aws.account_id not in (None, account):
            yield Problem(
                "identities.aws.provider",
                f"is in account {account}, and the stack in {aws.account_id}",
                "roles trust providers of their own account only",
                "the provider of this account",
                also=("aws",),
            )
    if accounts := identities.google:
        yield from _in_cloud("identities.google", Cloud.GCP, cloud)
        names = [each.name for each in accounts.accounts]
        yield from _once("identities.google.accounts", "name", names)
        yield from _one_each("identities.google.accounts", accounts.accounts)
        named += [
            (f"identities.google.accounts[{i}]", each.namespace)
            for i, each in enumerate(accounts.accounts)
        ]
    for key, namespace in named:
        yield from _known(f"{key}.namespace", [namespace], namespaces, "namespaces")


def _in_cloud(key: str, needed: Cloud, cloud: Cloud) -> Iterator[Problem]:
    if cloud is not needed:
        yield Problem(
            key,
            f"is given though `cloud` is {cloud}",
            "there is no account to make it in",
            f"`cloud: {needed}` with the section `{needed}`, or remove it",
            also=("cloud",),
        )


def _days(key: str, given: Duration, low: int, high: int, why: str) -> Iterator[Problem]:
    if given.seconds % _DAY or not low <= given.seconds // _DAY <= high:
        yield Problem(key, f"is {str(given)!r}", why, f"whole days, from {low}d to {high}d")


def _once(key: str, field: str, names: Sequence[str]) -> Iterator[Problem]:
    for name, count in Counter(names).items():
        if count > 1:
            yield Problem(
                key,
                f"has the {field} {name!r} {count} times",
                "two rotations would change one thing in turn, and lock its readers out",
                f"each {field} once",
            )


def _one_each(key: str, identities: Sequence[AwsRole | GoogleIdentity]) -> Iterator[Problem]:
    """A Kubernetes account has one annotation for a cloud."""
    for (namespace, account), count in Counter(
        (identity.namespace, identity.account) for identity in identities
    ).items():
        if count > 1:
            yield Problem(
                key,
                f"has {count} identities for account {account} of namespace {namespace}",
                "its pods can take on one, and the others would silently have no effect",
                "one with all that the account needs, or an account for each",
            )


def _known(key: str, names: Iterable[str], known: Sequence[str], where: str) -> Iterator[Problem]:
    for name in names:
        if name not in known:
            yield Problem(
                key,
                f"names {name!r}, which is not among `{where}`",
                "nothing could take it on or read",
                f"one of {', '.join(sorted(known)) or 'none yet'}, or add it there",
                also=(where,),
            )
