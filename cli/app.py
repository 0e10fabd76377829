"""The command's root: its sub-commands, and how each failure ends."""

from __future__ import annotations

import typer

from cli import (
    access,
    audit,
    audit_anomalies,
    compliance,
    drift,
    env,
    policy,
    preview,
    rotate,
    scan,
    seal,
    sops,
    vault,
)
from cli.reporting import ReportingGroup

app = typer.Typer(
    cls=ReportingGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Operate a Strongroom secrets platform. Every command names a stack: --stack prod.",
)
app.add_typer(vault.app, name="vault")
app.add_typer(access.app, name="access")
audit.app.command()(audit_anomalies.anomalies)
app.add_typer(audit.app, name="audit")
app.add_typer(policy.app, name="policy")
app.add_typer(seal.app, name="seal")
app.add_typer(sops.app, name="sops")
app.add_typer(env.app, name="env")
app.add_typer(rotate.app, name="rotate")
app.command()(compliance.compliance)
app.command()(drift.drift)
app.command()(preview.preview)
app.command(epilog=scan.EPILOG)(scan.scan)
