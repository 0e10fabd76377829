"""The catalogue names nothing that is not there, and leaves no rule and no check without a use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from compliance.checks import CHECKS
from compliance.controls import CatalogueError, frameworks
from compliance.model import Framework
from policies.rules import ALL

CATALOGUE = frameworks(ALL, CHECKS)
CONTROL: dict[str, Any] = {"id": "X", "title": "It holds", "rules": ["vault-listener-tls"]}
FILE: dict[str, Any] = {
    "name": "Fake",
    "edition": "first",
    "scope": "all of it",
    "controls": [CONTROL],
}


def read(folder: Path, **changes: Any) -> tuple[Framework, ...]:
    (folder / "fake.yaml").write_text(yaml.safe_dump({**FILE, **changes}))
    return frameworks(ALL, CHECKS, folder)


def test_there_are_the_four_frameworks_with_their_controls() -> None:
    assert [f.id for f in CATALOGUE] == [
        "cis-kubernetes",
        "nist-800-53",
        "soc2",
        "vault-hardening",
    ]
    assert all(len(f.controls) >= 12 for f in CATALOGUE)
    cis = {control.id for control in CATALOGUE[0].controls}
    assert {"5.4.1", "5.4.2"} <= cis


def test_every_rule_and_every_check_proves_a_control() -> None:
    controls = [control for framework in CATALOGUE for control in framework.controls]
    assert {rule.id for rule in ALL} == {rule for c in controls for rule in c.rules}
    assert set(CHECKS) == {check for c in controls for check in c.checks}


def test_a_rule_that_cites_a_control_proves_it() -> None:
    nist = {control.id: control for control in CATALOGUE[1].controls}
    for rule in ALL:
        for reference in rule.frameworks:
            if reference.startswith("NIST SP 800-53 "):
                assert rule.id in nist[reference.removeprefix("NIST SP 800-53 ")].rules


def test_what_nothing_proves_says_why() -> None:
    silent = [c for f in CATALOGUE for c in f.controls if not c.rules and not c.checks]
    assert silent
    assert all(len(control.why) > 20 for control in silent)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"controls": [{**CONTROL, "rules": ["nope"]}]}, "X: no rule 'nope'"),
        ({"controls": [{**CONTROL, "checks": ["nope"]}]}, "X: no check 'nope'"),
        ({"controls": [CONTROL, CONTROL]}, "X is there twice"),
        ({"controls": [{"id": "X", "title": "t"}]}, "name rules or checks, or say why"),
        ({"controls": [{**CONTROL, "why": "because"}]}, "name rules or checks, or say why"),
        ({"controls": [{**CONTROL, "rule": "x"}]}, "unknown rule"),
        ({"other": 1}, "unknown other"),
        ({"cited_as": "RFC 8725"}, "a rule cites 3.9, which is no control here"),
    ],
)
def test_a_wrong_catalogue_is_refused(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"fake\.yaml") as refused:
        read(tmp_path, **changes)
    assert said in str(refused.value)


def test_cited_rules_are_found_by_the_controls_name(tmp_path: Path) -> None:
    (framework,) = read(
        tmp_path, cited_as="RFC 8725", controls=[{"id": "3.9", "title": "Audiences are bound"}]
    )
    assert framework.controls[0].rules == ("vault-role-audience",)
