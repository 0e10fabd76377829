"""The compliance report of the real platform: its proofs, its page in a browser, its PDF."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from pypdf import PdfReader

from local.environment import Environment
from local.node import packages
from tests.e2e.commands import exported, strongroom

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

# What only the running system can prove, and what it must say on this one.
PROVEN = {
    "audit-answers": "passed",
    "audit-devices": "passed",
    "certificates-are-valid": "passed",
    "default-deny": "passed",
    "keys-are-rotated": "passed",
    "listener-is-hardened": "passed",
    "no-password-logins": "passed",
    "no-root-token": "passed",
    "old-tls-is-refused": "passed",
    "raft-is-healthy": "passed",
    "seal-is-automatic": "passed",
    "servers-are-joined": "passed",
    "servers-are-spread": "not applicable",
    "stores-are-ready": "passed",
    "tokens-end": "passed",
    "vault-is-confined": "passed",
    "vault-is-unprivileged": "passed",
}


@dataclass(frozen=True)
class Made:
    """What one run of the command left."""

    data: dict[str, Any]
    html: Path
    pdf: Path

    def live(self, proof: str) -> dict[str, Any]:
        """The live evidence of a rule or check."""
        return next(
            evidence
            for framework in self.data["frameworks"]
            for control in framework["controls"]
            for evidence in control["live"]["evidence"]
            if evidence["proof"] == proof
        )

    def controls(self) -> list[dict[str, Any]]:
        """Every control of every framework."""
        return [c for framework in self.data["frameworks"] for c in framework["controls"]]


@pytest.fixture(scope="module")
def chromium() -> Path:
    return packages.browser(print)


@pytest.fixture(scope="module")
def made(
    environment: Environment, chromium: Path, tmp_path_factory: pytest.TempPathFactory
) -> Made:
    """The report in all its forms, made once."""
    assert chromium.is_file(), "the command prints by it"
    folder = tmp_path_factory.mktemp("compliance")
    html, pdf = folder / "report.html", folder / "report.pdf"
    state = exported(environment, folder)
    done = strongroom(
        environment, "compliance", "--state", state, "--html", html, "--pdf", pdf, "--json"
    )
    # The local environment is small on purpose, and the report says so: some controls fail there.
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr
    return Made(data=json.loads(done.stdout), html=html, pdf=pdf)


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


def test_the_running_platform_proves_what_only_it_can(made: Made) -> None:
    assert {proof: made.live(proof)["state"] for proof in PROVEN} == PROVEN
    for proof, state in PROVEN.items():
        assert made.live(proof)["where"] or state == "not applicable"
    assert "TLSv1.3; TLS 1.1: refused" in made.live("old-tls-is-refused")["where"][0]
    # A schedule that is younger than its first run proves nothing yet.
    assert made.live("snapshots-succeed")["state"] in ("passed", "not checked")


def test_the_same_rules_hold_for_the_stack_and_for_what_runs(made: Made) -> None:
    roles = made.live("vault-role-audience")
    assert roles["state"] == "passed"
    assert any(place.startswith("urn:pulumi:local::strongroom::") for place in roles["where"])
    failed = {c["id"]: c for c in made.controls() if c["state"] == "failed"}
    # Sealed Secrets' own charts list Secrets: a rule says so on both sides.
    assert failed["5.1.2"]["preview"]["state"] == failed["5.1.2"]["live"]["state"] == "failed"
    deployers = made.live("vault-policy-no-self-escalation")
    assert (deployers["state"], deployers["where"]) == (
        "waived",
        ["sys/policies/acl/strongroom-deployer"],
    )


def test_nothing_is_not_checked_without_a_reason(made: Made) -> None:
    for control in made.controls():
        for side in ("preview", "live"):
            for evidence in control[side]["evidence"]:
                assert evidence["said"], (control["id"], side)
    denied = [c["id"] for c in made.controls() if "Vault denies" in json.dumps(c)]
    assert denied == []


def test_the_page_reads_in_a_browser_in_light_and_dark(made: Made, browser: Browser) -> None:
    backgrounds = set()
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        said: list[str] = []
        page.on("console", lambda message: said.append(str(message)))  # noqa: B023 -- used at once
        page.on("pageerror", lambda error: said.append(str(error)))  # noqa: B023 -- used at once
        page.goto(made.html.as_uri())
        rows = page.locator("tr[data-state]")
        assert rows.count() == len(made.controls())
        assert page.locator("output").inner_text() == f"{rows.count()} controls"
        page.fill("#filter", "old-tls-is-refused")
        shown = page.locator("tr[data-state]:not([hidden])")
        assert 0 < shown.count() < rows.count()
        page.fill("#filter", "")
        page.locator(".choice input[value=passed]").uncheck()
        assert "passed" not in {row.get_attribute("data-state") for row in shown.element_handles()}
        shown.first.locator("summary").click()
        assert shown.first.locator("details").get_attribute("open") is not None
        backgrounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert said == []
        page.close()
    assert len(backgrounds) == 2


def test_the_pdf_has_the_reports_text(made: Made) -> None:
    assert made.pdf.read_bytes().startswith(b"%PDF-")
    # Lines break where the page does, within names too.
    text = "".join("".join(page.extract_text().split()) for page in PdfReader(made.pdf).pages)
    assert text.startswith("Compliance")
    for framework in made.data["frameworks"]:
        assert framework["name"].split()[0] in text
    # Evidence is open in print: the proof of a control that passed is there, too.
    assert "old-tls-is-refused" in text
    assert len(text) > 20_000


def test_no_secret_is_in_the_report(environment: Environment, made: Made) -> None:
    state = environment.instance.state_dir
    record = json.loads((state / "vault-init.json").read_text())
    secrets = [*record["shares"], (state / "vault-deployer-token").read_text().strip()]
    text = json.dumps(made.data) + made.html.read_text()
    assert [secret[:2] for secret in secrets if secret in text] == []
