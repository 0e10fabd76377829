"""An ExternalSecret: which keys of a store become which Secret, how often they are fetched anew.

Owns what is copied. It holds names and paths only; values pass from the store to the Secret without
touching this program. The ExternalSecret owns its Secret, so that both go together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.labels import standard_labels
from components.kubernetes.secret_store import API_VERSION, WAIT_READY, StoreRef
from components.vault import inputs

SHORTEST_REFRESH, LONGEST_REFRESH = 60, inputs.DAY
GENERATORS = "generators.external-secrets.io/v1alpha1"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One key of the Secret: `remote` in the store, or its part `prop`, in `version` or newest."""

    key: str
    remote: str
    prop: str | None = None
    version: str | None = None

    def build(self) -> dict[str, Any]:
        """As `data` has it."""
        return {"secretKey": self.key, "remoteRef": _remote(self.remote, self.prop, self.version)}


@dataclass(frozen=True, kw_only=True)
class Extract:
    """Every key of the secret `remote` of the store. Keys written there later come along."""

    remote: str

    def build(self) -> dict[str, Any]:
        """As `dataFrom` has it."""
        return {"extract": _remote(self.remote)}


@dataclass(frozen=True, kw_only=True)
class Generated:
    """Credentials that a generator of the same namespace makes anew at each refresh."""

    generator: str
    kind: str = "VaultDynamicSecret"

    def build(self) -> dict[str, Any]:
        """As `dataFrom` has it."""
        reference = {"apiVersion": GENERATORS, "kind": self.kind, "name": self.generator}
        return {"sourceRef": {"generatorRef": reference}}


@dataclass(frozen=True, kw_only=True)
class ExternalSecretArgs:
    """The Secret `secret_name` in `namespace`, fetched anew every `refresh_seconds`.

    `template` makes its keys out of what was fetched (Go template text by key, for example a
    connection string); without it the keys are as fetched. `store` may be missing when everything
    is generated. `wait` lets the deployment go on only when the Secret is there: switch it off
    where the source is written after the deployment. `waits` must exist before, as the store must.
    """

    secret_name: str
    namespace: pulumi.Input[str]
    refresh_seconds: int
    store: StoreRef | None = None
    data: tuple[Entry, ...] = ()
    data_from: tuple[Extract | Generated, ...] = ()
    template: Mapping[str, str] = field(default_factory=dict)
    secret_type: str = "Opaque"  # noqa: S105 -- Kubernetes' name of a type
    wait: bool = True
    waits: Sequence[pulumi.Resource] = ()

    def __post_init__(self) -> None:
        if not (self.data or self.data_from):
            raise ValueError(
                f"data: {self.secret_name} takes nothing from its store; its Secret would be "
                "empty. Name keys in data, or whole secrets in data_from."
            )
        keys = [entry.key for entry in self.data]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise ValueError(
                f"data: {self.secret_name} has {twice[0]!r} twice; one source would silently win. "
                "Name each key once."
            )
        if not SHORTEST_REFRESH <= self.refresh_seconds <= LONGEST_REFRESH:
            raise ValueError(
                f"refresh_seconds: {self.refresh_seconds} of {self.secret_name} is not between "
                f"{SHORTEST_REFRESH} and {LONGEST_REFRESH}; the store would be flooded, or a "
                "rotated value would not arrive within a day. Use 3600."
            )
        if self.store is None and any(not isinstance(s, Generated) for s in self._sources()):
            raise ValueError(
                f"store: {self.secret_name} names none and takes keys of one; there is nothing to "
                "fetch from. Name the store."
            )

    def _sources(self) -> list[Entry | Extract | Generated]:
        return [*self.data, *self.data_from]


class ExternalSecret(pulumi.ComponentResource):
    """Produces the ExternalSecret; the operator makes the Secret."""

    secret_name: pulumi.Output[str]
    """The Secret's name: whoever uses it waits for the Secret as this resource does."""

    def __init__(
        self, name: str, args: ExternalSecretArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:kubernetes:ExternalSecret", name, {}, opts)
        made = k8s.apiextensions.CustomResource(
            f"{name}-external",
            api_version=API_VERSION,
            kind="ExternalSecret",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=args.secret_name,
                namespace=args.namespace,
                labels=standard_labels("external-secret"),
                annotations=WAIT_READY if args.wait else None,
            ),
            spec=_spec(args),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.waits)),
        )
        self.secret_name = made.id.apply(lambda _: args.secret_name)
        self.register_outputs({"secret_name": self.secret_name})


def _spec(args: ExternalSecretArgs) -> dict[str, Any]:
    store = {"name": args.store.name, "kind": str(args.store.kind)} if args.store else None
    template: dict[str, Any] = {
        "type": args.secret_type,
        "engineVersion": "v2",
        "metadata": {"labels": standard_labels("external-secret")},
    }
    if args.template:
        template["data"] = dict(args.template)
    return {
        # In Go's own form: the API server keeps durations as text, and 3600s would differ from 1h.
        "refreshInterval": go_duration(args.refresh_seconds),
        **({"secretStoreRef": store} if store else {}),
        "target": {
            "name": args.secret_name,
            "creationPolicy": "Owner",
            "deletionPolicy": "Retain",
            "template": template,
        },
        **({"data": [entry.build() for entry in args.data]} if args.data else {}),
        **({"dataFrom": [source.build() for source in args.data_from]} if args.data_from else {}),
    }


def go_duration(seconds: int) -> str:
    """Seconds as Go writes a duration: `1h0m0s`."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}h{minutes}m{left}s" if hours else f"{minutes}m{left}s"


def _remote(key: str, prop: str | None = None, version: str | None = None) -> dict[str, Any]:
    return {
        "key": key,
        **({"property": prop} if prop else {}),
        **({"version": version} if version else {}),
    }
