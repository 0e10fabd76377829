"""The page and the PDF: whole, escaped, and nothing loaded. A real browser sees them end to end."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from compliance.model import Control, Evidence, Framework, Report, Result, Side, State, Waived
from compliance.page import page
from compliance.pdf import write_pdf
from compliance.text import report_text
from vaultops.errors import VaultOpsError

NASTY = '<script>alert("x")</script> & "quoted"'
URN = "urn:pulumi:prod::strongroom::strongroom:vault:Grant$vault:index/policy:Policy::ml-app"


def side(state: State, said: str = "fine", where: tuple[str, ...] = ()) -> Side:
    fix = "mend it" if state is State.FAILED else ""
    return Side.of([Evidence(proof="a-rule", state=state, said=said, where=where, fix=fix)])


def made(said: str = "fine", waivers: tuple[Waived, ...] = ()) -> Report:
    results = tuple(
        Result(
            control=Control(id=f"C-{number}", title=f"control {state}", rules=("a-rule",)),
            preview=side(state, said, (URN,)),
            live=side(state),
        )
        for number, state in enumerate(State)
    )
    organisational = Result(
        control=Control(id="C-9", title="beyond us", why="people do that"),
        preview=side(State.NOT_CHECKED, "people do that"),
        live=side(State.NOT_CHECKED, "people do that"),
    )
    framework = Framework(id="fake", name="Fake", edition="first", scope=said, controls=())
    return Report(
        title=said,
        environment="prod",
        made=datetime(2030, 1, 1, tzinfo=UTC),
        results=((framework, (*results, organisational)),),
        waivers=waivers,
        problems=("waivers.yaml, waiver 1: owner is missing",),
    )


class Tags(HTMLParser):
    """Whether every element is closed, and what is loaded."""

    VOID = frozenset({"meta", "input", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.rows: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element."""
        if tag not in self.VOID:
            self.open.append(tag)
        self.loaded += [str(v) for k, v in attrs if k in ("src", "href") and str(v)[:1] != "#"]
        if tag == "tr" and "data-state" in dict(attrs):
            self.rows.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        """Forget it again."""
        assert tag in self.VOID or self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing() -> None:
    tags = Tags(page(made()))
    assert tags.open == []
    assert tags.loaded == []
    assert len(tags.rows) == len(State) + 1


def test_its_policy_allows_its_own_script_and_style_only() -> None:
    text = page(made())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert "default-src 'none'" in policy[1]
    for tag in ("script", "style"):
        content = text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[1]


def test_what_comes_from_outside_is_text() -> None:
    waived = Waived(rule=NASTY, urn=NASTY, owner=NASTY, expires="x", reason=NASTY, standing=NASTY)
    text = page(made(NASTY, (waived,)))
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert") > 8
    assert Tags(text).open == []


def test_every_state_has_a_word_a_sign_and_a_count() -> None:
    text = page(made())
    assert "1 of 6 controls failed" in text
    assert "2 are not checked in full" in text
    for state in State:
        assert f"</i> {state.value}</span>" in text


def test_a_urn_is_short_to_read_and_whole_to_copy() -> None:
    assert f'<code title="{URN}">Policy ml-app</code>' in page(made())


def test_a_page_for_printing_shows_all_evidence() -> None:
    assert "<details open>" not in page(made())
    printed = page(made(), opened=True)
    assert printed.count("<details open>") == printed.count("<details")


def test_the_text_tells_what_speaks_against_each_control() -> None:
    lines = report_text(made()).splitlines()
    assert "  FAILED         C-0      control failed" in lines
    assert "      preview: failed: fine. Fix: mend it (a-rule)" in lines
    assert "      people do that" in lines
    assert lines[-1] == "Fake: 1 failed, 2 not checked, 1 waived, 1 passed, 1 not applicable"
    assert any(line.startswith("WAIVERS: waivers.yaml, waiver 1") for line in lines)


def browser(folder: Path, script: str) -> None:
    """A browser in name only, first on the path."""
    (folder / "chromium").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "chromium").chmod(0o755)


def test_without_a_browser_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VaultOpsError, match="apt-get install chromium") as refused:
        write_pdf("<p>x</p>", tmp_path / "x.pdf")
    assert "none of chromium, chromium-browser, google-chrome" in refused.value.why
    assert not (tmp_path / "x.pdf").exists()


def test_a_browser_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser(tmp_path, "echo 'fake reason' >&2; exit 3")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(VaultOpsError, match="fake reason"):
        write_pdf("<p>x</p>", tmp_path / "x.pdf")


def test_the_browser_gets_the_page_and_no_profile_of_anybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = """
for argument; do
  case "$argument" in
    --print-to-pdf=*) out=${argument#*=} ;;
    --user-data-dir=/*/profile) own=1 ;;
    file://*) in=${argument#file://} ;;
  esac
done
test -n "$own" && cp "$in" "$out"
"""
    browser(tmp_path, copy)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    write_pdf("<p>fake page</p>", tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").read_text() == "<p>fake page</p>"


def test_a_folder_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser(tmp_path, 'for a; do case "$a" in --print-to-pdf=*) echo x > "${a#*=}";; esac; done')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(VaultOpsError, match="the PDF cannot be written"):
        write_pdf("<p>x</p>", tmp_path / "nowhere" / "x.pdf")
