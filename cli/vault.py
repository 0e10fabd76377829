"""`strongroom vault`: look at it, unseal it, save it, bring it back, renew its pods.

Owns the conversation with the person. Tokens come from a login as the operator, shares and root
tokens from a hidden prompt or standard input; none is ever an argument.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import tables
from cli.reporting import print_json, tell, to_json
from cli.stack import ConfigFile, StackName, kubectl_of, settings_of, vault_of
from settings import Settings
from vaultops import certificates as tls
from vaultops import snapshot as snapshots
from vaultops import unseal as unsealing
from vaultops import upgrade as upgrading
from vaultops.errors import DoubtError, UnreachableError, VaultOpsError
from vaultops.session import operator_session
from vaultops.state import BootstrapState, Observation, observe
from vaultops.target import Target

app = typer.Typer(
    no_args_is_help=True,
    help="Operate the Vault servers of a stack. Exit status of all: 1 any other error, 2 a wrong "
    "option, 3 out of reach, 4 refused, 5 not trusted, 7 waited in vain.",
)

AsJson = Annotated[bool, typer.Option("--json", help="Print data for programs.")]
NewFile = Annotated[
    Path | None, typer.Option("--output", "-o", help="Default: vault-<UTC time>.snap, here.")
]


@app.command()
def status(
    stack: StackName = None, config_file: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Show every server. Fails unless all are joined and Raft's autopilot calls them healthy.

    Example: strongroom vault status --stack prod

    Exit status: 0 healthy, 6 not.
    """
    settings = settings_of(stack, config_file)
    with vault_of(settings) as target:
        seen = observe(target)
        if as_json:
            print_json({"state": seen.state, "replicas": [asdict(r) for r in seen.replicas]})
        else:
            tables.show_servers(seen)
        missing: str | None = _not_joined(seen)
        if missing is None:
            with operator_session(target, kubectl_of(settings)) as token:
                missing = upgrading.healthy(target, token)
    if missing:
        raise DoubtError(
            "the cluster is not healthy",
            where="sys/seal-status, sys/leader, sys/storage/raft/autopilot/state",
            why=missing,
            fix="docs/runbooks: unseal.md for sealed servers, lost-quorum.md without a leader",
        )
    tell("every server is joined and healthy")


@app.command()
def unseal(stack: StackName = None, config_file: ConfigFile = None) -> None:
    """Hand unseal shares to every sealed server, from a hidden prompt or one a line from stdin.

    Fewer shares than the threshold are kept by the servers: the next holder goes on.

    Example: strongroom vault unseal --stack prod

    Exit status: 0 no server is sealed, 6 one still is, 3 one does not answer.
    """
    with vault_of(settings_of(stack, config_file)) as target:
        if _sealed(observe(target)):
            for share in _shares():
                unsealing.unseal(target, [share])
                if not _sealed(observe(target)):
                    break
        seen = observe(target)
    if silent := [replica.name for replica in seen.replicas if not replica.answers]:
        raise UnreachableError(
            f"no answer from {', '.join(silent)}",
            where="sys/seal-status",
            why="whether a server is sealed is known from itself alone",
            fix="see why the pod does not run, then run the same command again",
        )
    if sealed := _sealed(seen):
        raise DoubtError(
            "still sealed",
            where="sys/seal-status",
            why=", ".join(sealed),
            fix="enter more shares: the next holder runs the same command",
        )
    tell("no server is sealed" + (f"; {seen.missing}" if seen.missing else ""))


@app.command()
def snapshot(
    stack: StackName = None,
    config_file: ConfigFile = None,
    output: NewFile = None,
    as_json: AsJson = False,
) -> None:
    """Save a verified snapshot, and beside it what a restore needs to know of its seal.

    Example: strongroom vault snapshot --stack prod --output vault.snap

    Exit status: 0 saved and verified.
    """
    settings = settings_of(stack, config_file)
    path = _new_file(output)
    with vault_of(settings) as target, operator_session(target, kubectl_of(settings)) as token:
        facts = _save(target, token, path, settings)
    if as_json:
        print_json(facts)
    else:
        tables.show_facts(facts)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="The snapshot.")],
    stack: StackName = None,
    config_file: ConfigFile = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Replace everything that the cluster holds by a snapshot.

    Asks for a root token of the cluster as it is now: hidden prompt, or the first line of stdin.

    Example: strongroom vault restore vault.snap --stack prod

    Exit status: 0 restored, 1 the file is not whole or nobody agreed, 6 unclear how it
    ended.
    """
    settings = settings_of(stack, config_file)
    found = snapshots.verify(file)
    tell(f"{file}: whole, {found.size} bytes, sha256 {found.sha256}")
    if not yes:
        kubernetes = settings.kubernetes.context or "the current context"
        typer.confirm(
            f"Replace ALL data of Vault in namespace {settings.vault.namespace} of {kubernetes}?",
            abort=True,
        )
    token = _root_token()
    with vault_of(settings) as target:
        pods = upgrading.KubernetesPods(kubectl_of(settings))
        snapshots.restore(
            target,
            token,
            file,
            restart=lambda: pods.restart(target.replicas),
            unserved=lambda: pods.unserved(target.replicas),
            progress=tell,
        )
    tell("restored; tokens and shares of the snapshot are valid again, newer ones are not")


@app.command()
def upgrade(
    stack: StackName = None, config_file: ConfigFile = None, output: NewFile = None
) -> None:
    """Renew every pod of an older template: snapshot, standbys, step-down, old active last.

    Example: strongroom vault upgrade --stack prod

    Exit status: 0 every pod is of the newest template, 6 the cluster is not healthy.
    """
    settings = settings_of(stack, config_file)
    path = _new_file(output)
    kubectl = kubectl_of(settings)
    with vault_of(settings) as target, operator_session(target, kubectl) as token:
        renewed = upgrading.upgrade(
            target,
            upgrading.KubernetesPods(kubectl),
            token,
            snapshot=lambda: tell(f"snapshot: {_save(target, token, path, settings)['path']}"),
            progress=tell,
        )
    tell(f"renewed: {', '.join(renewed) or 'none'}")


@app.command()
def certificates(
    stack: StackName = None,
    config_file: ConfigFile = None,
    days: Annotated[int, typer.Option(min=0, help="Fail when fewer days are left.")] = 14,
    as_json: AsJson = False,
) -> None:
    """Show the certificate that each server really serves, and the days left.

    Example: strongroom vault certificates --stack prod --days 30

    Exit status: 0 each lasts so long, 6 one does not.
    """
    with vault_of(settings_of(stack, config_file)) as target:
        served = [tls.served(target, ordinal) for ordinal in range(target.replicas)]
    if as_json:
        print_json([{**asdict(one), "days_left": one.days_left} for one in served])
    else:
        tables.show_certificates(served)
    if short := [f"{one.name}: {one.days_left} days" for one in served if one.days_left < days]:
        raise DoubtError(
            f"certificates end in less than {days} days",
            where=", ".join(short),
            why="clients refuse a server whose certificate has expired",
            fix="docs/runbooks/certificate-renewal.md",
        )


def _not_joined(seen: Observation) -> str | None:
    joined = seen.state.rank >= BootstrapState.JOINED.rank
    return None if joined else seen.missing or f"the cluster is {seen.state}"


def _sealed(seen: Observation) -> list[str]:
    return [
        f"{r.name} ({r.unseal_progress} of {r.unseal_threshold} shares)"
        for r in seen.replicas
        if r.answers and r.initialised and r.sealed
    ]


def _shares() -> Iterator[str]:
    if sys.stdin.isatty():
        while share := getpass("Unseal share (not shown; empty to stop): ").strip():
            yield share
    else:
        yield from filter(None, map(str.strip, sys.stdin))


def _root_token() -> str:
    if sys.stdin.isatty():
        token = getpass("Root token of the cluster as it is now (not shown): ").strip()
    else:
        token = sys.stdin.readline().strip()
    if not token:
        raise VaultOpsError(
            "no token was given; nothing was changed",
            where="standard input",
            why="only a root token may restore",
            fix="generate one with the share holders: docs/runbooks/key-custody.md",
        )
    return token


def _new_file(output: Path | None) -> Path:
    path = output or Path(f"vault-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.snap")
    if path.exists():
        raise VaultOpsError(
            "the snapshot's file exists already; nothing was done",
            where=str(path),
            why="an older snapshot would be lost",
            fix="name another file",
        )
    return path


def _save(target: Target, token: str, path: Path, settings: Settings) -> dict[str, Any]:
    """Take the snapshot and note beside it which seal it needs: without that key it is noise."""
    taken = snapshots.take(target, token, path)
    seen = observe(target)
    facts = {
        "path": str(taken.path),
        "size": taken.size,
        "sha256": taken.sha256,
        "cluster_id": seen.cluster_id,
        "vault_versions": sorted({r.version for r in seen.replicas if r.version}),
        "seal": settings.vault.seal.model_dump(mode="json", exclude_none=True),
    }
    path.with_name(f"{path.name}.json").write_text(to_json(facts) + "\n")
    return facts
