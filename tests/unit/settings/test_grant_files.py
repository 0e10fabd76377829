"""Grants in files: they count like those of the stack file, and mistakes name file and place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import Settings, SettingsError
from settings.reader import MOST_BYTES, read
from tests.unit.support.stacks import changed, engine_config

GRANT = {
    "name": "ml-app",
    "serviceAccounts": ["ml-app-sa"],
    "namespaces": ["ml-training"],
    "secrets": ["secret/ml/mlflow"],
}
OTHER = GRANT | {"name": "vision"}
TEXT = yaml.safe_dump([OTHER])


def read_stack(**changes: Any) -> Settings:
    return read(engine_config(changed("dev", changes)), secret_keys=set(), source="Pulumi.dev.yaml")


def mistakes(**changes: Any) -> SettingsError:
    with pytest.raises(SettingsError) as raised:
        read_stack(**changes)
    return raised.value


def test_grants_of_the_stack_file_come_first_then_each_file_in_turn(tmp_path: Path) -> None:
    (tmp_path / "vision.yaml").write_text(TEXT)
    (tmp_path / "audio.yaml").write_text(yaml.safe_dump([GRANT | {"name": "audio"}]))
    (tmp_path / "none-yet.yaml").write_text("[]")
    (tmp_path / "README.md").write_text("How a team asks for a secret.")
    (tmp_path / ".hidden").write_text("no list")
    settings = read_stack(grants=[GRANT], grantFiles=str(tmp_path))
    assert [grant.name for grant in settings.grants] == ["ml-app", "audio", "vision"]


def test_files_alone_are_enough(tmp_path: Path) -> None:
    (tmp_path / "vision.yaml").write_text(TEXT)
    assert [g.name for g in read_stack(grantFiles=str(tmp_path)).grants] == ["vision"]


def test_a_mistake_names_its_file_and_place_beside_those_of_the_stack_file(tmp_path: Path) -> None:
    file = tmp_path / "vision.yaml"
    file.write_text(yaml.safe_dump([OTHER, OTHER | {"name": "wide", "secrets": ["secret/*"]}]))
    error = mistakes(
        grants=[GRANT, GRANT | {"name": "x", "ttl": "48h"}], grantFiles=str(tmp_path), vualt=1
    )
    assert [(p.file, p.key) for p in error.problems] == [
        ("", "grants[1]"),
        ("", "vualt"),
        (str(file), "[1].secrets[0]"),
    ]
    message = str(error)
    assert f"Pulumi.dev.yaml and {file} have 3 mistakes; nothing was changed." in message
    assert f"  {file}: [1].secrets[0] is wrong: 'secret/*': a wildcard" in message
    assert "  Pulumi.dev.yaml: strongroom:grants[1] is wrong: ttl is 48h" in message


@pytest.mark.parametrize(
    ("change", "key", "what"),
    [
        ({"namespaces": ["nowhere"]}, "[0].namespaces[0]", "'nowhere', which is not among"),
        ({"database": ["nothing"]}, "[0].database[0]", "'nothing', which is no role"),
        ({"name": "ml-app"}, "[0].name", "'ml-app', which occurs 2 times"),
        ({"serviceAccounts": "ml-app-sa"}, "[0].serviceAccounts", "a list is expected"),
        ({"servceAccounts": []}, "[0].servceAccounts", "is no setting"),
        ({"audience": "hvs.fakefakefake"}, "[0].audience", "looks like a credential"),
    ],
)
def test_the_rules_judge_grants_of_files_too(
    tmp_path: Path, change: dict[str, Any], key: str, what: str
) -> None:
    file = tmp_path / "vision.yaml"
    file.write_text(yaml.safe_dump([OTHER | change]))
    error = mistakes(grants=[GRANT], grantFiles=str(tmp_path))
    (problem,) = error.problems
    assert (problem.file, problem.key) == (str(file), key)
    assert what in problem.what
    assert str(error).startswith(f"{file} has 1 mistake; nothing was changed.")


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("vision.yaml", "", "is empty"),
        ("vision.yaml", "name: vision", "is no list"),
        ("vision.yaml", "- [", "is no YAML"),
        ("vision.yaml", TEXT + "  ttl: 1h\n  ttl: 8h\n", "'ttl' is there twice, line 9"),
        ("vision.yaml", "- \0", "cannot be read"),
        ("vision.yml", TEXT, "is no .yaml file"),
        ("vision.yaml.orig", TEXT, "is no .yaml file"),
        ("vision.yaml/one.yaml", TEXT, "is no .yaml file"),
    ],
)
def test_a_file_that_says_nothing_is_told_and_not_passed_over(
    tmp_path: Path, name: str, content: str, what: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(content)
    (problem,) = mistakes(grantFiles=str(tmp_path)).problems
    assert problem.file == str(tmp_path / name.partition("/")[0])
    assert what in problem.what
    assert problem.why
    assert problem.fix


def test_a_grant_in_an_unreadable_file_is_not_reported_as_missing_as_well(tmp_path: Path) -> None:
    (tmp_path / "vision.yaml").write_text("- [")
    stack = changed("local", {"grants": [], "grantFiles": str(tmp_path)})
    with pytest.raises(SettingsError) as raised:
        read(engine_config(stack), secret_keys=set(), source="Pulumi.local.yaml")
    assert str(tmp_path / "vision.yaml") in {problem.file for problem in raised.value.problems}
    assert not [p for p in raised.value.problems if "grants" in p.also]


def test_a_folder_that_is_not_there_takes_no_grant_away() -> None:
    (problem,) = mistakes(grantFiles="grants/no-such-stack").problems
    assert problem.key == "grantFiles"
    assert "'grants/no-such-stack', which cannot be listed: No such file" in problem.what


def test_an_empty_folder_takes_no_grant_away(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("How a team asks for a secret.")
    (problem,) = mistakes(grantFiles=str(tmp_path)).problems
    assert problem.key == "grantFiles"
    assert "which holds no .yaml file" in problem.what


@pytest.mark.parametrize("value", [None, 5, "ml-app", {"name": "ml-app"}])
def test_grants_that_are_no_list_are_told_beside_files(tmp_path: Path, value: Any) -> None:
    (tmp_path / "vision.yaml").write_text(TEXT)
    config = engine_config(changed("dev", {"grantFiles": str(tmp_path)}))
    with pytest.raises(SettingsError) as raised:  # as the command line hands over what YAML says
        read(config | {"strongroom:grants": value}, secret_keys=set(), source="Pulumi.dev.yaml")
    (problem,) = raised.value.problems
    assert (problem.file, problem.key) == ("", "grants")
    assert "a list is expected" in problem.what


def test_a_configuration_near_the_systems_limit_is_told_before_it_is_met() -> None:
    many = [GRANT | {"name": f"app-{number}"} for number in range(MOST_BYTES // 120)]
    (problem,) = mistakes(grants=many).problems
    assert problem.key == "strongroom:grants"
    assert "argument list too long" in problem.why
    assert "`grantFiles`" in problem.fix
