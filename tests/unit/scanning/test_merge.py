"""One finding a secret, whoever saw it; nothing shown that could be used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from benchmarks.scanner_values import SECRETS
from scanning.merge import merge
from scanning.model import Finding, Scanner, Sighting, redact
from scanning.snapshot import Source

SALT = b"salt of the test"
URL = SECRETS["database url"](Random(1))
PASSWORD = URL.split(":")[2].split("@")[0]
TOKEN = SECRETS["vault root token"](Random(1))


def sighting(scanner: Scanner, rule: str, secret: str, line: int = 1, file: int = 0) -> Sighting:
    return Sighting(scanner=scanner, rule=rule, file=file, line=line, secret=secret)


def merged(
    folder: Path,
    texts: Sequence[tuple[str, str, str | None]],
    sightings: list[Sighting],
    reasons: dict[tuple[str, str, str], str] | None = None,
) -> list[Finding]:
    sources = []
    for number, (path, text, commit) in enumerate(texts):
        copy = folder / str(number)
        copy.write_text(text)
        sources.append(Source(copy=copy, path=path, commit=commit))
    return merge(sightings, sources, salt=SALT, reasons=reasons or {})


def test_overlapping_and_equal_values_are_one_finding(tmp_path: Path) -> None:
    seen = [
        sighting(Scanner.DETECT_SECRETS, "basic", PASSWORD),
        sighting(Scanner.TRUFFLEHOG, "postgres", URL),
        sighting(Scanner.GITLEAKS, "generic", PASSWORD, line=3),
        sighting(Scanner.GITLEAKS, "generic", PASSWORD, line=2),
    ]
    text = f"url: {URL}\n\npassword: {PASSWORD}\n"
    (found,) = merged(tmp_path, [("a.yaml", text, None)], seen)
    assert found.lines == (1, 3)
    assert found.rule == "gitleaks/generic"
    assert {rule for rule, _ in found.marks} == {
        *("gitleaks/generic", "trufflehog/postgres", "detect-secrets/basic")
    }


def test_a_late_sighting_joins_two_that_seemed_apart(tmp_path: Path) -> None:
    half = len(TOKEN) // 2
    seen = [
        sighting(Scanner.STRONGROOM, "a", TOKEN[:half]),
        sighting(Scanner.GITLEAKS, "b", TOKEN[half:]),
        sighting(Scanner.TRUFFLEHOG, "c", TOKEN),
    ]
    assert len(merged(tmp_path, [("a", TOKEN, None)], seen)) == 1


def test_different_secrets_on_one_line_are_two(tmp_path: Path) -> None:
    other = SECRETS["vault root token"](Random(2))
    seen = [sighting(Scanner.STRONGROOM, "t", secret) for secret in (TOKEN, other)]
    assert len(merged(tmp_path, [("a", f"{TOKEN} {other}", None)], seen)) == 2


def test_versions_of_a_file_are_one_finding_with_the_first_commit_and_the_last_lines(
    tmp_path: Path,
) -> None:
    versions = [("a", TOKEN, "c1"), ("a", f"\n\n{TOKEN}", "c2"), ("b", TOKEN, "c3")]
    seen = [sighting(Scanner.STRONGROOM, "t", TOKEN, 3 if n == 1 else 1, n) for n in range(3)]
    found = merged(tmp_path, versions, seen)
    assert [(one.path, one.lines, one.commit) for one in found] == [
        ("a", (3,), "c1"),
        ("b", (1,), "c3"),
    ]


def test_a_value_that_is_not_in_the_file_is_placed_on_its_line(tmp_path: Path) -> None:
    seen = [
        sighting(Scanner.TRUFFLEHOG, "decoded", "put together", line=2),
        sighting(Scanner.STRONGROOM, "t", TOKEN, line=2),
        sighting(Scanner.GITLEAKS, "late", "also decoded", line=99),
    ]
    found = merged(tmp_path, [("a", f"first\n{TOKEN}", None)], seen)
    assert [len(one.marks) for one in found] == [3]


def test_any_mark_that_was_accepted_accepts_the_finding(tmp_path: Path) -> None:
    seen = [
        sighting(Scanner.TRUFFLEHOG, "postgres", URL),
        sighting(Scanner.DETECT_SECRETS, "basic", PASSWORD),
    ]
    text = [("a", URL, None)]
    (found,) = merged(tmp_path, text, seen)
    for rule, value in found.marks:
        (again,) = merged(tmp_path, text, seen, {("a", rule, value): "reviewed"})
        assert again.reason == "reviewed"
    (elsewhere,) = merged(tmp_path, text, seen, {("b", found.rule, found.hash): "reviewed"})
    assert elsewhere.reason is None


def test_the_hash_depends_on_the_salt(tmp_path: Path) -> None:
    seen = [sighting(Scanner.STRONGROOM, "t", TOKEN)]
    source = Source(copy=tmp_path / "a", path="a")
    source.copy.write_text(TOKEN)
    hashes = {
        merge(seen, [source], salt=salt, reasons={})[0].hash for salt in (SALT, SALT, b"another")
    }
    assert len(hashes) == 2


@pytest.mark.parametrize(
    ("scanner", "rule", "text", "secret"),
    [
        (Scanner.GITLEAKS, "x", "token: ${TOKEN}", "${TOKEN}"),
        (Scanner.DETECT_SECRETS, "secret-keyword", "secret: ml-training-db", "ml-training-db"),
        (Scanner.DETECT_SECRETS, "private-key", "-----BEGIN PRIVATE KEY-----", "BEGIN PRIVATE KEY"),
    ],
)
def test_what_is_no_secret_is_dropped(
    tmp_path: Path, scanner: Scanner, rule: str, text: str, secret: str
) -> None:
    assert merged(tmp_path, [("a", text, None)], [sighting(scanner, rule, secret)]) == []


def test_a_private_key_with_zeros_in_it_is_one(tmp_path: Path) -> None:
    head, *body, foot = SECRETS["private key"](Random(1)).splitlines()
    key = "\n".join((head, "A" * 60, *body, foot))
    assert len(merged(tmp_path, [("a", key, None)], [sighting(Scanner.GITLEAKS, "k", key)])) == 1


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    (found,) = merged(tmp_path, [("a", URL, None)], [sighting(Scanner.TRUFFLEHOG, "p", URL)])
    assert PASSWORD not in repr(found)
    assert PASSWORD not in repr(sighting(Scanner.TRUFFLEHOG, "p", URL))


@pytest.mark.parametrize(
    ("secret", "shown"),
    [("", "… (0 characters)"), ("short", "… (5 characters)"), (TOKEN, "hvs.… (28 characters)")],
)
def test_redaction_leaves_too_little_to_use(secret: str, shown: str) -> None:
    assert redact(secret) == shown
