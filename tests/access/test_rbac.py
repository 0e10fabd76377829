"""Kubernetes RBAC: who reads which Secrets, by their name or by a detour."""

from __future__ import annotations

from typing import Any

import pytest

from access.matrix import Matrix
from access.model import Subject
from access.rbac import Rbac, workload_role
from access.rbac_rights import RbacRights

APP = Subject("ml-training", "app")
APP_ACCOUNT = {"kind": "ServiceAccount", "name": "app", "namespace": "ml-training"}


def rule(
    verbs: list[str],
    resources: list[str] | None = None,
    *,
    groups: list[str] | None = None,
    names: list[str] | None = None,
) -> dict[str, Any]:
    return {
        "apiGroups": groups or [""],
        "resources": resources or ["secrets"],
        "verbs": verbs,
        "resourceNames": names or [],
    }


def role(*rules: dict[str, Any], cluster: bool = False, **metadata: Any) -> dict[str, Any]:
    place = {} if cluster else {"namespace": "ml-training"}
    return {
        "kind": "ClusterRole" if cluster else "Role",
        "metadata": {"name": "r", **place, **metadata},
        "rules": list(rules),
    }


def binding(
    *subjects: dict[str, Any], cluster: bool = False, to_cluster_role: bool = False, name: str = "r"
) -> dict[str, Any]:
    place = {} if cluster else {"namespace": "ml-training"}
    kind = "ClusterRole" if cluster or to_cluster_role else "Role"
    return {
        "kind": "ClusterRoleBinding" if cluster else "RoleBinding",
        "metadata": {"name": "b", **place},
        "roleRef": {"kind": kind, "name": name},
        "subjects": list(subjects or (APP_ACCOUNT,)),
    }


def matrix(*manifests: dict[str, Any]) -> Matrix:
    return Matrix([RbacRights(Rbac(manifests))])


def can(held: Matrix, path: str, capability: str = "read") -> bool:
    return held.explain(APP, path, capability).allowed


@pytest.mark.parametrize(
    ("given", "named", "other", "listed"),
    [
        (rule(["get"], names=["db"]), True, False, False),
        (rule(["get"]), True, True, False),
        (rule(["list"]), True, True, True),
        (rule(["watch"]), True, True, False),
        (rule(["list"], names=["db"]), True, False, True),
        (rule(["*"]), True, True, True),
        (rule(["get"], ["*"]), True, True, False),
        (rule(["get"], groups=["*"]), True, True, False),
        (rule(["get"], ["pods", "secrets"], groups=["apps", ""]), True, True, False),
        (rule(["create", "update", "delete"]), False, False, False),
        (rule(["get"], groups=["apps"]), False, False, False),
        (rule(["get"], ["secrets/status"]), False, False, False),
        (rule(["get"], ["configmaps"]), False, False, False),
    ],
)
def test_which_secrets_a_rule_reads(
    given: dict[str, Any], named: bool, other: bool, listed: bool
) -> None:
    held = matrix(role(given), binding())
    assert can(held, "k8s:ml-training/db") is named
    assert can(held, "k8s:ml-training/other") is other
    assert can(held, "k8s:ml-training/db", "list") is listed
    assert not can(held, "k8s:ml-serving/db")


def test_the_second_rule_counts_as_much_as_the_first() -> None:
    held = matrix(role(rule(["get"], ["pods"]), rule(["get"], names=["db"])), binding())
    assert can(held, "k8s:ml-training/db")


def test_a_name_does_not_limit_what_has_none() -> None:
    """A create request names no object, so a rule with names never allows one."""
    held = matrix(role(rule(["create", "deletecollection", "update"], names=["db"])), binding())
    assert can(held, "k8s:ml-training/db", "update")
    assert not can(held, "k8s:ml-training/db", "create")
    assert not can(held, "k8s:ml-training/db", "delete")


@pytest.mark.parametrize(
    ("bound", "here", "elsewhere"),
    [
        (binding(), False, False),
        (binding(to_cluster_role=True), True, False),
        (binding(cluster=True), True, True),
    ],
)
def test_the_binding_says_where_a_cluster_role_holds(
    bound: dict[str, Any], here: bool, elsewhere: bool
) -> None:
    held = matrix(role(rule(["get"]), cluster=True), bound)
    assert can(held, "k8s:ml-training/db") is here
    assert can(held, "k8s:ml-serving/db") is elsewhere


@pytest.mark.parametrize(
    ("subject", "reached"),
    [
        (APP_ACCOUNT, True),
        ({"kind": "ServiceAccount", "name": "app", "namespace": "other"}, False),
        ({"kind": "ServiceAccount", "name": "app"}, True),
        ({"kind": "Group", "name": "system:serviceaccounts"}, True),
        ({"kind": "Group", "name": "system:authenticated"}, True),
        ({"kind": "Group", "name": "system:serviceaccounts:ml-training"}, True),
        ({"kind": "Group", "name": "system:serviceaccounts:ml-serving"}, False),
        ({"kind": "User", "name": "system:serviceaccount:ml-training:app"}, True),
        ({"kind": "User", "name": "system:serviceaccount:ml-training:other"}, False),
        ({"kind": "User", "name": "someone"}, False),
        ({"kind": "Group", "name": "system:unauthenticated"}, False),
    ],
)
def test_whom_a_binding_reaches(subject: dict[str, Any], reached: bool) -> None:
    assert can(matrix(role(rule(["get"])), binding(subject)), "k8s:ml-training/db") is reached


def test_people_are_noted_and_not_judged() -> None:
    held = matrix(role(rule(["get"])), binding({"kind": "Group", "name": "ml-team"}))
    assert held.rows == ()
    assert held.notes == (
        "RoleBinding ml-training/b reaches the group ml-team, who is no service account",
    )


@pytest.mark.parametrize(
    ("given", "how"),
    [
        (rule(["create"], ["pods"]), "make pods"),
        (rule(["create"], ["jobs"], groups=["batch"]), "make jobs"),
        (rule(["patch"], ["cronjobs"], groups=["batch"]), "make cronjobs"),
        (rule(["update"], ["deployments"], groups=["apps"]), "make deployments"),
        (rule(["patch"], ["statefulsets"], groups=["apps"]), "make statefulsets"),
        (rule(["create"], ["*"], groups=["batch"]), "make cronjobs"),
        (rule(["create"], ["pods/exec"]), "run commands in pods"),
        (rule(["get"], ["pods/exec"]), "run commands in pods"),
        (rule(["create"], ["*/exec"]), "run commands in pods"),
        (rule(["create"], ["pods/attach"]), "attach to pods"),
        (rule(["patch"], ["pods/ephemeralcontainers"]), "add containers to pods"),
        (rule(["create"], ["serviceaccounts/token"]), "request tokens"),
        (rule(["impersonate"], ["serviceaccounts"]), "impersonate accounts"),
        (
            rule(["escalate"], ["roles"], groups=["rbac.authorization.k8s.io"]),
            "give itself any right",
        ),
        (rule(["bind"], ["*"], groups=["*"]), "give itself any right"),
    ],
)
def test_a_detour_reads_every_secret_and_acts_as_every_account(
    given: dict[str, Any], how: str
) -> None:
    held = matrix(role(given), binding())
    assert held.takeovers
    assert {(t.subject, t.target) for t in held.takeovers} == {(APP, Subject("ml-training", "*"))}
    assert {t.how for t in held.takeovers} == {how}
    verdict = held.explain(APP, "k8s:ml-training/any", "read")
    assert verdict.allowed
    assert f"lets it {how}, and so read any Secret there" in verdict.holders[0].reason
    assert any(row.note.startswith(f"indirect: may {how}") for row in held.rows)


@pytest.mark.parametrize(
    "given",
    [
        rule(["get", "list", "watch"], ["pods"]),
        rule(["patch"], ["pods"]),
        rule(["create"], ["pods"], names=["one"]),
        rule(["*"], ["jobs"], groups=["batch"], names=["one"]),
        rule(["create"], ["jobs"]),
        rule(["get"], ["jobs"], groups=["batch"]),
        rule(["get"], ["serviceaccounts/token"]),
        rule(["create"], ["roles"], groups=["rbac.authorization.k8s.io"]),
        rule(["create"], ["nodes/proxy"]),
        rule(["impersonate"], ["users"]),
    ],
)
def test_what_is_no_detour(given: dict[str, Any]) -> None:
    held = matrix(role(given), binding())
    assert held.takeovers == ()
    assert not can(held, "k8s:ml-training/db")


def test_a_token_request_for_one_account_reaches_that_account_only() -> None:
    held = matrix(role(rule(["create"], ["serviceaccounts/token"], names=["writer"])), binding())
    assert [t.target for t in held.takeovers] == [Subject("ml-training", "writer")]
    assert not can(held, "k8s:ml-training/db")


@pytest.mark.parametrize(
    ("given", "target"),
    [
        (rule(["create"], ["nodes/proxy"]), Subject("*", "*")),
        (rule(["impersonate"], ["groups"]), Subject("*", "*")),
        (rule(["impersonate"], ["users"]), Subject("*", "*")),
        (
            rule(["impersonate"], ["users"], names=["system:serviceaccount:vault:vault", "ann"]),
            Subject("vault", "vault"),
        ),
    ],
)
def test_detours_over_the_whole_cluster(given: dict[str, Any], target: Subject) -> None:
    held = matrix(role(given, cluster=True), binding(cluster=True))
    assert [t.target for t in held.takeovers] == [target]


@pytest.mark.parametrize(
    ("name", "reads", "acts"),
    [
        ("cluster-admin", True, True),
        ("admin", True, True),
        ("edit", True, True),
        ("view", False, False),
        ("system:auth-delegator", False, False),
    ],
)
def test_the_clusters_own_roles_are_known(name: str, reads: bool, acts: bool) -> None:
    held = matrix(binding(cluster=True, name=name))
    assert can(held, "k8s:anywhere/db") is reads
    assert bool(held.takeovers) is acts
    assert held.notes == ()


def test_an_unknown_role_is_said_to_be_unknown() -> None:
    (note,) = matrix(binding(name="elsewhere")).notes
    assert "refers to Role ml-training/elsewhere, which is not among the objects known" in note


def test_an_aggregated_role_holds_what_it_gathers() -> None:
    gathering = {
        **role(cluster=True),
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"to": "r"}}]},
    }
    part = role(rule(["get"]), cluster=True)
    part["metadata"] = {"name": "part", "labels": {"to": "r", "x": "y"}}
    assert can(matrix(gathering, part, binding(cluster=True)), "k8s:ml-training/db")
    part["metadata"]["labels"] = {"to": "other"}
    assert not can(matrix(gathering, part, binding(cluster=True)), "k8s:ml-training/db")


def joining(name: str, **labels: str) -> dict[str, Any]:
    return role(rule(["get"]), cluster=True, name=name, labels=labels)


JOINS_VIEW = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}


@pytest.mark.parametrize("name", ["view", "edit", "admin"])
def test_what_joins_the_clusters_own_roles_is_theirs(name: str) -> None:
    bound = binding(to_cluster_role=True, name=name)
    assert can(matrix(joining("more", **JOINS_VIEW), bound), "k8s:ml-training/db")
    if name == "view":
        assert not can(matrix(joining("more", team="ml"), bound), "k8s:ml-training/db")


@pytest.mark.parametrize(
    ("selector", "reads"),
    [
        ({}, True),
        ({"matchLabels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}, True),
        ({"matchLabels": {"rbac.authorization.k8s.io/aggregate-to-admin": "true"}}, True),
        ({"matchExpressions": [{"key": "team", "operator": "In", "values": ["ml"]}]}, False),
        ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["ml"]}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, True),
    ],
)
def test_an_aggregated_role_may_gather_the_clusters_own(
    selector: dict[str, Any], reads: bool
) -> None:
    gathering = {
        **role(cluster=True),
        "aggregationRule": {"clusterRoleSelectors": [selector]},
    }
    assert can(matrix(gathering, binding(cluster=True)), "k8s:ml-training/db") is reads


def test_what_a_gathered_role_gathers_counts_and_a_circle_ends() -> None:
    def gathers(name: str, to: str, labels: dict[str, str]) -> dict[str, Any]:
        chosen = {"clusterRoleSelectors": [{"matchLabels": {"to": to}}]}
        return {**role(cluster=True, name=name, labels=labels), "aggregationRule": chosen}

    circle = (gathers("r", "s", {"to": "r"}), gathers("s", "r", {"to": "s"}))
    assert not can(matrix(*circle, binding(cluster=True)), "k8s:ml-training/db")
    part = joining("part", to="r")
    assert can(matrix(*circle, part, binding(cluster=True)), "k8s:ml-training/db")


def test_a_declared_workload_reads_what_it_names() -> None:
    manifests = workload_role(
        account="app", namespace="ml-training", secret_names=["db"], jobs=False
    )
    held = matrix(*manifests)
    assert can(held, "k8s:ml-training/db")
    assert not can(held, "k8s:ml-training/other")
    assert workload_role(account="a", namespace="n", secret_names=[], jobs=False) == ()
