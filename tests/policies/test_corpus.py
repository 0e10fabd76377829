"""The labelled corpus, from file to finding. What the rules are known to miss is listed here."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.policy_corpus import Labelled, accused_by_checkov, load, score
from policies.rules import ALL

CORPUS = load()
KNOWN_MISSES: tuple[tuple[str, str], ...] = ()
KNOWN_FALSE_ALARMS: tuple[tuple[str, str], ...] = ()


def test_the_corpus_is_large_and_has_both_kinds() -> None:
    assert len(CORPUS) >= 300
    assert len({each.name for each in CORPUS}) == len(CORPUS)
    wrong = sum(bool(each.breaks) for each in CORPUS)
    assert 0.3 < wrong / len(CORPUS) < 0.7


def test_the_labels_are_rules() -> None:
    labels = {rule for each in CORPUS for rule in each.breaks}
    assert labels <= {rule.id for rule in ALL}


def test_the_rules_find_what_is_labelled_and_nothing_else(tmp_path: Path) -> None:
    result = score(CORPUS, tmp_path)
    assert result.missed == KNOWN_MISSES
    assert result.wrong == KNOWN_FALSE_ALARMS
    assert (result.precision, result.recall) == (1.0, 1.0)


def test_the_score_counts_misses_and_false_alarms(tmp_path: Path) -> None:
    def role(name: str, verb: str, *breaks: str) -> Labelled:
        text = (
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}\n"
            f"rules: [{{apiGroups: [''], resources: [secrets], verbs: [{verb}]}}]\n"
        )
        return Labelled(
            name=name, about="a test", form="manifest", text=text, breaks=frozenset(breaks)
        )

    found = "secret-reads-are-named"
    result = score(
        [role("a", "list", found), role("b", "list"), role("c", "create", found)], tmp_path
    )
    assert result.missed == (("c", found),)
    assert result.wrong == (("b", found),)
    assert (result.precision, result.recall) == (0.5, 0.5)


def test_a_corpus_file_that_cannot_be_read_is_no_pass(tmp_path: Path) -> None:
    broken = Labelled(
        name="a", about="a test", form="iam", text="{", breaks=frozenset({"iam-no-escalation"})
    )
    with pytest.raises(ValueError, match=r"a\.json: cannot be read"):
        score([broken], tmp_path)


def test_checkov_is_asked_for_the_files_it_accuses(tmp_path: Path) -> None:
    stand_in = tmp_path / "checkov"
    stand_in.write_text(
        "#!/bin/sh\n"
        '[ "$1" = -d ] && [ "$4" = json ] || exit 2\n'
        'echo \'{"results": {"failed_checks": ['
        '{"check_id": "CKV_K8S_49", "file_path": "/a.yaml"}, '
        '{"check_id": "CKV_K8S_8", "file_path": "/b.yaml"}]}}\'\n'
        "exit 1\n"
    )
    stand_in.chmod(0o755)
    assert accused_by_checkov(str(stand_in), tmp_path) == {"a.yaml"}
