"""The rules about rotation: what no single field of its credentials can judge."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from settings.cloud import Cloud
from settings.engines import Engines, KeyAlgorithm
from settings.errors import Problem
from settings.rotation import (
    Consumer,
    Credential,
    DatabasePassword,
    IamAccessKey,
    Publish,
    Reload,
    Rotation,
    SecretsManagerValue,
    VaultAwsRoot,
    VaultDatabaseRoot,
    VaultStaticRole,
)
from settings.types import Duration

_DAY = Duration.parse("1d")
_LEAST_QUIET = Duration.parse("1h")
_OWN = "secret/strongroom/"


def rotation_problems(
    rotation: Rotation, engines: Engines, cloud: Cloud, namespaces: Sequence[str]
) -> Iterator[Problem]:
    """Every violation in `rotation`, and between it and the other sections."""
    if not rotation.credentials:
        return
    yield from _signed(rotation, engines)
    yield from _apart(rotation)
    yield from _once(rotation)
    for index, credential in enumerate(rotation.credentials):
        key = f"rotation.credentials[{index}]"
        yield from _possible(key, credential, engines, cloud)
        for place, consumer in enumerate(getattr(credential, "consumers", ())):
            yield from _seen(f"{key}.consumers[{place}]", credential, consumer, namespaces)


def _signed(rotation: Rotation, engines: Engines) -> Iterator[Problem]:
    keys = engines.transit.keys if engines.transit else ()
    found = next((key for key in keys if key.name == rotation.events_key), None)
    if found is None or found.algorithm is not KeyAlgorithm.ED25519:
        yield Problem(
            "rotation.eventsKey",
            f"is {rotation.events_key!r}, which is no ed25519 key of `engines.transit`",
            "event lines that nobody signed prove nothing",
            f"add {{name: {rotation.events_key}, algorithm: ed25519}} to `engines.transit.keys`",
            also=("engines.transit",),
        )


def _apart(rotation: Rotation) -> Iterator[Problem]:
    days = [one.every_days or rotation.every_days for one in rotation.credentials]
    common = math.gcd(*days) * _DAY.seconds
    if common >> (len(days) - 1).bit_length() < rotation.window.seconds:
        yield Problem(
            "rotation.credentials",
            f"are {len(days)} with intervals that have {common // _DAY.seconds} days in common",
            f"there is no room to keep all of them {rotation.window} apart at every time",
            "intervals such as 30, 60 and 90 days, or a shorter `rotation.window`",
            also=("rotation.window", "rotation.everyDays"),
        )


def _once(rotation: Rotation) -> Iterator[Problem]:
    for field, values, why in (
        ("name", [one.name for one in rotation.credentials], "their records would be one"),
        (
            "publish",
            [
                str(_place(one.publish)) if hasattr(one, "publish") else ""
                for one in rotation.credentials
            ],
            "each would overwrite the other's credential",
        ),
    ):
        for value, count in Counter(filter(None, values)).items():
            if count > 1:
                last = len(values) - 1 - values[::-1].index(value)
                yield Problem(
                    f"rotation.credentials[{last}].{field}",
                    f"is {value!r}, which occurs {count} times",
                    why,
                    "each once",
                )


def _place(publish: Publish) -> str | None:
    return publish.vault or publish.secrets_manager


def _possible(
    key: str, credential: Credential, engines: Engines, cloud: Cloud
) -> Iterator[Problem]:
    database = engines.database
    roles = {role.name: role.username for role in database.static_roles} if database else {}
    if (
        isinstance(credential, DatabasePassword | VaultStaticRole | VaultDatabaseRoot)
        and not database
    ):
        yield Problem(
            f"{key}.type",
            f"is {str(credential.type)!r} without `engines.database`",
            "there is no database whose passwords could be changed",
            "the engine, or remove the credential",
            also=("engines",),
        )
        return
    if isinstance(credential, VaultAwsRoot) and not engines.aws:
        yield Problem(
            f"{key}.type",
            "is 'vault-aws-root' without `engines.aws`",
            "Vault has no AWS key then",
            "the engine, or remove the credential",
            also=("engines",),
        )
    elif isinstance(credential, VaultAwsRoot) and engines.aws and not engines.aws.root_key:
        yield Problem(
            f"{key}.type",
            "is 'vault-aws-root' without `engines.aws.rootKey`",
            "Vault works as its pods' AWS role then, which has no key and needs no rotation",
            "remove the credential, or write `rootKey: {file: …}` if the pods can have no role",
            also=("engines",),
        )
    aws = isinstance(credential, VaultAwsRoot | IamAccessKey | SecretsManagerValue)
    if isinstance(credential, DatabasePassword | IamAccessKey):
        yield from _published(f"{key}.publish", credential.publish)
        aws = aws or credential.publish.secrets_manager is not None
    if aws and cloud is not Cloud.AWS:
        yield Problem(
            key,
            f"needs AWS, and `cloud` is {cloud}",
            "the rotation would have no identity there",
            "`cloud: aws`, or remove the credential",
            also=("cloud",),
        )
    if isinstance(credential, VaultStaticRole) and credential.role not in roles:
        yield _no_role(f"{key}.role", credential.role, roles)
    if isinstance(credential, DatabasePassword) and database:
        yield from _turns(key, credential, roles, database.username)
    if isinstance(credential, IamAccessKey) and credential.quiet < _LEAST_QUIET:
        yield Problem(
            f"{key}.quiet",
            f"is {str(credential.quiet)!r}",
            "AWS tells of a key's last use late, so a shorter silence proves nothing",
            "1h or more; a day is better",
        )


def _published(key: str, publish: Publish) -> Iterator[Problem]:
    if (publish.vault is None) is (publish.secrets_manager is None):
        yield Problem(
            key,
            "names both places" if publish.vault else "names no place",
            "a credential in two places is two at every rotation",
            "either vault or secretsManager",
        )
    if publish.vault and publish.vault.startswith(_OWN):
        yield Problem(
            f"{key}.vault",
            f"is {publish.vault!r}",
            "the rotation's own records and events are there",
            "another path",
        )


def _turns(
    key: str, credential: DatabasePassword, roles: dict[str, str], vault_user: str
) -> Iterator[Problem]:
    if credential.admin not in roles:
        yield _no_role(f"{key}.admin", credential.admin, roles)
    names = (*credential.users, credential.owner)
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem(
            f"{key}.users",
            f"and `owner` have {name!r} twice",
            "taking turns needs two users, and an owner that nobody logs in as",
            "three different names",
        )
    for name in names:
        if name in (vault_user, *roles.values()):
            yield Problem(
                f"{key}.users",
                f"and `owner` have {name!r}, whose password Vault changes by itself",
                "each change would make the other's password useless",
                "users of their own",
                also=("engines",),
            )


def _no_role(key: str, role: str, roles: dict[str, str]) -> Problem:
    return Problem(
        key,
        f"is {role!r}, which is not among `engines.database.staticRoles`",
        "Vault would have no password to read or to change",
        f"one of {', '.join(sorted(roles)) or 'none yet'}, or add it there",
        also=("engines",),
    )


def _seen(
    key: str, credential: Credential, consumer: Consumer, namespaces: Sequence[str]
) -> Iterator[Problem]:
    if consumer.namespace not in namespaces:
        yield Problem(
            f"{key}.namespace",
            f"is {consumer.namespace!r}, which is not among `namespaces`",
            "nothing can run in a namespace that does not exist",
            f"one of {', '.join(sorted(namespaces))}",
            also=("namespaces",),
        )
    rollout = consumer.reload is Reload.ROLLOUT
    if consumer.waits_for and not rollout:
        yield Problem(
            f"{key}.waitsFor",
            f"is given though `reload` is {consumer.reload}",
            "only a rollout waits for it",
            "reload: rollout, or nothing",
        )
    if not rollout and not consumer.endpoint and not isinstance(credential, DatabasePassword):
        yield Problem(
            f"{key}.endpoint",
            f"is missing though `reload` is {consumer.reload}",
            "nothing else shows which credential the pod uses; only a database sees the sessions "
            "of its users",
            "8080/credential, or reload: rollout",
        )
