"""The rotating secret: who may do what, what keeps it, and that no value is ever registered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from access.iam import parse
from components.aws.rotating_secret import RotatingSecret, RotatingSecretArgs
from components.aws.rotation_function import Network
from components.aws.rotation_policies import Place, function_rights
from tests.unit.support.judging import broken
from tests.unit.support.monitor import UNKNOWN, Deployment, deploy

ACCOUNT = "123456789012"
REGION = "eu-central-1"
HERE = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret"
MASTER = f"{HERE}:fake/master-AbCdEf"
SECRET_ARN = f"{HERE}:ml/fake-GhIjKl"
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/fake-key"
READER, WRITER = (f"arn:aws:iam::{ACCOUNT}:role/fake-{who}" for who in ("reader", "deployer"))
FUNCTION_ROLE = f"arn:aws:iam::{ACCOUNT}:role/rotate-fake"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rotate-fake"

SECRET = "aws:secretsmanager/secret:Secret"
POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"
SCHEDULE = "aws:secretsmanager/secretRotation:SecretRotation"
FUNCTION = "aws:lambda/function:Function"
PERMISSION = "aws:lambda/permission:Permission"
ROLE = "aws:iam/role:Role"
RIGHTS = "aws:iam/rolePolicy:RolePolicy"
LOG = "aws:cloudwatch/logGroup:LogGroup"
KEY = "aws:kms/key:Key"
MADE = {
    SECRET: {"arn": SECRET_ARN},
    KEY: {"arn": KEY_ARN, "keyId": "fake-key"},
    "aws:kms/alias:Alias": {"targetKeyArn": KEY_ARN},
    ROLE: {"arn": FUNCTION_ROLE},
    FUNCTION: {"arn": FUNCTION_ARN},
}
GIVEN: dict[str, Any] = {
    "identifier": "rotate-fake",
    "secret": "ml/fake",
    "description": "A login that does not exist",
    "region": REGION,
    "account_id": ACCOUNT,
    "master": MASTER,
    "readers": (READER,),
    "writers": (WRITER,),
    "handler": "function.handler",
    "user": "fake",
}
NETWORK = Network(subnets=("subnet-0a1b",), security_groups=("sg-0c2d",))
EVERY_MODE = pytest.mark.parametrize("preview", [False, True])


def code() -> pulumi.Archive:
    return pulumi.AssetArchive({"function.py": pulumi.StringAsset("def handler(e, c): ...")})


def secret(preview: bool = False, **changes: Any) -> Deployment:
    def program() -> None:
        provider = aws.Provider("aws", region=REGION)
        made = RotatingSecret(
            "fake",
            RotatingSecretArgs(**(GIVEN | {"code": code()} | changes)),
            pulumi.ResourceOptions(providers=[provider]),
        )
        assert made.function_role == FUNCTION_ROLE  # known, in a preview too
        pulumi.export("arn", made.arn)

    return deploy(program, preview=preview, outputs=MADE)


def statements(text: str) -> Mapping[str, Any]:
    return {each["Sid"]: each for each in json.loads(text)["Statement"]}


@EVERY_MODE
def test_the_tree_holds_no_version_of_the_secret(preview: bool) -> None:
    deployed = secret(preview)
    assert deployed.tree() == [
        "pulumi:providers:aws aws",
        "strongroom:aws:RotatingSecret fake",
        f"  {ROLE} fake-role",
        f"  {RIGHTS} fake-rights",
        f"  {PERMISSION} fake-invoke",
        f"  {SECRET} fake-secret",
        f"  {POLICY} fake-access",
        f"  {SCHEDULE} fake-schedule",
        "  strongroom:aws:KmsKey fake-key",
        "    aws:kms/alias:Alias fake-key-alias",
        f"    {KEY} fake-key-key",
        "  strongroom:aws:RotationFunction fake-rotation",
        f"    {LOG} fake-rotation-log",
        f"    {RIGHTS} fake-rotation-rights",
        f"    {FUNCTION} fake-rotation-function",
    ]
    assert {r.provider for r in deployed.resources if r.custom and r.parent} == {"aws"}
    assert not any(r.secret_inputs for r in deployed.resources)  # there is nothing to hide


@EVERY_MODE
def test_the_schedule_waits_for_everything_and_starts_no_rotation(preview: bool) -> None:
    deployed = secret(preview, rotation_days=90)
    schedule = deployed.one(SCHEDULE)
    assert schedule.inputs["rotationRules"] == {"automaticallyAfterDays": 90}
    assert schedule.inputs["rotateImmediately"] is False
    needed = {deployed.one(kind).urn for kind in (PERMISSION, POLICY, FUNCTION, SECRET)}
    assert needed | {deployed.one(RIGHTS, "fake-rights").urn} <= schedule.depends_on


@EVERY_MODE
def test_the_key_waits_for_the_role_that_its_policy_names(preview: bool) -> None:
    deployed = secret(preview)
    assert deployed.one(ROLE).urn in deployed.one(KEY).depends_on
    assert deployed.one(ROLE).urn in deployed.one(POLICY).depends_on
    key = statements(deployed.one(KEY).inputs["policy"])
    by_service = {"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}}
    assert key["Use"]["Principal"] == {"AWS": sorted([FUNCTION_ROLE, WRITER])}
    assert key["Read"]["Principal"] == {"AWS": [READER]}
    assert key["Read"]["Action"] == ["kms:Decrypt"]
    assert key["Use"]["Condition"] == key["Read"]["Condition"] == by_service
    assert set(key) == {"Administer", "Use", "Read"}


@EVERY_MODE
def test_only_readers_and_function_read_and_nobody_is_locked_out_of_the_policy(
    preview: bool,
) -> None:
    policy = statements(secret(preview).one(POLICY).inputs["policy"])
    assert policy["Read"]["Principal"] == {"AWS": [READER]}
    read, write = policy["ReadByNobodyElse"], policy["WrittenByNobodyElse"]
    for denial, roles in ((read, (READER, FUNCTION_ROLE)), (write, (WRITER, FUNCTION_ROLE))):
        assert (denial["Effect"], denial["Principal"]) == ("Deny", "*")
        assert denial["Condition"] == {"StringNotEquals": {"aws:PrincipalArn": sorted(roles)}}
    assert "secretsmanager:GetSecretValue" in read["Action"]
    assert "secretsmanager:BatchGetSecretValue" in read["Action"]
    denied = {*read["Action"], *write["Action"]}
    for way_back in ("PutResourcePolicy", "DeleteResourcePolicy", "DeleteSecret", "RotateSecret"):
        assert not any(a in denied for a in (f"secretsmanager:{way_back}", "secretsmanager:*"))
    assert secret(preview).one(POLICY).inputs["blockPublicPolicy"] is True


def test_the_function_may_rotate_this_secret_and_read_its_administrator_and_no_more() -> None:
    rights = statements(secret().one(RIGHTS, "fake-rights").inputs["policy"])
    assert {sid: each["Resource"] for sid, each in rights.items()} == {
        "Rotate": SECRET_ARN,
        "ReadTheAdministrator": MASTER,
        "UseItsKey": KEY_ARN,
    }
    assert rights["ReadTheAdministrator"]["Action"] == "secretsmanager:GetSecretValue"
    other = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/fake-master-key"
    more = secret(master_key=other).one(RIGHTS, "fake-rights").inputs["policy"]
    opened = statements(more)["OpenTheAdministrator"]
    assert (opened["Action"], opened["Resource"]) == (["kms:Decrypt"], other)
    for statement in parse(more).statements:
        assert not any("*" in text for text in (*statement.actions, *statement.resources))


def test_the_rights_are_unknown_only_until_the_secret_is_there() -> None:
    assert secret(True).one(RIGHTS, "fake-rights").inputs["policy"] == UNKNOWN
    unknown = [
        each.name
        for each in secret(True).resources
        for name, value in each.inputs.items()
        if name in ("policy", "assumeRolePolicy") and value == UNKNOWN
    ]
    assert unknown == ["fake-rights"]


@EVERY_MODE
def test_only_lambda_takes_on_the_role_and_only_for_this_function(preview: bool) -> None:
    (trust,) = statements(secret(preview).one(ROLE).inputs["assumeRolePolicy"]).values()
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnEquals": {"aws:SourceArn": FUNCTION_ARN},
    }


def test_only_secrets_manager_calls_the_function_and_only_for_this_secret() -> None:
    assert secret().one(PERMISSION).inputs == {
        "function": FUNCTION_ARN,
        "action": "lambda:InvokeFunction",
        "principal": "secretsmanager.amazonaws.com",
        "sourceAccount": ACCOUNT,
        "sourceArn": SECRET_ARN,
    }


@EVERY_MODE
def test_the_function_runs_the_code_handed_in_and_its_log_is_not_kept_for_ever(
    preview: bool,
) -> None:
    deployed = secret(preview, log_days=30)
    function = deployed.one(FUNCTION)
    assert function.inputs["handler"] == "function.handler"
    assert function.inputs["environment"]["variables"] == {
        "SECRET_ARN": UNKNOWN if preview else SECRET_ARN,
        "ADMIN_SECRET_ARN": MASTER,
        "USERS": "fake,fake_clone",
        "OWNER_ROLE": "fake_owner",
    }
    assert "vpcConfig" not in function.inputs
    log = deployed.one(LOG)
    assert (log.inputs["name"], log.inputs["retentionInDays"]) == ("/aws/lambda/rotate-fake", 30)
    assert log.urn in function.depends_on


@EVERY_MODE
def test_in_a_network_only_lambda_itself_touches_interfaces(preview: bool) -> None:
    deployed = secret(preview, network=NETWORK)
    assert deployed.one(FUNCTION).inputs["vpcConfig"] == {
        "subnetIds": ["subnet-0a1b"],
        "securityGroupIds": ["sg-0c2d"],
    }
    rights = deployed.one(RIGHTS, "fake-rotation-rights")
    assert rights.urn in deployed.one(FUNCTION).depends_on
    by_sid = statements(rights.inputs["policy"])
    allowed = {*by_sid["AttachToNetwork"]["Action"], *by_sid["SeeNetwork"]["Action"]}
    assert set(by_sid["NeverByTheCode"]["Action"]) == allowed
    assert by_sid["NeverByTheCode"]["Condition"] == {
        "ArnEquals": {"lambda:SourceFunctionArn": FUNCTION_ARN}
    }


@EVERY_MODE
@pytest.mark.parametrize("protect", [False, True])
def test_protection_and_recovery_hold_for_secret_and_key(preview: bool, protect: bool) -> None:
    deployed = secret(preview, protect=protect, recovery_window=7)
    for kind in (SECRET, KEY):
        assert deployed.one(kind).protect is protect
        assert deployed.one(kind).request.retainOnDelete is protect
    assert deployed.one(SECRET).inputs["recoveryWindowInDays"] == 7
    assert deployed.one(KEY).inputs["deletionWindowInDays"] == 7


@EVERY_MODE
@pytest.mark.parametrize("network", [None, NETWORK])
def test_it_breaks_no_rule_of_the_project(preview: bool, network: Network | None) -> None:
    assert broken(secret(preview, network=network)) == set()


@pytest.mark.parametrize(
    ("resource", "property_name", "old", "new", "rule"),
    [
        ("fake_rights", "policy", SECRET_ARN, "*", "iam-secret-reads-are-named"),
        ("fake_rights", "policy", MASTER, f"{HERE}:*", "iam-secret-reads-are-named"),
        ("fake_rights", "policy", KEY_ARN, "*", "iam-secret-reads-are-named"),
        ("fake_rights", "policy", "kms:Decrypt", "kms:*", "iam-no-full-actions"),
        ("fake_access", "policy", READER, "*", "secret-policy-names-principals"),
        ("fake_key_key", "policy", READER, "*", "kms-key-policy-names-principals"),
    ],
)
def test_a_widened_document_breaks_a_rule(
    resource: str, property_name: str, old: str, new: str, rule: str
) -> None:
    deployed = secret()
    (made,) = (r for r in deployed.resources if r.custom and r.name == resource.replace("_", "-"))
    text = made.inputs[property_name]
    assert old in text
    assert rule in broken(deployed, **{resource: {property_name: text.replace(old, new)}})


@pytest.mark.parametrize(
    ("resource", "inputs", "rule"),
    [
        ("fake_secret", {"recoveryWindowInDays": 7}, "secret-recovery-window"),
        ("fake_secret", {"kmsKeyId": ""}, "secret-has-own-key"),
        (
            "fake_schedule",
            {"rotationRules": {"automaticallyAfterDays": 91}},
            "secret-rotation-is-frequent",
        ),
        ("fake_schedule", {"secretId": f"{HERE}:other-AbCdEf"}, ""),
    ],
)
def test_a_weakened_resource_breaks_a_rule(
    resource: str, inputs: dict[str, Any], rule: str
) -> None:
    found = broken(secret(), **{resource: inputs})
    assert found == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rotation_days": 91}, r"rotation_days: 91 is outside 1 to 90 days; .* Use 30"),
        ({"rotation_days": 0}, r"rotation_days: 0 is outside"),
        ({"recovery_window": 0}, r"recovery_window: 0 is outside 7 to 30 days; .* gone at once"),
        ({"recovery_window": 31}, r"recovery_window: 31 is outside"),
        ({"readers": ()}, r"readers: \(\) lets nobody in\. Name roles, for example arn:aws:iam"),
        ({"readers": (READER, "*")}, r"readers: '\*' is no role's ARN; .* Name one role"),
        ({"writers": ()}, r"writers: \(\) lets nobody in"),
        ({"writers": (f"arn:aws:iam::{ACCOUNT}:root",)}, r"writers: .*:root' is no role's ARN"),
        (
            {"readers": ("arn:aws:iam::210987654321:role/fake",)},
            r"is not in account 123456789012; another account's",
        ),
        ({"secret": "ml/fake-AbCdEf"}, r"secret: 'ml/fake-AbCdEf' is no name .* end of an ARN"),
        ({"secret": "ml/*"}, r"secret: 'ml/\*' is no name for a secret"),
        ({"master": f"{HERE}:fake/master-??????"}, r"master: .* is no ARN of one secret; .* whole"),
        ({"master": MASTER.replace(REGION, "eu-west-1")}, r"is not in eu-central-1 of account"),
        ({"user": "fake; --"}, r"role name 'fake; --' is no plain name"),
        ({"owner": "fake"}, r"names one role twice"),
        ({"master_key": "alias/fake"}, r"master_key: 'alias/fake' is no ARN of one key; .* alias"),
    ],
)
def test_a_wrong_secret_is_refused_with_its_consequence_and_the_way_out(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        RotatingSecretArgs(**(GIVEN | {"code": code()} | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"log_days": 31}, r"log_days: 31 is no period that CloudWatch Logs knows"),
        ({"handler": "function"}, r"handler: 'function' names no function in the code"),
        ({"identifier": "a" * 65}, r"name: 'a+' is no name of a function and a role"),
    ],
)
def test_a_wrong_function_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        secret(**changes)


@pytest.mark.parametrize("changes", [{"subnets": ()}, {"security_groups": ("subnet-0a1b",)}])
def test_a_network_names_subnets_and_groups(changes: dict[str, Any]) -> None:
    given = {"subnets": ("subnet-0a1b",), "security_groups": ("sg-0c2d",)}
    with pytest.raises(ValueError, match="does not name where the function runs"):
        Network(**(given | changes))


def test_another_partition_is_kept() -> None:
    place = Place(partition="aws-cn", region="cn-north-1", account_id=ACCOUNT)
    assert "arn:aws-cn:logs:cn-north-1" in function_rights(place, "fake", in_network=False)
    assert place.arn("iam", "role/fake") == f"arn:aws-cn:iam::{ACCOUNT}:role/fake"
