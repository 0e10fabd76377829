"""The Sealed Secrets controller: opens sealed files in the namespaces named, and nowhere else.

Owns the official chart's values. The controller makes its own keys, so none is ever here: backups,
restores and renewal out of turn are `strongroom seal` and docs/runbooks/sealing-keys.md.

The chart's defaults bind a ClusterRole on every Secret of the cluster, and let every authenticated
identity call the controller. Here it gets one Role in each namespace, and only `sealers` may call.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

import pulumi

from components.kubernetes.helm_chart import helm_chart
from components.vault.cluster import ChartSource
from components.vault.pod_values import Image, Resources

RELEASE = "sealed-secrets"
KEY_PREFIX = "sealed-secrets-key"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
DEFAULT_REGISTRY = "docker.io"
USER = 1001
HOUR, DAY = 3600, 86400


@dataclass(frozen=True, kw_only=True)
class SealedSecretsArgs:
    """`opened_in` are the namespaces whose SealedSecrets become Secrets.

    A new sealing key is made every `key_renew_seconds`; 0 never, which must be typed out. A key
    from before `keys_made_before` is replaced at the controller's next start: the step after a
    leak. `sealers` are groups that may fetch the certificate and re-encrypt through the API server.
    With `protect` SealedSecrets, and the Secrets made of them, outlive the controller.
    `waits` must exist first: the controller skips a namespace that does not when it starts.
    """

    namespace: pulumi.Input[str]
    namespace_name: str
    image: Image
    chart: ChartSource
    opened_in: tuple[str, ...]
    key_renew_seconds: int = 30 * DAY
    keys_made_before: datetime | None = None
    sealers: tuple[str, ...] = ()
    resources: Resources = field(
        default_factory=lambda: Resources(
            memory="64Mi", cpu="25m", memory_limit="128Mi", cpu_limit="500m"
        )
    )
    service_monitor: bool = False
    protect: bool = False
    waits: Sequence[pulumi.Resource] = ()

    def __post_init__(self) -> None:
        if not self.opened_in or any("*" in name or not name for name in self.opened_in):
            raise ValueError(
                f"opened_in: {list(self.opened_in)} names no namespace, or a pattern; the "
                "controller would read and write Secrets everywhere. Name each namespace."
            )
        if self.key_renew_seconds and not DAY <= self.key_renew_seconds <= 90 * DAY:
            raise ValueError(
                f"key_renew_seconds: {self.key_renew_seconds} is not between a day and 90 days; "
                "every key must be backed up, and a leaked one opens all that was sealed with it. "
                "Use 2592000 (30 days)."
            )
        if self.keys_made_before and self.keys_made_before.tzinfo is None:
            raise ValueError(
                f"keys_made_before: {self.keys_made_before} has no time zone; keys could be kept "
                "that were to be replaced. Write it with one, for example +00:00."
            )
        if everyone := {"system:authenticated", "system:unauthenticated"} & set(self.sealers):
            raise ValueError(
                f"sealers: {min(everyone)!r} is everybody; any pod could call the controller. "
                "Name the groups of people and pipelines that seal."
            )


class SealedSecretsController(pulumi.ComponentResource):
    """Produces the chart's resources: CRD, controller, one Role for each namespace."""

    namespace: pulumi.Output[str]
    ready: pulumi.Output[bool]
    """True once every resource of the chart has been applied and the controller is available."""

    def __init__(
        self, name: str, args: SealedSecretsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:kubernetes:SealedSecrets", name, {}, opts)
        chart = helm_chart(
            f"{name}-chart",
            release=RELEASE,
            chart="sealed-secrets",
            source=args.chart,
            namespace=args.namespace,
            values=sealed_secrets_values(args),
            parent=self,
            waits=args.waits,
            transforms=[ask_for_the_token],
            keeps_definitions=args.protect,
        )
        self.namespace = pulumi.Output.from_input(args.namespace)
        self.ready = chart.resources.apply(lambda _: True)
        self.register_outputs({"namespace": self.namespace, "ready": self.ready})


def ask_for_the_token(
    args: pulumi.ResourceTransformArgs,
) -> pulumi.ResourceTransformResult | None:
    """Say that the controller's pod gets its API token: the chart leaves it to the default."""
    if args.type_ != DEPLOYMENT:
        return None
    props: dict[str, Any] = copy.deepcopy(dict(args.props))
    props["spec"]["template"]["spec"]["automountServiceAccountToken"] = True
    return pulumi.ResourceTransformResult(props=props, opts=args.opts)


def sealed_secrets_values(args: SealedSecretsArgs) -> dict[str, Any]:
    """The chart's values, all known before anything is deployed."""
    registry, repository = _split(args.image.repository)
    cutoff = args.keys_made_before
    return {
        "fullnameOverride": RELEASE,
        "image": {
            "registry": registry,
            "repository": repository,
            "tag": args.image.tag,
            "pullPolicy": "IfNotPresent",
        },
        "secretName": KEY_PREFIX,
        # Go's durations have no days; "0" switches renewal off.
        "keyrenewperiod": f"{args.key_renew_seconds // HOUR}h" if args.key_renew_seconds else "0",
        **({"keycutofftime": format_datetime(cutoff)} if cutoff else {}),
        # Its own namespace too: the controller always watches it.
        "additionalNamespaces": sorted({*args.opened_in, args.namespace_name}),
        "resources": args.resources.values(),
        "podSecurityContext": {
            "enabled": True,
            "fsGroup": 65534,
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containerSecurityContext": {
            "enabled": True,
            "runAsNonRoot": True,
            "runAsUser": USER,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "rbac": {
            "create": True,
            "clusterRole": False,
            "namespacedRoles": True,
            "serviceProxier": {
                "create": bool(args.sealers),
                "bind": bool(args.sealers),
                "subjects": _subjects(args.sealers),
            },
        },
        "metrics": {"serviceMonitor": {"enabled": args.service_monitor}},
    }


def _split(repository: str) -> tuple[str, str]:
    """Registry and the rest; the chart takes them apart."""
    first, _, rest = repository.partition("/")
    if rest and ("." in first or ":" in first):
        return first, rest
    return DEFAULT_REGISTRY, repository


def _subjects(groups: tuple[str, ...]) -> str:
    """The subjects as YAML text, which is what the chart's template renders."""
    return json.dumps(
        [
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}
            for group in groups
        ]
    )
