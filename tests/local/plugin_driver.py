"""Plays the engine to a stand-in plugin: the calls, in the engine's order, for one resource.

Owns the order of calls and the checks that hold for every type: a check that passes, a second
`up` and a refresh that change nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pulumi.provider.experimental import provider as protocol
from pulumi.provider.experimental.property_value import PropertyValue

from local.plugins.provider import StandInProvider
from local.plugins.values import Properties, plain_map, wrapped_map

T = TypeVar("T")
SEED = b"the same in every run"


def run(call: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(call)


@dataclass
class Resource:
    """One resource as the engine keeps it."""

    driver: Driver
    urn: str
    inputs: Properties
    id: str = ""
    state: Properties = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Any]:
        """Its properties, without secretness."""
        return plain_map(self.state)

    def changes(self, inputs: Mapping[str, Any], *, ignore: list[str] | None = None) -> set[str]:
        """What an `up` with `inputs` would change."""
        return set(self.difference(inputs, ignore=ignore).diffs)

    def difference(
        self, inputs: Mapping[str, Any], *, ignore: list[str] | None = None
    ) -> protocol.DiffResponse:
        """The plugin's answer to new inputs."""
        checked = self.driver.checked(self.urn, inputs, self.inputs)
        asked = protocol.DiffRequest(self.urn, self.id, self.state, checked, ignore or [])
        return run(self.driver.provider.diff(asked))

    def update(self, inputs: Mapping[str, Any], *, preview: bool = False) -> Resource:
        """Change it in place."""
        checked = self.driver.checked(self.urn, inputs, self.inputs)
        asked = protocol.UpdateRequest(self.urn, self.id, self.state, checked, 60, [], preview)
        answer = run(self.driver.provider.update(asked))
        changed = Resource(self.driver, self.urn, checked, self.id, answer.properties)
        if not preview:
            self.inputs, self.state = changed.inputs, changed.state
        return changed

    def refresh(self) -> bool:
        """Read it; False when it is gone."""
        asked = protocol.ReadRequest(self.urn, self.id, self.state, self.inputs)
        answer = run(self.driver.provider.read(asked))
        if not answer.resource_id:
            return False
        self.state, self.inputs = answer.properties, answer.inputs
        return True

    def delete(self) -> None:
        """Delete it."""
        asked = protocol.DeleteRequest(self.urn, self.id, self.state, 60)
        run(self.driver.provider.delete(asked))

    def assert_stable(self, inputs: Mapping[str, Any]) -> None:
        """A second `up` with `inputs` changes nothing, nor does one after a refresh."""
        assert self.changes(inputs) == set()
        before = self.values
        assert self.refresh()
        assert self.values == before
        assert self.changes(inputs) == set()


@dataclass(frozen=True)
class Driver:
    """Asks `provider`."""

    provider: StandInProvider

    def configure(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Check and set the provider's inputs; the failures by name, without setting them if any.

        Secretness is as the SDK sends it.
        """
        properties = wrapped_map(config, secret={"accessKey", "secretKey"})
        urn = "urn:pulumi:test::strongroom::pulumi:providers:stand-in::main"
        checked = run(self.provider.check_config(protocol.CheckRequest(urn, {}, properties, SEED)))
        failures = {each.property: each.reason for each in checked.failures or []}
        if not failures:
            asked = protocol.ConfigureRequest({}, checked.inputs or {}, True, True)
            run(self.provider.configure(asked))
        return failures

    def failures(self, token: str, inputs: Mapping[str, Any]) -> dict[str, str]:
        """What the plugin's check says against inputs, by name."""
        asked = protocol.CheckRequest(_urn(token, "one"), {}, wrapped_map(inputs, set()), SEED)
        answer = run(self.provider.check(asked))
        return {each.property: each.reason for each in answer.failures or []}

    def checked(self, urn: str, inputs: Mapping[str, Any], old: Properties) -> Properties:
        """Inputs after the plugin's check. Fails the test if it refuses them."""
        given = {
            name: value
            if isinstance(value, PropertyValue)
            else wrapped_map({name: value}, ())[name]
            for name, value in inputs.items()
        }
        answer = run(self.provider.check(protocol.CheckRequest(urn, old, given, SEED)))
        assert not answer.failures, [each.reason for each in answer.failures]
        return answer.inputs or {}

    def create(
        self, token: str, inputs: Mapping[str, Any], *, name: str = "one", preview: bool = False
    ) -> Resource:
        """Make a resource."""
        urn = _urn(token, name)
        checked = self.checked(urn, inputs, {})
        answer = run(self.provider.create(protocol.CreateRequest(urn, checked, 60, preview)))
        state = answer.properties or {}
        return Resource(self, urn, checked, answer.resource_id or "", state)


def _urn(token: str, name: str) -> str:
    return f"urn:pulumi:test::strongroom::strongroom:test:Parent${token}::{name}"
