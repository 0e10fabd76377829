"""The rules about external secrets: what no single field of theirs can judge.

A store that reads what its grant does not give, or a Secret that outlives what it was copied from,
is found here and not by whoever is on call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from access.grant import Grant
from access.lifetimes import Delivery, Lease, Renewal, Token, mismatches
from settings.cloud import Cloud
from settings.engines import Engines
from settings.errors import Problem
from settings.external_secrets import ExternalSecrets, Push, Secret, Store, StoreType, VaultStore
from settings.rules_sealing import chart_problems, known
from settings.types import Duration

_CLOUDS = {StoreType.AWS: Cloud.AWS, StoreType.GCP: Cloud.GCP}
_SHORTEST, _LONGEST = Duration.parse("1m"), Duration.parse("1d")


def external_problems(
    external: ExternalSecrets,
    grants: Sequence[Grant],
    engines: Engines | None,
    cloud: Cloud,
    namespaces: Sequence[str],
) -> Iterator[Problem]:
    """Every violation in `externalSecrets`, and between it, grants and engines."""
    if not external.enabled:
        return
    yield from chart_problems("externalSecrets.chart", external.chart)
    stores = {store.name: store for store in external.stores}
    by_name = {grant.name: grant for grant in grants}
    yield from known(_namespaces_of(external), namespaces)
    yield from _no_duplicates(external)
    for index, store in enumerate(external.stores):
        yield from _store(f"externalSecrets.stores[{index}]", store, by_name, cloud)
    for index, secret in enumerate(external.secrets):
        key = f"externalSecrets.secrets[{index}]"
        if not (secret.data or secret.extract or secret.generate):
            yield Problem(
                key,
                "takes nothing from its store",
                "the Secret would be empty",
                "data, extract or generate",
            )
        for name, count in Counter(entry.key for entry in secret.data).items():
            if count > 1:
                yield Problem(
                    f"{key}.data",
                    f"has the key {name!r} {count} times",
                    "one source would silently win",
                    "each key once",
                )
        if not _SHORTEST <= secret.refresh <= _LONGEST:
            yield Problem(
                f"{key}.refresh",
                f"is {str(secret.refresh)!r}",
                "the store would be flooded, or a rotated value not arrive within a day",
                "between 1m and 1d",
            )
        if found := stores.get(secret.store):
            yield from _reachable(key, secret, found)
            if isinstance(found, VaultStore) and found.grant in by_name:
                yield from _granted(key, secret, by_name[found.grant], found.grant)
                yield from _lives(key, secret, by_name[found.grant], engines)
            yield from _generator(key, secret, found)
        else:
            yield _no_store(key, secret, stores)
    for index, push in enumerate(external.pushes):
        key = f"externalSecrets.pushes[{index}]"
        if found := stores.get(push.store):
            yield from _reachable(key, push, found)
        else:
            yield _no_store(key, push, stores)


def _namespaces_of(external: ExternalSecrets) -> Iterator[tuple[str, str]]:
    yield "externalSecrets.namespace", external.namespace
    for index, store in enumerate(external.stores):
        yield f"externalSecrets.stores[{index}].namespace", store.namespace
        for place, name in enumerate(store.shared_with):
            yield f"externalSecrets.stores[{index}].sharedWith[{place}]", name
    for index, secret in enumerate(external.secrets):
        yield f"externalSecrets.secrets[{index}].namespace", secret.namespace
    for index, push in enumerate(external.pushes):
        yield f"externalSecrets.pushes[{index}].namespace", push.namespace


def _no_duplicates(external: ExternalSecrets) -> Iterator[Problem]:
    # Store names are unique in the whole stack: secrets name their store without its namespace.
    for key, names in (
        ("stores", [store.name for store in external.stores]),
        ("secrets", [f"{secret.namespace}/{secret.name}" for secret in external.secrets]),
        ("pushes", [f"{push.namespace}/{push.name}" for push in external.pushes]),
    ):
        for name, count in Counter(names).items():
            if count > 1:
                yield Problem(
                    f"externalSecrets.{key}",
                    f"has {name!r} {count} times",
                    "one of them would silently win",
                    "each name once",
                )


def _store(key: str, store: Store, grants: Mapping[str, Grant], cloud: Cloud) -> Iterator[Problem]:
    if store.type in _CLOUDS and cloud is not _CLOUDS[store.type]:
        yield Problem(
            f"{key}.type",
            f"is {str(store.type)!r} though `cloud` is {cloud}",
            "the operator would have no identity there",
            f"`cloud: {_CLOUDS[store.type]}`, or another store",
            also=("cloud",),
        )
    if not isinstance(store, VaultStore):
        return
    grant = grants.get(store.grant)
    if grant is None:
        yield Problem(
            f"{key}.grant",
            f"is {store.grant!r}, which is not among `grants`",
            "Vault would refuse the store's login",
            f"one of {', '.join(sorted(grants)) or 'none yet'}, or add it to `grants`",
            also=("grants",),
        )
        return
    for field, value, bound in (
        ("account", store.account, grant.service_accounts),
        ("namespace", store.namespace, grant.namespaces),
    ):
        if value not in bound:
            yield Problem(
                f"{key}.{field}",
                f"is {value!r}, which grant {grant.name} does not name",
                "Vault would refuse the store's login",
                f"one of {', '.join(bound)}, or add it to the grant",
                also=("grants",),
            )


def _reachable(key: str, user: Secret | Push, store: Store) -> Iterator[Problem]:
    if user.namespace not in (store.shared_with or (store.namespace,)):
        yield Problem(
            f"{key}.store",
            f"is {user.store!r}, which namespace {user.namespace} may not use",
            "the operator would refuse to copy",
            f"a store of {user.namespace}, or name it in the store's `sharedWith`",
        )


def _generator(key: str, secret: Secret, store: Store) -> Iterator[Problem]:
    if secret.generate is None:
        return
    if not isinstance(store, VaultStore):
        yield Problem(
            f"{key}.generate",
            f"is {secret.generate!r}, and its store is not Vault",
            "only Vault makes credentials",
            "a store of type vault",
            also=(f"{key}.store",),
        )
    elif secret.namespace != store.namespace:
        yield Problem(
            f"{key}.generate",
            f"is in namespace {secret.namespace}, its store's account in {store.namespace}",
            "credentials are made as an account of the Secret's own namespace",
            f"a store of {secret.namespace}",
            also=(f"{key}.store",),
        )


def _granted(key: str, secret: Secret, grant: Grant, name: str) -> Iterator[Problem]:
    readable = {*grant.secrets, *grant.manages}
    wanted = [(f"{key}.data[{i}].remote", entry.remote) for i, entry in enumerate(secret.data)]
    wanted += [(f"{key}.extract[{i}]", remote) for i, remote in enumerate(secret.extract)]
    for place, remote in wanted:
        if remote not in readable:
            yield _not_granted(place, remote, name, sorted(readable))
    made = {f"database/creds/{role}" for role in grant.database}
    made |= {f"aws/creds/{role}" for role in grant.aws}
    if secret.generate and secret.generate not in made:
        yield _not_granted(f"{key}.generate", secret.generate, name, sorted(made))


def _not_granted(place: str, path: str, grant: str, given: Sequence[str]) -> Problem:
    return Problem(
        place,
        f"is {path!r}, which grant {grant} does not give",
        "Vault would refuse to read it",
        f"one of {', '.join(given) or 'none yet'}, or add it to the grant",
        also=("grants",),
    )


def _lives(key: str, secret: Secret, grant: Grant, engines: Engines | None) -> Iterator[Problem]:
    """What Vault makes for the Secret must live clearly longer than the time between refreshes."""
    if not secret.generate:
        return
    roles = engines.database.roles if engines and engines.database else ()
    leases = [
        Lease(path=f"database/creds/{r.name}", ttl=r.ttl.seconds, max_ttl=r.max_ttl.seconds)
        for r in roles
        if f"database/creds/{r.name}" == secret.generate
    ]
    delivery = Delivery(
        name=f"{secret.namespace}/{secret.name}",
        renewal=Renewal.REFRESH,
        every=secret.refresh.seconds,
    )
    for mismatch in mismatches(Token.of(grant), leases, [delivery]):
        if mismatch.where.startswith(delivery.name):
            yield Problem(
                f"{key}.refresh",
                f"is {str(secret.refresh)!r}: {mismatch.what}",
                mismatch.why,
                mismatch.fix,
                also=("grants", "engines"),
            )


def _no_store(key: str, user: Secret | Push, stores: Mapping[str, Store]) -> Problem:
    return Problem(
        f"{key}.store",
        f"is {user.store!r}, which is not among `externalSecrets.stores`",
        "there would be nothing to copy from, or to",
        f"one of {', '.join(sorted(stores)) or 'none yet'}, or add it there",
    )
