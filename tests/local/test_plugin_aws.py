"""The AWS stand-in against moto on loopback: the life of each resource type."""

from __future__ import annotations

import http.client
import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pulumi
import pytest
from botocore.config import Config
from moto.core.config import default_user_config
from moto.secretsmanager.models import SecretsManagerBackend
from moto.server import ThreadedMotoServer
from pulumi.provider.experimental.property_value import PropertyValue

from local.plugins.aws.provider import AwsProvider
from local.services import aws_rotation
from tests.local.plugin_aws_config import REGION, aws_config
from tests.local.plugin_driver import Driver, Resource

pytestmark = pytest.mark.e2e

KEY = "aws:kms/key:Key"
ALIAS = "aws:kms/alias:Alias"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
USER = "aws:iam/user:User"
USER_POLICY = "aws:iam/userPolicy:UserPolicy"
BUCKET = "aws:s3/bucket:Bucket"
LAMBDA = "aws:lambda/function:Function"
PERMISSION = "aws:lambda/permission:Permission"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
SECRET = "aws:secretsmanager/secret:Secret"
SECRET_POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"

_FILES = tempfile.TemporaryDirectory(prefix="strongroom-tests-")
FUNCTION = f"arn:aws:lambda:{REGION}:123456789012:function:rotate"
TAGS = {"team": "tests"}
OTHER_TAGS = {"team": "others", "stage": "fake"}


def document(action: str, *, spaced: bool = False) -> str:
    """A policy document; `spaced` writes the same in another way."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": "*"}
    if spaced:
        statement = {"Resource": ["*"], "Action": [action], "Effect": "Allow"}
    text = {"Version": "2012-10-17", "Statement": [statement]}
    return json.dumps(text, indent=2 if spaced else None)


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            }
        ],
    }
)


def code(name: str) -> str:
    """An archive on disk, another one for each name, and for each name always the same bytes."""
    path = Path(_FILES.name) / f"{name}.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(zipfile.ZipInfo(f"{name}.py"), "def handler(event, context): pass")
    return str(path)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def _empty(endpoint: str) -> None:
    """Take from the server what the test before left."""
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=10)
    connection.request("POST", "/moto-api/reset")
    assert connection.getresponse().status == http.client.OK
    connection.close()


@pytest.fixture
def driver(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Driver:
    # None of these may matter: a proxy that does not answer, another endpoint, other credentials.
    for name in ("HTTP_PROXY", "http_proxy", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "fake-other-key")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    _empty(endpoint)
    driver = Driver(AwsProvider())
    assert driver.configure(aws_config(endpoint)) == {}
    return driver


@pytest.fixture
def rotating(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function that SecretRotation names; moto calls it and it does nothing."""
    monkeypatch.setitem(default_user_config, "lambda", {"use_docker": False})
    monkeypatch.setattr(SecretsManagerBackend, "rotate_secret", aws_rotation.rotate_secret)
    role = aws("iam").create_role(RoleName="rotate", AssumeRolePolicyDocument=TRUST)["Role"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("rotate.py", "def handler(event, context): pass")
    aws("lambda").create_function(
        FunctionName="rotate",
        Runtime="python3.11",
        Role=role["Arn"],
        Handler="rotate.handler",
        Code={"ZipFile": archive.getvalue()},
    )


@pytest.fixture
def aws(endpoint: str, driver: Driver) -> Any:
    """Another client of the same services."""

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(proxies={}),
        )

    return client


# Inputs that name another resource: made first, and found in the values under its token.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    KEY: (
        {
            "description": "one",
            "enableKeyRotation": True,
            "rotationPeriodInDays": 365,
            "deletionWindowInDays": 7,
            "policy": document("kms:Decrypt"),
            "tags": TAGS,
        },
        {
            "description": "other",
            "enableKeyRotation": False,
            "isEnabled": False,
            "policy": document("kms:Encrypt"),
            "tags": OTHER_TAGS,
        },
    ),
    ALIAS: ({"name": "alias/one", "targetKeyId": f"{KEY}:arn"}, {}),
    ROLE: (
        {"name": "one", "assumeRolePolicy": TRUST, "description": "one", "tags": TAGS},
        {
            "name": "one",
            "assumeRolePolicy": TRUST.replace("root", "user/fake"),
            "maxSessionDuration": 7200,
            "permissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "tags": OTHER_TAGS,
        },
    ),
    ROLE_POLICY: (
        {"role": f"{ROLE}:name", "policy": document("s3:GetObject")},
        {"role": f"{ROLE}:name", "policy": document("s3:PutObject")},
    ),
    USER: (
        {"name": "one", "tags": TAGS},
        {"name": "one", "forceDestroy": True, "tags": OTHER_TAGS},
    ),
    USER_POLICY: (
        {"user": f"{USER}:name", "policy": document("s3:GetObject")},
        {"user": f"{USER}:name", "policy": document("s3:PutObject")},
    ),
    BUCKET: ({"bucket": "one", "tags": TAGS}, {"bucket": "one", "tags": OTHER_TAGS}),
    LAMBDA: (
        {
            "name": "one",
            "role": f"{ROLE}:arn",
            "runtime": "python3.13",
            "handler": "one.handler",
            "code": code("one"),
            "description": "one",
            "timeout": 60,
            "environment": {"variables": {"ONE": "1"}},
            "tags": TAGS,
        },
        {
            "name": "one",
            "role": f"{ROLE}:arn",
            "runtime": "python3.13",
            "handler": "other.handler",
            "code": code("other"),
            "memorySize": 256,
            "environment": {"variables": {"OTHER": "2"}},
            "tags": OTHER_TAGS,
        },
    ),
    PERMISSION: (
        {
            "function": FUNCTION,
            "action": "lambda:InvokeFunction",
            "principal": "secretsmanager.amazonaws.com",
            "sourceAccount": "123456789012",
            "sourceArn": f"arn:aws:secretsmanager:{REGION}:123456789012:secret:fake-AbCdEf",
        },
        {},
    ),
    LOGS: (
        {"name": "/aws/lambda/one", "retentionInDays": 30, "tags": TAGS},
        {"name": "/aws/lambda/one", "tags": OTHER_TAGS},
    ),
    SECRET: (
        {"name": "one", "description": "one", "tags": TAGS, "recoveryWindowInDays": 7},
        {"name": "one", "description": "other", "tags": OTHER_TAGS, "recoveryWindowInDays": 7},
    ),
    SECRET_POLICY: (
        {"secretArn": f"{SECRET}:arn", "policy": document("secretsmanager:GetSecretValue")},
        {"secretArn": f"{SECRET}:arn", "policy": document("secretsmanager:DescribeSecret")},
    ),
    ROTATION: (
        {
            "secretId": f"{SECRET}:arn",
            "rotationLambdaArn": FUNCTION,
            "rotationRules": {"automaticallyAfterDays": 30},
        },
        {
            "secretId": f"{SECRET}:arn",
            "rotationLambdaArn": FUNCTION,
            "rotationRules": {"automaticallyAfterDays": 60},
        },
    ),
}
FOUNDATIONS = {token: inputs for token, (inputs, _) in CASES.items()}
EVERY_TYPE = pytest.mark.parametrize("token", CASES)
NEEDS_FUNCTION = pytest.mark.usefixtures("rotating")


def resolved(driver: Driver, inputs: dict[str, Any]) -> dict[str, Any]:
    """Inputs with `token:property` replaced by that property of a resource made for it."""
    found = dict(inputs)
    for name, value in inputs.items():
        if isinstance(value, str) and value.startswith("aws:"):
            token, _, property_name = value.rpartition(":")
            made = driver.create(token, FOUNDATIONS[token])
            found[name] = made.values[property_name]
    return found


@NEEDS_FUNCTION
@EVERY_TYPE
def test_a_second_up_and_a_refresh_change_nothing(driver: Driver, aws: Any, token: str) -> None:
    inputs = resolved(driver, CASES[token][0])
    made = driver.create(token, inputs)
    made.assert_stable(inputs)
    assert made.values.items() >= {n: v for n, v in inputs.items() if v}.items()


@NEEDS_FUNCTION
@EVERY_TYPE
def test_what_is_gone_is_noticed_and_deleting_it_again_is_no_error(
    driver: Driver, aws: Any, token: str
) -> None:
    made = driver.create(token, resolved(driver, CASES[token][0]))
    made.delete()
    assert not made.refresh()
    made.delete()


@NEEDS_FUNCTION
@pytest.mark.parametrize("token", [t for t, (_, changed) in CASES.items() if changed])
def test_changes_happen_in_place_and_then_nothing_is_left_to_change(
    driver: Driver, aws: Any, token: str
) -> None:
    first, other = CASES[token]
    given = resolved(driver, first)
    made = driver.create(token, given)
    other = {
        n: given[n] if isinstance(v, str) and v.startswith("aws:") else v for n, v in other.items()
    }
    difference = made.difference(other)
    assert difference.changes
    assert difference.replaces == []
    made.update(other)
    made.assert_stable(other)
    made.update(given)  # and back, which takes away what the other inputs added
    made.assert_stable(given)


@NEEDS_FUNCTION
def test_an_archive_is_known_by_what_is_in_it(driver: Driver) -> None:
    def archive(name: str) -> PropertyValue:
        return PropertyValue(pulumi.FileArchive(code(name)))

    inputs = resolved(driver, FOUNDATIONS[LAMBDA])
    made = driver.create(LAMBDA, inputs | {"code": archive("one")})
    made.assert_stable(inputs | {"code": archive("one")})
    assert made.changes(inputs | {"code": archive("other")}) == {"sourceCodeHash"}
    copy = Path(_FILES.name) / "copy.zip"
    copy.write_bytes(Path(code("one")).read_bytes())
    assert made.changes(inputs | {"code": str(copy)}) == set()
    refused = driver.failures(LAMBDA, inputs | {"code": "nowhere.zip"})
    assert refused == {
        "code": "one: code: this stand-in takes an archive in a file of this machine, no other"
    }


@pytest.mark.parametrize("token", [KEY, ROLE, USER, BUCKET, LAMBDA, LOGS, SECRET])
def test_tags_that_the_program_takes_back_are_gone(driver: Driver, token: str) -> None:
    tagged = resolved(driver, FOUNDATIONS[token])
    made = driver.create(token, tagged)
    assert made.values["tagsAll"] == TAGS
    bare = {name: value for name, value in tagged.items() if name != "tags"}
    assert made.changes(bare) == {"tags"}
    made.update(bare)
    assert made.values["tagsAll"] == {}
    made.assert_stable(bare)


@pytest.mark.parametrize("token", [KEY, ROLE_POLICY, USER_POLICY, SECRET_POLICY])
def test_a_policy_written_in_another_way_is_no_change(driver: Driver, aws: Any, token: str) -> None:
    given = resolved(driver, FOUNDATIONS[token])
    made = driver.create(token, given)
    action = json.loads(given["policy"])["Statement"][0]["Action"]
    assert made.changes(given | {"policy": document(action, spaced=True)}) == set()
    assert made.changes(given | {"policy": document("s3:ListBucket")}) == {"policy"}


def test_drift_comes_back_as_a_change(driver: Driver, aws: Any) -> None:
    inputs = CASES[KEY][0]
    key = driver.create(KEY, inputs)
    aws("kms").disable_key_rotation(KeyId=key.id)
    aws("kms").put_key_policy(KeyId=key.id, PolicyName="default", Policy=document("kms:*"))
    aws("kms").untag_resource(KeyId=key.id, TagKeys=["team"])
    assert key.refresh()
    assert key.changes(inputs) == {"enableKeyRotation", "policy", "tags"}


def test_deleting_a_key_schedules_it_with_its_window(driver: Driver, aws: Any) -> None:
    key = driver.create(KEY, {"deletionWindowInDays": 7})
    key.delete()
    about = aws("kms").describe_key(KeyId=key.id)["KeyMetadata"]
    assert about["KeyState"] == "PendingDeletion"
    left = about["DeletionDate"] - about["CreationDate"]
    assert left.days in (6, 7)


def test_a_deleted_secret_can_be_called_back_unless_its_window_is_0(
    driver: Driver, aws: Any
) -> None:
    kept = driver.create(SECRET, {"name": "kept"})
    kept.delete()
    assert aws("secretsmanager").restore_secret(SecretId=kept.id)["Name"] == "kept"
    driver.create(SECRET, {"name": "gone", "recoveryWindowInDays": 0}).delete()
    names = [s["Name"] for s in aws("secretsmanager").list_secrets()["SecretList"]]
    assert names == ["kept"]


def test_a_secret_that_a_killed_engine_made_is_read_by_its_name(driver: Driver) -> None:
    made = driver.create(SECRET, {"name": "begun"})
    adopted = Resource(driver, made.urn, made.inputs, id="begun")
    assert adopted.refresh()
    assert adopted.values["arn"] == made.values["arn"]
    adopted.update({"name": "begun"})  # its window, which AWS does not tell
    adopted.assert_stable({"name": "begun"})
    adopted.delete()
    assert not made.refresh()


def test_the_key_of_an_alias_can_change(driver: Driver, aws: Any) -> None:
    old, new = (driver.create(KEY, {}, name=n) for n in ("old", "new"))
    alias = driver.create(ALIAS, {"name": "alias/one", "targetKeyId": old.id})
    alias.update({"name": "alias/one", "targetKeyId": new.id})
    assert alias.values["targetKeyArn"] == new.values["arn"]
    sealed = aws("kms").encrypt(KeyId="alias/one", Plaintext=b"fake")
    assert sealed["KeyId"] == new.values["arn"]


def test_a_full_bucket_goes_only_by_force(driver: Driver, aws: Any) -> None:
    bucket = driver.create(BUCKET, {"bucket": "full", "forceDestroy": False})
    aws("s3").put_object(Bucket="full", Key="a", Body=b"fake")
    with pytest.raises(Exception, match="BucketNotEmpty"):
        bucket.delete()
    bucket.update({"bucket": "full", "forceDestroy": True})
    bucket.delete()
    assert not bucket.refresh()


def test_a_user_with_keys_made_elsewhere_goes_only_by_force(driver: Driver, aws: Any) -> None:
    user = driver.create(USER, {"name": "one", "forceDestroy": True})
    aws("iam").create_access_key(UserName="one")
    aws("iam").put_user_policy(UserName="one", PolicyName="p", PolicyDocument=document("s3:*"))
    attached = aws("iam").create_policy(PolicyName="p", PolicyDocument=document("s3:*"))["Policy"]
    aws("iam").attach_user_policy(UserName="one", PolicyArn=attached["Arn"])
    user.delete()
    assert not user.refresh()


@pytest.mark.parametrize(
    ("token", "inputs", "wrong"),
    [
        (KEY, {"deletionWindowInDays": 6}, "deletionWindowInDays"),
        (KEY, {"rotationPeriodInDays": 2561}, "rotationPeriodInDays"),
        (ALIAS, {"name": "one", "targetKeyId": "fake"}, "name"),
        (SECRET, {"recoveryWindowInDays": 3}, "recoveryWindowInDays"),
        (ROLE, {}, "assumeRolePolicy"),
        (ROTATION, {"secretId": "fake", "rotationRules": {"duration": "2h"}}, "rotationLambdaArn"),
    ],
)
def test_wrong_inputs_are_refused_at_preview(
    driver: Driver, token: str, inputs: dict[str, Any], wrong: str
) -> None:
    assert driver.failures(token, inputs).keys() == {wrong}
