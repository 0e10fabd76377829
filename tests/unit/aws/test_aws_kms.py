"""The AWS key: who may do what with it, what keeps it, and what is refused before it is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from access.iam import matches, parse
from components.aws.key_policy import ADMINISTER, key_policy
from components.aws.kms import KmsKey, KmsKeyArgs
from tests.unit.support.monitor import Deployment, deploy

KEY = "aws:kms/key:Key"
ALIAS = "aws:kms/alias:Alias"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/fake-vault"
GIVEN: dict[str, Any] = {
    "alias": "strongroom-test/vault-unseal",
    "description": "Unseals the Vault of tests",
    "account_id": ACCOUNT,
    "users": (ROLE,),
}
MADE = {
    KEY: {"arn": "arn:of:key", "keyId": "id-of-key"},
    ALIAS: {"targetKeyArn": "arn:of:key"},
}
EVERY_MODE = pytest.mark.parametrize("preview", [False, True])


def key(preview: bool, **changes: Any) -> Deployment:
    def program() -> None:
        provider = aws.Provider("aws", region="eu-central-1")
        made = KmsKey(
            "unseal",
            KmsKeyArgs(**(GIVEN | changes)),
            pulumi.ResourceOptions(providers=[provider]),
        )
        assert made.alias == "alias/strongroom-test/vault-unseal"  # known, in a preview too
        pulumi.export("arn", made.arn)

    return deploy(program, preview=preview, outputs=MADE)


def statements(deployed: Deployment) -> Mapping[str, Any]:
    policy = json.loads(deployed.one(KEY).inputs["policy"])
    return {each["Sid"]: each for each in policy["Statement"]}


@EVERY_MODE
def test_a_key_and_its_alias_are_made_with_the_explicit_provider(preview: bool) -> None:
    deployed = key(preview)
    assert deployed.tree() == [
        "pulumi:providers:aws aws",
        "strongroom:aws:KmsKey unseal",
        f"  {ALIAS} unseal-alias",
        f"  {KEY} unseal-key",
    ]
    assert deployed.one(KEY).provider == "aws"
    assert deployed.one(ALIAS).provider == "aws"
    assert deployed.one(ALIAS).inputs["name"] == "alias/strongroom-test/vault-unseal"
    assert deployed.one(KEY).urn in deployed.one(ALIAS).depends_on


@EVERY_MODE
def test_the_key_rotates_and_waits_longest_before_it_is_gone(preview: bool) -> None:
    inputs = key(preview).one(KEY).inputs
    assert inputs["enableKeyRotation"] is True
    assert inputs["rotationPeriodInDays"] == 365
    assert inputs["deletionWindowInDays"] == 30
    assert inputs["tags"]["part-of"] == "strongroom"
    # Its default, false, is what keeps a policy from locking everybody out.
    assert "bypassPolicyLockoutSafetyCheck" not in inputs


@EVERY_MODE
def test_exactly_the_named_roles_use_the_key_and_cannot_administer_it(preview: bool) -> None:
    other = ROLE + "-other"
    use = statements(key(preview, users=(other, ROLE, ROLE)))["Use"]
    assert use["Principal"] == {"AWS": [ROLE, other]}
    assert use["Action"] == ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"]


@EVERY_MODE
def test_the_account_root_administers_and_cannot_use_or_hand_on(preview: bool) -> None:
    administer = statements(key(preview))["Administer"]
    assert administer["Principal"] == {"AWS": [f"arn:aws:iam::{ACCOUNT}:root"]}
    assert "kms:PutKeyPolicy" in administer["Action"]
    for use in ("Decrypt", "Encrypt", "ReEncryptFrom", "GenerateDataKey", "Sign", "CreateGrant"):
        assert not any(matches(allowed, f"kms:{use}") for allowed in administer["Action"])


def test_no_statement_has_a_wildcard_for_principals_or_actions() -> None:
    document = parse(key_policy(account_id=ACCOUNT, users=(ROLE,)))
    assert len(document.statements) == 2
    for statement in document.statements:
        assert not any("*" in principal.value for principal in statement.principals)
        assert not any("*" in action for action in statement.actions)
    assert len(set(ADMINISTER)) == len(ADMINISTER)


def test_the_root_is_of_the_users_partition() -> None:
    chinese = f"arn:aws-cn:iam::{ACCOUNT}:role/fake"
    policy = json.loads(key_policy(account_id=ACCOUNT, users=(chinese,)))
    assert policy["Statement"][0]["Principal"] == {"AWS": [f"arn:aws-cn:iam::{ACCOUNT}:root"]}


@EVERY_MODE
@pytest.mark.parametrize("protect", [False, True])
def test_protection_also_keeps_what_the_program_forgets(preview: bool, protect: bool) -> None:
    deployed = key(preview, protect=protect)
    for resource in (deployed.one(KEY), deployed.one(ALIAS)):
        assert resource.protect is protect
        assert resource.request.retainOnDelete is protect


def test_protection_is_the_default() -> None:
    assert KmsKeyArgs(**GIVEN).protect


def test_the_arn_is_known_after_the_key_and_its_alias() -> None:
    assert key(False).exports == {"arn": "arn:of:key"}
    assert key(True).exports == {}  # one unknown export leaves all of them open


@EVERY_MODE
def test_a_stand_in_needs_no_users(preview: bool) -> None:
    assert statements(key(preview, users=(), stand_in=True)).keys() == {"Administer"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"users": ()}, r"users: \(\) lets nobody use the key; Vault would stay sealed\. Name"),
        ({"users": ("*",)}, r"users: '\*' is no role's ARN; .* more widely .*Name one role"),
        ({"users": (ROLE, f"arn:aws:iam::{ACCOUNT}:role/*")}, r"role/\*' is no role's ARN"),
        ({"users": (f"arn:aws:iam::{ACCOUNT}:root",)}, r":root' is no role's ARN"),
        ({"users": (f"arn:aws:iam::{ACCOUNT}:user/fake",)}, r"user/fake' is no role's ARN"),
        (
            {"users": (ROLE, "arn:aws:iam::210987654321:role/fake")},
            r"210987654321:role/fake' is not in account 123456789012; another account's",
        ),
        ({"alias": "alias/vault"}, r"alias: 'alias/vault' begins .* Write 'vault'"),
        ({"alias": "aws/vault"}, r"alias: 'aws/vault' begins .* Write 'vault'"),
        ({"alias": ""}, r"alias: '' is no name of a key; .* Use letters"),
        ({"alias": "vault*"}, r"alias: 'vault\*' is no name of a key"),
        ({"description": " "}, r"description: ' ' does not tell .* Say what is lost"),
        ({"account_id": "12345"}, r"account_id: '12345' is no account; .* 12 digits"),
        ({"deletion_window": 6}, r"deletion_window: 6 is outside 7 to 30 days; .* Use 30"),
        ({"deletion_window": 31}, r"deletion_window: 31 is outside"),
        ({"rotation_days": 89}, r"rotation_days: 89 is outside 90 to 2560 days; .* Use 365"),
        ({"rotation_days": 2561}, r"rotation_days: 2561 is outside"),
    ],
)
def test_a_wrong_key_is_refused_with_its_consequence_and_the_way_out(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        KmsKeyArgs(**(GIVEN | changes))
