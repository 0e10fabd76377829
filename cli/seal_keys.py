"""`strongroom seal keys`, `backup-keys`, `restore-keys`, `verify-backup`: the keys' own care.

Owns the conversation with the person. Private keys are neither printed nor written in clear.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.reporting import console, print_json, tell
from cli.sealing import (
    WIDTH,
    AsJson,
    Output,
    Paths,
    controller_of,
    read_bytes,
    show_objects,
)
from cli.stack import ConfigFile, StackName, settings_of
from sealing import files, keys
from sealing.sops import Recipients
from vaultops.errors import DoubtError, VaultOpsError

app = typer.Typer()

Backup = Annotated[Path, typer.Argument(help="A backup of the sealing keys.")]


@app.command("keys")
def show_keys(
    stack: StackName = None,
    config_file: ConfigFile = None,
    backup: Annotated[
        Path | None, typer.Option("--backup", help="Fail when a key is not in this backup.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the controller's keys, and with --backup whether each of them is backed up.

    Example: strongroom seal keys --stack prod --backup sealing-keys.json

    Exit status: 0 shown, and all in the backup, 6 one is not.
    """
    found = keys.in_cluster(controller_of(settings_of(stack, config_file)))
    saved = keys.fingerprints(read_bytes(backup), source=str(backup)) if backup else set()
    if as_json:
        print_json([{**asdict(k), "backed_up": k.fingerprint in saved} for k in found.known])
    else:
        table = Table("key", "fingerprint", "made (UTC)", "state", box=None, pad_edge=False)
        for key in found.known:
            condition = "compromised" if key.compromised else "usable"
            table.add_row(key.name, key.fingerprint, f"{key.made:%Y-%m-%d %H:%M}", condition)
        console(WIDTH).print(table)
    if backup and (missing := [k.name for k in found.known if k.fingerprint not in saved]):
        raise DoubtError(
            "the backup is older than the newest key",
            where=str(backup),
            why=f"it lacks {', '.join(missing)}",
            fix="strongroom seal backup-keys",
        )


@app.command("backup-keys")
def backup_keys(
    stack: StackName = None, config_file: ConfigFile = None, output: Output = None
) -> None:
    """Save every sealing key, encrypted for the keys named in `sealedSecrets.backup`.

    Example: strongroom seal backup-keys --stack prod --output sealing-keys.json

    Exit status: 0 saved, 1 nothing was saved, 6 the result was not encrypted throughout.
    """
    settings = settings_of(stack, config_file)
    path = output or Path(f"sealing-keys-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json")
    if path.exists():
        raise VaultOpsError(
            "the backup's file exists already; nothing was done",
            where=str(path),
            why="an older backup would be lost",
            fix="name another file",
        )
    wanted = settings.sealed_secrets.backup
    recipients = Recipients(age=wanted.age, aws_kms=wanted.aws_kms, gcp_kms=wanted.gcp_kms)
    encrypted, saved = keys.back_up(controller_of(settings), recipients)
    files.write(path, encrypted.decode(), mode=0o600)
    tell(f"{path}: {len(saved.known)} keys, the newest of {saved.newest.made:%Y-%m-%d}")


@app.command("restore-keys")
def restore_keys(
    file: Backup,
    stack: StackName = None,
    config_file: ConfigFile = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put the keys of a backup into the cluster, and restart the controller so that it has them.

    Example: strongroom seal restore-keys sealing-keys.json --stack prod

    Exit status: 0 restored, 1 the backup cannot be opened, or nobody agreed.
    """
    settings = settings_of(stack, config_file)
    saved = keys.opened(read_bytes(file), source=str(file))
    if not yes:
        place = settings.kubernetes.context or "the current context"
        typer.confirm(f"Put {len(saved.known)} sealing keys into {place}?", abort=True)
    keys.restore(controller_of(settings), saved)
    tell(f"restored {len(saved.known)} keys; the controller has read them")


@app.command("verify-backup")
def verify_backup(file: Backup, paths: Paths, as_json: AsJson = False) -> None:
    """Prove that a backup opens every sealed file, with no cluster: the drill before the need.

    Tells as well which files really use an older key, whatever their notes say.

    Example: strongroom seal verify-backup sealing-keys.json secrets/

    Exit status: 0 it opens all, 1 nothing was proven, 6 it does not open some.
    """
    saved = keys.opened(read_bytes(file), source=str(file))
    rows = [
        (str(found.path), files.name_of(document), keys.tried(document, saved))
        for found in files.find(paths)
        for document in found.sealed
    ]
    if not rows:
        raise VaultOpsError(
            "nothing was proven",
            where=", ".join(map(str, paths)),
            why="there is no sealed file",
            fix="name the files, or the folder that they are in",
        )
    show_objects([(p, n, str(state or "no key opens it")) for p, n, state in rows], as_json=as_json)
    if lost := [name for _, name, state in rows if state is None]:
        raise DoubtError(
            f"the backup does not open {len(lost)} of {len(rows)} sealed objects",
            where=str(file),
            why=f"no key in it opens {', '.join(lost)}",
            fix="make a new backup from the running cluster: strongroom seal backup-keys",
        )
    tell(f"the backup opens all {len(rows)} sealed objects")
