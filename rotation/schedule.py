"""When each rotation is due: intervals in days, and offsets that keep all of them apart.

Owns the arithmetic. Due times lie on a fixed grid since the epoch, so nothing has to be stored and
every machine computes the same. Two rotations side by side have taken applications down (Vault's
static roles: hashicorp/vault#18738), so no two of a stack are ever due within the same window.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Timetable:
    """Due at `phase`, `phase + every`, …: all in seconds, the phase since the epoch (UTC).

    A rotation that has not begun `window` seconds after it was due is late; it is never skipped.
    """

    every: int
    phase: int
    window: int

    def latest(self, now: float) -> float:
        """The last due time that is not after `now`."""
        return now - (now - self.phase) % self.every

    def following(self, now: float) -> float:
        """The first due time after `now`."""
        return self.latest(now) + self.every

    def is_due(self, now: float, last: float | None) -> bool:
        """Whether a due time has passed since `last`, the begin of the last whole rotation.

        A credential that was never rotated is due at once: nobody knows how old it is. None is
        ever older than `every`, because every stretch of that length has a due time in it. A begin
        that lies further ahead than a window was written by a clock that was wrong: due as well.
        """
        return last is None or self.latest(now) > last or last > now + self.window

    def is_late(self, now: float, last: float | None) -> bool:
        """Whether the window of a due time has passed. False before the first rotation."""
        return last is not None and last <= now and self.is_due(now - self.window, last)


def timetables(days: Sequence[int], window: int) -> tuple[Timetable, ...]:
    """A timetable for each interval in `days`; no two are ever due within `window` seconds.

    Grids of different intervals meet only modulo their greatest common divisor, so it is divided
    into slots. Slots are given in the order of halving (0, 1/2, 1/4, 3/4, …): the first two are
    half a period apart, and one more at the end moves the others only when the divisor changes.
    Raises ValueError when the slots would be shorter than the window.
    """
    if not days:
        return ()
    common = math.gcd(*days) * DAY
    bits = (len(days) - 1).bit_length()
    if common >> bits < window:
        raise ValueError(
            f"{len(days)} rotations do not fit: their intervals have {common // DAY} days in "
            f"common, which leaves each less than its window of {window} s"
        )
    return tuple(
        Timetable(every=one * DAY, phase=_reversed(at, bits) * common >> bits, window=window)
        for at, one in enumerate(days)
    )


def _reversed(number: int, bits: int) -> int:
    """`number` with its lowest `bits` in the opposite order."""
    return int(f"{number:0{bits}b}"[::-1], 2) if bits else 0
