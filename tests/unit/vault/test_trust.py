"""A public CA in the namespaces that need it, and in no other."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s
import pytest

from components.vault.trust import Trust, TrustArgs
from tests.unit.support.monitor import deploy


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize(
    ("given", "config_map"),
    [({}, "vault-ca"), ({"config_map": "postgresql-ca"}, "postgresql-ca")],
    ids=["Vault's", "the database's"],
)
def test_each_namespace_gets_the_public_ca_and_nothing_secret(
    preview: bool, given: dict[str, str], config_map: str
) -> None:
    def program() -> None:
        provider = k8s.Provider("k8s")
        Trust(
            "vault-trust",
            TrustArgs(namespaces={"a": "a", "b": "b"}, ca_pem="fake CA certificate", **given),
            pulumi.ResourceOptions(providers=[provider]),
        )

    deployed = deploy(program, preview=preview)
    assert deployed.tree() == [
        "pulumi:providers:kubernetes k8s",
        "strongroom:vault:Trust vault-trust",
        "  kubernetes:core/v1:ConfigMap vault-trust-a",
        "  kubernetes:core/v1:ConfigMap vault-trust-b",
    ]
    for name in ("a", "b"):
        made = deployed.one("kubernetes:core/v1:ConfigMap", f"vault-trust-{name}")
        assert made.inputs["metadata"]["namespace"] == name
        assert made.inputs["metadata"]["name"] == config_map
        assert made.inputs["data"] == {"ca.crt": "fake CA certificate"}
        assert made.secret_inputs == frozenset()
        assert made.provider == "k8s"
