"""How long work tells what it does: one line a step, with the seconds since the start.

Plain lines rather than a live display, so that a terminal, a CI log and a file read the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Console

Progress = Callable[[str], None]


@dataclass
class Clock:
    """Prints `[ 12 s] message`; usable wherever a `Progress` is wanted."""

    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    started: float = field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> float:
        """Seconds since the clock was made."""
        return time.monotonic() - self.started

    def __call__(self, message: str) -> None:
        """Print one line."""
        self.console.print(f"[{self.elapsed:4.0f} s] {message}", markup=False)
