"""An official Helm chart as a child of a component: from a repository, an OCI registry or a folder.

Owns how a chart's source becomes the arguments of `helm.v4.Chart`. Knows no chart and no value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.transforms import with_options
from components.vault.cluster import ChartOrigin, ChartSource

DEFINITION = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"

keep_definitions = with_options(DEFINITION, pulumi.ResourceOptions(retain_on_delete=True))
"""Leaves a CRD in the cluster when the stack has it no more.

With it would go every object of its kind, whoever made it, and the Secrets that they own.
"""


def helm_chart(
    name: str,
    *,
    release: str,
    chart: str,
    source: ChartSource,
    namespace: pulumi.Input[str],
    values: Mapping[str, Any],
    parent: pulumi.Resource,
    waits: Sequence[pulumi.Resource] = (),
    transforms: Sequence[pulumi.ResourceTransform] = (),
    keeps_definitions: bool = False,
) -> k8s.helm.v4.Chart:
    """Every object of the chart named `chart`, under the release's name.

    `waits` must exist before its first object, `transforms` see each object before it is made. With
    `keeps_definitions` the chart's CRDs stay when it goes, as they do with Helm.
    """
    changes = [*transforms, *([keep_definitions] if keeps_definitions else [])]
    from_repository = source.origin is ChartOrigin.REPOSITORY
    return k8s.helm.v4.Chart(
        name,
        name=release,
        namespace=namespace,
        chart=chart if from_repository else source.location,
        version=source.version,
        repository_opts=k8s.helm.v4.RepositoryOptsArgs(repo=source.location)
        if from_repository
        else None,
        values=dict(values),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(waits), transforms=changes),
    )
