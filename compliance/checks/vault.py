"""Live checks of Vault itself: audit, seal, Raft, listener, logins, its own key."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from compliance.checks.answers import Answer, failed, passed, unknown, unless
from compliance.live import Live
from vaultops.wait import wait_for

_LOG_SECONDS = 10.0
_CONTAINER = "vault"
# People's passwords as a first factor, kept by Vault or sent through it.
_BY_PASSWORD = frozenset({"okta", "radius", "userpass"})
# Vault starts a new term by itself long before; a year without one means that it could not.
_KEY_DAYS = 366


def audit_devices(live: Live) -> Answer:
    """Two audit devices at least are enabled, to different places."""
    devices = {
        path: (entry.get("options") or {}).get("file_path") or entry["type"]
        for path, entry in live.audit.items()
    }
    seen = [f"sys/audit/{path} to {place}" for path, place in sorted(devices.items())]
    if len(set(devices.values())) >= 2:
        return passed(f"{len(devices)} audit devices log to different places", *seen)
    return failed(
        f"{len(devices)} audit device(s): one full disk stops Vault, or nothing is logged",
        *seen,
        fix="enable the missing device with a root token (docs/runbooks/key-custody.md)",
    )


def audit_answers(live: Live) -> Answer:
    """A request of this very check is in the audit log."""
    active = live.servers.active
    if active is None:
        return unknown("no server is active")
    pod = live.target.name(active)
    live.look.read("sys/key-status")
    found: list[str] = []

    def probe() -> str | None:
        text = live.kubectl.run("logs", pod, "--container", _CONTAINER, "--since=60s")
        found[:] = _entries(text)
        return None if found else "no entry yet"

    wait_for(
        probe,
        what="this check's own request in the audit log",
        where=f"log of pod {pod}",
        seconds=_LOG_SECONDS,
        fix="see the server's log for errors of the audit device",
    )
    return passed(f"the audit device of {pod} wrote this check's own request", found[-1])


def _entries(log: str) -> list[str]:
    entries = []
    for line in log.splitlines():
        if '"sys/key-status"' not in line:
            continue
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # not of the audit device
        request = entry.get("request") or {}
        if entry.get("type") == "response" and request.get("path") == "sys/key-status":
            who = (entry.get("auth") or {}).get("display_name")
            entries.append(f"{entry['time']} {who} read sys/key-status, request {request['id']}")
    return entries


def servers_are_joined(live: Live) -> Answer:
    """Every server is unsealed, follows one leader and runs one version."""
    servers = live.servers.replicas
    versions = sorted({s.version for s in servers if s.answers})
    faults = [live.servers.missing] if live.servers.missing else []
    faults += [f"versions {', '.join(versions)} run side by side"] if len(versions) > 1 else []
    return unless(
        faults,
        f"{len(servers)} servers of version {', '.join(versions)} follow one leader",
        *(f"{s.name}: {'active' if s.active else 'standby'}" for s in servers),
        what="the servers are not one cluster",
        fix="docs/runbooks/unseal.md, lost-quorum.md, or upgrade.md",
    )


def seal_is_automatic(live: Live) -> Answer:
    """Every server unseals by a key service, not by people's shares."""
    servers = live.servers.replicas
    seals = {s.name: s.seal_type for s in servers if s.answers}
    by_people = [name for name, seal in seals.items() if seal == "shamir"]
    if not by_people and (silent := [s.name for s in servers if not s.answers]):
        return unknown(f"{', '.join(silent)} did not answer", *seals)
    return unless(
        (f"{name} is sealed by shares" for name in by_people),
        f"unsealed by {', '.join(sorted(set(seals.values())))}",
        *(f"{name}: {seal}" for name, seal in seals.items()),
        what="a restart needs people",
        fix="set strongroom:vault.seal.type to a key service",
    )


def raft_is_healthy(live: Live) -> Answer:
    """Raft calls every server healthy, and could lose one of them."""
    state = live.autopilot
    servers = state.get("servers") or {}
    faults = [f"{n} is not healthy" for n, s in servers.items() if not s.get("healthy")]
    tolerance = state.get("failure_tolerance") or 0
    faults += [] if tolerance else ["no server may be lost"]
    return unless(
        faults,
        f"{len(state.get('voters') or ())} voters, {tolerance} may be lost",
        "sys/storage/raft/autopilot/state",
        what="the storage is at risk",
        fix="docs/runbooks/lost-quorum.md; three replicas at least",
    )


def listener_is_hardened(live: Live) -> Answer:
    """The running configuration has TLS everywhere and no door that hardening closes."""
    config = live.config
    listeners = [each.get("config") or {} for each in config.get("listeners") or ()]
    faults = [
        *(f"{name} is on" for name in _DOORS if config.get(name)),
        *("a listener has TLS switched off" for each in listeners if _on(each.get("tls_disable"))),
        *(
            f"a listener accepts {each['tls_min_version']}"
            for each in listeners
            if each.get("tls_min_version") in ("tls10", "tls11")
        ),
        *(
            "metrics are served without a login"
            for each in listeners
            for telemetry in each.get("telemetry") or ()
            if _on(telemetry.get("unauthenticated_metrics_access"))
        ),
    ]
    if not listeners:
        return unknown("the configuration names no listener", "sys/config/state/sanitized")
    versions = sorted({str(each.get("tls_min_version") or "tls12") for each in listeners})
    return unless(
        faults,
        f"TLS from {', '.join(versions)} on; raw storage, introspection and open metrics are off",
        "sys/config/state/sanitized",
        what="the server's configuration leaves doors open",
        fix="deploy the stack again: the program's own configuration closes them",
    )


_DOORS = ("raw_storage_endpoint", "introspection_endpoint", "disable_sealwrap")


def _on(value: object) -> bool:
    return str(value).lower() in ("1", "true")


def no_password_logins(live: Live) -> Answer:
    """Nobody logs in to Vault with a password that Vault itself keeps or passes on."""
    methods = {path: entry["type"] for path, entry in live.methods.items()}
    return unless(
        (
            f"auth/{path} is of type {type_}"
            for path, type_ in methods.items()
            if type_ in _BY_PASSWORD
        ),
        f"logins are by {', '.join(sorted(set(methods.values()) - {'token'}))}",
        *(f"auth/{path}" for path in methods),
        what="passwords log in",
        fix="use OIDC for people and workload identities for machines",
    )


def keys_are_rotated(live: Live) -> Answer:
    """The key that encrypts the storage is younger than a year."""
    installed = str(live.key.get("install_time") or "")
    if not installed:
        return unknown("Vault names no time", "sys/key-status")
    age = (datetime.now(UTC) - datetime.fromisoformat(installed[:19]).replace(tzinfo=UTC)).days
    return unless(
        [f"it is {age} days old"] if age > _KEY_DAYS else [],
        f"term {live.key.get('term')}, {age} days old, {live.key.get('encryptions')} encryptions",
        "sys/key-status",
        what="the storage's key was not rotated",
        fix="`vault operator rotate` with a root token",
    )
