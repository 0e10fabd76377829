"""`python -m cli`, the same as `strongroom`. Owns the exit status of what nobody foresaw: 70.

Python's own would be 1, which several commands mean as "something was found".
"""

from __future__ import annotations

import sys
import traceback

from cli.app import app

UNFORESEEN = 70
"""As sysexits(3) numbers an internal error."""

if __name__ == "__main__":
    try:
        app(prog_name="strongroom")
    except Exception:  # noqa: BLE001 -- whatever it is, a pipeline must not take it for a finding
        traceback.print_exc()
        sys.exit(UNFORESEEN)
