"""AWS, PKI, Transit and KV engines: what is asked of Vault, and what is refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pulumi
import pulumi_vault as vault
import pytest

from components.vault.aws import AssumedRole, AwsEngine, AwsEngineArgs, IamUser, StoredKey
from components.vault.aws_root_key import DeployerLogin
from components.vault.kv import KvEngineArgs
from components.vault.pki import PkiEngine, PkiEngineArgs, PkiRole
from components.vault.s3_policy import s3_read_policy
from components.vault.transit import KeyType, TransitEngine, TransitEngineArgs, TransitKey
from tests.unit.support.monitor import Deployment, deploy

ROOT_KEY = "pulumi-python:dynamic/strongroom:AwsRootKey"
ASSUMED = AssumedRole(
    name="ml-s3-access",
    role_arn="arn:aws:iam::123456789012:role/ml-s3-access",
    buckets=("example-ml-data", "example-ml-models"),
)
USER = IamUser(
    name="ml-s3-user",
    permissions_boundary_arn="arn:aws:iam::123456789012:policy/vault-boundary",
    buckets=("example-ml-data",),
)
STORED_KEY = StoredKey(
    file="fake-key-file",
    deployer=DeployerLogin(
        address="https://vault.example.com:8200", token_file="fake-token", ca_file="fake-ca"
    ),
)
AWS = AwsEngineArgs(
    region="eu-central-1",
    roles=(ASSUMED, USER),
    identity=STORED_KEY,
    protect=True,
)
SERVING = PkiRole(
    name="serving", allowed_domains=("ml-serving.svc.cluster.local",), subdomains=True
)
PKI = PkiEngineArgs(
    common_name="Example ML",
    address="https://vault.example.com:8200",
    roles=(SERVING, PkiRole(name="tracking", allowed_domains=("mlflow.example.com",))),
)
TRANSIT = TransitEngineArgs(
    keys=(TransitKey(name="ml-models"), TransitKey(name="ml-signing", type=KeyType.ED25519))
)
MADE_BY_VAULT: dict[str, dict[str, Any]] = {
    "vault:pkiSecret/secretBackendRootCert:SecretBackendRootCert": {
        "issuerId": "root-issuer",
        "certificate": "root-pem",
    },
    "vault:pkiSecret/secretBackendIntermediateCertRequest:SecretBackendIntermediateCertRequest": {
        "csr": "csr-pem"
    },
    "vault:pkiSecret/secretBackendRootSignIntermediate:SecretBackendRootSignIntermediate": {
        "certificate": "intermediate-pem"
    },
    "vault:pkiSecret/secretBackendIntermediateSetSigned:SecretBackendIntermediateSetSigned": {
        "importedIssuers": ["int-issuer"]
    },
}


def program() -> None:
    given = pulumi.ResourceOptions(
        providers=[vault.Provider("vault", address="https://vault.example.com:8200")]
    )
    AwsEngine("aws", AWS, given)
    PkiEngine("pki", PKI, given)
    TransitEngine("transit", TRANSIT, given)


def run(*, preview: bool = False) -> Deployment:
    return deploy(program, preview=preview, outputs=MADE_BY_VAULT)


@pytest.fixture(params=[False, True], ids=["up", "preview"])
def deployed(request: pytest.FixtureRequest) -> Deployment:
    return run(preview=request.param)


def test_the_tree_is_as_pinned(deployed: Deployment) -> None:
    pki = "  vault:pkiSecret/"
    assert deployed.tree() == [
        "pulumi:providers:vault vault",
        "strongroom:vault:AwsEngine aws",
        f"  {ROOT_KEY} aws-root-key",
        "  vault:aws/secretBackend:SecretBackend aws-mount",
        "  vault:aws/secretBackendRole:SecretBackendRole aws-role-ml-s3-access",
        "  vault:aws/secretBackendRole:SecretBackendRole aws-role-ml-s3-user",
        "strongroom:vault:PkiEngine pki",
        "  vault:index/mount:Mount pki-int-mount",
        "  vault:index/mount:Mount pki-root-mount",
        f"{pki}backendConfigAutoTidy:BackendConfigAutoTidy pki-int-tidy",
        f"{pki}backendConfigAutoTidy:BackendConfigAutoTidy pki-root-tidy",
        f"{pki}secretBackendConfigIssuers:SecretBackendConfigIssuers pki-int-issuers",
        f"{pki}secretBackendConfigUrls:SecretBackendConfigUrls pki-int-urls",
        f"{pki}secretBackendConfigUrls:SecretBackendConfigUrls pki-root-urls",
        f"{pki}secretBackendCrlConfig:SecretBackendCrlConfig pki-int-crl",
        f"{pki}secretBackendCrlConfig:SecretBackendCrlConfig pki-root-crl",
        f"{pki}secretBackendIntermediateCertRequest:SecretBackendIntermediateCertRequest "
        "pki-int-request",
        f"{pki}secretBackendIntermediateSetSigned:SecretBackendIntermediateSetSigned pki-int-ca",
        f"{pki}secretBackendRole:SecretBackendRole pki-role-serving",
        f"{pki}secretBackendRole:SecretBackendRole pki-role-tracking",
        f"{pki}secretBackendRootCert:SecretBackendRootCert pki-root-ca",
        f"{pki}secretBackendRootSignIntermediate:SecretBackendRootSignIntermediate pki-int-signed",
        "strongroom:vault:TransitEngine transit",
        "  vault:index/mount:Mount transit-mount",
        "  vault:transit/secretBackendKey:SecretBackendKey transit-key-ml-models",
        "  vault:transit/secretBackendKey:SecretBackendKey transit-key-ml-signing",
    ]


def test_everything_goes_through_the_given_provider(deployed: Deployment) -> None:
    assert {r.provider for r in deployed.resources if r.type.startswith("vault:")} == {"vault"}


def test_all_below_a_mount_goes_with_it(deployed: Deployment) -> None:
    mounts = {"vault:index/mount:Mount", "vault:aws/secretBackend:SecretBackend"}
    urns = {r.urn for r in deployed.resources if r.type in mounts}
    below = [r for r in deployed.resources if r.custom and r.type.startswith("vault:")]
    below = [r for r in below if r.urn not in urns]
    assert len(below) == 17
    assert {r.request.deletedWith for r in below} == urns


def test_the_aws_key_is_given_by_its_file_and_the_mount_leaves_it_alone(
    deployed: Deployment,
) -> None:
    engine = deployed.one("vault:aws/secretBackend:SecretBackend")
    assert engine.protect
    assert not {key for key in engine.inputs if "Key" in key}
    assert {"accessKey", "region", "iamEndpoint", "stsEndpoint"} <= set(
        engine.request.ignoreChanges
    )
    key = deployed.one(ROOT_KEY)
    assert key.request.deletedWith == engine.urn
    assert key.inputs["file"] == "fake-key-file"
    assert key.inputs["version"] == 1


def test_without_a_key_vault_acts_as_its_pods_do() -> None:
    args = AwsEngineArgs(region="eu-central-1", roles=(ASSUMED,))
    deployed = deploy(lambda: AwsEngine("aws", args) and None)
    engine = deployed.one("vault:aws/secretBackend:SecretBackend")
    assert not {key for key in engine.inputs if "Key" in key}
    assert not engine.request.ignoreChanges
    assert not deployed.of_type(ROOT_KEY)


def test_an_assumed_role_is_narrowed_by_its_session(deployed: Deployment) -> None:
    role = deployed.one(
        "vault:aws/secretBackendRole:SecretBackendRole", "aws-role-ml-s3-access"
    ).inputs
    assert role["credentialType"] == "assumed_role"
    assert role["roleArns"] == [ASSUMED.role_arn]
    assert role["policyDocument"] == s3_read_policy(ASSUMED.buckets)
    assert (role["defaultStsTtl"], role["maxStsTtl"]) == (3600, 3600)


def test_an_iam_user_has_a_boundary(deployed: Deployment) -> None:
    role = deployed.one("vault:aws/secretBackendRole:SecretBackendRole", "aws-role-ml-s3-user")
    assert role.inputs["credentialType"] == "iam_user"
    assert role.inputs["permissionsBoundaryArn"] == USER.permissions_boundary_arn
    assert "roleArns" not in role.inputs


def test_buckets_are_listed_and_read_and_nothing_else() -> None:
    statements = json.loads(s3_read_policy(["example-a", "example-b"]))["Statement"]
    assert [(s["Action"], s["Resource"]) for s in statements] == [
        (["s3:ListBucket"], ["arn:aws:s3:::example-a", "arn:aws:s3:::example-b"]),
        (["s3:GetObject"], ["arn:aws:s3:::example-a/*", "arn:aws:s3:::example-b/*"]),
    ]
    assert {s["Effect"] for s in statements} == {"Allow"}


def test_private_keys_of_authorities_stay_in_vault(deployed: Deployment) -> None:
    for kind in ("RootCert", "IntermediateCertRequest"):
        token = f"vault:pkiSecret/secretBackend{kind}:SecretBackend{kind}"
        assert deployed.one(token).inputs["type"] == "internal"


def test_the_intermediate_may_sign_for_the_roles_domains_only(deployed: Deployment) -> None:
    signed = deployed.one(
        "vault:pkiSecret/secretBackendRootSignIntermediate:SecretBackendRootSignIntermediate"
    ).inputs
    assert signed["permittedDnsDomains"] == ["ml-serving.svc.cluster.local", "mlflow.example.com"]
    assert signed["maxPathLength"] == 0


def test_the_signed_intermediate_becomes_the_issuer() -> None:
    up = run()
    imported = up.one(
        "vault:pkiSecret/secretBackendIntermediateSetSigned:SecretBackendIntermediateSetSigned"
    )
    issuers = up.one("vault:pkiSecret/secretBackendConfigIssuers:SecretBackendConfigIssuers")
    assert imported.inputs["certificate"] == "intermediate-pem"
    assert issuers.inputs["default"] == "int-issuer"
    assert all(
        issuers.urn in role.depends_on
        for role in up.of_type("vault:pkiSecret/secretBackendRole:SecretBackendRole")
    )


def test_certificates_are_for_named_hosts_and_days(deployed: Deployment) -> None:
    kind = "vault:pkiSecret/secretBackendRole:SecretBackendRole"
    serving = deployed.one(kind, "pki-role-serving").inputs
    tracking = deployed.one(kind, "pki-role-tracking").inputs
    for loose in (
        "allowAnyName",
        "allowGlobDomains",
        "allowWildcardCertificates",
        "allowLocalhost",
        "allowIpSans",
    ):
        assert serving[loose] is False
    assert (serving["allowSubdomains"], tracking["allowSubdomains"]) == (True, False)
    assert (serving["ttl"], serving["maxTtl"]) == ("86400", "259200")


def test_transit_keys_rotate_and_never_leave(deployed: Deployment) -> None:
    keys = deployed.of_type("vault:transit/secretBackendKey:SecretBackendKey")
    assert sorted(key.inputs["type"] for key in keys) == ["aes256-gcm96", "ed25519"]
    for key in keys:
        assert key.inputs["autoRotatePeriod"] == 90 * 86_400
        assert key.inputs["exportable"] is False
        assert key.inputs["allowPlaintextBackup"] is False
        assert key.inputs["deletionAllowed"] is False
        assert key.protect
        assert not key.request.deleteBeforeReplace


def domains(*names: str) -> Any:
    return lambda: PkiRole(name="r", allowed_domains=names)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(ASSUMED, role_arn="arn:aws:iam::123456789012:role/*"), "no ARN of one"),
        (lambda: replace(ASSUMED, buckets=("ml-data-*",)), "empty or a pattern"),
        (lambda: replace(ASSUMED, buckets=("example-a", "ml-*")), "empty or a pattern"),
        (lambda: replace(ASSUMED, buckets=()), "binds nobody"),
        (lambda: replace(ASSUMED, buckets=("Upper",)), "no bucket name"),
        (lambda: replace(ASSUMED, ttl=43_200), "900 to 3600"),
        (lambda: replace(USER, permissions_boundary_arn=""), "no ARN of one policy"),
        (lambda: s3_read_policy([f"example-{n:050}" for n in range(20)]), "Split them"),
        (lambda: replace(AWS, roles=(ASSUMED, ASSUMED)), "given twice"),
        (lambda: replace(STORED_KEY, version=0), "Start at 1"),
        (domains("*.example.com"), "empty or a pattern"),
        (domains("com"), "no domain of one owner"),
        (domains("model.example.com", "svc.cluster.local"), "no domain of one owner"),
        (domains(), "binds nobody"),
        (lambda: replace(SERVING, max_ttl=365 * 86_400), "live too long"),
        (lambda: replace(PKI, roles=()), "signs for nobody"),
        (lambda: replace(PKI, address="http://vault.example.com"), "no plain https"),
        (lambda: replace(PKI, intermediate_ttl=PKI.root_ttl), "about a third"),
        (lambda: TransitKey(name="k", rotate_after=0), "between a day and a year"),
        (lambda: replace(TRANSIT, path="transit/"), "no mount path"),
        (lambda: KvEngineArgs(max_versions=0), "between 1 and 1000"),
        (lambda: KvEngineArgs(path="/secret"), "no mount path"),
    ],
)
def test_what_would_do_harm_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        make()
