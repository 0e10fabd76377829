"""Sealed files: which are found, what their notes say, and that a note does not lie."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sealing import files
from sealing.files import State
from tests.unit.sealing.samples import sealed, secret
from vaultops.errors import VaultOpsError

CURRENT, OLD = "a" * 64, "b" * 64


def test_a_note_tells_current_from_old() -> None:
    assert files.state(files.noted(sealed(), CURRENT), CURRENT) is State.CURRENT
    assert files.state(files.noted(sealed(), OLD), CURRENT) is State.OLD
    assert files.state(sealed(), CURRENT) is State.UNKNOWN


def test_a_value_changed_by_other_means_does_not_pass_for_current() -> None:
    document = files.noted(sealed(), CURRENT)
    document["spec"]["encryptedData"]["token"] = "AgAnother"
    assert files.state(document, CURRENT) is State.CHANGED


def test_a_value_added_by_other_means_does_not_pass_for_current() -> None:
    document = files.noted(sealed(), CURRENT)
    document["spec"]["encryptedData"]["second"] = "AgAnother"
    assert files.state(document, CURRENT) is State.CHANGED


KEYS = st.from_regex(r"[-._a-zA-Z0-9]+", fullmatch=True)  # what Kubernetes takes
VALUES = st.binary().map(lambda value: base64.b64encode(value).decode())


@given(st.dictionaries(KEYS, VALUES, min_size=2))
def test_the_order_of_values_and_the_format_do_not_matter(values: dict[str, str]) -> None:
    one, other = sealed(), sealed()
    one["spec"]["encryptedData"] = values
    other["spec"]["encryptedData"] = dict(reversed(list(values.items())))
    noted = files.noted(one, CURRENT)
    assert files.digest(one) == files.digest(other)
    (through_yaml,) = files.load(files.dump([noted]), source="a test")
    assert files.state(through_yaml, CURRENT) is State.CURRENT
    (through_json,) = files.load(files.dump([noted], as_json=True), source="a test")
    assert files.state(through_json, CURRENT) is State.CURRENT


def test_a_note_keeps_what_else_is_written_and_can_be_taken_off() -> None:
    document = sealed()
    document["metadata"]["annotations"] = {"team": "ml"}
    before = copy.deepcopy(document)
    noted = files.noted(document, CURRENT)
    assert noted["metadata"]["annotations"]["team"] == "ml"
    assert files.without_note(noted) == before == document
    assert files.without_note(files.noted(sealed(), CURRENT)) == sealed()


def test_sealed_files_are_found_in_folders_and_others_passed_by(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.yaml").write_text(yaml.safe_dump_all([secret(), sealed()]))
    (tmp_path / "two.json").write_text(json.dumps(sealed()))
    (tmp_path / "secret.yaml").write_text(yaml.safe_dump(secret()))
    (tmp_path / "notes.md").write_text("SealedSecret")
    found = list(files.find([tmp_path]))
    assert [str(f.path.relative_to(tmp_path)) for f in found] == ["deep/one.yaml", "two.json"]
    assert [len(f.documents) for f in found] == [2, 1]
    assert [len(f.sealed) for f in found] == [1, 1]


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(VaultOpsError, match="no such file"):
        list(files.find([tmp_path / "none.yaml"]))


@pytest.mark.parametrize("text", ["a: [fake-plaintext", "- fake-plaintext\n"])
def test_what_is_no_manifest_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(VaultOpsError) as raised:
        files.load(text, source="a test")
    assert "fake-plaintext" not in str(raised.value)


def test_writing_replaces_whole_and_keeps_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "sealed.yaml"
    path.write_text("old")
    path.chmod(0o600)
    files.write(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
