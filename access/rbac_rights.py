"""What Kubernetes RBAC gives: who reads which Secrets, by their name or by a detour.

Owns the meaning of verbs for Secrets (`list` and `watch` return contents) and the detours: a pod
may mount any Secret of its namespace and run as any service account there, so whoever makes pods
holds what both hold. Detours judged: workloads, exec, attach and debug containers, token requests,
impersonation, `escalate` and `bind`, and the kubelet's proxy.
Source: Kubernetes documentation, "RBAC Good Practices", section on privilege escalation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from access.model import Answer, Row, Subject, System, Takeover
from access.rbac import EVERYWHERE, Entitlement, Rbac, account_of_user
from access.rbac_roles import RbacRule

_MEANING = {
    "get": ("read",),
    "list": ("read", "list"),
    "watch": ("read",),
    "create": ("create",),
    "update": ("update",),
    "patch": ("patch",),
    "delete": ("delete",),
    "deletecollection": ("delete",),
}
_ORDER = ("create", "read", "update", "patch", "delete", "list")
# RBAC cannot compare these with a name: the request has none.
_NAMELESS = frozenset({"create", "deletecollection"})
_CHANGES = frozenset({"create", "update", "patch"})

# (group, resource, the verbs that make a pod of the subject's choice)
_WORKLOADS = (
    ("", "pods", frozenset({"create"})),
    ("", "replicationcontrollers", _CHANGES),
    *(("apps", kind, _CHANGES) for kind in ("daemonsets", "deployments", "replicasets")),
    ("apps", "statefulsets", _CHANGES),
    ("batch", "cronjobs", _CHANGES),
    ("batch", "jobs", frozenset({"create"})),
)
_INTO_PODS = (
    ("pods/exec", frozenset({"create", "get"}), "run commands in pods"),
    ("pods/attach", frozenset({"create", "get"}), "attach to pods"),
    ("pods/ephemeralcontainers", frozenset({"update", "patch"}), "add containers to pods"),
)
_RBAC_GROUP = "rbac.authorization.k8s.io"


@dataclass(frozen=True, kw_only=True)
class _Reach:
    """Capabilities on Secrets (`*`: all) of a namespace (`*`: all), and how when by a detour."""

    entitlement: Entitlement
    object_name: str
    capabilities: frozenset[str]
    how: str = ""

    def covers(self, namespace: str, secret: str) -> bool:
        here = self.entitlement.namespace in (EVERYWHERE, namespace)
        return here and self.object_name in ("*", secret)


class RbacRights:
    """A `Source`: the roles and bindings of one cluster."""

    def __init__(self, rbac: Rbac) -> None:
        self._rbac = rbac
        self._reaches: list[_Reach] = []
        self._takeovers: list[Takeover] = []
        for entitlement in rbac.entitlements():
            self._reaches.extend(_named(entitlement))
            for how, target in _detours(entitlement):
                self._takeovers.append(
                    Takeover(
                        subject=entitlement.subject,
                        target=target,
                        how=how,
                        via=f"{entitlement.role} ({entitlement.via})",
                    )
                )
                if target.name == "*":
                    self._reaches.append(
                        _Reach(
                            entitlement=entitlement,
                            object_name="*",
                            capabilities=frozenset({"read"}),
                            how=how,
                        )
                    )

    def rows(self) -> Iterator[Row]:
        """One row for each subject, role and Secret (`*` for all of a namespace)."""
        for reach in self._reaches:
            entitlement = reach.entitlement
            yield Row(
                subject=entitlement.subject,
                path=f"k8s:{entitlement.namespace}/{reach.object_name}",
                system=System.KUBERNETES,
                via=entitlement.via,
                policy=entitlement.role,
                capabilities=tuple(c for c in _ORDER if c in reach.capabilities),
                note=_note(reach),
            )

    def answers(self, path: str, capability: str) -> Iterator[Answer]:
        """What each rule that covers the Secret `k8s:namespace/name` says. RBAC has no deny."""
        if not path.startswith("k8s:"):
            return
        namespace, _, secret = path.removeprefix("k8s:").partition("/")
        for reach in self._reaches:
            if not reach.covers(namespace, secret):
                continue
            entitlement, allowed = reach.entitlement, capability in reach.capabilities
            verbs = ", ".join(sorted(entitlement.rule.verbs))
            scope = "any Secret" if reach.object_name == "*" else f"the Secret {reach.object_name}"
            reason = (
                f"{entitlement.role} lets it {reach.how}, and so read {scope} there"
                if reach.how
                else f"{entitlement.role} allows {verbs} on {scope}"
            )
            yield Answer(
                subject=entitlement.subject,
                system=System.KUBERNETES,
                via=entitlement.via,
                policy=entitlement.role,
                allowed=allowed,
                reason=reason if allowed else f"{reason}, which is not {capability}",
            )

    def takeovers(self) -> Iterator[Takeover]:
        """Who can act as which other service account."""
        return iter(self._takeovers)

    def notes(self) -> Iterator[str]:
        """Bindings that could not be judged."""
        return self._rbac.notes()


def _named(entitlement: Entitlement) -> Iterator[_Reach]:
    rule = entitlement.rule
    verbs = rule.verbs_on("", "secrets")
    if "*" in verbs:
        verbs = frozenset(_MEANING)
    if rule.resource_names:
        verbs -= _NAMELESS
    capabilities = frozenset(c for verb in verbs for c in _MEANING.get(verb, ()))
    if capabilities:
        for secret in rule.resource_names or ("*",):
            yield _Reach(entitlement=entitlement, object_name=secret, capabilities=capabilities)


def _detours(entitlement: Entitlement) -> Iterator[tuple[str, Subject]]:
    """Ways to act as others: what the subject may do, and whom it reaches by it."""
    rule, namespace = entitlement.rule, entitlement.namespace
    anyone_here = Subject(namespace, "*")
    names = rule.resource_names or ("*",)
    made = [kind for group, kind, verbs in _WORKLOADS if _may(rule, group, kind, verbs)]
    if made:
        yield f"make {'pods' if 'pods' in made else made[0]}", anyone_here
    for resource, verbs, how in _INTO_PODS:
        if _may(rule, "", resource, verbs):
            yield how, anyone_here
    if _may(rule, "", "serviceaccounts/token", frozenset({"create"})):
        for name in names:
            yield "request tokens", Subject(namespace, name)
    if _may(rule, "", "serviceaccounts", frozenset({"impersonate"})):
        for name in names:
            yield "impersonate accounts", Subject(namespace, name)
    if any(
        _may(rule, _RBAC_GROUP, resource, frozenset({"escalate", "bind"}))
        for resource in ("roles", "clusterroles")
    ):
        yield "give itself any right", anyone_here
    if namespace != EVERYWHERE:
        return
    if _may(rule, "", "nodes/proxy", frozenset({"create", "get"})):
        yield "command the kubelets", Subject("*", "*")
    if _may(rule, "", "groups", frozenset({"impersonate"})):
        yield "impersonate groups", Subject("*", "*")
    if _may(rule, "", "users", frozenset({"impersonate"})):
        for name in names:
            target = Subject("*", "*") if name == "*" else account_of_user(name)
            if target:
                yield "impersonate users", target


def _may(rule: RbacRule, group: str, resource: str, verbs: frozenset[str]) -> bool:
    given = rule.verbs_on(group, resource)
    judged = verbs if "*" in given else given & verbs
    # The name of a subresource's owner is in the request; that of an object to be made is not.
    return bool(judged - _NAMELESS if rule.resource_names and "/" not in resource else judged)


def _note(reach: _Reach) -> str:
    if reach.how:
        return f"indirect: may {reach.how}, which reads every Secret of the namespace"
    verbs = reach.entitlement.rule.verbs_on("", "secrets")
    if "*" in verbs or verbs & {"list", "watch"}:
        return "list and watch return the contents"
    return ""
