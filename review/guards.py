"""The guards of an environment, compared by meaning: which is weaker where.

Owns what counts as a guard; `review.strength` says which of two values is the stronger one. Names,
addresses, sizes and versions are no guards. Does not say whether a weaker guard is right somewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from policies.rules import ALL
from review import strength
from review.strength import Strength, less, more, on, place
from settings import Settings
from settings.vault import ServiceType, Spread, TlsVersion


@dataclass(frozen=True, kw_only=True)
class Guard:
    """One guard: the setting or rule it comes from, and what it keeps from happening."""

    name: str
    about: str
    measure: Callable[[Settings], Strength]


@dataclass(frozen=True, kw_only=True)
class Weaker:
    """A guard that is weaker in one environment than in another."""

    guard: Guard
    here: str
    there: str


def weaker(one: Settings, other: Settings) -> tuple[Weaker, ...]:
    """The guards that are weaker in `one` than in `other`."""
    found = []
    for guard in guards(one, other):
        here, there = guard.measure(one), guard.measure(other)
        if here.rank < there.rank:
            found.append(Weaker(guard=guard, here=here.said, there=there.said))
    return tuple(found)


def guards(one: Settings, other: Settings) -> Iterator[Guard]:
    """Every guard that both environments have."""
    yield from _GUARDS
    shared = {n.name for n in one.namespaces} & {n.name for n in other.namespaces}
    for name in sorted(shared):
        yield Guard(
            name=f"namespaces.{name}.podSecurity",
            about="pods above that level are refused",
            measure=partial(strength.pod_security, name),
        )
    for rule in ALL:
        yield Guard(
            name=f"policy {rule.id}", about=rule.title, measure=partial(strength.enforcement, rule)
        )


_GUARDS = (
    Guard(
        name="protect",
        about="a deployment may not delete resources",
        measure=lambda s: on(value=s.protect),
    ),
    Guard(
        name="aws.endpoint",
        about="keys and secrets are held by the cloud itself, not by a stand-in",
        measure=lambda s: on(value=not (s.aws and s.aws.endpoint), said=("a stand-in", "real")),
    ),
    Guard(
        name="vault.replicas",
        about="Vault outlives the loss of servers",
        measure=lambda s: more(s.vault.replicas),
    ),
    Guard(
        name="vault.spread",
        about="replicas do not die together with one machine",
        measure=lambda s: place(Spread, s.vault.spread),
    ),
    Guard(
        name="vault.tls.minVersion",
        about="clients with an older TLS are refused",
        measure=lambda s: place(TlsVersion, s.vault.tls.min_version),
    ),
    Guard(
        name="vault.tls.validity",
        about="a stolen certificate ends by itself",
        measure=lambda s: less(s.vault.tls.validity.seconds, s.vault.tls.validity),
    ),
    Guard(
        name="vault.seal.type",
        about="a restarted server unseals without people",
        measure=strength.seal,
    ),
    Guard(
        name="vault.seal.deletionWindow",
        about="a deleted unseal key can be called back",
        measure=strength.seal_key,
    ),
    Guard(
        name="vault.custodian",
        about="whoever finds the shares of the first start cannot use them",
        measure=strength.custodian,
    ),
    Guard(
        name="vault.custodian.threshold",
        about="that many holders must agree",
        measure=lambda s: more(s.vault.custodian.threshold),
    ),
    Guard(
        name="vault.snapshots.destination",
        about="secrets outlive the cluster",
        measure=strength.snapshots,
    ),
    Guard(
        name="vault.snapshots.maxAge",
        about="a restore loses at most that before an alarm",
        measure=lambda s: less(s.vault.snapshots.max_age.seconds, s.vault.snapshots.max_age),
    ),
    Guard(
        name="vault.snapshots.retain",
        about="older states can be restored",
        measure=lambda s: more(s.vault.snapshots.retain),
    ),
    Guard(
        name="vault.injector.replicas",
        about="pods start while one injector is down",
        measure=lambda s: more(s.vault.injector.replicas),
    ),
    Guard(
        name="vault.ui.serviceType",
        about="Vault is not reached from outside the cluster",
        measure=lambda s: place(reversed(ServiceType), s.vault.ui.service_type),
    ),
    Guard(
        name="vault.telemetry",
        about="alarms have their figures",
        measure=lambda s: on(value=s.vault.telemetry.enabled),
    ),
    Guard(
        name="vault.telemetry.serviceMonitor",
        about="Prometheus finds Vault by itself",
        measure=lambda s: on(value=s.vault.telemetry.service_monitor),
    ),
    Guard(
        name="vault.deployer.tokenTtl",
        about="a leaked deployer token ends by itself",
        measure=lambda s: less(s.vault.deployer.token_ttl.seconds, s.vault.deployer.token_ttl),
    ),
    Guard(
        name="grants.ttl",
        about="a workload's token ends by itself; the longest one counts",
        measure=lambda s: strength.longest(grant.ttl_seconds for grant in s.grants),
    ),
    Guard(
        name="engines.database.roles.maxTtl",
        about="a database login ends by itself; the longest one counts",
        measure=lambda s: strength.longest(
            role.max_ttl.seconds
            for role in (s.engines.database.roles if s.engines.database else ())
        ),
    ),
    Guard(
        name="network.apiServer",
        about="pods reach no more than the API server",
        measure=lambda s: strength.reach(s.network.api_server),
    ),
    Guard(
        name="network.kms",
        about="Vault reaches no more than its key service",
        measure=lambda s: strength.reach(s.network.kms),
    ),
    Guard(
        name="network.objectStorage",
        about="the snapshot job reaches no more than its storage",
        measure=lambda s: strength.reach(s.network.object_storage),
    ),
    Guard(
        name="network.databases",
        about="Vault reaches no more than its databases",
        measure=lambda s: strength.reach(*s.network.databases),
    ),
    Guard(
        name="network.identityProviders",
        about="Vault reaches no more than who knows its people and machines",
        measure=lambda s: strength.reach(*s.network.identity_providers),
    ),
    Guard(
        name="rotation.job.endpoints",
        about="the rotator reaches no more than what it rotates outside the cluster",
        measure=lambda s: strength.reach(*(s.rotation.job.endpoints if s.rotation.job else ())),
    ),
    Guard(
        name="network.clients",
        about="Vault is reached from no more than these networks outside the cluster",
        measure=lambda s: strength.addresses(s.network.clients),
    ),
    Guard(
        name="externalSecrets.endpoints",
        about="the operator reaches no more than its stores outside the cluster",
        measure=lambda s: strength.reach(*s.external_secrets.endpoints),
    ),
    Guard(
        name="externalSecrets.replicas",
        about="rotated values arrive while one operator is down",
        measure=lambda s: more(s.external_secrets.replicas),
    ),
    Guard(
        name="sealedSecrets.fingerprint",
        about="files are sealed for the pinned certificate only",
        measure=lambda s: on(value=s.sealed_secrets.fingerprint is not None),
    ),
    Guard(
        name="sealedSecrets.keyRenewPeriod",
        about="a leaked sealing key opens no more than was sealed with it",
        measure=lambda s: less(
            s.sealed_secrets.key_renew_period.seconds, s.sealed_secrets.key_renew_period
        ),
    ),
    Guard(
        name="sealedSecrets.backup",
        about="sealed files outlive the cluster",
        measure=strength.key_backup,
    ),
)
