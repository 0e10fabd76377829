"""Cloud secrets from the settings: what is made of them, in which order, and what stops it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pulumi
import pytest

from settings import Settings, SettingsError
from tests.unit.settings.test_cloud_settings import GOOGLE, twin
from tests.unit.support.monitor import Deployment, deploy
from tests.unit.support.stacks import changed
from wiring import cloud_secrets
from wiring.clouds import Clouds

LOGINS = "cloudSecrets.databaseLogins"
ACCOUNT = "arn:aws:iam::123456789012"
ROLE = f"{ACCOUNT}:role/strongroom-dev-ml-secrets"
EVERY_MODE = pytest.mark.parametrize("preview", [False, True])


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def settings(changes: dict[str, Any]) -> Settings:
    return Settings.parse(changed("dev", changes), source="Pulumi.dev.yaml")


def deployed(changes: dict[str, Any], *, preview: bool = False) -> Deployment:
    def program() -> None:
        configured = settings(changes)
        code = cloud_secrets.code(configured, source="Pulumi.dev.yaml")
        clouds = Clouds(configured.aws, configured.gcp)
        who = cloud_secrets.identities(configured, clouds)
        cloud_secrets.rotating(configured, code, who, clouds)

    return deploy(program, preview=preview)


def components(made: Deployment) -> list[str]:
    return [line for line in made.tree() if line.startswith("strongroom:")]


@EVERY_MODE
def test_each_login_and_identity_of_aws_is_made_and_readers_are_found_by_name(
    preview: bool,
) -> None:
    made = deployed(twin(readers=[f"{ACCOUNT}:role/fake"]), preview=preview)
    assert components(made) == [
        "strongroom:aws:RotatingSecret login-other",
        "strongroom:aws:RotatingSecret login-tracking",
        "strongroom:aws:WorkloadIdentity identity-ml-secrets",
    ]
    assert len(made.of_type("pulumi:providers:aws")) == 1
    policy = made.one("aws:secretsmanager/secretPolicy:SecretPolicy", "login-tracking-access")
    (read,) = (s for s in json.loads(policy.inputs["policy"])["Statement"] if s["Sid"] == "Read")
    assert read["Principal"] == {"AWS": [ROLE]}
    # AWS refuses a policy that names a role which is not there yet.
    role = made.one("aws:iam/role:Role", "identity-ml-secrets-role").urn
    assert role in policy.depends_on
    assert role in made.one("aws:kms/key:Key", "login-tracking-key-key").depends_on


@EVERY_MODE
def test_each_secret_and_identity_of_google_is_made(preview: bool) -> None:
    made = deployed(GOOGLE, preview=preview)
    assert components(made) == [
        "strongroom:gcp:RotatingSecret secret-fake",
        "strongroom:gcp:WorkloadIdentity identity-ml-fake",
    ]
    reads = made.one("gcp:secretmanager/secretIamBinding:SecretIamBinding", "secret-fake-reads")
    member = "serviceAccount:ml-fake@fake-project.iam.gserviceaccount.com"
    assert reads.inputs["members"] == [member]
    assert made.one("gcp:serviceaccount/account:Account").urn in reads.depends_on


def test_without_any_nothing_is_made_and_nothing_written() -> None:
    made = deployed({"cloudSecrets": ..., "identities": ...})
    assert made.tree() == []
    assert list(Path().iterdir()) == []


def test_the_archive_trusts_the_authorities_of_the_settings_and_stays_the_same() -> None:
    Path("ca.pem").write_text("fake authorities of a test")
    configured = settings({f"{LOGINS}.caFile": "ca.pem"})
    first, again = (cloud_secrets.code(configured, source="-") for _ in range(2))
    other = cloud_secrets.code(settings({}), source="-")
    assert isinstance(first, pulumi.FileArchive)
    assert isinstance(again, pulumi.FileArchive)
    assert isinstance(other, pulumi.FileArchive)
    assert first.path == again.path != other.path
    with zipfile.ZipFile(first.path) as archive:
        assert archive.read("rotation/ca.pem") == b"fake authorities of a test"
        assert "rotation/function.py" in archive.namelist()
    with zipfile.ZipFile(other.path) as archive:
        assert "rotation/ca.pem" not in archive.namelist()


def test_a_missing_file_of_authorities_is_told_before_anything_is_made() -> None:
    with pytest.raises(SettingsError, match=rf"{LOGINS}\.caFile names 'nowhere\.pem'"):
        deployed({f"{LOGINS}.caFile": "nowhere.pem"})


def test_authorities_that_are_no_text_are_told_before_anything_is_made() -> None:
    Path("ca.der").write_bytes(b"\x30\x82\xff\xfe")
    with pytest.raises(SettingsError, match=r"names 'ca\.der', which holds no text"):
        deployed({f"{LOGINS}.caFile": "ca.der"})
