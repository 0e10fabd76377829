"""What stays in the cluster when a chart goes."""

from __future__ import annotations

import runpy

import pulumi
import pytest

from components.kubernetes.helm_chart import DEFINITION, keep_definitions
from tests.unit.support.monitor import deploy
from tests.unit.support.stacks import REPOSITORY, changed, engine_config
from tests.unit.support.transforms import Transforms
from tests.unit.test_program import OUTPUTS
from vaultops import deployer


def made(type_: str) -> pulumi.ResourceTransformArgs:
    return pulumi.ResourceTransformArgs(
        custom=True, type_=type_, name="made", props={"spec": {}}, opts=pulumi.ResourceOptions()
    )


def test_a_definition_stays_and_nothing_else() -> None:
    kept = keep_definitions(made(DEFINITION))
    assert kept is not None
    assert kept.opts.retain_on_delete
    assert kept.props == {"spec": {}}
    assert keep_definitions(made("kubernetes:apps/v1:Deployment")) is None


@pytest.mark.parametrize(("stack", "operators_that_keep"), [("prod", 2), ("dev", 0)])
def test_in_production_what_others_made_outlives_the_operator(
    stack: str,
    operators_that_keep: int,
    transforms: Transforms,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A deleted CRD takes every object of its kind along, and they the Secrets in use."""
    monkeypatch.setattr(deployer, "refresh", lambda _: deployer.Refreshed.NO_VAULT)
    enabled = {"sealedSecrets.enabled": True, "externalSecrets.enabled": True}
    deploy(
        lambda: runpy.run_path(str(REPOSITORY / "__main__.py")) and None,
        stack=stack,
        config=engine_config(changed(stack, enabled)),
        outputs=OUTPUTS,
    )
    assert transforms.registered.count(keep_definitions) == operators_that_keep
