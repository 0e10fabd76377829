"""One side is changed, and exactly that is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from access.state import StateError
from drift.model import Drift, Kind, State
from drift.program import program_of
from drift.run import drift_of
from tests.unit.drift.stand_in import (
    DATABASE_ROLE,
    ENCRYPTED,
    POLICY_TEXT,
    ROLE,
    RULES,
    STORE,
    FakeKubectl,
    FakeVault,
    kubectl,
    stack,
)
from vaultops.errors import DeniedError, UnreachableError, VaultOpsError
from vaultops.look import Look

Answers = dict[str, Any]


def drift(
    vault: FakeVault | None = None, cluster: FakeKubectl | None = None, export: Any = None
) -> Drift:
    return drift_of(
        program_of(export or stack()),
        Look(vault or FakeVault()),
        cluster or kubectl(),
    )


def told(found: Drift) -> list[tuple[State, Kind, str]]:
    return [(d.state, d.kind, d.name) for d in found.differences]


def with_answers(change: Callable[[Answers], object]) -> FakeVault:
    vault = FakeVault()
    change(vault.answers)
    return vault


def test_a_stack_as_it_was_deployed_has_no_drift() -> None:
    found = drift()
    assert told(found) == []
    assert found.unread == ()
    # Everything but the namespace and the bootstrap itself, which stands for 8 things.
    assert found.compared == len(stack()["deployment"]["resources"]) - 2 + 8


CHANGES: dict[str, tuple[str, Kind, dict[str, Any], str]] = {
    "a longer life": (
        "auth/kubernetes/role/ml-app",
        Kind.LOGIN,
        {"token_ttl": 7200},
        "token_ttl: 7200, in the program 3600",
    ),
    "one more account": (
        "auth/kubernetes/role/ml-app",
        Kind.LOGIN,
        {"bound_service_account_names": ["ml-app-sa", "default"]},
        'bound_service_account_names: adds ["default"]',
    ),
    "an audience less": (
        "auth/kubernetes/role/ml-app",
        Kind.LOGIN,
        {"audience": ""},
        "audience: nothing, in the program vault",
    ),
    "an endless token": (
        "auth/kubernetes/role/ml-app",
        Kind.LOGIN,
        {"token_period": 60},
        "token_period: 60, in the program 0",
    ),
    "the deployer's own login": (
        "auth/deployer/role/strongroom",
        Kind.LOGIN,
        {"bound_service_account_namespaces": ["*"]},
        'bound_service_account_namespaces: adds ["*"], lacks ["vault"]',
    ),
    "statements in another order": (
        "database/roles/ml-readonly",
        Kind.OBJECT,
        {"creation_statements": list(reversed(DATABASE_ROLE["creation_statements"]))},
        "creation_statements: ",
    ),
    "a connection without verification": (
        "database/config/mlflow",
        Kind.OBJECT,
        {"connection_details": {"connection_url": "postgresql://u@db/x?sslmode=disable"}},
        "connection_url: ",
    ),
    "fewer versions": (
        "secret/config",
        Kind.OBJECT,
        {"max_versions": 1},
        "max_versions: 1, in the program 10",
    ),
    "a reviewer's token stored": (
        "auth/deployer/config",
        Kind.LOGIN,
        {"token_reviewer_jwt_set": True},
        "token_reviewer_jwt_set: true, in the program false",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_thing_is_told_with_what_differs(name: str) -> None:
    path, kind, change, sentence = CHANGES[name]
    vault = with_answers(lambda a: a.update({path: {**a[path], **change}}))
    found = drift(vault)
    assert told(found) == [(State.CHANGED, kind, path)]
    assert any(detail.startswith(sentence) for detail in found.differences[0].details), found


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"config": {"max_lease_ttl": 18000}}, "max_lease_ttl: 18000, in the program nothing"),
        (
            {"config": {"audit_non_hmac_response_keys": ["password"]}},
            'audit_non_hmac_response_keys: ["password"], in the program nothing',
        ),
        ({"options": {"version": "1"}}, "version: 1, in the program 2"),
    ],
)
def test_a_tuned_mount_is_told(change: dict[str, Any], sentence: str) -> None:
    vault = with_answers(lambda a: a["sys/mounts"]["secret/"].update(change))
    found = drift(vault)
    assert told(found)[0] == (State.CHANGED, Kind.ENGINE, "secret")
    assert found.differences[0].details == (sentence,)


@pytest.mark.parametrize(
    "option",
    [
        {"log_raw": "true"},
        {"hmac_accessor": "false"},
        {"mode": "0644"},
        {"filter": "mount_type != kv"},
        {"exclude": '[{"fields": ["/request/path"]}]'},
        {"format": "jsonx"},
        {"prefix": "fake "},
    ],
)
def test_an_audit_device_that_hides_less_is_told(option: dict[str, str]) -> None:
    vault = with_answers(lambda a: a["sys/audit"]["file/"]["options"].update(option))
    assert told(drift(vault)) == [(State.CHANGED, Kind.AUDIT, "file")]


@pytest.mark.parametrize(
    ("path", "gone", "expected"),
    [
        ("sys/audit", "stdout/", (Kind.AUDIT, "stdout")),
        ("sys/mounts", "database/", (Kind.ENGINE, "database")),
    ],
)
def test_a_missing_thing_is_told(path: str, gone: str, expected: tuple[Kind, str]) -> None:
    vault = with_answers(lambda a: a[path].pop(gone))
    assert (State.MISSING, *expected) in told(drift(vault))


def test_a_missing_login_names_the_resource_that_made_it() -> None:
    found = drift(with_answers(lambda a: a.pop("auth/kubernetes/role/ml-app")))
    assert told(found) == [(State.MISSING, Kind.LOGIN, "auth/kubernetes/role/ml-app")]
    assert found.differences[0].origin.endswith("::role")


UNMANAGED: list[tuple[Kind, str, dict[str, Any]]] = [
    (Kind.POLICY, "sys/policies/acl/by-hand", {"policy": ""}),
    (Kind.LOGIN, "auth/kubernetes/role/by-hand", ROLE),
    (Kind.LOGIN, "auth/deployer/role/by-hand", ROLE),
    (Kind.OBJECT, "database/roles/by-hand", {}),
    (Kind.OBJECT, "database/static-roles/by-hand", {}),
    (Kind.GROUP, "identity/group/id/by-hand", {"policies": ["ml-app"]}),
]


@pytest.mark.parametrize(("kind", "path", "facts"), UNMANAGED)
def test_what_was_made_by_hand_is_told(kind: Kind, path: str, facts: dict[str, Any]) -> None:
    vault = with_answers(lambda a: a.update({path: facts}))
    name = "by-hand" if kind is Kind.POLICY else path
    assert told(drift(vault)) == [(State.UNMANAGED, kind, name)]


@pytest.mark.parametrize(
    ("listing", "kind", "mount"),
    [
        ("sys/mounts", Kind.ENGINE, {"type": "kv", "config": {}}),
        ("sys/auth", Kind.AUTH, {"type": "userpass", "config": {}}),
        ("sys/audit", Kind.AUDIT, {"type": "socket", "options": {"log_raw": "true"}}),
    ],
)
def test_a_mount_made_by_hand_is_told(listing: str, kind: Kind, mount: dict[str, Any]) -> None:
    vault = with_answers(lambda a: a[listing].update({"by-hand/": mount}))
    assert told(drift(vault)) == [(State.UNMANAGED, kind, "by-hand")]


def test_engines_of_others_are_listed_and_not_looked_into() -> None:
    vault = with_answers(lambda a: a["sys/mounts"].update({"theirs/": {"type": "database"}}))
    drift(vault)
    assert "theirs/roles" not in vault.asked
    assert "database/roles" in vault.asked


def test_a_policy_that_only_looks_different_is_none() -> None:
    text = f'# another hand\n{POLICY_TEXT}path "secret/data/ml/mlflow" {{ policy = "read" }}'
    same = text.replace('policy = "read"', 'capabilities = ["read"]')
    vault = with_answers(lambda a: a["sys/policies/acl/ml-app"].update(policy=same))
    assert told(drift(vault)) == []


def test_a_policy_that_gives_more_is_told_by_what_it_gives() -> None:
    more = f'{POLICY_TEXT}path "secret/data/*" {{ capabilities = ["read", "list"] }}'
    vault = with_answers(lambda a: a["sys/policies/acl/ml-app"].update(policy=more))
    found = drift(vault)
    assert told(found) == [(State.CHANGED, Kind.POLICY, "ml-app")]
    assert found.differences[0].details == ("secret/data/*: now says list, read",)


def test_a_policy_of_the_platform_itself_is_compared() -> None:
    vault = with_answers(
        lambda a: a["sys/policies/acl/strongroom-deployer"].update(
            policy='path "*" { capabilities = ["sudo"] }'
        )
    )
    assert told(drift(vault)) == [(State.CHANGED, Kind.POLICY, "strongroom-deployer")]


def test_a_role_split_in_two_rules_is_the_same() -> None:
    split = [
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["two"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["one"], "verbs": ["get"]},
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create"]},
    ]
    role = {"kind": "Role", "metadata": {"name": "app", "namespace": "ml-training"}, "rules": split}
    binding = next(o for o in kubectl().objects if o["kind"] == "RoleBinding")
    assert told(drift(cluster=kubectl(role, binding, without="app"))) == []


def test_a_role_that_gives_more_is_told_right_by_right() -> None:
    wider = [*RULES, {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]
    role = {"kind": "Role", "metadata": {"name": "app", "namespace": "ml-training"}, "rules": wider}
    binding = next(o for o in kubectl().objects if o["kind"] == "RoleBinding")
    found = drift(cluster=kubectl(role, binding, without="app"))
    assert told(found) == [(State.CHANGED, Kind.RBAC, "Role ml-training/app")]
    assert found.differences[0].details == ('rights: adds ["list secrets"]',)


def test_a_role_whose_rights_others_get_is_told() -> None:
    labels = {"rbac.authorization.k8s.io/aggregate-to-edit": "true"}
    role = {"kind": "ClusterRole", "metadata": {"name": "wide", "labels": labels}}
    found = drift(cluster=kubectl({**role, "rules": RULES[1:]}, without="wide"))
    assert told(found) == [(State.CHANGED, Kind.RBAC, "ClusterRole wide")]


def test_a_changed_store_is_told() -> None:
    spec = {"provider": {"vault": {**STORE["provider"]["vault"], "path": "other"}}}
    store = {
        "kind": "SecretStore",
        "metadata": {"name": "vault-backend", "namespace": "ml-training"},
        "spec": spec,
    }
    found = drift(cluster=kubectl(store, without="vault-backend"))
    assert told(found) == [(State.CHANGED, Kind.STORE, "SecretStore ml-training/vault-backend")]
    assert found.differences[0].details == (
        "spec: provider: vault: path: other, in the program secret",
    )


BINDINGS: dict[str, tuple[dict[str, str], bool]] = {
    "an account of ours": (
        {"kind": "ServiceAccount", "name": "x", "namespace": "ml-training"},
        True,
    ),
    "every account of our namespace": (
        {"kind": "Group", "name": "system:serviceaccounts:ml-training"},
        True,
    ),
    "everybody": ({"kind": "Group", "name": "system:serviceaccounts"}, True),
    "an account of ours as a user": (
        {"kind": "User", "name": "system:serviceaccount:ml-training:x"},
        True,
    ),
    "an account elsewhere": ({"kind": "ServiceAccount", "name": "x", "namespace": "other"}, False),
    "a group of people with our name": ({"kind": "Group", "name": "ml-training"}, False),
}


@pytest.mark.parametrize("name", BINDINGS)
@pytest.mark.parametrize("kind", ["RoleBinding", "ClusterRoleBinding"])
def test_a_binding_made_elsewhere_counts_when_it_reaches_us(name: str, kind: str) -> None:
    subject, ours = BINDINGS[name]
    metadata = {"name": "far", **({"namespace": "other"} if kind == "RoleBinding" else {})}
    role = {"kind": "ClusterRole", "name": "view"}
    binding = {"kind": kind, "metadata": metadata, "roleRef": role, "subjects": [subject]}
    assert bool(told(drift(cluster=kubectl(binding)))) is ours


def test_a_store_for_the_whole_cluster_made_by_hand_is_told() -> None:
    store = {"kind": "ClusterSecretStore", "metadata": {"name": "by-hand"}, "spec": STORE}
    assert told(drift(cluster=kubectl(store))) == [
        (State.UNMANAGED, Kind.STORE, "ClusterSecretStore by-hand")
    ]


@pytest.mark.parametrize(
    ("path", "kind", "below"),
    [
        ("sys/mounts", Kind.ENGINE, ""),
        ("sys/audit", Kind.AUDIT, ""),
        ("auth/kubernetes/role", Kind.LOGIN, "auth/kubernetes/role/"),
        ("sys/policies/acl/ml-app", Kind.POLICY, "ml-app"),
    ],
)
def test_what_may_not_be_read_is_neither_missing_nor_fine(
    path: str, kind: Kind, below: str
) -> None:
    found = drift(FakeVault(denied=frozenset({path})))
    assert [(u.kind, u.below) for u in found.unread] == [(kind, below)]
    assert "strongroom-operator" in found.unread[0].why
    assert [entry for entry in told(found) if entry[1] is kind] == []
    assert found.compared < drift().compared


def test_a_cluster_that_refuses_is_not_compared() -> None:
    denied = DeniedError("x", where="x", why="Forbidden", fix="x")
    found = drift(cluster=FakeKubectl(namespace="vault", failure=denied))
    assert {u.kind for u in found.unread} == {Kind.RBAC, Kind.STORE}
    assert told(found) == []


def test_a_cluster_that_is_silent_is_an_error() -> None:
    silent = UnreachableError("x", where="x", why="refused", fix="x")
    with pytest.raises(VaultOpsError):
        drift(cluster=FakeKubectl(namespace="vault", failure=silent))


def test_an_encrypted_policy_is_named_and_not_judged() -> None:
    export = stack()
    policy = next(r for r in export["deployment"]["resources"] if r["urn"].endswith("::policy"))
    policy["outputs"]["policy"] = ENCRYPTED
    found = drift(export=export)
    assert [(u.kind, u.below) for u in found.unread] == [(Kind.POLICY, "ml-app")]
    assert told(found) == []


def test_no_secret_value_is_told() -> None:
    password = "fake-password-of-the-test"
    url = f"postgresql://vault:{password}@db:5432/mlflow"
    vault = with_answers(
        lambda a: a["database/config/mlflow"].update(connection_details={"connection_url": url})
    )
    assert password not in str(drift(vault).as_data())


@pytest.mark.parametrize(
    "export",
    [
        [],
        {},
        {"deployment": None},
        {"deployment": {}},
        {"deployment": {"resources": [{"type": "x"}]}},
        {"deployment": {"resources": [{"type": "vault:index/policy:Policy", "urn": "u"}]}},
    ],
)
def test_something_else_than_an_export_is_refused(export: Any) -> None:
    with pytest.raises(StateError):
        program_of(export)
