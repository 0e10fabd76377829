"""`strongroom rotate`: what is due, carry it out, see what is stuck, read the signed events.

Owns the conversation with the person and the exit statuses; `run` asks nothing, so that a CronJob
can be the person. What a rotation is made of is `rotation`'s.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from time import time
from typing import Annotated

import typer

from cli.reporting import print_json, tell
from cli.rotating import Access, CaFile, JwtFile, VaultAddress, rotations
from cli.rotation_tables import plan_data, show_outcomes, show_plan, show_standings, when
from cli.stack import ConfigFile, StackName, settings_of
from rotation import events
from rotation.ledger import EVENTS, VaultEventLog, VaultRecords
from rotation.runner import Runner
from rotation.signing import TransitSigner, public_keys
from rotation.standing import Standing, State, standings
from rotation.steps import Rotation
from rotation.vault import Clients
from vaultops.errors import DoubtError, VaultOpsError

app = typer.Typer(
    no_args_is_help=True,
    help="Rotate credentials that do not end by themselves; docs/runbooks/rotation.md.",
)

AsJson = Annotated[bool, typer.Option("--json", help="Print data for programs.")]


class DueError(VaultOpsError):
    """A rotation is due, or late."""

    exit_status = 8


class StuckError(VaultOpsError):
    """A rotation has failed, or does not get on."""

    exit_status = 9


@app.command()
def plan(
    stack: StackName = None,
    config_file: ConfigFile = None,
    jwt_file: JwtFile = None,
    ca_file: CaFile = None,
    vault_address: VaultAddress = None,
    as_json: AsJson = False,
) -> None:
    """Show when each rotation is due next, by which steps, and who must follow. Changes nothing.

    Example: strongroom rotate plan --stack prod

    Exit status 0, also when something is due.
    """
    access = _access(stack, config_file, jwt_file, ca_file, vault_address)
    with access.clients() as clients:
        known = rotations(access, clients)
        found = standings(known, VaultRecords(clients), time())
    planned = sorted(zip(known, found, strict=True), key=lambda both: both[1].due)
    if as_json:
        print_json([plan_data(rotation, standing) for rotation, standing in planned])
        return
    show_plan(planned)


@app.command()
def run(
    names: Annotated[
        list[str] | None, typer.Argument(help="Only these; without names, all that are due.")
    ] = None,
    stack: StackName = None,
    config_file: ConfigFile = None,
    jwt_file: JwtFile = None,
    ca_file: CaFile = None,
    vault_address: VaultAddress = None,
    now: Annotated[
        bool, typer.Option("--now", help="Begin the named ones although they are not due.")
    ] = False,
    wait: Annotated[
        int,
        typer.Option(
            min=0,
            max=43_200,  # a lease is never taken for longer than a day
            help="Seconds to wait within each step; else the next run does.",
        ),
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Carry out what is due and go on with what was begun: one pass, no questions.

    Example: strongroom rotate run --stack prod
    A leaked credential: strongroom rotate run mlflow-database --now --wait 600 --stack prod
    In a pod: strongroom rotate run --config-file /settings/Pulumi.prod.yaml
    --jwt-file /var/run/secrets/rotation/token --ca-file /etc/vault-ca/ca.crt

    Exit status 0: nothing failed; rotations that wait are gone on with by the next run. 9: one
    has failed or is stuck.
    """
    if now and not names:
        raise typer.BadParameter("--now needs names: all at once would take everything down")
    access = _access(stack, config_file, jwt_file, ca_file, vault_address)
    with access.clients() as clients:
        known = rotations(access, clients)
        only = _known(names or [], known)
        records = VaultRecords(clients)
        key = access.settings.rotation.events_key
        runner = Runner(
            records=records,
            log=VaultEventLog(clients),
            signer=TransitSigner(clients, key),
            now=time,
            patience=wait,
            tell=tell,
        )
        if known:
            public_keys(clients, key)  # nothing is rotated that could not be told of
        outcomes = runner.go(known, only=only, early=now)
        stuck = [
            one
            for one in standings(known, records, time())
            if one.state in (State.STUCK, State.FAILED) and (not only or one.rotation in only)
        ]
    if as_json:
        print_json([asdict(one) for one in outcomes])
    else:
        show_outcomes(outcomes)
    _fail_if_stuck(stuck)


@app.command()
def status(
    stack: StackName = None,
    config_file: ConfigFile = None,
    jwt_file: JwtFile = None,
    ca_file: CaFile = None,
    vault_address: VaultAddress = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check signature and chain of every event line, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show where each rotation stands; of one that does not get on, its step, age and remedy.

    Example: strongroom rotate status --stack prod --verify

    Exit status 0: all is fine or gets on. 6: an event line is wrong. 8: one is due or late. 9: one
    has failed or is stuck.
    """
    access = _access(stack, config_file, jwt_file, ca_file, vault_address)
    with access.clients() as clients:
        found = standings(rotations(access, clients), VaultRecords(clients), time())
        wrong = _wrong_events(access, clients, found)[1] if verify else []
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        show_standings(found)
    _fail_if_wrong(wrong)
    if verify:
        tell("every event line is signed, in its place and unchanged")
    _fail_if_stuck([one for one in found if one.state in (State.STUCK, State.FAILED)])
    due = [one for one in found if one.state in (State.DUE, State.LATE)]
    if due:
        raise DueError(
            f"{len(due)} rotations are due",
            where=", ".join(f"{one.rotation} ({one.state})" for one in due),
            why="no run has begun them; " + ", ".join(f"due {when(one.due)}" for one in due),
            fix="strongroom rotate run; if a CronJob should have, look at its last Job",
        )


@app.command(name="events")
def show_events(
    stack: StackName = None,
    config_file: ConfigFile = None,
    jwt_file: JwtFile = None,
    ca_file: CaFile = None,
    vault_address: VaultAddress = None,
) -> None:
    """Print every event line (JSON lines, oldest first) for the audit reports, and check them.

    Example: strongroom rotate events --stack prod > rotation-events.jsonl

    Exit status 0: the log is whole. 6: a line was changed, added or taken away.
    """
    access = _access(stack, config_file, jwt_file, ca_file, vault_address)
    with access.clients() as clients:
        found = standings(rotations(access, clients), VaultRecords(clients), time())
        lines, wrong = _wrong_events(access, clients, found)
    for line in lines:
        if line is not None:
            typer.echo(line)
    _fail_if_wrong(wrong)


def _access(
    stack: str | None,
    config_file: Path | None,
    jwt_file: Path | None,
    ca_file: Path | None,
    address: str | None,
) -> Access:
    settings = settings_of(stack, config_file)
    return Access(settings=settings, jwt_file=jwt_file, ca_file=ca_file, address=address)


def _known(names: list[str], known: list[Rotation]) -> frozenset[str]:
    valid = [one.name for one in known]
    for name in names:
        if name not in valid:
            raise VaultOpsError(
                f"there is no rotation {name!r}; nothing was done",
                where="strongroom:rotation.credentials",
                why="no credential there has that name",
                fix=f"use one of {', '.join(valid)}" if valid else "add it there and deploy",
            )
    return frozenset(names)


def _wrong_events(
    access: Access, clients: Clients, found: list[Standing]
) -> tuple[list[str | None], list[str]]:
    lines = list(VaultEventLog(clients).lines())
    keys = public_keys(clients, access.settings.rotation.events_key)
    finished = [one.finished_run for one in found if one.finished_run]
    return lines, [*events.verify(lines, keys), *events.missing_runs(lines, finished)]


def _fail_if_wrong(wrong: list[str]) -> None:
    if wrong:
        raise DoubtError(
            f"the event log has {len(wrong)} faults",
            where=EVENTS,
            why="; ".join(wrong[:5]) + (" …" if len(wrong) > 5 else ""),
            fix="Vault's audit log shows who wrote or deleted below that path",
        )


def _fail_if_stuck(stuck: list[Standing]) -> None:
    if stuck:
        first = stuck[0]
        raise StuckError(
            f"{len(stuck)} rotations do not get on",
            where="; ".join(f"{one.rotation}, step {one.step}" for one in stuck),
            why=f"{first.rotation}: {first.reason}",
            fix=first.remedy,
        )
