"""`python -m cli.rotator`: the rotation's commands alone, as a CronJob's image runs them.

An image of these needs neither the engine nor the audit reports' databases.
"""

from __future__ import annotations

import typer

from cli import rotate
from cli.reporting import ReportingGroup

app = typer.Typer(cls=ReportingGroup, no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(rotate.app, name="rotate")

if __name__ == "__main__":
    app(prog_name="strongroom")
