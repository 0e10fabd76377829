"""The Vault servers and their injector: certificates, chart, nothing that needs a running Vault.

Owns what makes the pods start. Initialising, unsealing and configuring them is the bootstrap's, so
this component is done while its pods still wait to be initialised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.transforms import with_options
from components.vault.certificate_secret import certify, certify_webhook
from components.vault.tls import (
    CLUSTER_DOMAIN,
    CertificateSource,
    OwnCa,
    server_sans,
    webhook_sans,
)
from components.vault.values import VaultValues, helm_values

CLUSTER_ROLE = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"

keep_claims = with_options(
    STATEFUL_SET, pulumi.ResourceOptions(ignore_changes=["spec.volumeClaimTemplates"])
)
"""Leaves the claims as they were made: another size or class would replace all servers at once.

The claims themselves are made larger in the cluster (docs/runbooks/full-volume.md).
"""

protect_servers = with_options(STATEFUL_SET, pulumi.ResourceOptions(protect=True))
"""Lets the engine refuse to delete or to replace the servers."""
WEBHOOKS = "mutatingwebhookconfigurations"
WATCH = ["list", "watch"]


class ChartOrigin(StrEnum):
    """How `ChartSource.location` is read."""

    REPOSITORY = "repository"
    OCI = "oci"
    PATH = "path"


@dataclass(frozen=True, kw_only=True)
class ChartSource:
    """Where the chart comes from: a repository's URL, an `oci://` reference, or a folder.

    Raises ValueError for a remote chart without a version, for an OCI location without `oci://`,
    for a repository without `https://`, and for a folder that holds no chart.
    """

    origin: ChartOrigin
    location: str
    version: str | None = None

    def __post_init__(self) -> None:
        if self.origin is ChartOrigin.PATH:
            if not (Path(self.location) / "Chart.yaml").is_file():
                raise ValueError(
                    f"chart location: {self.location!r} holds no Chart.yaml (looked in "
                    f"{Path(self.location).resolve()}); there is nothing to deploy Vault with. "
                    "Name the chart's folder, relative to the program."
                )
        elif not self.version:
            raise ValueError(
                f"chart version: none given for {self.location!r}; a moving chart changes the "
                "cluster by itself. Pin it, for example 0.31.0."
            )
        if self.origin is ChartOrigin.OCI and not self.location.startswith("oci://"):
            raise ValueError(
                f"chart location: {self.location!r} is no OCI reference. Write oci://registry/path."
            )
        if self.origin is ChartOrigin.REPOSITORY and not self.location.startswith("https://"):
            raise ValueError(
                f"chart location: {self.location!r} is no https address of a chart repository; "
                "what it names could not be fetched, or could be replaced on its way. Write "
                "https://…, or say that the chart is a path or an OCI reference."
            )


@dataclass(frozen=True, kw_only=True)
class VaultClusterArgs:
    """`client_hosts` are names and addresses by which clients outside the cluster dial Vault.

    `chart_wait` are resources that must exist before the pods start, such as the seal's key.
    With `protect` no deployment deletes the servers, and none replaces them.
    """

    namespace: pulumi.Input[str]
    namespace_name: str
    values: VaultValues
    chart: ChartSource
    tls: CertificateSource = field(default_factory=OwnCa)
    client_hosts: tuple[str, ...] = ()
    cluster_domain: str = CLUSTER_DOMAIN
    chart_wait: Sequence[pulumi.Resource] = ()
    protect: bool = False


class VaultCluster(pulumi.ComponentResource):
    """Produces the certificates' Secrets, the CA's ConfigMap and the chart's resources."""

    ca_pem: pulumi.Output[str]
    """The CA certificates that clients shall trust; public."""
    namespace: pulumi.Output[str]
    ready: pulumi.Output[bool]
    """True once every resource of the chart has been applied; its pods may not be ready yet."""

    def __init__(
        self, name: str, args: VaultClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:Cluster", name, {}, opts)
        values = args.values
        tls = certify(
            name,
            args.tls,
            names=server_sans(
                values.release,
                args.namespace_name,
                values.size.replicas,
                args.cluster_domain,
                args.client_hosts,
            ),
            namespace=args.namespace,
            parent=self,
        )
        webhook = (
            certify_webhook(
                name,
                args.tls,
                names=webhook_sans(values.release, args.namespace_name),
                namespace=args.namespace,
                parent=self,
            )
            if values.injector.enabled
            else None
        )
        waits = [*args.chart_wait, *tls.made, *(webhook.made if webhook else ())]
        repository = (
            k8s.helm.v4.RepositoryOptsArgs(repo=args.chart.location)
            if args.chart.origin is ChartOrigin.REPOSITORY
            else None
        )
        chart = k8s.helm.v4.Chart(
            f"{name}-chart",
            name=values.release,
            namespace=args.namespace,
            chart="vault" if repository else args.chart.location,
            version=args.chart.version,
            repository_opts=repository,
            values=helm_values(values, tls=tls, webhook=webhook),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=waits,
                transforms=[
                    let_webhooks_be_watched_only,
                    keep_claims,
                    *([protect_servers] if args.protect else []),
                ],
            ),
        )
        self.ca_pem = tls.ca_pem
        self.namespace = pulumi.Output.from_input(args.namespace)
        self.ready = chart.resources.apply(lambda _: True)
        self.register_outputs(
            {"ca_pem": self.ca_pem, "namespace": self.namespace, "ready": self.ready}
        )


def let_webhooks_be_watched_only(
    args: pulumi.ResourceTransformArgs,
) -> pulumi.ResourceTransformResult | None:
    """Take from the injector's ClusterRole the right to change every webhook of the cluster.

    HashiCorp's chart grants it even where the certificate is given. The injector still starts by
    watching webhooks and serves nothing until that works.
    """
    if args.type_ != CLUSTER_ROLE:
        return None
    granted: Any = args.props["rules"]
    rules = [
        {**rule, "verbs": WATCH} if WEBHOOKS in rule.get("resources", ()) else rule
        for rule in granted
    ]
    return pulumi.ResourceTransformResult(props={**args.props, "rules": rules}, opts=args.opts)
