"""The matrix over several sources: rows, who can, and acting as others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from access.grant import Grant
from access.matrix import Matrix
from access.model import Answer, Row, Source, Subject, System, Takeover
from access.policy_hcl import parse
from access.rbac import Rbac, workload_role
from access.rbac_rights import RbacRights
from access.vault_rights import VaultRights, VaultRole

ML_APP = Grant(
    name="ml-app",
    service_accounts=("ml-app-sa",),
    namespaces=("ml-training", "ml-serving"),
    secrets=("secret/ml/mlflow",),
    database=("ml-readonly",),
)
WRITER = Grant(
    name="mlflow-writer",
    service_accounts=("mlflow-admin",),
    namespaces=("ml-training",),
    manages=("secret/ml/mlflow",),
)
READER = Subject("ml-training", "ml-app-sa")


def declared(*grants: Grant, jobs: bool = False) -> Matrix:
    manifests = workload_role(
        account="trainer", namespace="ml-training", secret_names=["db"], jobs=jobs
    )
    return Matrix([VaultRights.of_grants(grants), RbacRights(Rbac(manifests))])


def vault(policy: str, **role: Any) -> Matrix:
    defaults = {"accounts": ("app",), "namespaces": ("ml",), "policies": ("p",)}
    return Matrix(
        [
            VaultRights(
                policies=[parse(policy, "p")],
                roles=[VaultRole(name="r", **{**defaults, **role})],
                kv_mounts=["secret"],
            )
        ]
    )


def test_rows_say_who_holds_what_through_what() -> None:
    rows = [
        (str(row.subject), row.path, row.capabilities, row.via)
        for row in declared(ML_APP).rows
        if row.system is System.VAULT
    ]
    assert rows == [
        (subject, path, ("read",), "grant ml-app")
        for subject in ("ml-serving/ml-app-sa", "ml-training/ml-app-sa")
        for path in ("database/creds/ml-readonly", "secret/ml/mlflow")
    ]


@pytest.mark.parametrize("path", ["secret/ml/mlflow", "secret/data/ml/mlflow", "/secret/ml/mlflow"])
def test_a_secret_may_be_named_as_people_or_as_vault_does(path: str) -> None:
    holders = declared(ML_APP, WRITER).who_can(path, "read")
    assert [str(holder.subject) for holder in holders] == [
        "ml-serving/ml-app-sa",
        "ml-training/ml-app-sa",
        "ml-training/mlflow-admin",
    ]
    assert [str(h.subject) for h in declared(ML_APP, WRITER).who_can(path, "update")] == [
        "ml-training/mlflow-admin"
    ]


@pytest.mark.parametrize("mount", ["kv/", "teams/ml/kv"])
def test_an_engine_may_be_mounted_anywhere(mount: str) -> None:
    path = mount.strip("/")
    held = Matrix(
        [
            VaultRights(
                policies=[parse(f'path "{path}/data/a" {{ capabilities = ["read"] }}', "p")],
                roles=[VaultRole(name="r", accounts=("app",), namespaces=("ml",), policies=("p",))],
                kv_mounts=["teams", mount],
            )
        ]
    )
    assert [row.path for row in held.rows] == [f"{path}/a"]
    assert held.who_can(f"{path}/a", "read")
    assert not held.who_can(f"{path}/b", "read")


def test_a_list_of_secrets_is_asked_of_their_metadata() -> None:
    held = vault('path "secret/metadata/ml/*" { capabilities = ["list"] }')
    assert held.who_can("secret/ml/x", "list")
    assert not held.who_can("secret/ml/x", "read")


def test_an_explanation_names_the_rule_that_wins_and_those_that_lose() -> None:
    held = vault(
        'path "secret/data/ml/*" { capabilities = ["read"] }\n'
        'path "secret/data/ml/mlflow" { capabilities = ["deny"] }'
    )
    verdict = held.explain(Subject("ml", "app"), "secret/ml/mlflow", "read")
    assert not verdict.allowed
    (refusal,) = verdict.refusals
    assert refusal.reason.startswith('"secret/data/ml/mlflow" (p) denies')
    assert refusal.lost == (
        '"secret/data/ml/*" (p): "secret/data/ml/mlflow" names the path exactly',
    )
    assert ("deny",) in [row.capabilities for row in held.rows]


def test_two_roles_of_one_account_never_add_up_in_one_token() -> None:
    """A deny in one role does not reach the token of another."""
    policies = [
        parse('path "a/b" { capabilities = ["read"] }', "yes"),
        parse('path "a/b" { capabilities = ["deny"] }', "no"),
    ]
    roles = [
        VaultRole(name=name, accounts=("app",), namespaces=("ml",), policies=(name,))
        for name in ("yes", "no")
    ]
    verdict = Matrix([VaultRights(policies=policies, roles=roles)]).explain(
        Subject("ml", "app"), "a/b", "read"
    )
    assert [holder.via for holder in verdict.holders] == ["role yes"]
    assert [refusal.via for refusal in verdict.refusals] == ["role no"]


@pytest.mark.parametrize(
    ("accounts", "namespaces", "reached"),
    [
        (("*",), ("ml",), True),
        (("app",), ("*",), True),
        (("ap*",), ("ml",), True),
        (("other*",), ("ml",), False),
        (("app",), ("other",), False),
    ],
)
def test_wide_bindings_reach_everyone_they_match(
    accounts: tuple[str, ...], namespaces: tuple[str, ...], reached: bool
) -> None:
    held = vault('path "a" { capabilities = ["read"] }', accounts=accounts, namespaces=namespaces)
    assert held.explain(Subject("ml", "app"), "a", "read").allowed is reached


def test_the_root_policy_allows_everything() -> None:
    held = vault("", policies=("root",))
    assert held.who_can("sys/raw/core", "sudo")


def test_a_policy_is_named_as_vault_reads_it() -> None:
    held = Matrix(
        [
            VaultRights(
                policies=[parse('path "a" { capabilities = ["read"] }', "Team")],
                roles=[
                    VaultRole(name="r", accounts=("app",), namespaces=("ml",), policies=(" TEAM",))
                ],
            )
        ]
    )
    assert held.who_can("a", "read")
    assert held.notes == ()


def test_what_is_not_judged_is_said() -> None:
    held = vault(
        'path "secret/data/{{identity.entity.name}}" { capabilities = ["read"] }',
        policies=("p", "default", "gone"),
    )
    assert "depends on who logs in" in held.rows[0].note
    assert [note.partition(",")[0] for note in held.notes] == [
        "role r hands out Vault's default policy",
        "role r names the policy gone",
        "the policy p has a rule for secret/data/{{identity.entity.name}}",
    ]
    unused = VaultRights(policies=[parse("", "alone")], roles=[])
    assert "handed out by no Kubernetes role" in next(iter(Matrix([unused]).notes))


def test_whoever_makes_pods_holds_what_any_account_of_the_namespace_holds() -> None:
    held = declared(ML_APP, jobs=True)
    trainer = Subject("ml-training", "trainer")
    (indirect,) = [h for h in held.who_can("secret/ml/mlflow", "read") if h.indirect]
    assert indirect.subject == trainer
    assert indirect.reason == (
        "may make jobs, and so act as ml-training/ml-app-sa, which holds it through grant ml-app"
    )
    assert held.explain(trainer, "secret/ml/mlflow", "read").allowed
    assert not held.explain(trainer, "secret/ml/mlflow", "update").allowed
    assert not declared(ML_APP).explain(trainer, "secret/ml/mlflow", "read").allowed


WRITES = '{ capabilities = ["create", "update"] }'


@pytest.mark.parametrize(
    ("policy", "reaches"),
    [
        (f'path "sys/policies/acl/*" {WRITES}\npath "auth/kubernetes/role/*" {WRITES}', True),
        (f'path "sys/policies/acl/*" {WRITES}', True),  # its own policy is among them
        (f'path "sys/*" {WRITES}', True),
        (
            f'path "sys/policies/acl/*" {WRITES}\n'
            'path "sys/policies/acl/p" { capabilities = ["deny"] }',
            False,
        ),
        (f'path "sys/policies/acl/one" {WRITES}', False),
        (f'path "sys/policies/acl/p" {WRITES}', True),
        (f'path "auth/kubernetes/role/*" {WRITES}', True),  # a role hands out any policy
        (f'path "auth/kubernetes/role/d" {WRITES}', True),
        (f'path "auth/approle/role/d" {WRITES}', True),
        (f'path "auth/+/login" {WRITES}', False),
        (f'path "identity/group/name/*" {WRITES}', True),
        (f'path "identity/lookup/group" {WRITES}', False),
        (f'path "auth/token/roles/*" {WRITES}', False),
        (f'path "auth/token/roles/*" {WRITES}\npath "auth/token/create/*" {WRITES}', True),
    ],
)
def test_whoever_writes_policies_or_logins_reaches_all_of_vault(policy: str, reaches: bool) -> None:
    rbac = Rbac(workload_role(account="a", namespace="n", secret_names=["db"], jobs=False))
    deployer = VaultRights(
        policies=[parse(policy, "p"), ML_APP.policy],
        roles=[
            VaultRole(name="d", accounts=("d",), namespaces=("vault",), policies=("p",)),
            VaultRole(name="ml-app", accounts=("app",), namespaces=("ml",), policies=("ml-app",)),
        ],
        kv_mounts=["secret"],
    )
    held = Matrix([deployer, RbacRights(rbac)])
    who = Subject("vault", "d")
    assert held.explain(who, "secret/ml/mlflow", "read").allowed is reaches
    assert not held.explain(who, "k8s:n/db", "read").allowed


class Chain:
    """A source where each account of a chain acts as the next, and the last one holds a right."""

    def __init__(self, *names: str) -> None:
        self.accounts = [Subject("n", name) for name in names]

    def rows(self) -> Iterator[Row]:
        return iter(())

    def answers(self, path: str, capability: str) -> Iterator[Answer]:
        yield Answer(
            subject=self.accounts[-1],
            system=System.IAM,
            via="v",
            policy="p",
            allowed=path == "arn:aws:s3:::fake" and capability == "s3:GetObject",
            reason="because",
        )

    def takeovers(self) -> Iterator[Takeover]:
        for one, other in zip(self.accounts, self.accounts[1:], strict=False):
            yield Takeover(subject=one, target=other, how="do it", via="v")

    def notes(self) -> Iterator[str]:
        return iter(())


def test_takeovers_are_followed_to_their_end_and_end_in_circles() -> None:
    chain: Source = Chain("a", "b", "c", "d")
    holders = Matrix([chain]).who_can("arn:aws:s3:::fake", "s3:GetObject")
    assert [(h.subject.name, h.indirect) for h in holders] == [
        ("a", True),
        ("b", True),
        ("c", True),
        ("d", False),
    ]
    circle = Matrix([Chain("a", "b", "a")]).who_can("arn:aws:s3:::fake", "s3:GetObject")
    assert [(h.subject.name, h.indirect) for h in circle] == [("a", False), ("b", True)]


@pytest.mark.parametrize("text", ["app", "/app", "ns/", "ns/a/b", ""])
def test_a_subject_is_namespace_and_name(text: str) -> None:
    with pytest.raises(ValueError, match="write namespace/service-account"):
        Subject.parse(text)
