"""The whole program under mocks: every stack's tree of resources, and what a mistake does."""

from __future__ import annotations

import runpy
from typing import Any

import pulumi
import pytest

from tests.unit.support.monitor import Deployment, deploy
from tests.unit.support.stacks import (
    REPOSITORY,
    STACKS,
    changed,
    engine_config,
    stack_settings,
)

PROVIDER = "pulumi:providers:"


def run(stack: str, *, preview: bool = False, settings: dict[str, Any] | None = None) -> Deployment:
    return deploy(
        lambda: runpy.run_path(str(REPOSITORY / "__main__.py")) and None,
        preview=preview,
        stack=stack,
        config=engine_config(settings or stack_settings(stack)),
    )


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_uses_an_explicit_provider(stack: str, preview: bool) -> None:
    deployed = run(stack, preview=preview)
    custom = [r for r in deployed.resources if r.custom and not r.type.startswith(PROVIDER)]
    assert custom
    assert {r.provider for r in custom} <= {"k8s", "vault", "aws", "gcp"}


@pytest.mark.parametrize("stack", STACKS)
def test_a_preview_without_a_cluster_names_the_same_resources(stack: str) -> None:
    assert run(stack, preview=True).tree() == run(stack).tree()


def test_production_protects_its_namespaces_and_local_does_not() -> None:
    kind = "kubernetes:core/v1:Namespace"
    assert all(r.protect for r in run("prod").of_type(kind))
    assert not any(r.protect for r in run("local").of_type(kind))


def test_the_top_of_the_tree_is_pinned() -> None:
    """A change here is a rename: it needs an alias, or the objects are made anew."""
    top = [line for line in run("local").tree() if not line.startswith(" ")]
    assert top == [
        "pulumi:providers:kubernetes k8s",
        "strongroom:kubernetes:Namespaces namespaces",
        "strongroom:kubernetes:NetworkAccess network",
        "strongroom:kubernetes:WorkloadAccess ml-serving-ml-serving-sa",
        "strongroom:kubernetes:WorkloadAccess ml-training-ml-training-sa",
    ]


def test_wrong_settings_end_in_one_message_and_register_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    registered: list[str] = []

    def program() -> None:
        pulumi.runtime.register_stack_transformation(lambda args: registered.append(args.name))
        runpy.run_path(str(REPOSITORY / "__main__.py"))

    wrong = changed("dev", {"vault.replicas": 2, "vualt": 1})
    with pytest.raises(SystemExit) as ended:
        deploy(program, stack="dev", config=engine_config(wrong))
    assert ended.value.code == 32
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "Pulumi.dev.yaml has 2 mistakes; nothing was changed" in record.message
    assert "strongroom:vault.replicas is 2" in record.message
    assert registered == []


def test_the_program_stays_a_thin_list() -> None:
    assert len((REPOSITORY / "__main__.py").read_text().splitlines()) < 120
