"""Waiting for a condition with a deadline. Owns the only pause of this package."""

from __future__ import annotations

import time
from collections.abc import Callable

from vaultops.errors import WaitedTooLongError

POLL_SECONDS = 0.5


def wait_for(
    probe: Callable[[], str | None],
    *,
    what: str,
    where: str,
    seconds: float,
    fix: str,
    on_change: Callable[[str], None] | None = None,
) -> None:
    """Poll `probe` until it returns None; otherwise it returns what is still missing.

    `on_change` is told each new answer. Raises WaitedTooLongError after `seconds`, with the last
    answer as the reason.
    """
    started = time.monotonic()
    last = ""
    while (missing := probe()) is not None:
        if missing != last and on_change:
            on_change(f"waiting for {what}: {missing}")
        last = missing
        if time.monotonic() - started >= seconds:
            raise WaitedTooLongError(
                f"waited {seconds:.0f} s for {what}", where=where, why=missing, fix=fix
            )
        time.sleep(POLL_SECONDS)
