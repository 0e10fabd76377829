"""Every kind that holds pods: a fault in any of them is found, and an unknown one hides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from policies.pods import PARTS_OF_PODS, POD_TYPES, WHOLE_PODS, WORKLOADS
from policies.resource_types import with_patches
from policies.rule import Finding, NotChecked
from policies.rules.kubernetes.no_default_token import RULE as NO_DEFAULT_TOKEN
from policies.rules.kubernetes.no_secret_in_env import RULE as NO_SECRET_IN_ENV
from policies.rules.kubernetes.pod_no_host_access import RULE as NO_HOST_ACCESS
from policies.rules.kubernetes.projected_token_is_bound import RULE as TOKEN_IS_BOUND
from policies.rules.kubernetes.secrets_are_mounted import RULE as SECRETS_ARE_MOUNTED
from policies.rules.vault.address_is_https import RULE as ADDRESS_IS_HTTPS
from policies.view import UNKNOWN
from tests.policies.cases.case import resource

Path = tuple[str | int, ...]

REPLICAS = {
    "JAXJob": ("jaxReplicaSpecs", ("Worker",)),
    "MPIJob": ("mpiReplicaSpecs", ("Launcher", "Worker")),
    "PaddleJob": ("paddleReplicaSpecs", ("Master", "Worker")),
    "PyTorchJob": ("pytorchReplicaSpecs", ("Master", "Worker")),
    "TFJob": ("tfReplicaSpecs", ("Chief", "Evaluator", "Master", "PS", "Worker")),
    "XGBoostJob": ("xgbReplicaSpecs", ("Master", "Worker")),
}
RAY: tuple[Path, ...] = (
    ("headGroupSpec", "template", "spec", "containers", 0),
    ("workerGroupSpecs", 1, "template", "spec", "containers", 1),
    ("autoscalerOptions",),
)
ARGO: tuple[Path, ...] = (
    ("templates", 0, "container"),
    ("templates", 1, "script"),
    ("templates", 1, "initContainers", 0),
    ("templates", 1, "sidecars", 1),
    ("templates", 2, "containerSet", "containers", 0),
    ("templates", 0, "steps", 0, 1, "inline", "container"),
    ("templates", 0, "dag", "tasks", 1, "inline", "script"),
    ("templateDefaults", "container"),
)
POD: Path = ("template", "spec", "containers", 0)
JOBS: Path = ("replicatedJobs", 0, "template", "spec", *POD)
SPARK: tuple[Path, ...] = (
    ("driver",),
    ("executor", "sidecars", 0),
    ("driver", "initContainers", 0),
    ("executor", *POD),
)
FRAMEWORKS = (
    *("huggingface", "lightgbm", "model", "onnx", "paddle", "pmml", "pytorch", "sklearn"),
    *("tensorflow", "triton", "xgboost"),
)


def below(path: Path, paths: tuple[Path, ...]) -> tuple[Path, ...]:
    return tuple((*path, *each) for each in paths)


def spec(*paths: Path) -> tuple[Path, ...]:
    return below(("spec",), paths)


# Where each kind has containers.
CONTAINERS: dict[str, tuple[Path, ...]] = {
    "core/v1:Pod": spec(("containers", 0), ("initContainers", 1), ("ephemeralContainers", 0)),
    "core/v1:PodTemplate": (POD,),
    "batch/v1:CronJob": spec(("jobTemplate", "spec", *POD)),
    **{
        kind: spec(POD)
        for kind in (
            "core/v1:ReplicationController",
            "apps/v1:Deployment",
            "apps/v1:StatefulSet",
            "apps/v1:DaemonSet",
            "apps/v1:ReplicaSet",
            "batch/v1:Job",
            "argoproj.io/v1alpha1:Rollout",
            "kubeflow.org/v1:Notebook",
            "kubeflow.org/v1beta1:Notebook",
            "serving.knative.dev/v1:Service",
        )
    },
    **{
        f"kubeflow.org/{version}:{kind}": spec(*((specs, role, *POD) for role in roles))
        for kind, (specs, roles) in REPLICAS.items()
        for version in (("v1", "v2beta1") if kind == "MPIJob" else ("v1",))
    },
    **{f"ray.io/{version}:RayCluster": spec(*RAY) for version in ("v1", "v1alpha1")},
    **{
        f"ray.io/{version}:RayJob": spec(
            *below(("rayClusterSpec",), RAY), ("submitterPodTemplate", "spec", "containers", 0)
        )
        for version in ("v1", "v1alpha1")
    },
    **{
        f"ray.io/{version}:RayService": spec(*below(("rayClusterConfig",), RAY))
        for version in ("v1", "v1alpha1")
    },
    "serving.kserve.io/v1beta1:InferenceService": spec(
        ("predictor", "containers", 0),
        ("transformer", "containers", 1),
        ("explainer", "art"),
        ("predictor", "workerSpec", "containers", 0),
        *(("predictor", framework) for framework in FRAMEWORKS),
    ),
    **{
        f"serving.kserve.io/v1alpha1:{kind}": spec(
            ("containers", 0), ("workerSpec", "containers", 0)
        )
        for kind in ("ServingRuntime", "ClusterServingRuntime")
    },
    **{
        f"argoproj.io/v1alpha1:{kind}": spec(*ARGO)
        for kind in ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate")
    },
    "argoproj.io/v1alpha1:CronWorkflow": spec(*below(("workflowSpec",), ARGO)),
    "jobset.x-k8s.io/v1alpha2:JobSet": spec(JOBS),
    "leaderworkerset.x-k8s.io/v1:LeaderWorkerSet": spec(
        ("leaderWorkerTemplate", "leaderTemplate", "spec", "containers", 0),
        ("leaderWorkerTemplate", "workerTemplate", "spec", "containers", 0),
    ),
    "batch.volcano.sh/v1alpha1:Job": spec(("tasks", 1, *POD)),
    "sparkoperator.k8s.io/v1beta2:SparkApplication": spec(*SPARK),
    "sparkoperator.k8s.io/v1beta2:ScheduledSparkApplication": spec(*below(("template",), SPARK)),
    **{
        f"trainer.kubeflow.org/v1alpha1:{kind}": spec(("template", "spec", *JOBS))
        for kind in ("TrainingRuntime", "ClusterTrainingRuntime")
    },
    "trainer.kubeflow.org/v1alpha1:TrainJob": spec(
        ("trainer",),
        ("initializer", "dataset"),
        ("initializer", "model"),
        ("runtimePatches", 0, "trainingRuntimeSpec", "template", "spec", *JOBS),
    ),
}
PLACES = [(kind, path) for kind, paths in CONTAINERS.items() for path in paths]
by_place = pytest.mark.parametrize(
    ("kind", "path"), PLACES, ids=[f"{kind}-{'.'.join(map(str, path))}" for kind, path in PLACES]
)
WRONG = {
    "env": [
        {"name": "DB_PASSWORD", "value": "not-a-real-password"},
        {"name": "VAULT_ADDR", "value": "http://vault:8200"},
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ],
    "securityContext": {"privileged": True},
}
RULES = (NO_SECRET_IN_ENV, NO_HOST_ACCESS, SECRETS_ARE_MOUNTED, ADDRESS_IS_HTTPS)


def holding(path: Path, value: Any) -> Any:
    """The value at the path, with nothing but empty entries before it in a list."""
    for step in reversed(path):
        value = {step: value} if isinstance(step, str) else [*([{}] * step), value]
    return value


def shown(path: Path) -> str:
    steps = (f".{step}" if isinstance(step, str) else f"[{step}]" for step in path)
    return "".join(steps).removeprefix(".")


def prefixes(path: Path) -> Iterator[Path]:
    return (path[:length] for length in range(1, len(path) + 1))


def test_every_kind_is_tried() -> None:
    assert with_patches(*(f"kubernetes:{kind}" for kind in CONTAINERS)) == WORKLOADS
    assert len(WORKLOADS) == len(POD_TYPES) + len(WHOLE_PODS) + len(PARTS_OF_PODS)


@pytest.mark.parametrize("rule", [*RULES, TOKEN_IS_BOUND, NO_DEFAULT_TOKEN], ids=lambda r: r.id)
def test_the_rules_on_pods_speak_of_every_kind(rule: Any) -> None:
    left_out = PARTS_OF_PODS if rule is NO_DEFAULT_TOKEN else frozenset()
    assert rule.resource_types >= WORKLOADS - left_out
    assert rule.resource_types.isdisjoint(left_out)


@by_place
def test_a_fault_is_found_at_its_place(kind: str, path: Path) -> None:
    for rule in RULES:
        (found,) = rule.judge(holding(path, WRONG))
        assert isinstance(found, Finding)
        assert found.evidence.startswith(f"{shown(path)}."), rule.id


@by_place
def test_what_is_unknown_on_the_way_is_told_by_its_place(kind: str, path: Path) -> None:
    for rule in RULES:
        for prefix in prefixes(path):
            (said,) = rule.judge(holding(prefix, UNKNOWN))
            assert isinstance(said, NotChecked)
            assert said.path == shown(prefix), rule.id


def test_an_unknown_pod_hides_no_fault_in_another() -> None:
    roles = {"Master": UNKNOWN, "Worker": {"template": {"spec": {"containers": [WRONG]}}}}
    for rule in RULES:
        unread, found = rule.judge({"spec": {"pytorchReplicaSpecs": roles}})
        assert isinstance(unread, NotChecked)
        assert isinstance(found, Finding)


def test_volumes_and_the_node_are_found_beside_containers_of_any_kind() -> None:
    volumes = [
        {"hostPath": {"path": "/"}},
        {"projected": {"sources": [{"serviceAccountToken": {}}]}},
    ]
    for path in (("spec",), ("spec", "predictor"), ("spec", "templates", 1)):
        properties = holding(path, {"volumes": volumes, "hostNetwork": True})
        assert [type(each) for each in NO_HOST_ACCESS.judge(properties)] == [Finding] * 2
        assert [type(each) for each in TOKEN_IS_BOUND.judge(properties)] == [Finding]


def test_annotations_are_read_on_every_pod() -> None:
    annotations = {"vault.hashicorp.com/service": "http://vault:8200"}
    for path in (
        ("metadata",),
        ("spec", "tfReplicaSpecs", "PS", "template", "metadata"),
        ("spec", "podMetadata"),
        ("spec", "predictor"),
        ("spec", "driver"),
    ):
        (found,) = ADDRESS_IS_HTTPS.judge(holding(path, {"annotations": annotations}))
        assert isinstance(found, Finding)
        assert found.evidence.startswith(f"{shown(path)}.annotations")


def test_an_unknown_container_is_no_matter_to_what_only_pods_have() -> None:
    spec = {"containers": UNKNOWN, "initContainers": [UNKNOWN], "volumes": []}
    properties = {"spec": {"template": {"spec": spec}}}
    assert TOKEN_IS_BOUND.judge(properties) == []
    assert len(NO_HOST_ACCESS.judge(properties)) == 2
    notebook = resource("kubernetes:kubeflow.org/v1:Notebook", "notebook", **properties)
    (said,) = NO_DEFAULT_TOKEN.judge([notebook])
    assert isinstance(said, Finding)


def test_an_unknown_value_that_can_be_no_pod_is_no_matter() -> None:
    job = {"spec": {"replicas": UNKNOWN, "runPolicy": UNKNOWN, "template": {"spec": {}}}}
    assert [each for rule in RULES for each in rule.judge(job)] == []
    assert TOKEN_IS_BOUND.judge(job) == []
