"""What a killed engine left half done: entered where it can be found again, else begun anew."""

from __future__ import annotations

from typing import Any

import pytest

from local.pending import settle, unread


def operation(kind: str, inputs: dict[str, Any], what: str = "creating") -> dict[str, Any]:
    return {"type": what, "resource": {"urn": f"urn:{kind}", "type": kind, "inputs": inputs}}


MOUNT = operation("vault:index/mount:Mount", {"path": "secret", "type": "kv"})


def test_a_mount_is_entered_under_its_path_until_a_refresh_has_read_it() -> None:
    deployment = {"resources": [], "pending_operations": [MOUNT]}
    assert settle(deployment)
    assert deployment == {"resources": [{**MOUNT["resource"], "id": "secret"}]}
    assert unread(deployment) == ["urn:vault:index/mount:Mount"]
    deployment["resources"][0]["outputs"] = {"path": "secret", "accessor": "kv_fake"}
    assert unread(deployment) == []


def test_a_secret_of_aws_is_entered_under_its_name() -> None:
    """AWS refuses a second one of that name, which would stop every later `up`."""
    begun = operation("aws:secretsmanager/secret:Secret", {"name": "ml/fake"})
    deployment = {"resources": [], "pending_operations": [begun]}
    assert settle(deployment)
    assert deployment == {"resources": [{**begun["resource"], "id": "ml/fake"}]}


@pytest.mark.parametrize(
    "begun",
    [
        operation("vault:index/policy:Policy", {"name": "reader"}),  # written again
        operation("kubernetes:core/v1:Secret", {"metadata": {"name": "a"}}),  # applied again
        operation("aws:iam/role:Role", {}),  # the provider has made up a name
        operation("vault:index/mount:Mount", {"path": "secret"}, "deleting"),
    ],
)
def test_other_steps_are_done_again(begun: dict[str, Any]) -> None:
    deployment: dict[str, Any] = {"resources": [], "pending_operations": [begun]}
    assert settle(deployment)
    assert deployment == {"resources": []}


@pytest.mark.parametrize("deployment", [{}, {"resources": []}, {"pending_operations": []}])
def test_a_state_without_any_is_left_alone(deployment: dict[str, Any]) -> None:
    before = {key: value for key, value in deployment.items() if value}
    assert not settle(deployment)
    assert {key: value for key, value in deployment.items() if value} == before
    assert unread(deployment) == []
