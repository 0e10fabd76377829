"""What is known beforehand: its file, and the mistakes in it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.errors import AuditError
from audit.known import NOTHING, at, load


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "known.yaml"
    file.write_text(
        "canaries: [secret/data/fake/decoy]\n"
        "networks: [10.42.0.0/16]\n"
        "deployments:\n- {from: 2026-01-06T14:00:00Z, to: 2026-01-06T15:00:00Z, subject: fake/ci}\n"
    )
    known = load(file)
    assert known.canaries == ("secret/data/fake/decoy",)
    assert known.deployments[0].subject == "fake/ci"
    assert known.deployments[0].end == datetime(2026, 1, 6, 15, tzinfo=UTC)
    assert known.root_windows == ()


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    file = tmp_path / "known.yaml"
    file.write_text("")
    assert load(file) == NOTHING


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("canary: [x]", "canary: Extra inputs"),
        ("networks: [10.0.0.0/20]", "networks.0: Value error, only networks of 8, 16 or 24"),
        ("networks: [10.0.0.1/16]", "networks.0: "),
        ("deployments: [{from: 2026-01-06T14:00:00, to: 2026-01-06T15:00:00}]", "timezone"),
        (
            "root_windows: [{from: 2026-01-06T14:00:00Z, to: 2026-01-06T14:00:00Z}]",
            "`to` must be later than `from`",
        ),
        ("[", "while parsing"),
        ("- a list", "the file: "),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "known.yaml"
    file.write_text(text)
    with pytest.raises(AuditError) as raised:
        load(file)
    assert why in raised.value.why
    assert raised.value.where == str(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="No such file"):
        load(tmp_path / "none.yaml")


def test_moments_are_utc_unless_they_say_otherwise() -> None:
    assert at("2026-01-06") == datetime(2026, 1, 6, tzinfo=UTC)
    assert at("2026-01-06T01:00:00+01:00") == datetime(2026, 1, 6, tzinfo=UTC)
    with pytest.raises(AuditError, match="no point in time"):
        at("yesterday")
