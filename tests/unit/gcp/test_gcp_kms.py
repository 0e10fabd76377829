"""The Google key: who uses it, what keeps it and its ring, and what is refused beforehand."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest

from components.gcp.kms import KmsKey, KmsKeyArgs
from tests.unit.support.monitor import Deployment, deploy

RING = "gcp:kms/keyRing:KeyRing"
KEY = "gcp:kms/cryptoKey:CryptoKey"
BINDING = "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding"
MEMBER = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
ACCOUNT = "vault@fake-project.iam.gserviceaccount.com"
RING_ID = "projects/fake-project/locations/europe-west3/keyRings/strongroom"
GIVEN: dict[str, Any] = {
    "project": "fake-project",
    "location": "europe-west3",
    "key_ring": "strongroom",
    "key": "vault-unseal",
    "service_account": ACCOUNT,
}
EVERY_MODE = pytest.mark.parametrize("preview", [False, True])


def key(preview: bool, **changes: Any) -> Deployment:
    def program() -> None:
        provider = gcp.Provider("gcp", project="fake-project")
        made = KmsKey(
            "unseal",
            KmsKeyArgs(**(GIVEN | changes)),
            pulumi.ResourceOptions(providers=[provider]),
        )
        pulumi.export("key", made.key_id)

    return deploy(program, preview=preview)


@EVERY_MODE
def test_a_ring_a_key_and_two_roles_are_made_with_the_explicit_provider(preview: bool) -> None:
    deployed = key(preview)
    assert deployed.tree() == [
        "pulumi:providers:gcp gcp",
        "strongroom:gcp:KmsKey unseal",
        f"  {KEY} unseal-key",
        f"  {BINDING} unseal-use",
        f"  {MEMBER} unseal-view",
        f"  {RING} unseal-ring",
    ]
    assert {r.provider for r in deployed.resources if r.custom and r.parent} == {"gcp"}
    ring = deployed.one(RING).inputs
    assert (ring["project"], ring["location"], ring["name"]) == (
        "fake-project",
        "europe-west3",
        "strongroom",
    )


@EVERY_MODE
def test_the_key_rotates_and_a_destroyed_version_can_be_called_back(preview: bool) -> None:
    inputs = key(preview, rotation_days=30, destroy_days=2).one(KEY).inputs
    assert inputs["name"] == "vault-unseal"
    assert inputs["purpose"] == "ENCRYPT_DECRYPT"
    assert inputs["rotationPeriod"] == "2592000s"
    assert inputs["destroyScheduledDuration"] == "172800s"
    assert inputs["labels"]["part-of"] == "strongroom"
    unsaid = key(preview).one(KEY).inputs
    assert (unsaid["rotationPeriod"], unsaid["destroyScheduledDuration"]) == (
        "7776000s",
        "2592000s",
    )


@EVERY_MODE
def test_exactly_one_account_uses_the_key_and_may_look_at_it(preview: bool) -> None:
    deployed = key(preview)
    use, view = deployed.one(BINDING), deployed.one(MEMBER)
    assert use.inputs["role"] == "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    assert use.inputs["members"] == [f"serviceAccount:{ACCOUNT}"]
    assert view.inputs["role"] == "roles/cloudkms.viewer"
    assert view.inputs["member"] == f"serviceAccount:{ACCOUNT}"
    assert {deployed.one(KEY).urn, view.urn} <= use.depends_on


def test_the_key_is_handed_on_once_it_can_be_used() -> None:
    assert key(False).exports["key"] == "unseal-key-id"


@EVERY_MODE
@pytest.mark.parametrize("protect", [False, True])
def test_protection_also_keeps_what_the_program_forgets(preview: bool, protect: bool) -> None:
    deployed = key(preview, protect=protect)
    for type_ in (KEY, BINDING, MEMBER):
        resource = deployed.one(type_)
        assert resource.protect is protect
        assert resource.request.retainOnDelete is protect


@EVERY_MODE
@pytest.mark.parametrize("protect", [False, True])
def test_a_ring_is_never_deleted_because_google_deletes_none(preview: bool, protect: bool) -> None:
    ring = key(preview, protect=protect).one(RING)
    assert ring.request.retainOnDelete
    assert ring.protect is protect


@pytest.mark.parametrize(("adopt", "imported"), [(False, ""), (True, RING_ID)])
def test_a_ring_from_before_is_taken_over_when_asked(adopt: bool, imported: str) -> None:
    assert key(False, adopt_key_ring=adopt).one(RING).request.importId == imported


def test_protection_is_the_default() -> None:
    assert KmsKeyArgs(**GIVEN).protect


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"project": "Fake"}, r"project: 'Fake' is no such name .* Write it like example-project"),
        ({"location": "Europe"}, r"location: 'Europe' is no such name .* like europe-west3"),
        ({"key_ring": ""}, r"key_ring: '' is no such name .* like strongroom"),
        ({"key": "a/b"}, r"key: 'a/b' is no such name .* like vault-unseal"),
        ({"key": "a" * 64}, r"key: 'a+' is no such name"),
        (
            {"service_account": "allUsers"},
            r"service_account: 'allUsers' is no service account; .*"
            r"Write it like vault@fake-project\.iam\.gserviceaccount\.com",
        ),
        ({"service_account": f"serviceAccount:{ACCOUNT}"}, r"is no service account"),
        ({"service_account": "someone@example.com"}, r"a person, a group or everybody"),
        ({"rotation_days": 0}, r"rotation_days: 0 is outside 1 to 365 days; .* Use 90"),
        ({"rotation_days": 366}, r"rotation_days: 366 is outside"),
        ({"destroy_days": 0}, r"destroy_days: 0 is outside 1 to 120 days; .* Use 30"),
        ({"destroy_days": 121}, r"destroy_days: 121 is outside"),
    ],
)
def test_a_wrong_key_is_refused_with_its_consequence_and_the_way_out(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        KmsKeyArgs(**(GIVEN | changes))
