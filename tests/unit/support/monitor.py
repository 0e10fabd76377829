"""Runs a Pulumi program against a recording mock and keeps what the engine would have been asked.

Owns the recording; knows nothing of Strongroom's components. Use:

    from tests.unit.support.monitor import deploy

    @pytest.mark.parametrize("preview", [False, True])
    def test_namespace_is_labelled(preview: bool) -> None:
        def program() -> None:
            Namespaces("ns", NamespacesArgs(...))
        deployed = deploy(program, preview=preview, outputs={"aws:kms/key:Key": {"arn": "a"}})
        assert deployed.tree() == ["strongroom:kubernetes:Namespaces ns", "  kubernetes:…  ns-a"]
        vault = deployed.one("kubernetes:core/v1:Namespace", "ns-vault")
        assert vault.inputs["metadata"]["name"] == "vault" and vault.protect
        assert "data" in vault.secret_inputs and UNKNOWN not in vault.inputs.values()

`outputs` adds computed properties by type token (in a preview they are unknown, as they are with
the real engine); `calls` answers functions by token. The program's exceptions come out.
"""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import get_root_resource
from pulumi.runtime.stack import Stack

UNKNOWN = rpc.UNKNOWN
_LOOP = asyncio.new_event_loop()
atexit.register(_LOOP.close)
STACK_TYPE = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Registration:
    """One resource as the program asked for it; unknown inputs are UNKNOWN, secrets unwrapped."""

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: dict[str, Any]
    secret_inputs: frozenset[str]
    request: resource_pb2.RegisterResourceRequest = field(repr=False)

    @property
    def protect(self) -> bool:
        """Whether the engine refuses to delete it."""
        return self.request.protect

    @property
    def depends_on(self) -> frozenset[str]:
        """URNs of everything it waits for, named or by an input."""
        return frozenset(self.request.dependencies)

    @property
    def provider(self) -> str:
        """Name of the explicit provider; empty for the default one."""
        return self.request.provider.split("::")[-2] if self.request.provider else ""

    @property
    def ignore_changes(self) -> tuple[str, ...]:
        """Properties whose changes the engine leaves alone."""
        return tuple(self.request.ignoreChanges)

    @property
    def additional_secret_outputs(self) -> frozenset[str]:
        """Outputs that the engine stores encrypted though no input was secret."""
        return frozenset(self.request.additionalSecretOutputs)

    @property
    def aliases(self) -> tuple[str, ...]:
        """Former names or URNs under which the engine finds it again."""
        return tuple(alias.urn or alias.spec.name for alias in self.request.aliases)


@dataclass(frozen=True)
class Deployment:
    """What one run registered, in order, and its exports (none when one of them is unknown)."""

    resources: tuple[Registration, ...]
    exports: dict[str, Any]

    def of_type(self, type_: str) -> list[Registration]:
        """Every resource of a type token."""
        return [resource for resource in self.resources if resource.type == type_]

    def one(self, type_: str, name: str | None = None) -> Registration:
        """The only resource of a type (and name). Fails with what there is instead."""
        found = [r for r in self.of_type(type_) if name is None or r.name == name]
        assert len(found) == 1, f"{len(found)} of {type_} {name or ''} in:\n" + "\n".join(
            self.tree()
        )
        return found[0]

    def tree(self) -> list[str]:
        """`type name` of every resource, children indented below parents, siblings by name."""
        lines: list[str] = []

        def descend(parent: str, depth: int) -> None:
            children = [r for r in self.resources if r.parent == parent]
            for child in sorted(children, key=lambda r: (r.type, r.name)):
                lines.append(f"{'  ' * depth}{child.type} {child.name}")
                descend(child.urn, depth + 1)

        descend("", 0)
        return lines


class _Answers(Mocks):
    """Echoes inputs and adds the computed outputs a test supplies."""

    def __init__(
        self,
        preview: bool,
        outputs: Mapping[str, Mapping[str, Any]],
        calls: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._preview = preview
        self._outputs = outputs
        self._calls = calls

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if self._preview:
            return "", args.inputs
        return f"{args.name}-id", {**args.inputs, **self._outputs.get(args.typ, {})}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        if args.token not in self._calls:
            raise AssertionError(f"the program called {args.token}; the test has no answer for it")
        return dict(self._calls[args.token]), None


class RecordingMonitor(MockMonitor):
    """Keeps each raw RegisterResource request: protect, aliases, dependencies, secretness."""

    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.registrations: list[Registration] = []

    def RegisterResource(
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        untyped: Any = super()
        response: resource_pb2.RegisterResourceResponse = untyped.RegisterResource(request)
        if request.type == STACK_TYPE:
            return response
        wrapped = rpc.deserialize_properties(request.object, keep_unknowns=True)
        inputs = {key: _plain(rpc.unwrap_rpc_secret(value)) for key, value in wrapped.items()}
        self.registrations.append(
            Registration(
                urn=response.urn,
                type=request.type,
                name=request.name,
                parent="" if STACK_TYPE in request.parent.split("::")[-2:-1] else request.parent,
                custom=request.custom,
                inputs=inputs,
                secret_inputs=frozenset(k for k, v in wrapped.items() if rpc.is_rpc_secret(v)),
                request=request,
            )
        )
        return response


def _plain(value: Any) -> Any:
    """`value` with the SDK's markers of unknowns replaced by UNKNOWN."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, pulumi.output.Unknown):
        return UNKNOWN
    return value


def use_event_loop() -> None:
    """Make one event loop the current one; the SDK wants it, and every `asyncio.run` unsets it."""
    asyncio.set_event_loop(_LOOP)


def deploy(
    program: Callable[[], Any],
    *,
    preview: bool = False,
    outputs: Mapping[str, Mapping[str, Any]] | None = None,
    calls: Mapping[str, Mapping[str, Any]] | None = None,
    config: Mapping[str, str] | None = None,
    stack: str = "local",
) -> Deployment:
    """Run `program` as the engine would and return what it registered.

    `config` holds the stack's configuration as the engine passes it: full keys, JSON text.
    Raises whatever the program, a component or an `apply` raises.
    """
    monitor = RecordingMonitor(_Answers(preview, outputs or {}, calls or {}))
    pulumi.runtime.set_all_config(dict(config or {}))
    set_mocks(monitor.mocks, project="strongroom", stack=stack, preview=preview, monitor=monitor)
    root = get_root_resource()
    assert isinstance(root, Stack)
    root.outputs.clear()
    exports: dict[str, Any] = {}

    def recorded() -> pulumi.Output[None]:
        program()
        return pulumi.Output.from_input(dict(root.outputs)).apply(exports.update)

    untyped: Any = pulumi.runtime
    use_event_loop()
    untyped.test(recorded)()
    return Deployment(resources=tuple(monitor.registrations), exports=exports)
