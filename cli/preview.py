"""`strongroom preview`: what a change would do to a stack, for the pull request.

Owns running the engine's own preview under the policy pack, and the exit status: 0 when a
deployment could go on, 1 when the preview failed or a mandatory policy refuses it. What a preview
tells is `review`'s matter; nothing is deployed.
"""

from __future__ import annotations

import json
import os
import subprocess
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.reporting import tell, to_json, write_file
from policies.waivers import FILE as WAIVERS
from review.comment import comment
from review.events import Log, read
from review.marked import stored_secrets
from review.preview import preview_of
from review.redaction import Redactor
from vaultops.errors import VaultOpsError

POLICY_PACK = WAIVERS.parent


class Form(StrEnum):
    """How the preview is told."""

    MARKDOWN = "markdown"
    JSON = "json"


def preview(
    stack: Annotated[str, typer.Option("--stack", "-s", help="The stack, as Pulumi names it.")],
    form: Annotated[
        Form, typer.Option("--format", help="A comment for a pull request, or data for programs.")
    ] = Form.MARKDOWN,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write it there, in place of standard output.")
    ] = None,
) -> None:
    """Preview a stack under the policy pack, and tell it as one short comment without secrets.

    Replaces and deletes come first, then who gains or loses access, what the policies find, and
    what could not be checked.

    Example: strongroom preview --stack prod --format json --output preview.json

    Exit status: 0 a deployment could go on, 1 it could not, or there is no preview, 2 a wrong
    option.
    """
    told = preview_of(_log_of(stack), stack, _stored_in(stack))
    text = comment(told) if form is Form.MARKDOWN else to_json(told.as_data())
    if output:
        write_file(output, text, what="the preview")
        tell(f"wrote {output}")
    else:
        typer.echo(text)
    if not told.passed:
        raise typer.Exit(1)


def _log_of(stack: str) -> Log:
    ended = _engine("preview", "--json", "--stack", stack, "--policy-pack", str(POLICY_PACK))
    log = read(ended.stdout.splitlines())
    if not log.steps and not log.messages:
        raise VaultOpsError(
            f"the engine did not preview (it ended with {ended.returncode})",
            where=stack,
            why=_said(ended) or "it said nothing",
            fix="check that the stack exists (`pulumi stack ls`) and that you are logged in",
        )
    return log


def _stored_in(stack: str) -> frozenset[str]:
    """The stack's secrets, kept in memory to be redacted; the preview is told by then."""
    ended = _engine("stack", "export", "--show-secrets", "--stack", stack)
    try:
        return stored_secrets(json.loads(ended.stdout))
    except ValueError:
        raise VaultOpsError(
            "the stack's state cannot be read, so its secrets could not be kept out of the preview",
            where=stack,
            why=_said(ended) or "the engine wrote no state",
            fix="give whoever previews the right to decrypt the stack's state",
        ) from None


def _engine(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the engine. Raises VaultOpsError when it is not there."""
    try:
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            # With it a preview's events are written as they come, and not only a final digest.
            env={**os.environ, "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise VaultOpsError(
            "the stack cannot be previewed",
            where=str(Path.cwd()),
            why="pulumi is not on PATH",
            fix="install Pulumi, or run `make tools`",
        ) from None


def _said(ended: subprocess.CompletedProcess[str]) -> str:
    return Redactor()(ended.stderr.strip().removeprefix("error: "))
