"""`python -m cli`, the same as `strongroom`."""

from __future__ import annotations

from cli.app import app

if __name__ == "__main__":
    app(prog_name="strongroom")
