"""The rules of .sops.yaml: made of stacks' keys, read back, and applied as sops applies them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sealing.sops_rules import Folder, Rule, read, render, rule_for, rules_for
from vaultops.errors import VaultOpsError

AGE = "age1" + "q" * 58
KMS = "arn:aws:kms:eu-central-1:123456789012:alias/prod"
GCP = "projects/example/locations/eu/keyRings/r/cryptoKeys/k"
FIELDS = "^(data|stringData)$"


def folder(stack: str, path: str, **keys: object) -> Folder:
    given: dict[str, object] = {"stack": stack, "folder": path, "encrypted_regex": FIELDS}
    return Folder(**(given | keys))  # type: ignore[arg-type]


PROD = folder("prod", "secrets/production", aws_kms=KMS, aws_profile="production")
DEV = folder("dev", "secrets/dev", age=(AGE,))


def test_each_stack_has_one_rule_with_its_keys_and_fields() -> None:
    document = yaml.safe_load(render(rules_for([PROD, DEV])))
    assert document["creation_rules"] == [
        {
            "path_regex": r"^secrets/dev/.*\.(ya?ml|json)$",
            "encrypted_regex": FIELDS,
            "age": AGE,
        },
        {
            "path_regex": r"^secrets/production/.*\.(ya?ml|json)$",
            "encrypted_regex": FIELDS,
            "kms": KMS,
            "aws_profile": "production",
        },
    ]


def test_a_role_and_several_kinds_of_keys_are_written_as_sops_reads_them() -> None:
    role = "arn:aws:iam::123456789012:role/sops"
    wanted = folder(
        "prod", "secrets", aws_kms=KMS, aws_role=role, gcp_kms=GCP, age=(AGE, AGE + "x")
    )
    (entry,) = yaml.safe_load(render(rules_for([wanted])))["creation_rules"]
    assert entry["kms"] == f"{KMS}+{role}"
    assert entry["gcp_kms"] == GCP
    assert entry["age"] == f"{AGE},{AGE}x"


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    rules = rules_for([PROD, DEV])
    path = tmp_path / ".sops.yaml"
    path.write_text(render(rules))
    assert read(path) == rules


def test_the_deepest_folder_comes_first() -> None:
    rules = rules_for(
        [folder("dev", "secrets", age=(AGE,)), folder("gpu", "secrets/gpu", aws_kms=KMS)]
    )
    found = rule_for(rules, "secrets/gpu/key.yaml")
    assert found is not None
    assert found.recipients == frozenset({KMS})
    other = rule_for(rules, "secrets/key.yaml")
    assert other is not None
    assert other.recipients == frozenset({AGE})


@pytest.mark.parametrize(
    "path",
    [
        "other/secrets/dev/a.yaml",
        "secrets/devel/a.yaml",
        "secrets/dev/README.md",
        "secretsxdev/a.yaml",
    ],
)
def test_other_files_are_under_no_rule(path: str) -> None:
    assert rule_for(rules_for([DEV]), path) is None


def test_two_stacks_do_not_share_a_folder() -> None:
    with pytest.raises(VaultOpsError, match="stacks dev and prod share the folder secrets"):
        rules_for([folder("dev", "secrets", age=(AGE,)), folder("prod", "secrets", aws_kms=KMS)])


def test_recipients_are_keys_without_roles_and_unknown_for_groups() -> None:
    rule = Rule(path_regex="", encrypted_regex=None, aws_kms=(f"{KMS}+arn:role",), age=(AGE,))
    assert rule.recipients == frozenset({KMS, AGE})
    grouped = Rule(path_regex="", encrypted_regex=None, age=(AGE,), grouped=True)
    assert grouped.recipients is None


def test_rules_by_other_hands_are_read(tmp_path: Path) -> None:
    path = tmp_path / ".sops.yaml"
    path.write_text(
        f"creation_rules:\n  - path_regex: x\n    age: [{AGE}]\n"
        f"  - key_groups: [{{age: [{AGE}]}}]\n"
        "  - pgp: 'FAKE 00, FAKE 01'\n    hc_vault_transit_uri: [https://fake/v1/transit/keys/a]\n"
        "  - hckms: [fake]\n"
    )
    first, second, third, fourth = read(path)
    assert first.recipients == frozenset({AGE})
    assert (second.path_regex, second.recipients) == ("", None)
    vault_key = "https://fake/v1/transit/keys/a"
    assert third.recipients == frozenset({"FAKE00", "FAKE01", vault_key})
    assert fourth.recipients is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "creation_rules: []",
        "a: [",
        "creation_rules: [text]",
        "creation_rules: [{path_regex: '('}]",
        "creation_rules: \xff",
    ],
)
def test_no_usable_rules_are_an_error_and_not_a_pass(tmp_path: Path, text: str) -> None:
    path = tmp_path / ".sops.yaml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(VaultOpsError, match="rules cannot be read"):
        read(path)
    with pytest.raises(VaultOpsError, match="rules cannot be read"):
        read(tmp_path / "none")
