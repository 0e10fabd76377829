"""The page as PDF, printed by the browser that is on this machine.

Owns finding the browser and calling it. It gets a file of its own and a profile that is thrown
away, and loads nothing: the page's own security policy forbids it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from vaultops.errors import VaultOpsError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_SECONDS = 60


def write_pdf(page: str, path: Path) -> None:
    """Print a page to `path`. Raises VaultOpsError without a browser, or when it fails."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise VaultOpsError(
            "the PDF cannot be printed",
            where="PATH",
            why=f"none of {', '.join(BROWSERS)} is there",
            fix="install Chromium (Debian: apt-get install chromium) or Google Chrome, or write "
            "--html and print that",
        )
    with tempfile.TemporaryDirectory(prefix="strongroom-pdf-") as folder:
        source, printed = Path(folder) / "page.html", Path(folder) / "page.pdf"
        source.write_text(page, encoding="utf-8")
        told = _print(browser, source, printed, Path(folder) / "profile")
        if not printed.is_file():
            raise VaultOpsError(
                "the PDF cannot be printed",
                where=browser,
                why=told or "the browser wrote nothing",
                fix="see the reason, or write --html and print that",
            )
        try:
            shutil.copyfile(printed, path)
        except OSError as error:
            raise VaultOpsError(
                "the PDF cannot be written",
                where=str(path),
                why=error.strerror or type(error).__name__,
                fix="name a file in a folder that exists and that you may write to",
            ) from None


def _print(browser: str, source: Path, printed: Path, profile: Path) -> str:
    """Run the browser; what it said last when it failed, else nothing."""
    command = [
        browser,
        "--headless",
        "--disable-gpu",
        "--no-first-run",
        "--no-pdf-header-footer",
        f"--user-data-dir={profile}",
        f"--print-to-pdf={printed}",
        source.as_uri(),
    ]
    if os.geteuid() == 0:  # the browser's own sandbox does not start as root
        command.insert(1, "--no-sandbox")
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"nothing was printed in {_SECONDS} s"
    return done.stderr.strip().splitlines()[-1] if done.returncode and done.stderr.strip() else ""
