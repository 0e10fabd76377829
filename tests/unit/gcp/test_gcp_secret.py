"""The Google secret: its key, its notices, who reads and adds, and that no version is made."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest

from components.gcp.secret import RotatingSecret, RotatingSecretArgs
from tests.unit.support.judging import broken
from tests.unit.support.monitor import Deployment, deploy

SECRET = "gcp:secretmanager/secret:Secret"
BINDING = "gcp:secretmanager/secretIamBinding:SecretIamBinding"
TOPIC = "gcp:pubsub/topic:Topic"
PUBLISHES = "gcp:pubsub/topicIAMBinding:TopicIAMBinding"
ENCRYPTS = "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding"
AGENT = "gcp:projects/serviceIdentity:ServiceIdentity"
KEY = "projects/fake-project/locations/europe-west3/keyRings/fake/cryptoKeys/fake-secret"
READER, WRITER = (f"{who}@fake-project.iam.gserviceaccount.com" for who in ("reader", "writer"))
AGENT_MEMBER = "serviceAccount:service-1@fake-agents.iam.gserviceaccount.com"
GIVEN: dict[str, Any] = {
    "project": "fake-project",
    "location": "europe-west3",
    "secret": "ml-fake",
    "key": KEY,
    "first_rotation": "2027-01-01T03:00:00Z",
    "readers": (READER,),
    "writers": (WRITER,),
}
EVERY_MODE = pytest.mark.parametrize("preview", [False, True])


def secret(preview: bool = False, **changes: Any) -> Deployment:
    def program() -> None:
        provider = gcp.Provider("gcp", project="fake-project")
        made = RotatingSecret(
            "fake",
            RotatingSecretArgs(**(GIVEN | changes)),
            pulumi.ResourceOptions(providers=[provider]),
        )
        pulumi.export("topic", made.topic)

    return deploy(program, preview=preview, outputs={AGENT: {"member": AGENT_MEMBER}})


@EVERY_MODE
def test_the_tree_holds_no_version_of_the_secret(preview: bool) -> None:
    deployed = secret(preview)
    assert deployed.tree() == [
        "pulumi:providers:gcp gcp",
        "strongroom:gcp:RotatingSecret fake",
        f"  {ENCRYPTS} fake-encrypts",
        f"  {AGENT} fake-secrets-agent",
        f"  {AGENT} fake-topics-agent",
        f"  {TOPIC} fake-topic",
        f"  {PUBLISHES} fake-publishes",
        f"  {SECRET} fake-secret",
        f"  {BINDING} fake-adds",
        f"  {BINDING} fake-reads",
    ]
    assert {r.provider for r in deployed.resources if r.custom and r.parent} == {"gcp"}
    assert not any(r.secret_inputs for r in deployed.resources)


@EVERY_MODE
def test_it_is_encrypted_by_its_key_in_its_place_and_announces_each_rotation(
    preview: bool,
) -> None:
    deployed = secret(preview, rotation_days=90, destroy_days=3)
    inputs = deployed.one(SECRET).inputs
    (replica,) = inputs["replication"]["userManaged"]["replicas"]
    assert replica == {
        "location": "europe-west3",
        "customerManagedEncryption": {"kmsKeyName": KEY},
    }
    assert inputs["rotation"] == {
        "rotationPeriod": "7776000s",
        "nextRotationTime": "2027-01-01T03:00:00Z",
    }
    assert inputs["versionDestroyTtl"] == "259200s"
    topic = deployed.one(TOPIC)
    assert topic.inputs["kmsKeyName"] == KEY
    assert topic.inputs["messageStoragePolicy"] == {"allowedPersistenceRegions": ["europe-west3"]}
    assert topic.urn in deployed.one(SECRET).depends_on


@EVERY_MODE
def test_google_may_encrypt_and_publish_before_the_secret_is_made(preview: bool) -> None:
    deployed = secret(preview)
    needed = {deployed.one(kind).urn for kind in (ENCRYPTS, PUBLISHES)}
    assert needed <= deployed.one(SECRET).depends_on
    assert deployed.one(ENCRYPTS).urn in deployed.one(TOPIC).depends_on
    assert deployed.one(PUBLISHES).inputs["role"] == "roles/pubsub.publisher"
    if not preview:
        assert deployed.one(PUBLISHES).inputs["members"] == [AGENT_MEMBER]


@EVERY_MODE
def test_the_next_rotation_is_googles_and_a_deployment_leaves_it(preview: bool) -> None:
    assert secret(preview).one(SECRET).ignore_changes == ("rotation.nextRotationTime",)


@EVERY_MODE
def test_readers_read_and_writers_add_and_nobody_else(preview: bool) -> None:
    deployed = secret(preview)
    for name, role, who in (
        ("fake-reads", "roles/secretmanager.secretAccessor", READER),
        ("fake-adds", "roles/secretmanager.secretVersionAdder", WRITER),
    ):
        inputs = deployed.one(BINDING, name).inputs
        assert (inputs["role"], inputs["members"]) == (role, [f"serviceAccount:{who}"])


@EVERY_MODE
@pytest.mark.parametrize("protect", [False, True])
def test_protection_keeps_the_secret(preview: bool, protect: bool) -> None:
    made = secret(preview, protect=protect).one(SECRET)
    assert (made.protect, made.request.retainOnDelete) == (protect, protect)


@EVERY_MODE
def test_it_breaks_no_rule_of_the_project(preview: bool) -> None:
    assert broken(secret(preview)) == set()


@pytest.mark.parametrize("member", ["allUsers", "domain:example.com", "principalSet://fake/*"])
def test_a_widened_binding_breaks_a_rule(member: str) -> None:
    found = broken(secret(), fake_reads={"members": [f"serviceAccount:{READER}", member]})
    assert found == {"gcp-secret-access-is-named"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rotation_days": 91}, r"rotation_days: 91 is outside 1 to 90 days; .* Use 30"),
        ({"rotation_days": 0}, r"rotation_days: 0 is outside"),
        ({"destroy_days": 0}, r"destroy_days: 0 is outside 1 to 1000 days; .* gone at once"),
        ({"secret": "ml/fake"}, r"secret: 'ml/fake' is no id of a secret"),
        ({"location": "europe-west1"}, r"is no key in europe-west1; Google would refuse"),
        ({"key": "fake"}, r"key: 'fake' is no key in europe-west3"),
        ({"first_rotation": "soon"}, r"first_rotation: 'soon' is no time; no notice would"),
        ({"readers": ()}, r"readers: \(\) lets nobody in\. Name accounts"),
        ({"readers": (READER, "allUsers")}, r"readers: 'allUsers' is no service account; .* group"),
        ({"writers": ("ml@example.com",)}, r"writers: 'ml@example.com' is no service account"),
    ],
)
def test_a_wrong_secret_is_refused_with_its_consequence_and_the_way_out(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        RotatingSecretArgs(**(GIVEN | changes))
