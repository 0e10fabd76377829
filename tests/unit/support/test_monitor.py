"""The recording mock tells the truth about parents, options, secrets and unknowns."""

from __future__ import annotations

import pulumi
import pytest
from pulumi_random import RandomId, RandomPassword

from tests.unit.support.monitor import UNKNOWN, Deployment, deploy

RANDOM_ID = "random:index/randomId:RandomId"


class Pair(pulumi.ComponentResource):
    def __init__(self, name: str) -> None:
        super().__init__("test:index:Pair", name, {})
        options = pulumi.ResourceOptions(parent=self, protect=True)
        first = RandomId(f"{name}-first", byte_length=4, opts=options)
        RandomId(
            f"{name}-second",
            byte_length=4,
            prefix=pulumi.Output.secret("fake"),
            keepers={"first": first.hex},
            opts=pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name="old")]),
        )
        self.register_outputs({})


def run(preview: bool) -> Deployment:
    return deploy(lambda: Pair("pair"), preview=preview, outputs={RANDOM_ID: {"hex": "beef"}})


@pytest.mark.parametrize("preview", [False, True])
def test_tree_options_and_secretness_are_recorded(preview: bool) -> None:
    deployed = run(preview)
    assert deployed.tree() == [
        "test:index:Pair pair",
        f"  {RANDOM_ID} pair-first",
        f"  {RANDOM_ID} pair-second",
    ]
    first, second = deployed.of_type(RANDOM_ID)
    assert first.protect
    assert not second.protect
    assert second.secret_inputs == {"prefix"}
    assert second.inputs["prefix"] == "fake"
    assert second.depends_on == {first.urn}
    assert second.aliases == ("old",)


def test_computed_values_are_unknown_in_a_preview_and_known_after_it() -> None:
    assert run(True).one(RANDOM_ID, "pair-second").inputs["keepers"] == {"first": UNKNOWN}
    assert run(False).one(RANDOM_ID, "pair-second").inputs["keepers"] == {"first": "beef"}


def test_a_failing_assertion_in_apply_fails_the_test() -> None:
    def program() -> None:
        def fail(_: str) -> None:
            raise AssertionError("seen")

        RandomPassword("password", length=8).id.apply(fail)

    with pytest.raises(AssertionError, match="seen"):
        deploy(program)


def test_an_unanswered_call_is_named() -> None:
    with pytest.raises(Exception, match="test:index:call"):
        deploy(lambda: pulumi.runtime.invoke("test:index:call", {}))


def test_exports_are_kept() -> None:
    def program() -> None:
        pulumi.export("hex", RandomId("one", byte_length=4).hex)

    assert deploy(program, outputs={RANDOM_ID: {"hex": "beef"}}).exports == {"hex": "beef"}
    assert deploy(lambda: None).exports == {}
