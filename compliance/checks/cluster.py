"""Live checks of the cluster that Vault runs in: pods, network, snapshots, stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from compliance.checks.answers import Answer, failed, not_here, unknown, unless
from compliance.live import Live, Manifest

# Longer than any schedule of the settings; a snapshot that is older is none to rely on.
_SNAPSHOT_AGE = timedelta(days=2)
_SERVER = {"app.kubernetes.io/name": "vault", "component": "server"}
_BOTH = {"Ingress", "Egress"}


def vault_is_unprivileged(live: Live) -> Answer:
    """Vault's servers run as a user of their own, without privileges, on a read-only root."""
    pods = _servers(live)
    if not pods:
        return unknown("no pod of a Vault server was found")
    return unless(
        (f"{p['metadata']['name']}: {fault}" for p in pods for fault in _privileges(p["spec"])),
        "every container runs as its own user, without privileges, on a read-only root",
        *(f"Pod {_place(p)}" for p in pods),
        what="a server could do more than it needs",
        fix="deploy the stack again: its charts set the security context",
    )


def vault_is_confined(live: Live) -> Answer:
    """Nothing but Vault runs in the pods of its servers, and nothing of the machine is mounted."""
    pods = _servers(live)
    if not pods:
        return unknown("no pod of a Vault server was found")
    return unless(
        (f"{p['metadata']['name']}: {fault}" for p in pods for fault in _company(p["spec"])),
        "the servers' pods share nothing with the machine",
        *(f"Pod {_place(p)}" for p in pods),
        what="a server is not alone",
        fix="keep host paths, host networks and foreign containers out of the servers' pods",
    )


def servers_are_spread(live: Live) -> Answer:
    """No two Vault servers run on one machine, where there are machines to spread over."""
    if len(live.nodes) < 2:
        return not_here("the cluster has one machine")
    pods = _servers(live)
    if not pods:
        return unknown("no pod of a Vault server was found")
    on: dict[str, list[str]] = {}
    for pod in pods:
        on.setdefault(pod["spec"].get("nodeName") or "", []).append(pod["metadata"]["name"])
    return unless(
        (f"{', '.join(names)} on {node}" for node, names in on.items() if len(names) > 1),
        f"{len(on)} servers on {len(on)} machines",
        *(f"{names[0]} on {node}" for node, names in on.items()),
        what="one machine takes several servers with it",
        fix="set strongroom:vault.spread",
    )


def default_deny(live: Live) -> Answer:
    """Every namespace of the stack drops traffic that no policy lets through, both ways."""
    closed = {
        policy["metadata"]["namespace"]
        for policy in live.network_policies
        if _closes(policy.get("spec") or {})
    }
    names = [m["metadata"]["name"] for m in live.namespaces]
    if not names:
        return unknown("none of the stack's namespaces was found")
    return unless(
        (f"namespace {name} is open" for name in names if name not in closed),
        f"{len(names)} namespaces are closed in both directions",
        *(f"Namespace {name}" for name in names),
        what="traffic passes that nobody allowed",
        fix="deploy the stack again; whether the network enforces policies is its own matter",
    )


def snapshots_succeed(live: Live) -> Answer:
    """A snapshot was taken and checked within the last two days."""
    jobs = [
        m
        for m in live.workloads
        if m["kind"] == "CronJob"
        and (m["metadata"].get("labels") or {}).get("app.kubernetes.io/component")
        == "vault-snapshots"
    ]
    if not jobs:
        return failed(
            "no snapshot is scheduled", fix="leave strongroom:vault.snapshots switched on"
        )
    seen, faults, young = [], [], []
    for job in jobs:
        last = (job.get("status") or {}).get("lastSuccessfulTime")
        made = _time(job["metadata"]["creationTimestamp"])
        seen.append(f"CronJob {_place(job)}: last success {last or 'never'}")
        if last and datetime.now(UTC) - _time(last) <= _SNAPSHOT_AGE:
            continue
        if not last and datetime.now(UTC) - made <= _SNAPSHOT_AGE:
            young.append(job["metadata"]["name"])
        else:
            faults.append(f"{job['metadata']['name']} succeeded last {last or 'never'}")
    if young and not faults:
        return unknown(f"{', '.join(young)} had no time to run yet", *seen)
    return unless(
        faults,
        f"{len(jobs)} schedules succeeded within two days",
        *seen,
        what="there is no recent snapshot",
        fix="`kubectl logs` of the last job says why; docs/runbooks/restore.md",
    )


def stores_are_ready(live: Live) -> Answer:
    """Every store that Secrets are copied from accepts the login of its account."""
    stores = [m for m in live.custom if m["kind"].endswith("SecretStore")]
    if not stores:
        return not_here("there are no stores")
    return unless(
        (f"{_place(m)}: {reason}" for m in stores if (reason := _not_ready(m))),
        f"{len(stores)} stores are ready",
        *(f"{m['kind']} {_place(m)}" for m in stores),
        what="stores cannot log in",
        fix="`kubectl describe` the store; the grant and the account must exist",
    )


def _servers(live: Live) -> list[Manifest]:
    namespace = live.settings.vault.namespace
    return [
        m
        for m in live.workloads
        if m["kind"] == "Pod"
        and m["metadata"]["namespace"] == namespace
        and _SERVER.items() <= (m["metadata"].get("labels") or {}).items()
    ]


def _privileges(spec: Mapping[str, Any]) -> Iterator[str]:
    whole = spec.get("securityContext") or {}
    for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
        own = {**whole, **(container.get("securityContext") or {})}
        name = container["name"]
        if not own.get("runAsNonRoot"):
            yield f"{name} may run as root"
        if own.get("privileged") or own.get("allowPrivilegeEscalation") is not False:
            yield f"{name} may gain privileges"
        if "ALL" not in ((own.get("capabilities") or {}).get("drop") or ()):
            yield f"{name} keeps capabilities"
        if not own.get("readOnlyRootFilesystem"):
            yield f"{name} may write to its own file system"


def _company(spec: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{key} is on" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key))
    for volume in spec.get("volumes") or ():
        if "hostPath" in volume:
            yield f"mounts {volume['hostPath'].get('path')} of the machine"


def _closes(spec: Mapping[str, Any]) -> bool:
    return (
        not spec.get("podSelector")
        and set(spec.get("policyTypes") or ()) >= _BOTH
        and not spec.get("ingress")
        and not spec.get("egress")
    )


def _not_ready(store: Manifest) -> str:
    conditions = (store.get("status") or {}).get("conditions") or ()
    ready: Mapping[str, Any] = next((c for c in conditions if c.get("type") == "Ready"), {})
    return "" if ready.get("status") == "True" else str(ready.get("message") or "no answer yet")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _place(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return "/".join(metadata[k] for k in ("namespace", "name") if metadata.get(k))
