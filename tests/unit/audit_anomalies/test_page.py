"""The page as text: what is on it, and that nothing a log says is markup."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

from audit.detections import ALL
from audit.findings import Evidence, Finding, Severity, identify, rank
from audit.findings_page import page
from audit.overview import Busy, Hour, Overview, overview
from audit.page import MOST
from audit.svg import buckets
from tests.unit.audit_anomalies.logs import ALICE, AWAY, OWN, Call, at, denied, events

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
NINE = datetime(2026, 1, 5, 9, tzinfo=UTC)
FINDING = Finding(
    id=identify("sweep", ALICE, NINE),
    detection="sweep",
    severity=Severity.HIGH,
    score=0.75,
    subject=ALICE,
    address=AWAY,
    path=OWN,
    start=NINE,
    detected=NINE,
    end=NINE,
    count=12,
    reason="fake/alice did something",
    evidence=(Evidence(file="/fake/audit.log", line=7, time=NINE),),
)
SEEN = Overview(
    hours=(
        Hour(start=NINE, calls=10, denied=2),
        Hour(start=NINE + timedelta(hours=1), calls=5, denied=0),
    ),
    busiest=(Busy(subject=ALICE, calls=14, denied=2), Busy(subject=None, calls=1, denied=0)),
    subjects=1,
    paths=3,
    addresses=2,
)


class Tags(HTMLParser):
    """The tags of a page, and where it would load or run something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.reaches: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attributes:
            if name in ("src", "href", "style") or name.startswith("on"):
                self.reaches.append(f"{name}={value}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_tells_counts_plots_and_findings() -> None:
    text = page(SEEN, [FINDING], title="audit.log", problems=3)
    words = " ".join(Tags(text).words)
    for each in ("Audit: audit.log", "2026-01-05 09:00:00 to 2026-01-05 10:00:00 UTC", ALICE):
        assert each in words
    assert "/fake/audit.log:7" in words
    assert "and 11 more" in words
    assert "nobody known: 1 calls" in words
    assert "Mon 2026-01-05 09:00: 10 calls" in words
    assert text.count("<svg") == 3
    for detection in ALL:
        assert detection.warm_up in words


def test_nothing_from_the_log_is_markup() -> None:
    evil = replace(
        FINDING,
        subject=EVIL,
        address=EVIL,
        path=EVIL,
        reason=f"{EVIL} came",
        evidence=(Evidence(file=EVIL, line=1, time=NINE),),
    )
    seen = replace(SEEN, busiest=(Busy(subject=EVIL, calls=1, denied=0),))
    honest = Tags(page(SEEN, [FINDING], title="audit.log"))
    hostile = Tags(page(seen, [replace(evil, path=f"{EVIL}/other")], title=EVIL))
    assert hostile.tags.count("script") == honest.tags.count("script") == 1
    assert "img" not in hostile.tags
    assert hostile.reaches == honest.reaches == [f"href=#{FINDING.id}"]


def test_an_empty_log_has_a_page() -> None:
    seen = Overview(hours=(), busiest=(), subjects=0, paths=0, addresses=0)
    words = " ".join(Tags(page(seen, [], title="audit.log")).words)
    assert "an empty log" in words
    assert "Nothing was found." in words


def test_findings_beyond_the_most_are_counted() -> None:
    text = page(SEEN, [FINDING] * (MOST + 5), title="audit.log")
    assert text.count('data-kind="sweep"') == MOST
    assert "5 findings of less weight are left out" in text


def test_the_worst_come_first() -> None:
    low = replace(FINDING, severity=Severity.LOW, score=1.0)
    less = replace(FINDING, score=0.5)
    worst = replace(FINDING, severity=Severity.CRITICAL, score=0.1)
    assert sorted([low, less, FINDING, worst], key=rank) == [worst, FINDING, less, low]


def test_an_overview_counts_calls_once_and_refusals_by_their_error() -> None:
    calls = [
        Call(time=at(0)),
        Call(time=at(0, 9, 5), path="secret/data/fake/other"),
        denied(Call(time=at(0, 11), subject=None, address=AWAY)),
    ]
    seen = overview(events(calls))
    assert [(hour.start, hour.calls, hour.denied) for hour in seen.hours] == [
        (at(0), 2, 0),
        (at(0, 11), 1, 1),
    ]
    assert seen.busiest == (
        Busy(subject=ALICE, calls=2, denied=0),
        Busy(subject=None, calls=1, denied=1),
    )
    assert (seen.calls, seen.denied, seen.subjects, seen.paths, seen.addresses) == (3, 1, 1, 2, 2)


def test_bars_are_few_and_lose_nothing() -> None:
    year = [Hour(start=NINE + timedelta(hours=5 * n), calls=n, denied=1) for n in range(1700)]
    bars, width = buckets(year)
    assert len(bars) <= 170
    assert width >= timedelta(hours=48)
    assert sum(bar.calls for bar in bars) == sum(hour.calls for hour in year)
    assert sum(bar.denied for bar in bars) == 1700
