"""secret-scan.yaml: read strictly, all faults at once, no entry without a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanning.config import Config, load
from scanning.errors import ScanError

HASH = "0123456789abcdef0123"
ENTRY = f"  - {{path: a, rule: r/x, hash: '{HASH}', reason: 'a test value, fake'}}\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "secret-scan.yaml"
    file.write_text(text)
    return file


def test_no_file_is_an_empty_configuration_with_a_salt_of_its_own(tmp_path: Path) -> None:
    one, other = load(tmp_path / "none"), load(tmp_path / "none")
    assert one.accepted == ()
    assert one.salt != other.salt


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="there is no such file"):
        load(tmp_path / "none", required=True)


def test_an_entry_gives_its_reason(tmp_path: Path) -> None:
    config = load(written(tmp_path, f"accepted:\n{ENTRY}"))
    assert config.reasons == {("a", "r/x", HASH): "a test value, fake"}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"accepted:\n{ENTRY.replace('a test value, fake', '')}", "accepted.0.reason"),
        (f"accepted:\n{ENTRY.replace(HASH, 'short')}", "accepted.0.hash"),
        (f"accepted:\n{ENTRY.replace('rule', 'line: 3, rule')}", "accepted.0.line"),
        ("accept: []", "accept: Extra"),
        ("maxMegabytes: 0", "maxMegabytes"),
        ("salt: abc", "salt"),
        ("exclude: [{path: a}]", "exclude.0.reason"),
        ("accepted: [", "correct the YAML"),
        ("- a list", "the file"),
    ],
)
def test_a_fault_is_named_with_its_place(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(ScanError, match=what):
        load(written(tmp_path, text))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret-scan.yaml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ScanError, match="readable text file"):
        load(file)


@pytest.mark.parametrize(
    ("pattern", "path", "excluded"),
    [
        ("**/go.sum", "go.sum", True),
        ("**/go.sum", "a/b/go.sum", True),
        ("*.lock", "a/b.lock", False),
        ("docs/**", "docs/a/b.md", True),
        ("a?.txt", "ab.txt", True),
        ("a.txt", "aXtxt", False),
    ],
)
def test_patterns_cross_folders_only_when_told(pattern: str, path: str, excluded: bool) -> None:
    config = Config.model_validate({"exclude": [{"path": pattern, "reason": "for the test only"}]})
    assert config.excludes(path) is excluded
