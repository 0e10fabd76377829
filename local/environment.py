"""The whole one-machine environment: tools, node, images, services, stack, in that order.

Owns the order and the facts that one part gives to the next. Each step is idempotent, so an
interrupted `up` goes on when it is started again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from local import images, toolchain
from local.node import Node, packages
from local.paths import Instance, cache_dir
from local.progress import Progress
from local.services import aws, in_cluster, postgresql, rotation
from local.stack import Stack
from local.toolchain.charts import charts
from local.workload import Cluster, example_job
from vaultops.deployer import ca_file

NODE_TOOLS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
    "coredns",
)
IMAGE_TOOLS = ("vault", "vault-k8s", "external-secrets", "sealed-secrets-controller")
ENGINE_TOOLS = (
    "pulumi",
    "pulumi-language-python",
    "pulumi-language-python-exec",
    "pulumi-resource-pulumi-python",
    "pulumi-resource-kubernetes",
    "pulumi-resource-vault",
    "pulumi-resource-random",
    "pulumi-resource-aws",
)
# A Vault that the stack has connected to the database has rotated its password there.
DATABASE_CONNECTION = "vault:database/secretBackendConnection:SecretBackendConnection"
VAULT_NODE_PORT = 30200
VAULT_PORT = 18200


def set_up(progress: Progress) -> None:
    """Everything that needs the network: the distribution's packages and every tool.

    Without root there are no packages to install: Docker and kind bring what a node needs.
    """
    if os.geteuid() == 0:
        packages.ensure(progress)
    for choice in toolchain.choose(toolchain.TOOLS, progress):
        progress(f"{choice.tool} {choice.version}: {choice.how}, {choice.reason}")


def _chart(name: str) -> dict[str, Any]:
    """The official chart out of its Go module, so that no chart repository is asked."""
    return {"chart": {"source": "path", "location": str(charts(name))}}


@dataclass(frozen=True)
class Environment:
    """One instance with all its parts. `local` has a port of its own, others take free ones."""

    instance: Instance

    @cached_property
    def binaries(self) -> Mapping[str, Path]:
        """Every tool's path, found or built on first use."""
        return toolchain.ensure([*NODE_TOOLS, *IMAGE_TOOLS, *ENGINE_TOOLS])

    @cached_property
    def node(self) -> Node:
        """The Kubernetes node of the instance; programs are needed only to bring it up."""
        return Node(self.instance)

    @cached_property
    def stack(self) -> Stack:
        """The Pulumi stack of the instance."""
        return Stack(self.instance, toolchain.bin_dir([*ENGINE_TOOLS, "kubectl"]))

    def up(self, progress: Progress) -> None:
        """Bring everything up and deploy the stack."""
        self.up_node(progress)
        facts = self.start_services(progress)
        progress("stack: writing the instance's configuration")
        self.stack.prepare(facts)
        progress("stack: deploying with the real engine, policies on")
        self.stack.up()
        progress("workload: an administrator writes a secret, a training job reads it")
        cluster = self.cluster()
        cluster.ensure_example_secret()
        cluster.ensure_database_secret(postgresql.start(self.node, self.instance))
        progress(f"workload: the job says: {cluster.run_job(example_job(), progress).strip()}")

    def up_node(self, progress: Progress) -> None:
        """Bring the node up with every image on it."""
        self.node.check_machine()
        node = Node(self.instance, self.binaries)
        progress("node: bringing Kubernetes up")
        node.up(progress)
        for name, archive in images.build_all(
            self.binaries, cache_dir() / "images", progress
        ).items():
            if self.node.import_image(archive):
                progress(f"images: imported {name}")

    def start_services(self, progress: Progress) -> dict[str, Any]:
        """Start what stands outside the cluster; return the stack's facts about this instance."""
        progress("services: PostgreSQL and the AWS stand-in")
        cloud = aws.start(self.node, self.instance)
        database = postgresql.start(
            self.node, self.instance, new_vault=not self.stack.has(DATABASE_CONNECTION)
        )
        in_cluster.publish(self.node.kubeconfig, postgresql.NAME, database.host, database.port)
        vault_port = self.node.forward(
            "vault",
            VAULT_PORT if self.instance.name == "local" else 0,
            self.node.node_ip,
            VAULT_NODE_PORT,
        )
        state = self.instance.state_dir
        return {
            "strongroom:kubernetes": {"kubeconfig": str(self.node.kubeconfig)},
            "strongroom:aws": {"endpoint": f"http://127.0.0.1:{cloud.host_port}"},
            "strongroom:vault": {
                "address": f"https://127.0.0.1:{vault_port}",
                "seal": {"endpoint": cloud.endpoint_in_cluster},
                "custodian": {"path": str(state / "vault-init.json")},
                "deployer": {"tokenFile": str(self._token_file)},
            },
            "strongroom:sealedSecrets": _chart("sealed-secrets"),
            "strongroom:externalSecrets": {
                **_chart("external-secrets"),
                "awsEndpoint": cloud.endpoint_in_cluster,
            },
            "strongroom:cloudSecrets": {
                "databaseLogins": {
                    "administrator": rotation.administrator(cloud, database),
                    "caFile": str(database.ca_file),
                },
            },
            "strongroom:engines": {
                "database": {
                    "passwordFile": str(database.vault_password_file),
                    "caFile": str(database.ca_file),
                },
                "aws": {"endpoint": cloud.endpoint_in_cluster},
            },
        }

    def cluster(self) -> Cluster:
        """The deployed cluster and its Vault, as a user of the platform reaches them."""
        return Cluster(
            kubeconfig=self.node.kubeconfig,
            vault_address=f"https://127.0.0.1:{self.node.status().forwards['vault'].host_port}",
            vault_ca=ca_file(self._token_file),
        )

    @property
    def _token_file(self) -> Path:
        return self.instance.state_dir / "vault-deployer-token"

    def down(self, progress: Progress) -> None:
        """Remove the node, the stack's state and every file of the instance.

        Vault's data lies on the node, so its shares and tokens are of no use afterwards.
        """
        self.node.down(progress)
        if self.instance.state_dir.exists():
            shutil.rmtree(self.instance.state_dir)
