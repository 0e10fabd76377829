"""Every object of the cluster is applied under the stack's own name."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.kubernetes.field_manager import ANNOTATION, applied_as
from tests.unit.support.monitor import deploy

OWN = {ANNOTATION: "strongroom-test"}


def transformed(kind: str, props: dict[str, Any]) -> pulumi.ResourceTransformResult | None:
    given = pulumi.ResourceTransformArgs(
        custom=True, type_=kind, name="a", props=props, opts=pulumi.ResourceOptions()
    )
    result: Any = applied_as("strongroom-test")(given)
    assert result is None or result.opts is given.opts
    return result  # type: ignore[no-any-return]


@pytest.mark.parametrize("before", [None, {}, {"pulumi.com/waitFor": "condition=Ready"}])
def test_an_object_gets_the_name_and_keeps_its_annotations(before: dict[str, str] | None) -> None:
    metadata = {"name": "a"} if before is None else {"name": "a", "annotations": before}
    result = transformed("kubernetes:core/v1:Secret", {"metadata": metadata, "type": "Opaque"})
    assert result is not None
    expected = {"name": "a", "annotations": {**(before or {}), **OWN}}
    assert result.props == {"metadata": expected, "type": "Opaque"}


def test_what_is_known_stays_known_beside_what_is_not() -> None:
    """A preview would lose the object's name if all of its metadata were one output."""
    seen: list[Any] = []

    def program() -> pulumi.Output[None]:
        later = pulumi.Output.from_input({"a": "b"})
        result = transformed(
            "kubernetes:core/v1:Secret", {"metadata": {"name": "a", "annotations": later}}
        )
        assert result is not None
        metadata: Any = result.props["metadata"]
        assert metadata["name"] == "a"
        annotations: pulumi.Output[Any] = metadata["annotations"]
        return annotations.apply(seen.append)

    deploy(program)
    assert seen == [{"a": "b", **OWN}]


@pytest.mark.parametrize(
    ("kind", "props"),
    [
        ("vault:index/policy:Policy", {"metadata": {}}),
        ("kubernetes:helm.sh/v4:Chart", {"chart": "vault"}),
    ],
)
def test_what_is_no_object_stays_as_it_is(kind: str, props: dict[str, Any]) -> None:
    assert transformed(kind, props) is None
