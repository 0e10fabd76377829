"""What the Sealed Secrets component asks for, and what it refuses."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pulumi
import pytest

from components.kubernetes.sealed_secrets import (
    SealedSecretsArgs,
    SealedSecretsController,
    ask_for_the_token,
    sealed_secrets_values,
)
from components.vault.cluster import ChartOrigin, ChartSource
from components.vault.pod_values import Image
from tests.unit.support.monitor import Deployment, deploy

CHART = "kubernetes:helm.sh/v4:Chart"
DAY = 86400


def arguments(**changes: Any) -> SealedSecretsArgs:
    given: dict[str, Any] = {
        "namespace": "sealed-secrets",
        "namespace_name": "sealed-secrets",
        "image": Image(repository="docker.io/bitnami/sealed-secrets-controller", tag="0.36.6"),
        "chart": ChartSource(
            origin=ChartOrigin.REPOSITORY, location="https://charts.example.com", version="2.18.4"
        ),
        "opened_in": ("ml-training", "ml-serving"),
    }
    return SealedSecretsArgs(**(given | changes))


def run(preview: bool) -> Deployment:
    def program() -> None:
        made = SealedSecretsController("sealed", arguments())
        pulumi.export("ready", made.ready)

    return deploy(program, preview=preview, outputs={CHART: {"resources": []}})


@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
def test_the_tree_is_one_chart_from_its_repository(preview: bool) -> None:
    deployed = run(preview)
    assert deployed.tree() == [
        "strongroom:kubernetes:SealedSecrets sealed",
        f"  {CHART} sealed-chart",
    ]
    inputs = deployed.one(CHART).inputs
    assert (inputs["chart"], inputs["version"]) == ("sealed-secrets", "2.18.4")
    assert inputs["repositoryOpts"] == {"repo": "https://charts.example.com"}


def test_it_is_ready_when_the_chart_is() -> None:
    assert run(preview=False).exports == {"ready": True}


def test_rights_are_roles_of_named_namespaces_and_its_own() -> None:
    values = sealed_secrets_values(arguments())
    assert values["rbac"]["clusterRole"] is False
    assert values["rbac"]["namespacedRoles"] is True
    assert values["additionalNamespaces"] == ["ml-serving", "ml-training", "sealed-secrets"]


def test_nobody_reaches_it_through_the_api_server_unless_named() -> None:
    closed = sealed_secrets_values(arguments())["rbac"]["serviceProxier"]
    assert (closed["create"], closed["bind"]) == (False, False)
    opened = sealed_secrets_values(arguments(sealers=("platform",)))["rbac"]["serviceProxier"]
    assert opened["bind"] is True
    assert [s["name"] for s in json.loads(opened["subjects"])] == ["platform"]


def test_the_pod_says_that_it_wants_its_token_and_keeps_all_else() -> None:
    pod = {"containers": [{"name": "controller"}]}
    given = pulumi.ResourceTransformArgs(
        custom=True,
        type_="kubernetes:apps/v1:Deployment",
        name="sealed-secrets",
        props={"spec": {"replicas": 1, "template": {"spec": pod}}},
        opts=pulumi.ResourceOptions(),
    )
    result = ask_for_the_token(given)
    assert result is not None
    assert result.props == {
        "spec": {"replicas": 1, "template": {"spec": pod | {"automountServiceAccountToken": True}}}
    }
    other = pulumi.ResourceTransformArgs(
        custom=True, type_="kubernetes:core/v1:Service", name="x", props={}, opts=given.opts
    )
    assert ask_for_the_token(other) is None


@pytest.mark.parametrize(
    ("repository", "parts"),
    [
        (
            "strongroom.local/sealed-secrets-controller",
            ("strongroom.local", "sealed-secrets-controller"),
        ),
        ("registry:5000/team/controller", ("registry:5000", "team/controller")),
        ("bitnami/sealed-secrets-controller", ("docker.io", "bitnami/sealed-secrets-controller")),
        ("controller", ("docker.io", "controller")),
    ],
)
def test_the_chart_gets_registry_and_repository_apart(
    repository: str, parts: tuple[str, str]
) -> None:
    image = sealed_secrets_values(arguments(image=Image(repository=repository, tag="1")))["image"]
    assert (image["registry"], image["repository"], image["tag"]) == (*parts, "1")


@pytest.mark.parametrize(("seconds", "text"), [(30 * DAY, "720h"), (DAY, "24h"), (0, "0")])
def test_renewal_is_given_in_hours_and_off_only_when_typed_out(seconds: int, text: str) -> None:
    assert sealed_secrets_values(arguments(key_renew_seconds=seconds))["keyrenewperiod"] == text


def test_renewal_out_of_turn_is_a_date_that_the_controller_reads() -> None:
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    values = sealed_secrets_values(arguments(keys_made_before=moment))
    assert values["keycutofftime"] == "Sat, 31 Jan 2026 12:00:00 +0000"
    assert "keycutofftime" not in sealed_secrets_values(arguments())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"opened_in": ()}, "opened_in: .* everywhere"),
        ({"opened_in": ("ml-training", "*")}, "opened_in: .* everywhere"),
        ({"key_renew_seconds": DAY - 1}, "key_renew_seconds: 86399"),
        ({"key_renew_seconds": 91 * DAY}, "key_renew_seconds: 7862400"),
        (
            {"keys_made_before": datetime.fromisoformat("2026-01-31T00:00:00")},
            "keys_made_before: .* no time zone",
        ),
        ({"sealers": ("platform", "system:authenticated")}, "sealers: .* everybody"),
    ],
)
def test_wrong_arguments_name_the_input(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        arguments(**changes)
