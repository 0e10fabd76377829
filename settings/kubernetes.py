"""The cluster the program deploys to, its namespaces, workload identities and network.

Says what may exist; components/kubernetes makes it.
"""

from __future__ import annotations

from enum import StrEnum

from settings.base import Section, setting
from settings.types import Cidr, Flag, Label, ObjectName, Port, Text


class PodSecurity(StrEnum):
    """Kubernetes' Pod Security Standards, narrowest first."""

    RESTRICTED = "restricted"
    BASELINE = "baseline"
    PRIVILEGED = "privileged"


class Kubernetes(Section):
    """How the deployer reaches the cluster."""

    kubeconfig: Text | None = setting(
        None,
        why="the deployer finds the cluster's address and its own credentials there",
        write="~/.kube/config, or nothing for the default one",
    )
    context: Text | None = setting(
        None,
        why="without it whatever context is current receives the deployment",
        write="a name from `kubectl config get-contexts`",
    )


class Namespace(Section):
    """A namespace and what its pods may ask of the node."""

    name: Label = setting(why="it is the namespace's name in Kubernetes", write="ml-training")
    pod_security: PodSecurity = setting(
        PodSecurity.RESTRICTED,
        why="pods above this level are refused by the API server",
        write="restricted",
    )
    purpose: Text = setting(
        why="reviewers read it to judge who belongs there", write="training jobs"
    )
    reads_vault: Flag = setting(
        True, why="network policies let its pods reach Vault", write="true or false"
    )
    vault_agent: Flag = setting(
        False,
        why="annotated pods there get a Vault agent; none starts while the injector is down",
        write="true or false",
    )
    calls_api_server: Flag = setting(
        False, why="network policies let its pods reach the API server", write="true or false"
    )
    webhook_port: Port | None = setting(
        None, why="the API server may call its pods there", write="8080, or nothing"
    )


class ServiceAccount(Section):
    """A workload's identity: what Kubernetes, and through its grants Vault, gives it."""

    name: Label = setting(why="pods run as it and grants name it", write="ml-training-sa")
    namespace: Label = setting(why="an identity exists in one namespace only", write="ml-training")
    secret_names: tuple[ObjectName, ...] = setting(
        (),
        why="it may read exactly these Secrets of its namespace",
        write="[mlflow-credentials]",
    )
    jobs: Flag = setting(
        False, why="it lets the identity start Jobs in its namespace", write="true or false"
    )


class Endpoint(Section):
    """A network destination."""

    cidrs: tuple[Cidr, ...] = setting(
        why="traffic to other addresses is dropped", write='["10.0.0.0/16"]', min_length=1
    )
    port: Port = setting(why="traffic to other ports is dropped", write="443")


class Network(Section):
    """What network policies let through besides DNS and Vault itself."""

    api_server: Endpoint = setting(
        why="Vault reviews tokens at the API server, which in turn calls Vault's webhook",
        write='{cidrs: ["10.0.0.0/16"], port: 6443}',
    )
    kms: Endpoint | None = setting(
        None,
        why="a Vault that cannot reach its key service stays sealed",
        write='{cidrs: ["10.0.0.0/16"], port: 443}',
    )
    object_storage: Endpoint | None = setting(
        None,
        why="snapshots are uploaded there",
        write='{cidrs: ["10.0.0.0/16"], port: 443}',
    )
    identity_providers: tuple[Endpoint, ...] = setting(
        (),
        why="Vault asks these servers who somebody is",
        write='[{cidrs: ["192.0.2.0/24"], port: 443}], or port 636 for a directory',
    )
    monitoring: Label | None = setting(
        None,
        why="Prometheus reads metrics from that namespace, and nobody else's pods do",
        write="monitoring",
    )
    clients: tuple[Cidr, ...] = setting(
        (),
        why="Vault is reached from these networks outside the cluster, and no others",
        write='["10.0.0.0/16"]',
    )
    databases: tuple[Endpoint, ...] = setting(
        (),
        why="Vault makes and rotates the users of these servers",
        write='[{cidrs: ["10.0.0.0/16"], port: 5432}]',
    )


NAMESPACES = tuple(
    Namespace.model_validate(entry)
    for entry in (
        {"name": "ml-training", "purpose": "training jobs and notebooks", "vaultAgent": True},
        {"name": "ml-serving", "purpose": "model serving", "vaultAgent": True},
        {
            "name": "vault",
            "purpose": "Vault and its injector",
            "callsApiServer": True,
            "webhookPort": 8080,
        },
        {
            "name": "external-secrets",
            "purpose": "External Secrets Operator",
            "callsApiServer": True,
            "webhookPort": 10250,
        },
        {
            "name": "sealed-secrets",
            "purpose": "Sealed Secrets controller",
            "readsVault": False,
            "callsApiServer": True,
            "webhookPort": 8080,
        },
    )
)
