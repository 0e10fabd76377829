"""The page of `audit report`, through the command: all parts are on it, and no log is markup."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audit import report_page
from audit.backend import rows_of
from audit.overview import overview
from audit.page import MOST
from audit.report import PARTS
from audit.unused import UnusedGrant, UnusedRight
from cli.app import app
from tests.unit.audit.entries import call, calls, read_into, tables_of, write

EVIL = "secret/data/fake/<script>hit(1)</script><img src=x onerror=hit(2)>"
DENIED = "1 error occurred:\n\t* permission denied\n\n"
LINES = [
    *calls(range(1, 30)),
    *call(30, path=EVIL),
    *call(31, subject="ml/<b>bold</b>", path=EVIL, error=DENIED),
    *call(32, path="database/creds/ml-readonly", mount_type="database", lease="fake/lease/1"),
    *call(33, path="sys/policies/acl/wide", operation="update", mount_type="system"),
    b"{",
]
LEFT = [
    UnusedGrant(
        grant="ml-<i>training",
        unused=(UnusedRight(path="secret/data/ml/never", capabilities=("read",)),),
        narrower='path "secret/data/ml/mlflow" {\n  capabilities = ["read"]\n}\n',
    ),
    UnusedGrant(grant="forgotten", unused=(), narrower=""),
]


class Tags(HTMLParser):
    """A page's tags, the ids that links may lead to, the links, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attributes)
        self.ids.add(given.get("id") or "")
        if tag == "a":
            self.links.append(given.get("href") or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def made(tmp_path: Path, left: list[UnusedGrant] | None = LEFT) -> Tags:
    tables = tables_of(read_into(tmp_path / "store", write(tmp_path / "audit.log", LINES))[0])
    told = {part.id: rows_of(part.rows(tables)) for part in PARTS}
    return Tags(report_page.page(overview(tables.events), told, left, title="a <u>log"))


def test_every_part_is_on_the_page_and_can_be_gone_to(tmp_path: Path) -> None:
    page = made(tmp_path)
    words = " ".join(page.words)
    for part in PARTS:
        assert part.title in words
        assert f"#{part.id}" in page.links
    assert {link.removeprefix("#") for link in page.links} <= page.ids
    for each in ("fake/lease/1", "sys/policies/acl/wide", "permission denied", "audit.log:66"):
        assert each in words
    assert "forgotten: nothing was used; the grant can go" in words
    assert 'path "secret/data/ml/mlflow"' in words
    assert page.tags.count("svg") == 3


def test_nothing_from_the_log_is_markup(tmp_path: Path) -> None:
    page = made(tmp_path)
    assert page.tags.count("script") == 1
    assert {"img", "b", "u", "i"}.isdisjoint(page.tags)
    assert EVIL in "".join(page.words)


def test_grants_that_were_not_compared_are_told_so(tmp_path: Path) -> None:
    assert "Grants were not compared" in " ".join(made(tmp_path, None).words)


def test_grants_of_which_all_was_used_are_told_so(tmp_path: Path) -> None:
    assert "all was used" in " ".join(made(tmp_path, []).words)


def test_rows_beyond_the_most_are_counted(tmp_path: Path) -> None:
    tables = tables_of(read_into(tmp_path / "store", write(tmp_path / "audit.log", LINES))[0])
    told = {part.id: rows_of(part.rows(tables)) for part in PARTS}
    told["paths"] = told["paths"][:1] * (MOST + 5)
    text = report_page.page(overview(tables.events), told, None, title="a log")
    assert "5 rows are left out" in text
    assert text.count("<tr data-row>") == MOST + sum(
        len(rows) for name, rows in told.items() if name != "paths"
    )


def test_the_command_writes_it_beside_its_answer(tmp_path: Path) -> None:
    log, html = write(tmp_path / "audit.log", LINES), tmp_path / "report.html"
    done = CliRunner().invoke(app, ["audit", "report", str(log), "--html", str(html), "--json"])
    assert done.exit_code == 0, done.output
    assert f"written: {html}" in done.stderr
    assert f"Audit: {log}" in " ".join(Tags(html.read_text()).words)


@pytest.mark.parametrize("name", ["none/report.html", "folder"])
def test_a_page_that_cannot_be_written_is_one_message(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    log = write(tmp_path / "audit.log", LINES)
    done = CliRunner().invoke(app, ["audit", "report", str(log), "--html", str(tmp_path / name)])
    assert done.exit_code in (1, 2), done.output
    told = done.stderr.translate(str.maketrans("", "", "│\n "))  # a box breaks lines anywhere
    assert str(tmp_path / name) in told
    assert "Traceback" not in done.output
