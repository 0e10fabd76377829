"""A controller of Sealed Secrets that is files in a folder, and the fakes that answer for it.

For what the commands decide; the real programs are in tests/local and tests/e2e.
"""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.unit.cli import fake_programs
from tests.unit.sealing.samples import key_secret, pair

# How many days ago each key was made.
AGES = {"old": 20, "first": 10}


@dataclass(frozen=True)
class FakeController:
    """The fakes are in `folder`, which goes to the front of PATH."""

    folder: Path

    def has_keys(self, *names: str) -> None:
        """Let the controller have these keys, the last of them the newest."""
        secrets = [key_secret(name, made=AGES.get(name, 0)) for name in names]
        (self.folder / "keys.json").write_text(json.dumps({"items": secrets}))
        (self.folder / "cert.pem").write_bytes(pair(names[-1], made=AGES.get(names[-1], 0))[0])

    @property
    def fingerprint(self) -> str:
        """The newest certificate's."""
        return fake_programs.fingerprint((self.folder / "cert.pem").read_bytes())

    @property
    def calls(self) -> str:
        """Every command line that the fakes were given."""
        log = self.folder / "calls"
        return log.read_text() if log.exists() else ""


def fake_controller(folder: Path) -> FakeController:
    """Put the fakes into `folder`."""
    for program in ("kubectl", "kubeseal", "sops"):
        command = shlex.join([sys.executable, fake_programs.__file__, program, str(folder)])
        path = folder / program
        path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        path.chmod(0o755)
    fake = FakeController(folder)
    fake.has_keys("first")
    return fake
