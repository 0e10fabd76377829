"""Good settings: what the committed stacks mean, and that no unknown key passes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from settings import Cloud, Environment, Settings, SettingsError
from settings.reader import UNSET, read
from settings.types import Duration, Quantity
from tests.unit.support.stacks import REPOSITORY, STACKS, changed, engine_config, stack_settings


def parse(stack: str, changes: dict[str, Any] | None = None) -> Settings:
    return Settings.parse(changed(stack, changes or {}), source=f"Pulumi.{stack}.yaml")


@pytest.mark.parametrize("stack", STACKS)
def test_the_committed_stacks_are_right(stack: str) -> None:
    settings = parse(stack)
    assert settings.environment is Environment(stack)
    assert {n.name for n in settings.namespaces} >= {"ml-training", "ml-serving", "vault"}


def test_environments_differ_where_they_should() -> None:
    local, dev, prod = (parse(stack) for stack in STACKS)
    assert [s.protect for s in (local, dev, prod)] == [False, False, True]
    assert [str(s.vault.spread) for s in (local, dev, prod)] == ["none", "preferred", "required"]
    assert [s.vault.injector.replicas for s in (local, dev, prod)] == [1, 1, 2]
    assert dev.vault.storage.size < prod.vault.storage.size
    assert str(dev.vault.resources.requests.memory) == "256Mi"
    assert str(dev.vault.resources.limits.cpu) == "500m"


def test_no_environments_vault_is_shown_the_token_of_another() -> None:
    """A deployment first asks its Vault whether the token in the file is still good."""
    files = [
        Settings.parse(stack_settings(stack), source="-").vault.deployer.token_file
        for stack in STACKS
    ]
    assert len(set(files)) == len(STACKS)


def test_a_stack_file_overrides_one_size_and_keeps_the_others() -> None:
    settings = parse("prod", {"vault.resources.limits.memory": "4Gi"})
    assert str(settings.vault.resources.limits.memory) == "4Gi"
    assert str(settings.vault.resources.limits.cpu) == "2"


def test_settings_cannot_be_changed() -> None:
    settings = parse("dev")
    with pytest.raises(ValueError, match="frozen"):
        settings.cloud = Cloud.GCP


def test_shamir_in_prod_is_accepted_when_typed_out() -> None:
    settings = parse("prod", {"vault.seal": {"type": "shamir", "acceptManualUnseal": True}})
    assert settings.vault.seal.type == "shamir"


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("1h30m", 5400, "1h30m"),
        ("90d", 7_776_000, "2160h"),
        ("720h", 2_592_000, "720h"),
        ("3600s", 3600, "1h"),
        ("1d12h", 129_600, "36h"),
        ("61s", 61, "1m1s"),
    ],
)
def test_durations(text: str, seconds: int, shown: str) -> None:
    assert Duration.parse(text).seconds == seconds
    assert str(Duration.parse(text)) == shown


@given(st.integers(min_value=1, max_value=10**9))
def test_a_duration_survives_being_written_and_read(seconds: int) -> None:
    assert Duration.parse(str(Duration(seconds))).seconds == seconds


def test_quantities_compare_by_size_and_keep_their_text() -> None:
    assert Quantity.parse("1Gi") > Quantity.parse("1000Mi")
    assert Quantity.parse("1") == Quantity.parse("1000m")
    assert Quantity.parse("0.5") == Quantity.parse("500m")
    assert str(Quantity.parse("0.5")) == "0.5"


def _sections(model: type[BaseModel], path: str = "") -> dict[str, set[str]]:
    """Every section that a stack's settings have as a mapping, with its valid keys."""
    sections = {path: {field.alias or name for name, field in model.model_fields.items()}}
    for name, field in model.model_fields.items():
        below = field.annotation
        if isinstance(below, type) and issubclass(below, BaseModel):
            key = field.alias or name
            sections |= _sections(below, f"{path}.{key}" if path else key)
    return sections


SECTIONS = _sections(Settings)


def test_the_sections_are_found() -> None:
    assert {"", "vault", "vault.tls", "vault.resources.limits", "network"} <= set(SECTIONS)


@given(
    section=st.sampled_from(sorted(SECTIONS)),
    key=st.from_regex(r"[a-zA-Z_-]{1,20}", fullmatch=True),
)
def test_no_unknown_key_passes_anywhere(section: str, key: str) -> None:
    if key in SECTIONS[section]:
        return
    full = f"{section}.{key}" if section else key
    with pytest.raises(SettingsError) as raised:
        parse("dev", {full: "anything"})
    unknown = [problem for problem in raised.value.problems if problem.key == full]
    assert len(unknown) == 1
    assert unknown[0].what == "is no setting"


def from_engine(values: dict[str, str], secret: set[str] | None = None) -> Settings:
    return read(values, secret_keys=secret or set(), source="Pulumi.dev.yaml")


@pytest.mark.parametrize("stack", STACKS)
def test_the_engines_text_reads_as_the_file_does(stack: str) -> None:
    settings = from_engine(engine_config(stack_settings(stack)))
    assert settings == parse(stack)


def test_a_foreign_namespace_is_refused_because_nothing_reads_it() -> None:
    values = engine_config(stack_settings("dev")) | {"aws:region": "eu-west-1"}
    with pytest.raises(SettingsError, match="aws:region is no setting") as raised:
        from_engine(values | {"pulumi:disable-default-providers": "[]"})
    assert "`strongroom:`" in str(raised.value)
    assert len(raised.value.problems) == 1


def test_an_encrypted_value_is_refused_and_not_shown() -> None:
    values = engine_config(stack_settings("dev")) | {"strongroom:vault": "fake-password"}
    with pytest.raises(SettingsError, match="strongroom:vault holds an encrypted value") as raised:
        from_engine(values, {"strongroom:vault"})
    assert "fake-password" not in str(raised.value)
    assert len(raised.value.problems) == 1


def test_broken_json_is_a_wrong_type_and_not_a_traceback() -> None:
    values = engine_config(stack_settings("dev")) | {"strongroom:vault": "{broken"}
    with pytest.raises(SettingsError, match=r"strongroom:vault is '{broken'; a mapping"):
        from_engine(values)


def test_a_dotted_top_level_key_is_pointed_to_its_section() -> None:
    values = engine_config(stack_settings("dev")) | {"strongroom:vault.replicas": json.dumps(3)}
    with pytest.raises(SettingsError, match=r"strongroom:vault\.replicas is no setting") as raised:
        from_engine(values)
    assert "`replicas:` under `vault:`" in str(raised.value)


def test_the_projects_schema_lists_every_setting_and_no_other() -> None:
    schema = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())["config"]
    assert {key.removeprefix("strongroom:") for key in schema} == SECTIONS[""]
    for key, entry in schema.items():
        assert {"type", "default", "description"} <= set(entry), key
        if key != "strongroom:cloud":
            assert entry["default"] in UNSET, f"{key}: this default would hide the environment's"


def test_protection_follows_the_environment_unless_it_is_said() -> None:
    values = engine_config(stack_settings("dev"))
    assert values["strongroom:protect"] == "auto"
    assert not from_engine(values).protect
    assert from_engine(values | {"strongroom:protect": "true"}).protect
