"""Workload identity at Google: one Kubernetes account, no key, and what is refused beforehand."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest

from components.gcp.workload_identity import WorkloadIdentity, WorkloadIdentityArgs
from tests.unit.support.judging import broken
from tests.unit.support.monitor import Deployment, deploy

ACCOUNT = "gcp:serviceaccount/account:Account"
BINDING = "gcp:serviceaccount/iAMBinding:IAMBinding"
MEMBER = "serviceAccount:fake-cluster-project.svc.id.goog[ml-training/ml-app-sa]"
GIVEN: dict[str, Any] = {
    "project": "fake-project",
    "account_id": "ml-training",
    "pool_project": "fake-cluster-project",
    "namespace": "ml-training",
    "account": "ml-app-sa",
}
EVERY_MODE = pytest.mark.parametrize("preview", [False, True])


def identity(preview: bool = False, **changes: Any) -> Deployment:
    def program() -> None:
        provider = gcp.Provider("gcp", project="fake-project")
        made = WorkloadIdentity(
            "fake",
            WorkloadIdentityArgs(**(GIVEN | changes)),
            pulumi.ResourceOptions(providers=[provider]),
        )
        assert made.email == "ml-training@fake-project.iam.gserviceaccount.com"

    return deploy(program, preview=preview)


@EVERY_MODE
def test_an_account_and_one_binding_are_made_and_no_key(preview: bool) -> None:
    deployed = identity(preview)
    assert deployed.tree() == [
        "pulumi:providers:gcp gcp",
        "strongroom:gcp:WorkloadIdentity fake",
        f"  {ACCOUNT} fake-account",
        f"  {BINDING} fake-use",
    ]
    assert {r.provider for r in deployed.resources if r.custom and r.parent} == {"gcp"}
    assert deployed.one(ACCOUNT).inputs["accountId"] == "ml-training"


@EVERY_MODE
def test_exactly_one_kubernetes_account_acts_as_it(preview: bool) -> None:
    inputs = identity(preview).one(BINDING).inputs
    assert (inputs["role"], inputs["members"]) == ("roles/iam.workloadIdentityUser", [MEMBER])


@EVERY_MODE
def test_it_breaks_no_rule_of_the_project(preview: bool) -> None:
    assert broken(identity(preview)) == set()


@pytest.mark.parametrize(
    "member",
    [
        "serviceAccount:fake-cluster-project.svc.id.goog[ml-training/*]",
        "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*",
        "allAuthenticatedUsers",
    ],
)
def test_a_widened_binding_breaks_a_rule(member: str) -> None:
    found = broken(identity(), fake_use={"members": [MEMBER, member]})
    assert found == {"gcp-workload-identity-is-exact"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account": "*"}, r"account: '\*' is a pattern or no name; .* Name one"),
        ({"namespace": "ml-*"}, r"namespace: 'ml-\*' is a pattern"),
        ({"account_id": "ml"}, r"account_id: 'ml' is no name of a service account"),
        ({"pool_project": "Fake"}, r"pool_project: 'Fake' is no project; .* another cluster"),
    ],
)
def test_a_wrong_identity_is_refused_with_its_consequence_and_the_way_out(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        WorkloadIdentityArgs(**(GIVEN | changes))
