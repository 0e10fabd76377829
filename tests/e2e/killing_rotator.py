"""Twenty rotations in the rotator's own pod, each killed at another step and gone on with.

    python3 -c "$(cat killing_rotator.py)" CREDENTIAL-AND-OPTIONS…

Each rotation runs in a process that kills itself (SIGKILL) when it writes its Nth record: before
the write a step is done and nobody noted it, after it the lease is held by nobody. The next process
goes on. Stands alone: the pod has the rotator and no tests.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from cli.rotator import app
from rotation import ledger

ROTATIONS = 20
# Records of one run: begun, choose, publish, await-consumers, revoke.
RECORDS = 5
PATIENCE = ("--wait", "120")


def run(arguments: list[str], *, kill_at: int = 0, before: bool = False) -> int:
    """One process of the rotator; its exit status, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        rotate(arguments, kill_at, before)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def rotate(arguments: list[str], kill_at: int, before: bool) -> None:
    """Run the command; never returns."""
    original = ledger.VaultRecords.save
    saves = 0

    def counted(self: Any, record: Any, version: int) -> int:
        nonlocal saves
        saves += 1
        if before and saves == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        written = original(self, record, version)
        if saves == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return written

    ledger.VaultRecords.save = counted  # type: ignore[method-assign]
    app(["rotate", "run", *arguments], prog_name="strongroom")


def main(arguments: list[str]) -> None:
    """All rotations. Ends with status 1 at the first that does not go as it must."""
    kills = 0
    for turn in range(ROTATIONS):
        at, before = turn % RECORDS + 1, turn // RECORDS % 2 == 0
        died = run([*arguments, *PATIENCE, "--now"], kill_at=at, before=before)
        if died != -signal.SIGKILL:
            sys.exit(f"rotation {turn}: ended with {died} and was not killed at record {at}")
        kills += 1
        # Before the first record nothing was begun, after the last nothing is left.
        begin = ["--now"] if (at, before) == (1, True) else []
        if ended := run([*arguments, *PATIENCE, *begin]):
            sys.exit(f"rotation {turn}: gone on with, ended with {ended}")
    print(f"{ROTATIONS} rotations, {kills} kills")


if __name__ == "__main__":
    main(sys.argv[1:])
