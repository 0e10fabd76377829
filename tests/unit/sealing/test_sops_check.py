"""What lies in clear is found, wherever it stands; values are never part of a finding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sealing.sops_check import Finding, check
from sealing.sops_rules import Rule

AGE = "age1" + "q" * 58
KMS = "arn:aws:kms:eu-central-1:123456789012:key/fake"
RULE = Rule(path_regex="^secrets/", encrypted_regex="^(data|stringData)$", age=(AGE,))
ALL = Rule(path_regex="^secrets/", encrypted_regex=None, age=(AGE,))
ENC = "ENC[AES256_GCM,data:ZmFrZQ==,iv:x,tag:y,type:str]"
CLEAR = "fake-plaintext"


def encrypted(**changes: Any) -> dict[str, Any]:
    given = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "a"},
        "stringData": {"token": ENC},
        "sops": {"age": [{"recipient": AGE, "enc": "…"}], "mac": "fake"},
    }
    return given | changes


def run(
    folder: Path, *documents: Any, rule: Rule = RULE, name: str = "secrets/a.yaml"
) -> list[Finding]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump_all(documents))
    found = check(folder, [folder], [rule])
    assert CLEAR not in str(found)
    assert {f.path for f in found} <= {str(path)}
    return found


def whats(found: list[Finding]) -> list[tuple[str, str]]:
    return [(f.field, f.what) for f in found]


def test_an_encrypted_file_passes(tmp_path: Path) -> None:
    assert run(tmp_path, encrypted()) == []


def test_a_file_without_encryption_is_found(tmp_path: Path) -> None:
    plain = encrypted(stringData={"token": CLEAR})
    del plain["sops"]
    assert whats(run(tmp_path, plain)) == [("", "is not encrypted at all")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"stringData": {"token": ENC, "second": CLEAR}}, "stringData.second"),
        ({"stringData": {"deep": {"er": [ENC, CLEAR]}}}, "stringData.deep.er.1"),
        ({"spec": {"inner": {"data": CLEAR}}}, "spec.inner.data"),
        ({"data": 12345}, "data"),
        ({"stringData": {"token": "x" + ENC}}, "stringData.token"),
    ],
    ids=["second field", "in a list", "below another", "a number", "only looks like it"],
)
def test_a_field_in_clear_is_found(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    assert whats(run(tmp_path, encrypted(**changes))) == [(field, "is in clear")]


def test_the_second_document_is_looked_at_too(tmp_path: Path) -> None:
    second = encrypted(stringData={"token": CLEAR})
    assert whats(run(tmp_path, encrypted(), second)) == [("stringData.token", "is in clear")]


def test_fields_that_no_rule_covers_stay_readable(tmp_path: Path) -> None:
    assert run(tmp_path, encrypted(metadata={"name": "a", "labels": {"team": "ml"}})) == []
    found = whats(run(tmp_path, encrypted(), rule=ALL))
    assert ("metadata.name", "is in clear") in found


def test_empty_values_are_left_as_sops_leaves_them(tmp_path: Path) -> None:
    assert run(tmp_path, encrypted(stringData={"token": ENC, "empty": "", "none": None})) == []


def test_keys_that_differ_from_the_rules_are_found_either_way(tmp_path: Path) -> None:
    foreign = encrypted(sops={"kms": [{"arn": KMS}], "mac": "fake"})
    assert whats(run(tmp_path, foreign)) == [
        ("", f"can be opened with {KMS}, which its rule does not name"),
        ("", f"cannot be opened with {AGE}, which its rule names"),
    ]
    grouped = Rule(path_regex="^secrets/", encrypted_regex=RULE.encrypted_regex, grouped=True)
    assert run(tmp_path, foreign, rule=grouped) == []


OTHERS = {
    "pgp": ({"fp": "FAKE00", "enc": "…"}, "FAKE00"),
    "azure_kv": (
        {"vault_url": "https://fake.vault", "name": "a", "version": "1"},
        "https://fake.vault/keys/a/1",
    ),
    "hc_vault": (
        {"vault_address": "https://fake", "engine_path": "transit", "key_name": "a"},
        "https://fake/v1/transit/keys/a",
    ),
    "hckms": ({"key_id": "fake"}, "a key of hckms"),
    "plugins": ("fake", "a key of plugins"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_key_of_any_kind_that_the_rule_does_not_name_is_found(tmp_path: Path, kind: str) -> None:
    entry, name = OTHERS[kind]
    also = encrypted(sops={"age": [{"recipient": AGE}], kind: [entry]})
    assert whats(run(tmp_path, also)) == [
        ("", f"can be opened with {name}, which its rule does not name")
    ]
    named = Rule(path_regex="^secrets/", encrypted_regex=None, age=(AGE,), others=(name,))
    assert {f.what for f in run(tmp_path, also, rule=named)} == {"is in clear"}


@pytest.mark.parametrize("several", [False, True])
def test_a_secret_in_clear_outside_every_rule_is_found(tmp_path: Path, several: bool) -> None:
    plain: dict[str, Any] = {"kind": "Secret", "stringData": {"token": CLEAR}}
    if several:
        plain = {"kind": "List", "items": [{"kind": "ConfigMap"}, plain]}
    assert whats(run(tmp_path, plain, name="deploy/a.yaml")) == [
        ("", "is a Secret in clear, and under no rule")
    ]


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "ConfigMap", "data": {"a": "b"}},
        {"kind": "Secret", "data": {}},
        ["list"],
        encrypted(),
    ],
    ids=["no secret", "empty", "no object", "encrypted"],
)
def test_other_files_outside_the_rules_are_none_of_its_business(
    tmp_path: Path, document: Any
) -> None:
    assert run(tmp_path, document, name="deploy/a.yaml") == []


def test_what_cannot_be_parsed_is_a_finding_under_a_rule_only(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    for name in ("secrets/broken.yaml", "broken.yaml"):
        (tmp_path / name).write_text(f"a: [{CLEAR}")
    (finding,) = check(tmp_path, [tmp_path], [RULE])
    assert finding.path.endswith("secrets/broken.yaml")
    assert CLEAR not in str(finding)


def test_json_may_be_indented_with_tabs_as_sops_does(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "a.json"
    path.parent.mkdir()
    path.write_text(json.dumps(encrypted(stringData={"token": CLEAR}), indent="\t"))
    assert whats(check(tmp_path, [path], [RULE])) == [("stringData.token", "is in clear")]


def test_paths_count_from_the_rules_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = encrypted(stringData={"token": CLEAR})
    run(tmp_path, plain)
    monkeypatch.chdir(tmp_path / "secrets")
    assert len(check(tmp_path, [Path("a.yaml")], [RULE])) == 1
