"""Two matrices compared, in words."""

from __future__ import annotations

from typing import Any

import pytest

from access.changes import Effect, diff
from access.grant import Grant
from access.matrix import Matrix
from access.policy_hcl import parse
from access.rbac import Rbac, workload_role
from access.rbac_rights import RbacRights
from access.vault_rights import VaultRights, VaultRole

ML_APP: dict[str, Any] = {
    "name": "ml-app",
    "serviceAccounts": ["ml-app-sa"],
    "namespaces": ["ml-training"],
    "secrets": ["secret/ml/mlflow"],
}


def matrix(*grants: dict[str, Any], jobs: bool = False) -> Matrix:
    manifests = workload_role(
        account="trainer-sa", namespace="ml-training", secret_names=[], jobs=jobs
    )
    return Matrix(
        [
            VaultRights.of_grants(Grant.model_validate(grant) for grant in grants),
            RbacRights(Rbac(manifests)),
        ]
    )


def said(old: Matrix, new: Matrix) -> list[str]:
    return [str(change) for change in diff(old, new)]


def test_nothing_changed_says_nothing() -> None:
    assert said(matrix(ML_APP, jobs=True), matrix(ML_APP, jobs=True)) == []


def test_a_new_grant_is_a_gain_and_its_removal_a_loss() -> None:
    sentence = "ml-app-sa in ml-training {} read on secret/ml/mlflow through grant ml-app"
    assert said(matrix(), matrix(ML_APP)) == [sentence.format("gains")]
    assert said(matrix(ML_APP), matrix()) == [sentence.format("loses")]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"secrets": ["secret/ml/mlflow", "secret/ml/other"]},
            ["ml-app-sa in ml-training gains read on secret/ml/other through grant ml-app"],
        ),
        (
            {"secrets": ["secret/ml/other"]},
            [
                "ml-app-sa in ml-training gains read on secret/ml/other through grant ml-app",
                "ml-app-sa in ml-training loses read on secret/ml/mlflow through grant ml-app",
            ],
        ),
        (
            {"namespaces": ["ml-training", "ml-serving"]},
            ["ml-app-sa in ml-serving gains read on secret/ml/mlflow through grant ml-app"],
        ),
        (
            {"secrets": [], "manages": ["secret/ml/mlflow"]},
            [
                "ml-app-sa in ml-training gains create, update, patch and delete on "
                "secret/ml/mlflow through grant ml-app",
                "ml-app-sa in ml-training gains read on secret/metadata/ml/mlflow "
                "through grant ml-app",
            ],
        ),
        (
            {"name": "ml-app-2"},
            [
                "ml-app-sa in ml-training keeps read on secret/ml/mlflow, "
                "now through grant ml-app-2 instead of grant ml-app"
            ],
        ),
        (
            {"database": ["ml-readonly"]},
            [
                "ml-app-sa in ml-training gains read on database/creds/ml-readonly "
                "through grant ml-app"
            ],
        ),
    ],
)
def test_a_changed_grant_says_what_it_changes(change: dict[str, Any], expected: list[str]) -> None:
    assert sorted(said(matrix(ML_APP), matrix(ML_APP | change))) == sorted(expected)


def test_a_second_way_to_the_same_right_is_neither_gain_nor_loss() -> None:
    (only,) = diff(matrix(ML_APP), matrix(ML_APP, ML_APP | {"name": "again"}))
    assert only.effect is Effect.KEEPS
    assert only.via == "grant again and grant ml-app"


def test_the_right_to_make_jobs_is_told_as_what_it_is() -> None:
    assert (
        "trainer-sa in ml-training gains every right of any account in ml-training through "
        "Role ml-training/trainer-role (RoleBinding ml-training/trainer-rolebinding), "
        "by which it may make jobs"
    ) in said(matrix(ML_APP), matrix(ML_APP, jobs=True))


def test_a_right_that_is_left_only_by_a_detour_is_lost() -> None:
    trainer = ML_APP | {"name": "trainer", "serviceAccounts": ["trainer-sa"]}
    assert said(matrix(ML_APP, trainer, jobs=True), matrix(ML_APP, jobs=True)) == [
        "trainer-sa in ml-training loses read on secret/ml/mlflow through grant trainer"
    ]


def vault(policy: str) -> Matrix:
    role = VaultRole(name="r", accounts=("app",), namespaces=("ml",), policies=("p",))
    return Matrix([VaultRights(policies=[parse(policy, "p")], roles=[role])])


WIDE = 'path "kv/*" { capabilities = ["read"] }\n'


def test_naming_what_a_wider_rule_gives_already_is_no_gain() -> None:
    named = vault(WIDE + 'path "kv/a" { capabilities = ["read", "update"] }')
    assert said(vault(WIDE), named) == ["app in ml gains update on kv/a through role r"]
    assert said(named, vault(WIDE)) == ["app in ml loses update on kv/a through role r"]


@pytest.mark.parametrize(
    ("path", "rule", "lost"),
    [
        ("kv/a", '"deny"', "read on kv/a"),
        ("kv/a", '"update"', "read on kv/a"),
        ("kv/b*", '"deny"', "what wider rules allow on kv/b*"),
    ],
)
def test_a_narrower_rule_takes_what_a_wider_one_gave(path: str, rule: str, lost: str) -> None:
    narrowed = vault(WIDE + f'path "{path}" {{ capabilities = [{rule}] }}')
    assert f"app in ml loses {lost} through role r" in said(vault(WIDE), narrowed)
    assert f"app in ml gains {lost} through role r" in said(narrowed, vault(WIDE))


def test_a_deny_where_nothing_was_allowed_changes_nothing() -> None:
    assert said(vault(""), vault('path "kv/a" { capabilities = ["deny"] }')) == []


def test_gains_come_first() -> None:
    effects = [
        change.effect for change in diff(matrix(ML_APP), matrix(ML_APP | {"secrets": ["a/b"]}))
    ]
    assert effects == [Effect.GAINS, Effect.LOSES]
