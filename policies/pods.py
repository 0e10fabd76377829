"""Where pods and their containers stand: in Kubernetes' own kinds, and in those of other operators.

Owns the kinds and the search. A kind keeps a pod wherever it likes, so a pod and a container are
known by what they have (`volumes`, `env`), not by the path to them. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from policies.resource_types import with_patches
from policies.rule import Judgement, each
from policies.view import NotKnown, View

Checks = Mapping[str, Callable[[View], Iterable[Judgement]]]
"""What judges the field of each name."""


def _kinds(*kinds: str) -> frozenset[str]:
    return with_patches(*(f"kubernetes:{kind}" for kind in kinds))


POD_TYPES = _kinds(
    "core/v1:Pod",
    "core/v1:ReplicationController",
    "apps/v1:Deployment",
    "apps/v1:StatefulSet",
    "apps/v1:DaemonSet",
    "apps/v1:ReplicaSet",
    "batch/v1:Job",
    "batch/v1:CronJob",
)
"""Pods, and what makes them."""

WHOLE_PODS = _kinds(
    "core/v1:PodTemplate",
    "argoproj.io/v1alpha1:CronWorkflow",
    "argoproj.io/v1alpha1:Rollout",
    "argoproj.io/v1alpha1:Workflow",
    "argoproj.io/v1alpha1:WorkflowTemplate",
    "batch.volcano.sh/v1alpha1:Job",
    "jobset.x-k8s.io/v1alpha2:JobSet",
    "kubeflow.org/v1:JAXJob",
    "kubeflow.org/v1:MPIJob",
    "kubeflow.org/v1:Notebook",
    "kubeflow.org/v1:PaddleJob",
    "kubeflow.org/v1:PyTorchJob",
    "kubeflow.org/v1:TFJob",
    "kubeflow.org/v1:XGBoostJob",
    "kubeflow.org/v1beta1:Notebook",
    "kubeflow.org/v2beta1:MPIJob",
    "leaderworkerset.x-k8s.io/v1:LeaderWorkerSet",
    "ray.io/v1:RayCluster",
    "ray.io/v1:RayJob",
    "ray.io/v1:RayService",
    "ray.io/v1alpha1:RayCluster",
    "ray.io/v1alpha1:RayJob",
    "ray.io/v1alpha1:RayService",
    "serving.knative.dev/v1:Service",
    "serving.kserve.io/v1beta1:InferenceService",
    "trainer.kubeflow.org/v1alpha1:TrainingRuntime",
)
"""Kinds of other operators, and templates, that say all of a pod and in which namespace it runs."""

PARTS_OF_PODS = _kinds(
    "argoproj.io/v1alpha1:ClusterWorkflowTemplate",
    "serving.kserve.io/v1alpha1:ClusterServingRuntime",
    "serving.kserve.io/v1alpha1:ServingRuntime",
    "sparkoperator.k8s.io/v1beta2:ScheduledSparkApplication",
    "sparkoperator.k8s.io/v1beta2:SparkApplication",
    "trainer.kubeflow.org/v1alpha1:ClusterTrainingRuntime",
    "trainer.kubeflow.org/v1alpha1:TrainJob",
)
"""Kinds that say a part of a pod: another object, or the operator, says the rest."""

WORKLOADS = POD_TYPES | WHOLE_PODS | PARTS_OF_PODS
"""Everything that has containers."""

_CONTAINERS = frozenset(
    {
        *("containers", "initContainers", "ephemeralContainers"),
        *("container", "script", "sidecars"),  # Argo Workflows; the last also Spark
    }
)
# What is unknown under one of these names may be a pod. Whatever is known is searched anyway.
_LEADS = frozenset(
    {
        *_CONTAINERS,
        # Kubernetes
        *("spec", "template", "jobTemplate"),
        # Kubeflow Training Operator, by the role of a replica
        *("jaxReplicaSpecs", "mpiReplicaSpecs", "paddleReplicaSpecs", "pytorchReplicaSpecs"),
        *("tfReplicaSpecs", "xgbReplicaSpecs"),
        *("Chief", "Evaluator", "Launcher", "Master", "PS", "Worker"),
        # Kubeflow Trainer, JobSet, LeaderWorkerSet, Volcano
        *("dataset", "initializer", "model", "runtimePatches", "trainer", "trainingRuntimeSpec"),
        *("leaderTemplate", "leaderWorkerTemplate", "replicatedJobs", "tasks", "workerTemplate"),
        # Ray
        *("autoscalerOptions", "headGroupSpec", "rayClusterConfig", "rayClusterSpec"),
        *("submitterPodTemplate", "workerGroupSpecs"),
        # KServe: components, and servers by the name of their framework
        *("explainer", "predictor", "transformer", "workerSpec"),
        *("art", "huggingface", "lightgbm", "onnx", "paddle", "pmml", "pytorch", "sklearn"),
        *("tensorflow", "triton", "xgboost"),
        # Argo Workflows
        *("containerSet", "dag", "inline", "steps", "templateDefaults", "templates"),
        "workflowSpec",
        # Spark
        *("driver", "executor"),
    }
)
# In these stands neither a pod nor a container.
_CLOSED = frozenset(
    {
        *("affinity", "annotations", "env", "envFrom", "labels", "lifecycle", "livenessProbe"),
        *("metadata", "nodeSelector", "ports", "readinessProbe", "resources", "securityContext"),
        *("selector", "startupProbe", "status", "tolerations", "volumeMounts", "volumes"),
    }
)
_MAKERS = (("spec", "jobTemplate", "spec", "template"), ("spec", "template"))
_PLAIN = (str, int, float, type(None))


def parts(properties: View, *, containers: bool = True) -> Iterator[View]:
    """Every mapping that can be or hold a pod or a container, from the outermost on.

    Among them is what is unknown where a pod or a container would stand. Without `containers`
    those that a pod lists are left out.
    """
    closed = _CLOSED if containers else _CLOSED | _CONTAINERS
    waiting = [(properties, True)]
    while waiting:
        part, leads = waiting.pop()
        try:
            value = part.value
        except NotKnown:
            if leads:
                yield part
            continue
        if isinstance(value, Mapping):
            yield part
            names = [
                key for key in value if key not in closed and not isinstance(value[key], _PLAIN)
            ]
            waiting += [(part[key], key in _LEADS) for key in reversed(names)]
        elif isinstance(value, list):
            waiting += reversed([(entry, leads) for entry in part.entries()])


def each_field(properties: View, checks: Checks, *, containers: bool = True) -> Iterator[Judgement]:
    """Judge the fields of these names in every part, each by itself; unknown parts are told."""

    def judge(part: View) -> Iterator[Judgement]:
        for name, check in checks.items():
            if name in part.value:
                yield from each([part[name]], check)

    return each(parts(properties, containers=containers), judge)


def pod_spec(properties: View) -> View:
    """The pod specification in the properties of one of `POD_TYPES`."""
    for path in _MAKERS:
        made = properties.at(*path, "spec")
        if made.value is not None:
            return made
    return properties["spec"]
