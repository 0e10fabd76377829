"""AWS Secrets Manager as custodian, against moto: versions kept, the root token gone for good."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from moto import mock_aws

from tests.unit.vaultops.records import FAKE_ROOT, record
from vaultops.custody_aws import AwsSecretsManagerCustodian
from vaultops.errors import VaultOpsError

REGION = "eu-central-1"
NAME = "fake/vault-init"


@pytest.fixture
def custodian(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsSecretsManagerCustodian]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield AwsSecretsManagerCustodian(name=NAME, region=REGION)


def client() -> Any:
    return boto3.client("secretsmanager", region_name=REGION)


def labelled_values() -> dict[str, str]:
    """Every value that AWS still keeps for a label, by label."""
    versions = client().describe_secret(SecretId=NAME)["VersionIdsToStages"]
    return {
        stage: client().get_secret_value(SecretId=NAME, VersionId=version)["SecretString"]
        for version, stages in versions.items()
        for stage in stages
    }


def deny(monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    """Let AWS refuse one operation."""
    make_client = boto3.client

    def refuse(**_: object) -> tuple[AWSResponse, dict[str, object]]:
        error = {"Code": "AccessDeniedException", "Message": f"no {operation} for this identity"}
        return AWSResponse("", 400, {}, None), {"Error": error}

    def denied(*arguments: Any, **options: Any) -> Any:
        made = make_client(*arguments, **options)
        made.meta.events.register(f"before-call.secrets-manager.{operation}", refuse)
        return made

    monkeypatch.setattr(boto3, "client", denied)


def test_a_record_is_read_back(custodian: AwsSecretsManagerCustodian) -> None:
    assert custodian.load() is None
    custodian.check()
    assert custodian.load() is None
    custodian.store(record(created="fake-moment"))
    assert custodian.load() == record(created="fake-moment")


def test_the_check_may_be_repeated_and_changes_no_record(
    custodian: AwsSecretsManagerCustodian,
) -> None:
    custodian.check()
    custodian.store(record(created="fake-moment"))
    custodian.check()
    custodian.check()
    assert custodian.load() == record(created="fake-moment")


def test_the_secret_is_encrypted_with_the_named_key(
    custodian: AwsSecretsManagerCustodian,
) -> None:
    AwsSecretsManagerCustodian(name=NAME, region=REGION, kms_key="alias/fake").check()
    assert client().describe_secret(SecretId=NAME)["KmsKeyId"] == "alias/fake"


def test_an_older_record_keeps_a_label_so_that_aws_keeps_it(
    custodian: AwsSecretsManagerCustodian,
) -> None:
    custodian.check()
    for moment in ("fake-first", "fake-second", "fake-third"):
        custodian.store(record(created=moment))
    values = labelled_values()
    assert "fake-third" in values["AWSCURRENT"]
    assert "fake-first" in values["before-fake-second"]
    assert "fake-second" in values["before-fake-third"]


def test_no_labelled_version_holds_the_root_token_afterwards(
    custodian: AwsSecretsManagerCustodian,
) -> None:
    custodian.check()
    custodian.store(record(created="fake-moment"))
    assert FAKE_ROOT in labelled_values()["AWSCURRENT"]
    custodian.drop_root_token()
    custodian.drop_root_token()
    assert custodian.load() == record(created="fake-moment", root_token=None)
    assert not [label for label, value in labelled_values().items() if FAKE_ROOT in value]


@pytest.mark.parametrize("operation", ["DescribeSecret", "CreateSecret", "PutSecretValue"])
def test_a_right_that_is_missing_is_found_before_vault_is_initialised(
    custodian: AwsSecretsManagerCustodian, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    deny(monkeypatch, operation)
    with pytest.raises(VaultOpsError, match="refuses the custodian") as refused:
        custodian.check()
    assert f"no {operation} for this identity" in refused.value.why
    assert f"{NAME} ({REGION})" in refused.value.where
    assert operation in refused.value.fix


def test_aws_out_of_reach_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    gone = AwsSecretsManagerCustodian(name=NAME, region=REGION, endpoint="http://127.0.0.1:1")
    for call in (gone.check, gone.load, gone.drop_root_token, lambda: gone.store(record())):
        with pytest.raises(VaultOpsError, match="refuses the custodian") as refused:
            call()
        assert FAKE_ROOT not in str(refused.value)


@pytest.mark.parametrize("content", ["some other secret", json.dumps({"password": "fake"})])
def test_somebody_elses_secret_is_refused_and_not_shown(
    custodian: AwsSecretsManagerCustodian, content: str
) -> None:
    client().create_secret(Name=NAME, SecretString=content)
    with pytest.raises(VaultOpsError, match="no initialisation record") as refused:
        custodian.load()
    assert content not in str(refused.value)
    assert "fake/vault-init" in refused.value.where
