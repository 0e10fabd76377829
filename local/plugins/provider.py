"""The provider protocol for any set of resource types: check, diff and the calls of their life.

Owns what all stand-in plugins share: unknown names refused, generated names kept, replacement by
field, secrets that stay secret, previews without effects, the program's spelling of a value kept
while it means the same. Knows no resource type by name.
"""

from __future__ import annotations

import asyncio
import difflib
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from pulumi.provider.experimental import provider as protocol

from local.plugins.resource import ResourceType, Values
from local.plugins.values import (
    UNKNOWN,
    Properties,
    plain_map,
    secret_names,
    wrapped,
    wrapped_map,
)


class StandInProvider(protocol.Provider):
    """Serves `types`, found by their tokens. A plugin with inputs of its own extends it."""

    def __init__(self, types: Iterable[ResourceType]) -> None:
        self.types = tuple(types)
        self._by_token = {each.token: each for each in self.types}

    def config_mistakes(self, config: Values) -> Mapping[str, str]:
        """What is wrong with the provider's own inputs: a reason by input name."""
        del config
        return {}

    def use_config(self, config: Values) -> None:
        """Take over the provider's own inputs, before any resource is asked for."""

    async def check_config(self, request: protocol.CheckRequest) -> protocol.CheckResponse:
        mistakes = self.config_mistakes(plain_map(request.new_inputs))
        failures = [protocol.CheckFailure(n, f"{n}: {reason}") for n, reason in mistakes.items()]
        return protocol.CheckResponse(inputs=request.new_inputs, failures=failures)

    async def diff_config(self, request: protocol.DiffRequest) -> protocol.DiffResponse:
        del request
        return protocol.DiffResponse()  # undecided: the engine compares the inputs itself

    async def configure(self, request: protocol.ConfigureRequest) -> protocol.ConfigureResponse:
        self.use_config(plain_map(request.args))
        return protocol.ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def invoke(self, request: protocol.InvokeRequest) -> protocol.InvokeResponse:
        raise NotImplementedError(f"{request.tok}: this stand-in plugin has no functions")

    async def cancel(self) -> None:
        """Nothing to stop: every call is short and ends by itself."""

    def defaults(self, kind: ResourceType) -> Values:
        """Values for inputs that the program left out."""
        return {n: f.default for n, f in kind.fields.items() if f.default is not None}

    async def check(self, request: protocol.CheckRequest) -> protocol.CheckResponse:
        kind = self._kind(request.type)
        given, old = plain_map(request.new_inputs), plain_map(request.old_inputs)
        failures = [_refused(kind, name) for name in given if name not in kind.fields]
        inputs = self.defaults(kind) | given
        if kind.automatic_name and kind.automatic_name not in inputs:
            kept = old.get(kind.automatic_name)
            inputs[kind.automatic_name] = kept or kind.name_prefix + _generated(request)
        inputs = kind.completed(inputs)
        failures += [
            protocol.CheckFailure(name, f"{request.name}: {name} is required")
            for name, field in kind.fields.items()
            if field.required and name not in inputs
        ]
        if not failures:
            failures += [
                protocol.CheckFailure(name, f"{request.name}: {name}: {reason}")
                for name, reason in kind.mistakes(inputs).items()
            ]
        secret = secret_names(request.new_inputs)
        return protocol.CheckResponse(wrapped_map(inputs, secret), failures)

    async def diff(self, request: protocol.DiffRequest) -> protocol.DiffResponse:
        kind = self._kind(request.type)
        old, new = plain_map(request.old_state), plain_map(request.new_inputs)
        changed = [
            name
            for name, field in kind.fields.items()
            if name not in request.ignore_changes and not field.same(old.get(name), new.get(name))
        ]
        replaces = [name for name in changed if kind.fields[name].replace]
        return protocol.DiffResponse(
            changes=bool(changed),
            diffs=changed,
            replaces=replaces,
            delete_before_replace=kind.delete_before_replace and bool(replaces),
            detailed_diff={n: _difference(replace=n in replaces) for n in changed},
        )

    async def create(self, request: protocol.CreateRequest) -> protocol.CreateResponse:
        kind, inputs = self._kind(request.type), plain_map(request.properties)
        if request.preview:
            return protocol.CreateResponse("", _previewed(kind, inputs, request.properties))
        made = await asyncio.to_thread(kind.create, inputs)
        return protocol.CreateResponse(
            made.id, _state(kind, inputs, _kept(kind, inputs, made.properties), request.properties)
        )

    async def read(self, request: protocol.ReadRequest) -> protocol.ReadResponse:
        kind = self._kind(request.type)
        state, inputs = plain_map(request.properties), plain_map(request.inputs)
        found = await asyncio.to_thread(kind.read, request.resource_id, state)
        if found is None:
            return protocol.ReadResponse("")
        found = _kept(kind, state, found)
        live = {name: found[name] for name in kind.fields if found.get(name) is not None}
        now = {n: live.get(n, v) for n, v in inputs.items()} if inputs else live
        secret = secret_names(request.properties, request.inputs)
        return protocol.ReadResponse(
            request.resource_id,
            _state(kind, state, found, request.properties, request.inputs),
            wrapped_map(now, secret),
        )

    async def update(self, request: protocol.UpdateRequest) -> protocol.UpdateResponse:
        kind = self._kind(request.type)
        old, new = plain_map(request.olds), plain_map(request.news)
        for name in request.ignore_changes:
            new[name] = old.get(name)
        kept = {name: old[name] for name in _chosen(kind, new) if name in old}
        if request.preview:
            return protocol.UpdateResponse(_state(kind, new, kept, request.news, request.olds))
        changed = await asyncio.to_thread(kind.update, request.resource_id, old, new)
        changed = _kept(kind, new, changed)
        return protocol.UpdateResponse(_state(kind, new, kept | changed, request.news))

    async def delete(self, request: protocol.DeleteRequest) -> None:
        kind, state = self._kind(request.type), plain_map(request.properties)
        await asyncio.to_thread(kind.delete, request.resource_id, state)

    def _kind(self, token: str) -> ResourceType:
        # A URN's type names the parents too, joined by dollar signs; the last one is the type.
        own = token.rpartition("$")[2]
        if own not in self._by_token:
            raise NotImplementedError(
                f"{own}: this stand-in plugin knows only {', '.join(sorted(self._by_token))}; "
                "use the official plugin for the others"
            )
        return self._by_token[own]


def _refused(kind: ResourceType, name: str) -> protocol.CheckFailure:
    near = difflib.get_close_matches(name, kind.fields, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return protocol.CheckFailure(name, f"{kind.token}: this stand-in has no input {name}{hint}")


def _generated(request: protocol.CheckRequest) -> str:
    seed = request.random_seed or request.urn.encode()
    return f"{request.name}-{hashlib.sha256(seed).hexdigest()[:7]}"


def _difference(*, replace: bool) -> protocol.PropertyDiff:
    kinds = protocol.PropertyDiffKind
    return protocol.PropertyDiff(kinds.UPDATE_REPLACE if replace else kinds.UPDATE, True)


def _previewed(kind: ResourceType, inputs: Values, properties: Properties) -> Properties:
    unknown = dict.fromkeys(_chosen(kind, inputs), UNKNOWN)
    return _state(kind, inputs, unknown, properties)


def _chosen(kind: ResourceType, inputs: Values) -> list[str]:
    """The properties that the service decides, not the program."""
    computed = [name for name, field in kind.fields.items() if field.computed]
    return [name for name in (*kind.outputs, *computed) if name not in inputs]


def _kept(kind: ResourceType, known: Values, found: Values) -> Values:
    """`found` with the spelling of `known` wherever both mean the same."""

    def same(name: str, value: Any) -> bool:
        return name in kind.fields and name in known and kind.fields[name].same(known[name], value)

    return {name: known[name] if same(name, value) else value for name, value in found.items()}


def _state(kind: ResourceType, inputs: Values, more: Values, *sources: Properties) -> Properties:
    secret = secret_names(*sources) | set(kind.secret_outputs)
    known = {name: value for name, value in (inputs | more).items() if value is not None}
    return {name: wrapped(value, secret=name in secret) for name, value in known.items()}
