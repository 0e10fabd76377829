"""What must hold between settings: rules that no single field can judge.

Each rule is a generator over the whole, already well-formed Settings; `broken_rules` runs them all.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from settings.cloud import Cloud
from settings.environments import Environment
from settings.errors import Problem
from settings.external_secrets import VaultStore
from settings.rules_access import access_problems
from settings.rules_cloud import cloud_secret_problems, identity_problems
from settings.rules_external import external_problems
from settings.rules_rotation import rotation_problems
from settings.rules_sealing import sealing_problems, sops_problems
from settings.rules_vault import VAULT_RULES

if TYPE_CHECKING:
    from settings.root import Settings


def _cloud_section(settings: Settings) -> Iterator[Problem]:
    for cloud, section, example in (
        (Cloud.AWS, settings.aws, "{region: eu-central-1}"),
        (Cloud.GCP, settings.gcp, "{project: example-project, region: europe-west3}"),
    ):
        if settings.cloud is cloud and section is None:
            yield Problem(
                str(cloud),
                f"is missing though `cloud` is {cloud}",
                "keys and secrets are created there",
                example,
                also=("cloud",),
            )
        elif settings.cloud is not cloud and section is not None:
            yield Problem(
                str(cloud),
                f"is given though `cloud` is {settings.cloud}",
                "settings that have no effect mislead whoever reads them",
                f"`cloud: {cloud}`, or remove the section",
                also=("cloud",),
            )


def _is_private(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith((".svc", ".svc.cluster.local")):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def _stand_ins(settings: Settings) -> Iterator[Problem]:
    seal = settings.vault.seal
    for key, endpoint in (
        ("aws.endpoint", settings.aws.endpoint if settings.aws else None),
        ("vault.seal.endpoint", getattr(seal, "endpoint", None)),
        ("engines.aws.endpoint", settings.engines.aws.endpoint if settings.engines.aws else None),
        ("externalSecrets.awsEndpoint", settings.external_secrets.aws_endpoint),
    ):
        if endpoint is None:
            continue
        if settings.environment is not Environment.LOCAL:
            yield Problem(
                key,
                f"is {endpoint!r} in environment {settings.environment}",
                "a stand-in keeps keys in clear, and Vault's data would hang on it",
                "nothing: the real AWS is found by `aws.region`",
                also=("environment",),
            )
        elif not _is_private(endpoint):
            yield Problem(
                key,
                f"is {endpoint!r}, which is not on this machine or in its cluster",
                "requests with credentials would go to a foreign host",
                "an address on loopback, in a private network or ending in .svc",
            )


def _kubernetes_named(settings: Settings) -> Iterator[Problem]:
    if settings.environment is not Environment.LOCAL and settings.kubernetes.context is None:
        yield Problem(
            "kubernetes.context",
            "is missing",
            "without it whatever context happens to be current receives the deployment",
            "a name from `kubectl config get-contexts`",
            also=("environment",),
        )


def _no_duplicates(settings: Settings) -> Iterator[Problem]:
    for key, names in (
        ("namespaces", [n.name for n in settings.namespaces]),
        ("serviceAccounts", [f"{a.namespace}/{a.name}" for a in settings.service_accounts]),
        ("grants", [g.name for g in settings.grants]),
    ):
        for name, count in Counter(names).items():
            if count > 1:
                last = len(names) - 1 - names[::-1].index(name)
                yield Problem(
                    f"{key}[{last}].name",
                    f"is {name!r}, which occurs {count} times",
                    "one of them would silently win",
                    "each name once",
                )


def _accounts_apart(settings: Settings) -> Iterator[Problem]:
    """Names that are made of an account's must differ where the accounts do."""
    seen: dict[str, str] = {}
    for index, account in enumerate(settings.service_accounts):
        whole = f"{account.namespace}/{account.name}"
        for made in (
            f"{account.namespace}/{account.name.removesuffix('-sa')}",  # its Role
            f"{account.namespace}-{account.name}",  # the resource
        ):
            other = seen.setdefault(made, whole)
            if other != whole:
                yield Problem(
                    f"serviceAccounts[{index}].name",
                    f"is {account.name!r} in {account.namespace} beside {other}",
                    "what is made for both would have one name, and one get the other's rights",
                    "a name that differs by more than `-sa`, or than where its parts are joined",
                )


def _store_accounts(settings: Settings) -> Iterator[Problem]:
    """A cloud's store makes its account, which says to the cloud who it is."""
    external = settings.external_secrets
    taken = {(account.namespace, account.name) for account in settings.service_accounts}
    for index, store in enumerate(external.stores if external.enabled else ()):
        if isinstance(store, VaultStore):
            continue
        place = (store.namespace, store.account)
        if place in taken:
            yield Problem(
                f"externalSecrets.stores[{index}].account",
                f"is {store.account!r}, which another store or `serviceAccounts` makes in "
                f"{store.namespace}",
                "one of them would silently take the other's identity",
                "an account for this store alone",
                also=("serviceAccounts",),
            )
        taken.add(place)


def _namespaces_exist(settings: Settings) -> Iterator[Problem]:
    known = {namespace.name for namespace in settings.namespaces}
    named = [
        (f"serviceAccounts[{i}].namespace", account.namespace)
        for i, account in enumerate(settings.service_accounts)
    ]
    named.append(("vault.namespace", settings.vault.namespace))
    named += [
        (f"grants[{i}].namespaces[{j}]", name)
        for i, grant in enumerate(settings.grants)
        for j, name in enumerate(grant.namespaces)
    ]
    for key, name in named:
        if name not in known:
            yield Problem(
                key,
                f"is {name!r}, which is not among `namespaces`",
                "nothing can run in a namespace that does not exist",
                f"one of {', '.join(sorted(known))}, or add it to `namespaces`",
                also=("namespaces",),
            )


def _privileged_in_prod(settings: Settings) -> Iterator[Problem]:
    for index, namespace in enumerate(settings.namespaces):
        if settings.environment is Environment.PROD and namespace.pod_security == "privileged":
            yield Problem(
                f"namespaces[{index}].podSecurity",
                "is 'privileged' in environment prod",
                "any pod there may take over the node and read every secret on it",
                "restricted, or baseline",
                also=("environment",),
            )


def _access(settings: Settings) -> Iterator[Problem]:
    yield from access_problems(settings.engines, settings.auth, settings.grants, settings.cloud)


def _network(settings: Settings) -> Iterator[Problem]:
    """What is asked for elsewhere and closed by network policies would fail by a time-out."""
    network, auth = settings.network, settings.auth
    asked = {
        "oidc": auth.oidc,
        "githubActions": auth.github_actions,
        "ldap": auth.ldap,
        "github": auth.github,
    }
    method = next((name for name, given in asked.items() if given), None)
    if method and not network.identity_providers:
        yield Problem(
            "network.identityProviders",
            f"is empty though `auth.{method}` is given",
            "network policies would cut Vault off from the servers that it asks",
            '[{cidrs: ["192.0.2.0/24"], port: 443}], the addresses of those servers',
            also=(f"auth.{method}",),
        )
    monitors = {
        "vault.telemetry": settings.vault.telemetry.enabled
        and settings.vault.telemetry.service_monitor,
        "sealedSecrets": settings.sealed_secrets.enabled
        and settings.sealed_secrets.service_monitor,
        "externalSecrets": settings.external_secrets.enabled
        and settings.external_secrets.service_monitor,
    }
    key = next((name for name, made in monitors.items() if made), None)
    if key and network.monitoring is None:
        yield Problem(
            "network.monitoring",
            f"is missing though `{key}.serviceMonitor` is true",
            "network policies would drop every question of Prometheus",
            "the name of Prometheus' namespace, for example monitoring",
            also=(f"{key}.serviceMonitor",),
        )


def _delivery(settings: Settings) -> Iterator[Problem]:
    namespaces = [namespace.name for namespace in settings.namespaces]
    yield from sealing_problems(settings.sealed_secrets, settings.environment, namespaces)
    yield from external_problems(
        settings.external_secrets, settings.grants, settings.engines, settings.cloud, namespaces
    )
    if settings.sops:
        yield from sops_problems(settings.sops)
    yield from rotation_problems(settings.rotation, settings.engines, settings.cloud, namespaces)


def _cloud_secrets(settings: Settings) -> Iterator[Problem]:
    namespaces = [namespace.name for namespace in settings.namespaces]
    cloud, aws, gcp = settings.cloud, settings.aws, settings.gcp
    yield from identity_problems(settings.identities, namespaces, cloud=cloud, aws=aws)
    yield from cloud_secret_problems(
        settings.cloud_secrets,
        settings.identities,
        settings.environment,
        cloud=cloud,
        aws=aws,
        gcp=gcp,
    )


RULES: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    _cloud_section,
    _stand_ins,
    _kubernetes_named,
    _no_duplicates,
    _accounts_apart,
    _store_accounts,
    _namespaces_exist,
    _privileged_in_prod,
    _access,
    _network,
    _delivery,
    _cloud_secrets,
    *VAULT_RULES,
)


def broken_rules(settings: Settings) -> list[Problem]:
    """Every violation of every rule."""
    return [problem for rule in RULES for problem in rule(settings)]
