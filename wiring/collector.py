"""How often Python searches for cycles of dead objects while a deployment is declared.

Owns one number. Each resource leaves hundreds of objects alive until the end of the run, in the
SDK's futures and outputs, and by default Python walks through all of them again and again for
nothing: of 1,000 grants that took half of this process's time, and ever more a grant
(benchmarks/RESULTS.md). What dies in cycles meanwhile is a few MiB.
"""

from __future__ import annotations

import gc

NEW_OBJECTS = 100_000  # Python's own is 700


def search_rarely() -> None:
    """Search for dead cycles after every 100,000 new objects, in this process from now on."""
    gc.set_threshold(NEW_OBJECTS)
