"""A stack as it is deployed, read from its export."""

from __future__ import annotations

import json
from typing import Any

import pytest

from access.state import StateError, matrix_of
from tests.access.exports import KV, POLICY, RBAC, ROLE, export, grant, resource

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


def rows(exported: dict[str, Any], *, declared_only: bool = False) -> list[tuple[str, str, str]]:
    return [
        (str(r.subject), r.path, r.via)
        for r in matrix_of(exported, declared_only=declared_only).rows
    ]


def chart_role() -> list[dict[str, Any]]:
    metadata = {"name": "reader", "namespace": "vault"}
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]
    account = {"kind": "ServiceAccount", "name": "vault", "namespace": "vault"}
    ref = {"kind": "Role", "name": "reader"}
    return [
        resource(f"{RBAC}Role", "a", {"metadata": metadata, "rules": rules}),
        resource(
            f"{RBAC}RoleBinding",
            "b",
            {"metadata": metadata, "roleRef": ref, "subjects": [account]},
        ),
    ]


def test_vault_and_kubernetes_are_read() -> None:
    assert rows(export(KV, *grant(), *chart_role())) == [
        ("ml-training/ml-app-sa", "secret/ml/mlflow", "grant ml-app"),
        ("vault/vault", "k8s:vault/*", "RoleBinding vault/reader"),
    ]


def test_only_what_settings_declare_is_kept_when_asked() -> None:
    exported = export(KV, *grant(), *chart_role())
    assert rows(exported, declared_only=True) == [
        ("ml-training/ml-app-sa", "secret/ml/mlflow", "grant ml-app")
    ]


def test_what_is_deployed_counts_and_not_what_was_asked_for() -> None:
    policy, role = grant()
    role["outputs"] = {**role["inputs"], "boundServiceAccountNames": ["deployed"]}
    assert [row[0] for row in rows(export(policy, role))] == ["ml-training/deployed"]


def test_without_the_mount_a_path_stays_as_vault_has_it() -> None:
    assert [row[1] for row in rows(export(*grant()))] == ["secret/data/ml/mlflow"]
    version_2 = resource(
        "vault:index/mount:Mount",
        "m",
        {"path": "secret", "type": "kv", "options": {"version": "2"}},
    )
    assert [row[1] for row in rows(export(*grant(), version_2))] == ["secret/ml/mlflow"]


def test_a_kv_engine_of_version_1_has_paths_as_people_write_them() -> None:
    version_1 = resource("vault:index/mount:Mount", "m", {"path": "secret", "type": "kv"})
    assert [row[1] for row in rows(export(*grant(), version_1))] == ["secret/data/ml/mlflow"]


def test_a_role_without_a_namespace_list_is_wide_and_has_the_default_policy() -> None:
    role = {"roleName": "r", "boundServiceAccountNames": ["a"], "tokenPolicies": ["p"]}
    policy = {"name": "p", "policy": 'path "x" { capabilities = ["read"] }'}
    held = matrix_of(export(resource(ROLE, "r", role), resource(POLICY, "p", policy)))
    assert [str(row.subject) for row in held.rows] == ["*/a"]
    assert "default policy" in held.notes[0]


def test_what_is_about_to_be_deleted_does_not_count() -> None:
    policy, role = grant()
    assert rows(export(policy, {**role, "delete": True})) == []


def test_an_encrypted_object_is_said_not_to_be_judged() -> None:
    policy, role = grant()
    policy["inputs"]["policy"] = {**SECRET, "ciphertext": "fake"}
    held = matrix_of(export(policy, role))
    assert held.rows == ()
    assert "ml-app-policy" in held.notes[0]
    assert "export with --show-secrets" in held.notes[0]


def test_what_show_secrets_opens_is_judged() -> None:
    policy, role = grant()
    text = policy["inputs"]["policy"]
    policy["inputs"]["policy"] = {**SECRET, "plaintext": json.dumps(text)}
    assert [row[1] for row in rows(export(policy, role))] == ["secret/data/ml/mlflow"]


@pytest.mark.parametrize("empty", [{"deployment": {}}, {"deployment": {"resources": None}}])
def test_an_empty_stack_has_no_rights(empty: dict[str, Any]) -> None:
    assert rows(empty) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([], "it has no `deployment`"),
        ({"resources": []}, "it has no `deployment`"),
        ({"deployment": {"resources": [{"urn": "x"}]}}, "has not the expected form"),
        ({"deployment": {"resources": ["x"]}}, "has not the expected form"),
        (export(resource(ROLE, "r", {})), "has not the expected form"),
        (
            export(resource(POLICY, "p", {"name": "p", "policy": "path {"})),
            "which cannot be read: policy 'p' is neither HCL nor JSON",
        ),
    ],
)
def test_what_is_no_export_is_refused_with_the_reason(wrong: Any, said: str) -> None:
    with pytest.raises(StateError) as refused:
        matrix_of(wrong)
    assert said in str(refused.value)
