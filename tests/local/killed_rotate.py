"""The command line in a process that kills itself (SIGKILL) when it writes its Nth record.

Before the write: the step is done and nobody noted it. After it: the lease is held by nobody.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping

from rotation import ledger
from rotation.record import Record


def main(
    save: int, before: bool, arguments: list[str], environment: Mapping[str, str], ahead: float
) -> None:
    """Run `arguments`; `save` 0 lets the process live, `ahead` seconds go its clock. No return."""
    from cli import rotate
    from cli.rotator import app

    os.environ.update(environment)
    rotate.time = lambda: time.time() + ahead  # type: ignore[attr-defined]
    original = ledger.VaultRecords.save
    saves = 0

    def counted(self: ledger.VaultRecords, record: Record, version: int) -> int:
        nonlocal saves
        saves += 1
        if before and saves == save:
            os.kill(os.getpid(), signal.SIGKILL)
        written = original(self, record, version)
        if saves == save:
            os.kill(os.getpid(), signal.SIGKILL)
        return written

    ledger.VaultRecords.save = counted  # type: ignore[method-assign]
    app(arguments, prog_name="strongroom")
