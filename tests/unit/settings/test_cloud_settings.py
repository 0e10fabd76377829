"""Cloud secrets and identities in the settings: what passes, and each mistake with its place."""

from __future__ import annotations

from typing import Any

import pytest

from components.aws import rotation_function
from settings import Settings, SettingsError
from settings.rules_cloud import LOG_DAYS
from tests.unit.support.stacks import changed

LOGINS = "cloudSecrets.databaseLogins"
ROLES = "identities.aws.roles"
TWIN = {"name": "other", "secret": "ml/other", "user": "other", "readers": ["ml-secrets"]}
GOOGLE_KEY = "projects/fake-project/locations/{}/keyRings/fake/cryptoKeys/fake"
GOOGLE_SECRET: dict[str, Any] = {
    "name": "fake",
    "key": GOOGLE_KEY.format("europe-west3"),
    "firstRotation": "2027-01-04T03:00:00Z",
    "readers": ["ml-fake"],
    "writers": ["rotator@fake-project.iam.gserviceaccount.com"],
}
GOOGLE: dict[str, Any] = {
    "cloud": "gcp",
    "aws": ...,
    "gcp": {"project": "fake-project", "region": "europe-west3"},
    "vault.seal": {
        "type": "gcpckms",
        "keyRing": "fake",
        "key": "fake",
        "serviceAccount": "vault@fake-project.iam.gserviceaccount.com",
    },
    "vault.custodian": {"type": "gcp-secret-manager", "name": "fake"},
    "identities": {
        "google": {
            "clusterProject": "fake-project",
            "accounts": [{"name": "ml-fake", "namespace": "ml-training", "account": "ml-app-sa"}],
        }
    },
    "cloudSecrets": {"google": [GOOGLE_SECRET]},
}


def problems(changes: dict[str, Any]) -> list[tuple[str, str]]:
    try:
        Settings.parse(changed("dev", changes), source="Pulumi.dev.yaml")
    except SettingsError as wrong:
        return [(problem.key, problem.what) for problem in wrong.problems]
    return []


def twin(**changes: Any) -> dict[str, Any]:
    login = {"name": "tracking", "secret": "ml/training/tracking", "user": "tracking"}
    return {f"{LOGINS}.logins": [login | {"readers": ["ml-secrets"]}, TWIN | changes]}


def google(**changes: Any) -> dict[str, Any]:
    return GOOGLE | {"cloudSecrets": {"google": [GOOGLE_SECRET | changes]}}


def test_the_environment_decides_how_long_a_deleted_secret_can_be_called_back() -> None:
    days = {
        stack: Settings.parse(changed(stack, {}), source="-").cloud_secrets.recovery.seconds
        for stack in ("dev", "prod")
    }
    assert days == {"dev": 7 * 86400, "prod": 30 * 86400}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        twin(),
        twin(readers=["arn:aws:iam::123456789012:role/fake"], rotation="90d"),
        GOOGLE,
        google(readers=["a-reader@fake-project.iam.gserviceaccount.com"]),
    ],
)
def test_what_is_right_is_let_pass(changes: dict[str, Any]) -> None:
    assert problems(changes) == []


@pytest.mark.parametrize(
    ("changes", "key", "what"),
    [
        (twin(rotation="91d"), f"{LOGINS}.logins[1].rotation", "is '2184h'"),
        (twin(rotation="36h"), f"{LOGINS}.logins[1].rotation", "is '36h'"),
        (twin(readers=["nobody"]), f"{LOGINS}.logins[1].readers", "names 'nobody', which is not"),
        (twin(name="tracking"), f"{LOGINS}.logins", "has the name 'tracking' 2 times"),
        (twin(user="tracking"), f"{LOGINS}.logins", "has the user 'tracking' 2 times"),
        (twin(secret="ml/training/tracking"), f"{LOGINS}.logins", "has the secret"),
        (twin(readers=["*"]), f"{LOGINS}.logins[1].readers[0]", ""),
        ({"cloudSecrets.recovery": "6d"}, "cloudSecrets.recovery", "is '144h'"),
        ({f"{LOGINS}.logs": "31d"}, f"{LOGINS}.logs", "is '744h'"),
        ({f"{LOGINS}.network": ...}, f"{LOGINS}.network", "is missing in environment dev"),
        ({f"{LOGINS}.writers": []}, f"{LOGINS}.writers", ""),
        ({f"{LOGINS}.administrator": "fake"}, f"{LOGINS}.administrator", ""),
        (
            {
                f"{LOGINS}.administrator": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
                "fake-AbCdEf"
            },
            f"{LOGINS}.administrator",
            "is in eu-west-1 of account 123456789012, and the stack in eu-central-1",
        ),
        ({f"{ROLES}.0.namespace": "elsewhere"}, f"{ROLES}[0].namespace", "names 'elsewhere'"),
        ({f"{ROLES}.0.account": "*"}, f"{ROLES}[0].account", ""),
        ({"identities.aws.session": "59m"}, "identities.aws.session", "is '59m'"),
        (
            {"identities.aws.provider": "arn:aws:iam::210987654321:oidc-provider/fake.example"},
            "identities.aws.provider",
            "is in account 210987654321",
        ),
        (google(rotation="91d"), "cloudSecrets.google[0].rotation", "is '2184h'"),
        (google(destroyedAfter="1h"), "cloudSecrets.google[0].destroyedAfter", "is '1h'"),
        (
            google(firstRotation="2027-02-30T03:00:00Z"),
            "cloudSecrets.google[0].firstRotation",
            "which is no time",
        ),
        (google(readers=["nobody"]), "cloudSecrets.google[0].readers", "names 'nobody'"),
        (
            google(key=GOOGLE_KEY.format("europe-west1")),
            "cloudSecrets.google[0].key",
            "and the stack is in europe-west3",
        ),
        (
            {"identities.google": GOOGLE["identities"]["google"]},
            "identities.google",
            "is given though `cloud` is aws",
        ),
        (
            {"cloudSecrets.google": [GOOGLE_SECRET | {"readers": GOOGLE_SECRET["writers"]}]},
            "cloudSecrets.google",
            "is given though `cloud` is aws",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(changes: dict[str, Any], key: str, what: str) -> None:
    ((found, said),) = problems(changes)
    assert found == key
    assert what in said


def test_settings_and_component_know_the_same_periods_of_logs() -> None:
    assert LOG_DAYS == rotation_function.LOG_DAYS
