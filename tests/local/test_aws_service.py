"""The AWS stand-in as a real process on loopback: what survives a crash, what is refused."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.node.forwards import free_port
from local.paths import REPOSITORY, Instance
from local.services import aws
from local.services.direct_node import DirectNode
from local.services.host import ServiceError

pytestmark = pytest.mark.e2e

Client = Callable[[str], Any]


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return Instance("test-aws")


@pytest.fixture
def node(instance: Instance) -> Iterator[DirectNode]:
    node = DirectNode(instance.logs)
    yield node
    aws.stop(node)


def client_of(service: aws.AwsService) -> Client:
    def make(name: str) -> Any:
        return boto3.client(
            name,
            endpoint_url=service.endpoint,
            region_name="eu-west-1",
            aws_access_key_id="fake-key-id",
            aws_secret_access_key="fake-secret-key",
        )

    return make


def test_everything_survives_a_crash(node: DirectNode, instance: Instance) -> None:
    port = free_port()
    client = client_of(aws.start(node, instance, port=port))
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName="alias/fake", TargetKeyId=key)
    sealed = client("kms").encrypt(KeyId="alias/fake", Plaintext=b"fake root key")
    signing = client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    signing_id = signing["KeyMetadata"]["KeyId"]
    public = client("kms").get_public_key(KeyId=signing_id)["PublicKey"]
    client("iam").create_user(UserName="fake-user")
    access = client("iam").create_access_key(UserName="fake-user")["AccessKey"]
    client("iam").create_role(RoleName="fake-role", AssumeRolePolicyDocument="{}")
    client("secretsmanager").create_secret(Name="fake/secret", SecretString="fake value")
    location = {"LocationConstraint": "eu-west-1"}
    client("s3").create_bucket(Bucket="fake-bucket", CreateBucketConfiguration=location)
    client("s3").put_object(Bucket="fake-bucket", Key="a", Body=b"fake snapshot")
    client("sns").create_topic(Name="fake-topic")
    client("logs").create_log_group(logGroupName="fake-group")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("fake.py", "def handler(event, context): pass")
    function = client("lambda").create_function(
        FunctionName="fake-function",
        Runtime="python3.13",
        Role="arn:aws:iam::123456789012:role/fake-role",
        Handler="fake.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    client("secretsmanager").rotate_secret(
        SecretId="fake/secret",
        RotationLambdaARN=function["FunctionArn"],
        RotationRules={"AutomaticallyAfterDays": 30},
        RotateImmediately=False,
    )

    node.kill(aws.NAME)
    client = client_of(aws.start(node, instance, port=port))

    opened = client("kms").decrypt(CiphertextBlob=sealed["CiphertextBlob"])
    assert opened["Plaintext"] == b"fake root key"
    assert client("kms").get_public_key(KeyId=signing_id)["PublicKey"] == public
    keys = client("iam").list_access_keys(UserName="fake-user")["AccessKeyMetadata"]
    assert [k["AccessKeyId"] for k in keys] == [access["AccessKeyId"]]
    assert client("iam").get_role(RoleName="fake-role")["Role"]["RoleName"] == "fake-role"
    secret = client("secretsmanager").get_secret_value(SecretId="fake/secret")
    assert secret["SecretString"] == "fake value"
    body = client("s3").get_object(Bucket="fake-bucket", Key="a")["Body"].read()
    assert body == b"fake snapshot"
    assert client("sns").list_topics()["Topics"][0]["TopicArn"].endswith(":fake-topic")
    groups = client("logs").describe_log_groups()["logGroups"]
    assert [group["logGroupName"] for group in groups] == ["fake-group"]
    kept = client("lambda").get_function(FunctionName="fake-function")["Configuration"]
    assert kept["CodeSha256"] == function["CodeSha256"]
    rotated = client("secretsmanager").describe_secret(SecretId="fake/secret")
    assert rotated["RotationLambdaARN"] == function["FunctionArn"]
    client("kms").create_alias(AliasName="alias/after", TargetKeyId=key)  # goes on, not read-only


def test_a_rotation_is_set_and_begun_as_aws_does(node: DirectNode, instance: Instance) -> None:
    client = client_of(aws.start(node, instance, port=free_port()))
    secrets = client("secretsmanager")
    client("iam").create_role(RoleName="fake-role", AssumeRolePolicyDocument="{}")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("fake.py", "def handler(event, context): pass")
    function = client("lambda").create_function(
        FunctionName="fake-function",
        Runtime="python3.13",
        Role="arn:aws:iam::123456789012:role/fake-role",
        Handler="fake.handler",
        Code={"ZipFile": archive.getvalue()},
    )["FunctionArn"]
    arn = secrets.create_secret(Name="fake/empty")["ARN"]
    rules = {"AutomaticallyAfterDays": 30}
    secrets.rotate_secret(
        SecretId=arn, RotationLambdaARN=function, RotationRules=rules, RotateImmediately=False
    )
    set_up = secrets.describe_secret(SecretId=arn)
    assert (set_up["RotationEnabled"], set_up["RotationRules"]) == (True, rules)
    assert set_up.get("VersionIdsToStages", {}) == {}

    first = secrets.put_secret_value(SecretId=arn, SecretString="fake value")["VersionId"]
    token = "00000000-0000-0000-0000-000000000001"
    secrets.rotate_secret(SecretId=arn, ClientRequestToken=token)
    begun = secrets.describe_secret(SecretId=arn)
    assert begun["VersionIdsToStages"] == {first: ["AWSCURRENT"], token: ["AWSPENDING"]}
    assert begun["RotationLambdaARN"] == function
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "fake value"
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId=arn, VersionStage="AWSPENDING")
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.rotate_secret(SecretId="fake/missing")

    secrets.put_secret_value(
        SecretId=arn, ClientRequestToken=token, SecretString="next", VersionStages=["AWSPENDING"]
    )
    for stage, source, target in (("AWSCURRENT", first, token), ("AWSPENDING", token, None)):
        move = {"MoveToVersionId": target} if target else {}
        secrets.update_secret_version_stage(
            SecretId=arn, VersionStage=stage, RemoveFromVersionId=source, **move
        )
    last = secrets.put_secret_value(SecretId=arn, SecretString="by hand")["VersionId"]
    stages = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
    assert {version: found for version, found in stages.items() if found} == {
        last: ["AWSCURRENT"],
        token: ["AWSPREVIOUS"],
    }


def test_start_again_keeps_the_process_and_the_state_is_private(
    node: DirectNode, instance: Instance
) -> None:
    port = free_port()
    service = aws.start(node, instance, port=port)
    pid = node.started[aws.NAME].pid
    assert aws.start(node, instance, port=port) == service
    assert node.started[aws.NAME].pid == pid
    client_of(service)("iam").create_user(UserName="fake-user")
    state = instance.state_dir / "aws" / "state.pickle"
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert [p.name for p in state.parent.iterdir()] == [state.name]
    written = state.stat().st_mtime_ns
    client_of(service)("iam").list_users()
    assert state.stat().st_mtime_ns == written


def test_the_control_interface_is_closed(node: DirectNode, instance: Instance) -> None:
    service = aws.start(node, instance, port=free_port())
    request = urllib.request.Request(f"{service.endpoint}/moto-api/reset", method="POST")  # noqa: S310 - http on loopback
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request)  # noqa: S310 - http on loopback


def server(state: Path, host: str = "127.0.0.1") -> subprocess.CompletedProcess[str]:
    module = [sys.executable, "-m", "local.services.aws_server", "--state", str(state)]
    return subprocess.run(
        [*module, "--host", host, "--port", str(free_port())],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_state_that_others_could_have_written_is_refused(tmp_path: Path) -> None:
    readable = tmp_path / "readable"
    readable.write_bytes(b"")
    readable.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(readable)
    for state, reason in ((readable, "mode 0640"), (link, "cannot be opened safely")):
        ended = server(state)
        assert ended.returncode == 1
        assert str(state) in ended.stderr
        assert reason in ended.stderr


def test_a_state_of_another_owner_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from local.services.aws_state import StateError, StateFile

    state = tmp_path / "state"
    state.touch(mode=0o600)
    monkeypatch.setattr(os, "geteuid", lambda: state.stat().st_uid + 1)
    with pytest.raises(StateError, match=r"not a regular file of user \d+ with mode 0600"):
        StateFile(state).load()


def test_a_damaged_state_is_kept_and_named(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.touch(mode=0o600)
    ended = server(state)
    assert ended.returncode == 1
    assert "move it away to start empty" in ended.stderr
    assert state.exists()


def test_an_address_that_others_reach_is_refused(tmp_path: Path) -> None:
    ended = server(tmp_path / "state", host="0.0.0.0")  # noqa: S104 - the refused address
    assert ended.returncode == 2
    assert "every access key is accepted" in ended.stderr


def test_a_stand_in_that_does_not_start_is_reported_with_its_log(
    node: DirectNode, instance: Instance
) -> None:
    state = instance.state_dir / "aws" / "state.pickle"
    state.parent.mkdir(parents=True)
    state.touch(mode=0o644)
    port = free_port()
    with pytest.raises(ServiceError, match="did not answer"):
        aws.start(node, instance, port=port, timeout=0)
    node.started[aws.NAME].wait(120)  # now it has said why
    with pytest.raises(ServiceError, match=r"(?s)did not answer .* within 0 s.*refused"):
        aws.start(node, instance, port=port, timeout=0)
