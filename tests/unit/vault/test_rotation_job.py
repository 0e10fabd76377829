"""What the rotation's job asks for: exactly the paths handed in, named workloads, a closed pod."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
import yaml

from access.policy_hcl import parse
from components.vault.pod_values import Image
from components.vault.rotation_job import Followed, RotationJob, RotationJobArgs
from policies.rules.kubernetes import projected_token_is_bound
from tests.unit.support.monitor import Deployment, deploy

CRON_JOB = "kubernetes:batch/v1:CronJob"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
FOLLOWED = (
    Followed(namespace="ml-training", workload="deployment/mlflow", asks_pods=True),
    Followed(
        namespace="ml-serving",
        workload="statefulset/models",
        rolls_out=True,
        external_secret="models-database",
    ),
    Followed(namespace="ml-serving", workload="deployment/gateway"),
)


def run(*followed: Followed, preview: bool = False, **changes: Any) -> Deployment:
    given: dict[str, Any] = {
        "namespace": "vault",
        "image": Image(repository="registry.example.com/strongroom", tag="1.0.0"),
        "schedule": "17 * * * *",
        "identity": "strongroom-rotation",
        "auth_path": "kubernetes",
        "paths": {"database/rotate-root/mlflow": ("update",), "database/config": ("list", "read")},
        "settings": "config: {}\n",
        "files": {"database-ca.crt": "fake CA"},
        "followed": followed,
    }

    def program() -> None:
        job = RotationJob("rotation", RotationJobArgs(**(given | changes)))
        pulumi.export("cron_job", job.cron_job)

    return deploy(program, preview=preview)


def rules(deployed: Deployment, namespace: str) -> list[tuple[str, tuple[str, ...], Any]]:
    (found,) = (
        role.inputs
        for role in deployed.of_type(ROLE)
        if role.inputs["metadata"]["namespace"] == namespace
    )
    return [
        (
            "/".join(filter(None, (*rule["apiGroups"], *rule["resources"]))),
            tuple(rule["verbs"]),
            rule.get("resourceNames"),
        )
        for rule in found["rules"]
    ]


def pod(deployed: Deployment) -> dict[str, Any]:
    spec: dict[str, Any] = deployed.one(CRON_JOB).inputs["spec"]["jobTemplate"]["spec"]
    inner: dict[str, Any] = spec["template"]["spec"]
    return inner


@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
def test_the_tree_is_as_pinned(preview: bool) -> None:
    assert run(*FOLLOWED, preview=preview).tree() == [
        "strongroom:vault:Rotation rotation",
        f"  {CRON_JOB} rotation-run",
        "  kubernetes:core/v1:ConfigMap rotation-settings",
        "  kubernetes:core/v1:ServiceAccount rotation-account",
        f"  {ROLE} rotation-ml-serving-role",
        f"  {ROLE} rotation-ml-training-role",
        "  kubernetes:rbac.authorization.k8s.io/v1:RoleBinding rotation-ml-serving-binding",
        "  kubernetes:rbac.authorization.k8s.io/v1:RoleBinding rotation-ml-training-binding",
        "  vault:index/policy:Policy rotation-policy",
        "  vault:kubernetes/authBackendRole:AuthBackendRole rotation-role",
    ]


def test_the_policy_is_what_was_handed_in_and_nothing_else() -> None:
    policy = run().one("vault:index/policy:Policy").inputs
    found = {rule.path: set(rule.capabilities) for rule in parse(policy["policy"], "given").rules}
    assert found == {
        "database/rotate-root/mlflow": {"update"},
        "database/config": {"list", "read"},
    }


def test_only_the_jobs_own_account_may_log_in_and_with_its_own_audience() -> None:
    role = run().one("vault:kubernetes/authBackendRole:AuthBackendRole").inputs
    assert role["boundServiceAccountNames"] == ["strongroom-rotation"]
    assert role["boundServiceAccountNamespaces"] == ["vault"]
    assert role["audience"] == "strongroom-rotation"
    assert role["tokenNoDefaultPolicy"] is True
    assert role["tokenMaxTtl"] <= 3600


def test_workloads_are_named_and_only_a_rollout_may_change_one() -> None:
    deployed = run(*FOLLOWED)
    assert rules(deployed, "ml-training") == [
        ("pods", ("list",), None),
        ("pods/proxy", ("get",), None),
        ("apps/deployments", ("get",), ["mlflow"]),
    ]
    assert rules(deployed, "ml-serving") == [
        ("pods", ("list",), None),
        ("apps/deployments", ("get",), ["gateway"]),
        ("apps/statefulsets", ("get", "patch"), ["models"]),
        ("external-secrets.io/externalsecrets", ("get",), ["models-database"]),
    ]


def test_without_consumers_nothing_is_asked_of_kubernetes() -> None:
    deployed = run()
    assert deployed.of_type(ROLE) == []
    mounted = [m["mountPath"] for m in pod(deployed)["containers"][0]["volumeMounts"]]
    assert not [place for place in mounted if "kubernetes.io" in place]


def test_kubectl_is_told_of_the_token_that_is_mounted() -> None:
    deployed = run(*FOLLOWED)
    (container,) = pod(deployed)["containers"]
    named = {variable["name"]: variable["value"] for variable in container["env"]}
    places = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
    told = deployed.one("kubernetes:core/v1:ConfigMap").inputs["data"]
    file = named["KUBECONFIG"].removeprefix(f"{places['settings']}/")
    (user,) = yaml.safe_load(told[file])["users"]
    assert user["user"]["tokenFile"] == f"{places['kube-api-access-rotation']}/token"


def test_its_tokens_pass_the_projects_own_rule() -> None:
    job = run(*FOLLOWED).one(CRON_JOB).inputs
    assert projected_token_is_bound.RULE.judge(job) == []


def test_the_pod_is_restricted_and_runs_one_pass() -> None:
    found = pod(run(*FOLLOWED))
    (container,) = found["containers"]
    assert found["automountServiceAccountToken"] is False
    assert found["securityContext"]["runAsNonRoot"] is True
    assert found["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["command"][-2:] == ["rotate", "run"]
    assert "--vault-address=https://vault-active:8200" in container["args"]
    spec = run().one(CRON_JOB).inputs["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0


def test_a_policy_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="paths: is empty"):
        run(paths={})
