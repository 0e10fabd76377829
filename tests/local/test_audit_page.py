"""The audit's pages in a real browser: they show, filter, sort; what an attacker wrote is text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from typer.testing import CliRunner

from audit.report import PARTS
from benchmarks import audit_replay
from cli.app import app
from local.node import packages

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

# Each would change the page or call `hit` if it were more than text.
EVIL = (
    "secret/data/fake/<script>hit(1)</script>",
    'secret/data/fake/"><img src=x onerror=hit(2)>',
    "secret/data/fake/</title></style><svg onload=hit(3)>",
)
FAKE_SUBJECT = "<b>bold</b>"


@dataclass
class Shown:
    """A page that was opened, and all that it complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def rows(self) -> list[str]:
        """The findings that can be seen."""
        return self.page.locator("#findings tbody tr:visible").all_inner_texts()


@dataclass(frozen=True, kw_only=True)
class Pages:
    """The files of both pages."""

    findings: Path
    report: Path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """The pages of a replayed log with some calls of an attacker behind it."""
    folder = tmp_path_factory.mktemp("page")
    replay = audit_replay.write(folder, lines=12_000, seed=5)
    last = json.loads(replay.log.read_text().splitlines()[-1])["time"]
    shapes = [json.loads(line) for line in audit_replay.SHAPES.read_text().splitlines()]
    entries = {shape["kind"]: shape["entries"] for shape in shapes}
    calls = [("kv-read", path) for path in EVIL] + [("root-read", EVIL[0])]
    with replay.log.open("a") as log:
        for number, (kind, path) in enumerate(calls):
            for entry in entries[kind]:
                entry["request"] |= {"path": path, "id": f"fake-{number}"}
                entry["auth"].setdefault("metadata", {})["service_account_name"] = FAKE_SUBJECT
                entry["auth"]["metadata"]["service_account_namespace"] = f"fake-{number}"
                log.write(json.dumps(entry).replace("@time@", last) + "\n")
    pages = Pages(findings=folder / "findings.html", report=folder / "report.html")
    known = folder / "known.yaml"
    decoy = "canaries: ['secret/data/fake/*']\n"
    known.write_text(decoy)
    run("anomalies", replay.log, "--html", pages.findings, "--known", known, status=3)
    run("report", replay.log, "--html", pages.report, status=0)
    return pages


def run(*asked: str | Path, status: int) -> None:
    done = CliRunner().invoke(app, ["audit", *map(str, asked)])
    assert done.exit_code == status, done.output


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = packages.browser(print)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, file: Path, scheme: Literal["light", "dark"]) -> Iterator[Shown]:
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": 1300, "height": 1600}, offline=True
    )
    page = context.new_page()
    shown = Shown(page)
    page.on("console", shown.hear)
    page.on("pageerror", lambda error: shown.complaints.append(str(error)))
    page.on("request", lambda sent: shown.complaints.append(sent.url) if remote(sent.url) else None)
    page.add_init_script("window.hits = []; window.hit = function (n) { window.hits.push(n); };")
    page.goto(file.as_uri())
    yield shown
    context.close()


@pytest.fixture(params=["light", "dark"])
def shown(browser: Browser, written: Pages, request: pytest.FixtureRequest) -> Iterator[Shown]:
    with opened(browser, written.findings, request.param) as shown:
        yield shown


@pytest.fixture(params=["light", "dark"])
def report(browser: Browser, written: Pages, request: pytest.FixtureRequest) -> Iterator[Shown]:
    with opened(browser, written.report, request.param) as shown:
        yield shown


def remote(url: str) -> bool:
    return not url.startswith("file:")


def test_it_shows_counts_plots_and_findings_without_a_complaint(shown: Shown) -> None:
    page = shown.page
    plots = page.locator("figure svg")
    assert plots.count() == 3
    for number in range(3):
        box = plots.nth(number).bounding_box()
        assert box is not None
        assert box["width"] > 300
        assert box["height"] > 100
    assert page.locator("rect.calls").count() > 12
    tall = page.locator("figure").first.locator("rect.calls").first.bounding_box()
    assert tall is not None
    assert tall["height"] > 5
    assert page.locator("rect.heat").count() == 168
    assert len(shown.rows()) == 5
    assert shown.complaints == []


def test_light_and_dark_are_told_apart(shown: Shown) -> None:
    page = shown.page
    script = "getComputedStyle(document.body).{}.match(/\\d+/g).slice(0, 3).map(Number)"
    ground = sum(page.evaluate(script.format("backgroundColor")))
    ink = sum(page.evaluate(script.format("color")))
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert (ground < ink) is dark
    assert abs(ground - ink) > 400


def test_what_an_attacker_wrote_is_text(shown: Shown) -> None:
    page = shown.page
    assert page.evaluate("window.hits") == []
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1
    assert page.locator("#findings b").count() == 0
    text = "\n".join(shown.rows())
    for path in EVIL:
        assert path in text
    assert FAKE_SUBJECT in text
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=hit(4)>')")
    page.wait_for_function("document.images.length === 1 && document.images[0].complete")
    assert page.evaluate("window.hits") == []  # the page's own policy forbids it, too


def test_words_severity_and_detection_filter(shown: Shown) -> None:
    page = shown.page
    every = len(shown.rows())
    page.fill("#filter", "root-use")
    some = shown.rows()
    assert len(some) == 1 < every
    assert "root-use" in some[0]
    assert page.inner_text("#count") == "1 finding"
    page.fill("#filter", "")
    page.select_option("#kind", "canary-read")
    assert {row.split("\t")[4] for row in shown.rows()} == {"canary-read"}
    page.select_option("#severity", "low")
    assert shown.rows() == []
    assert page.inner_text("#count") == "0 findings"


def test_headings_sort_and_say_so(shown: Shown) -> None:
    page = shown.page
    heading = page.locator("#findings thead th", has_text="Detection")
    heading.locator("button").click()
    first = [row.split("\t")[4] for row in shown.rows()]
    assert first == sorted(first)
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.locator("button").click()
    assert [row.split("\t")[4] for row in shown.rows()] == sorted(first, reverse=True)
    assert heading.get_attribute("aria-sort") == "descending"


def test_evidence_opens_and_marks_lead_to_their_finding(shown: Shown) -> None:
    page = shown.page
    row = page.locator("#findings tbody tr").first
    line = row.locator("details li").first
    assert not line.is_visible()
    row.locator("summary").click()
    assert line.is_visible()
    assert "audit.log:" in line.inner_text()
    target = page.locator("figure a").first.get_attribute("href")
    assert target is not None
    assert page.locator(f'[id="{target[1:]}"]').count() == 1


@pytest.mark.parametrize("of", ["findings", "report"])
def test_a_narrow_screen_does_not_scroll_sideways(
    browser: Browser, written: Pages, of: str
) -> None:
    with opened(browser, getattr(written, of), "light") as shown:
        shown.page.set_viewport_size({"width": 420, "height": 900})
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= 420


def test_the_report_shows_its_parts_and_plots_without_a_complaint(report: Shown) -> None:
    page = report.page
    assert page.locator("figure svg").count() == 3
    assert page.locator("rect.calls").count() > 12
    assert page.locator("rect.heat").count() == 168
    for part in PARTS:
        assert page.locator(f"nav a[href='#{part.id}']").is_visible()
        assert page.locator(f"h2#{part.id}").is_visible()
    assert page.locator("table.filtered tbody tr:visible").count() > 100
    assert report.complaints == []


def test_the_report_holds_what_an_attacker_wrote_as_text(report: Shown) -> None:
    page = report.page
    assert page.evaluate("window.hits") == []
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1
    assert page.locator("table b").count() == 0
    text = page.locator("main").inner_text()
    for path in EVIL:
        assert path in text
    assert FAKE_SUBJECT in text


def test_words_filter_every_table_of_the_report(report: Shown) -> None:
    page = report.page
    rows = page.locator("table.filtered tbody tr:visible")
    every = rows.count()
    page.fill("#filter", EVIL[2])
    texts = rows.all_inner_texts()
    assert 0 < len(texts) < every
    assert all(EVIL[2] in text for text in texts)
    assert page.inner_text("#count") == f"{len(texts)} row{'s' if len(texts) > 1 else ''}"


def test_the_reports_tables_sort_by_numbers_and_times(report: Shown) -> None:
    page = report.page
    table = page.locator("table.filtered", has_text="Access by path")
    heading = table.locator("thead th", has_text="calls")

    def counts() -> list[int]:
        cells = table.locator("tbody tr td:nth-child(2)").all_inner_texts()
        return [int(text.replace(",", "")) for text in cells]

    heading.locator("button").click()
    assert counts() == sorted(counts())
    heading.locator("button").click()
    assert counts() == sorted(counts(), reverse=True)
    assert heading.get_attribute("aria-sort") == "descending"
    table.locator("thead th", has_text="last").locator("button").click()
    times = table.locator("tbody tr td:nth-child(4)").all_inner_texts()
    assert times == sorted(times)


def test_the_reports_parts_can_be_gone_to(report: Shown) -> None:
    page = report.page
    page.locator("nav a[href='#root']").click()
    expect(page.locator("h2#root")).to_be_in_viewport()
    assert page.url.endswith("#root")
