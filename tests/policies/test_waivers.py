"""Waivers: who may excuse what, until when, and what happens to the others."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from policies.waivers import FILE, Waivers, load

TODAY = date(2030, 6, 1)
RULE = "kms-key-rotates"
URN = "urn:pulumi:prod::strongroom::aws:kms/key:Key::imported-1"


def written(path: Path, *entries: str) -> Waivers:
    file = path / "waivers.yaml"
    listed = "".join(f"  - {{{entry}}}\n" for entry in entries)
    file.write_text(f"waivers:\n{listed}" if entries else "waivers: []\n")
    return load(file, [RULE], TODAY)


def entry(**changes: str | None) -> str:
    given: dict[str, str | None] = {
        "rule": RULE,
        "urn": '"urn:*::imported-*"',
        "reason": "imported material",
        "owner": "platform",
        "expires": "2030-06-01",
        **changes,
    }
    return ", ".join(f"{key}: {value}" for key, value in given.items() if value is not None)


def test_the_committed_file_is_well_formed() -> None:
    assert load(FILE, [], TODAY).problems == ()


def test_a_waiver_excuses_its_rule_and_resources_through_its_last_day(tmp_path: Path) -> None:
    waivers = written(tmp_path, entry())
    assert waivers.problems == ()
    excuse = waivers.excuse(RULE, URN)
    assert excuse is not None
    assert excuse.owner == "platform"
    assert waivers.excuse("another-rule", URN) is None
    assert waivers.excuse(RULE, URN.replace("imported", "made")) is None


def test_the_day_after_it_excuses_nothing_and_is_named(tmp_path: Path) -> None:
    waivers = written(tmp_path, entry(expires="2030-05-31"))
    assert waivers.excuse(RULE, URN) is None
    lapsed = waivers.lapsed(RULE, URN)
    assert lapsed is not None
    assert str(lapsed) == f"waiver of {RULE} for urn:*::imported-* (platform, until 2030-05-31)"


def test_a_lapsed_waiver_beside_one_in_force_is_not_told(tmp_path: Path) -> None:
    waivers = written(tmp_path, entry(expires="2030-05-31"), entry())
    assert waivers.excuse(RULE, URN) is not None
    assert waivers.lapsed(RULE, URN) is None


def test_a_waiver_that_met_nothing_is_unused(tmp_path: Path) -> None:
    waivers = written(tmp_path, entry(), entry(urn='"urn:*::other"'))
    waivers.excuse(RULE, URN)
    assert [waiver.urn for waiver in waivers.unused] == ["urn:*::other"]


def test_brackets_in_a_urn_are_no_pattern(tmp_path: Path) -> None:
    waivers = written(tmp_path, entry(urn='"urn:a[0]"'))
    assert waivers.excuse(RULE, "urn:a[0]") is not None
    assert waivers.excuse(RULE, "urn:a0") is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (entry(reason=None), "waiver 1: reason is missing"),
        (entry(owner='""'), "waiver 1: owner is missing"),
        (entry(rule="kms-key-rotate"), "rule 'kms-key-rotate' does not exist"),
        (entry(urn='"**"'), "urn '**' covers everything"),
        (entry(urn='"urn:*::*"'), "urn 'urn:*::*' covers everything"),
        (entry(urn='"*#*/*"'), "urn '*#*/*' covers everything"),
        (entry(expires="2030-06-01T00:00:00Z"), "write a date"),
        (entry(expires="soon"), "expires is 'soon'; write a date"),
        (entry(expires='"2030-06-01"'), "expires is '2030-06-01'; write a date"),
        (entry(expires="2031-06-03"), "more than a year away"),
        (entry(owner="7"), "owner is 7, which is no text"),
        (entry(until="2030-06-01"), "until is unknown; it takes rule, urn"),
        ("", "waiver 1: rule is missing"),
    ],
)
def test_a_malformed_waiver_excuses_nothing_and_is_told(
    tmp_path: Path, wrong: str, said: str
) -> None:
    waivers = written(tmp_path, wrong, entry())
    assert any(said in problem for problem in waivers.problems), waivers.problems
    assert len(waivers.entries) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("waivers: {", "is no YAML"),
        ("[" * 3000, "is no YAML"),
        ("- rule: a", "has no list `waivers`"),
        ("waivers:", "has no list `waivers`"),
        ("waivers: [soon]", "waiver 1: is 'soon'"),
    ],
)
def test_a_file_of_another_form_is_told(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(text)
    (problem,) = load(file, [RULE], TODAY).problems
    assert said in problem
