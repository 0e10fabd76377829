"""`strongroom access`: who may read what, why, and what a change of grants would give and take.

Owns where the facts come from (a stack's settings, or a stack exported with `pulumi stack export`)
and the forms of the answers. Nothing is asked live, and no secret value is read.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from access.changes import diff as changes_between
from access.matrix import Matrix
from access.model import Source, Subject
from access.page import page
from access.policy import Capability
from access.policy_hcl import parse
from access.rbac import Rbac, workload_role
from access.rbac_rights import RbacRights
from access.state import StateError, matrix_of, namespaces_of
from access.text import holders_text, matrix_text, verdict_text
from access.vault_rights import VaultRights, VaultRole
from cli.checking import read_export, unreadable
from cli.reporting import print_json, tell, write_file
from cli.stack import ConfigFile, StackName, settings_of
from settings import Settings
from vaultops.identity import deployer_role, operator_role
from vaultops.policies import deployer_policy, operator_policy

_BOOTSTRAP = "pulumi-python:dynamic/strongroom:VaultBootstrap"

app = typer.Typer(
    no_args_is_help=True,
    help="Show who may read what, and why. PATH is a path in Vault as people write it "
    "(secret/ml/mlflow), a Kubernetes Secret (k8s:ml-training/mlflow-credentials) or an ARN.",
)

AsJson = Annotated[bool, typer.Option("--json", help="Print data for programs.")]
StateFile = Annotated[
    Path | None,
    typer.Option(
        "--state", help="A deployed stack, from `pulumi stack export`; - is standard input."
    ),
]
AgainstFile = Annotated[
    Path | None, typer.Option("--against", help="Another settings file to compare with.")
]


@app.command()
def matrix(
    stack: StackName = None,
    config_file: ConfigFile = None,
    state: StateFile = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one self-contained page there.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show every subject's rights: as settings declare them, or as a stack has deployed them.

    Example: strongroom access matrix --stack prod --html access.html

    Exit status: 0 shown, 1 a file cannot be read or written, 2 a wrong option.
    """
    shown, title = _asked(stack, config_file, state)
    if html:
        write_file(html, page(shown, title=title), what="the page")
        tell(f"wrote {html}")
    if as_json:
        print_json(shown.as_data())
    elif not html:
        typer.echo(matrix_text(shown))


@app.command()
def who_can(
    path: str,
    capability: Annotated[str, typer.Argument()] = "read",
    stack: StackName = None,
    config_file: ConfigFile = None,
    state: StateFile = None,
    as_json: AsJson = False,
) -> None:
    """List everyone who can do it, directly or by acting as somebody who can.

    Example: strongroom access who-can secret/data/ml/mlflow --stack prod

    Exit status: 0 answered, 1 a file cannot be read, 2 a wrong option.
    """
    _check(path, capability)
    shown, _ = _asked(stack, config_file, state)
    holders = shown.who_can(path, capability)
    if as_json:
        found = [holder.as_data() for holder in holders]
        print_json(
            {
                "path": path,
                "capability": capability,
                "holders": found,
                "notes": list(shown.notes),
            }
        )
    else:
        typer.echo(holders_text(holders, path=path, capability=capability))
        _tell_notes(shown)


@app.command()
def explain(
    subject: Annotated[str, typer.Argument(help="namespace/service-account")],
    path: str,
    capability: Annotated[str, typer.Argument()] = "read",
    stack: StackName = None,
    config_file: ConfigFile = None,
    state: StateFile = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a service account can do it, which rule decides, and why others do not.

    Example: strongroom access explain ml-training/ml-app-sa secret/data/ml/mlflow --stack prod

    Exit status: 0 answered, whether it can or not, 1 a file cannot be read, 2 a wrong option.
    """
    _check(path, capability)
    shown, _ = _asked(stack, config_file, state)
    try:
        asked = Subject.parse(subject)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    verdict = shown.explain(asked, path, capability)
    if as_json:
        print_json({**verdict.as_data(), "notes": list(shown.notes)})
    else:
        typer.echo(verdict_text(verdict))
        _tell_notes(shown)


@app.command()
def diff(
    stack: StackName = None,
    config_file: ConfigFile = None,
    state: StateFile = None,
    against: AgainstFile = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 1 when something changes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what deploying this stack's settings would change, in words.

    Compares with what is deployed (--state) or with other settings (--against), as far as grants
    and service accounts of the settings reach; the charts' own objects are left out.

    Example: strongroom access diff --stack prod --against main/Pulumi.prod.yaml --exit-code

    Exit status: 0 compared, 1 a file cannot be read or, with --exit-code, something changes, 2 a
    wrong option.
    """
    if (state is None) is (against is None):
        raise typer.BadParameter("name what to compare with: either --state FILE or --against FILE")
    new = _declared(settings_of(stack, config_file))
    old = (
        _declared(settings_of(None, against))
        if against
        else _deployed(state or Path(), declared_only=True)
    )
    changes = changes_between(old, new)
    if as_json:
        print_json({"changes": [change.as_data() for change in changes]})
    else:
        typer.echo("\n".join(map(str, changes)) or "Nobody gains or loses anything.")
    if exit_code and changes:
        raise typer.Exit(1)


def _asked(stack: str | None, config_file: Path | None, state: Path | None) -> tuple[Matrix, str]:
    """The matrix that the options name, with the platform's own logins, and its title."""
    if state is None:
        settings = settings_of(stack, config_file)
        source = config_file.name if config_file else f"stack {stack}"
        own = _own_logins(settings.vault.namespace)
        return _declared(settings, beside=[own]), f"{source}, as its settings declare it"
    if stack or config_file:
        raise typer.BadParameter("name one source: --state, --stack or --config-file")
    return _deployed(state), f"{state.name}, as deployed"


def _declared(settings: Settings, *, beside: Sequence[Source] = ()) -> Matrix:
    manifests = [
        manifest
        for account in settings.service_accounts
        for manifest in workload_role(
            account=account.name,
            namespace=account.namespace,
            secret_names=account.secret_names,
            jobs=account.jobs,
        )
    ]
    grants = VaultRights.of_grants(settings.grants)
    return Matrix([grants, RbacRights(Rbac(manifests)), *beside])


def _deployed(state: Path, *, declared_only: bool = False) -> Matrix:
    export = read_export(state)
    try:
        if declared_only:
            return matrix_of(export, declared_only=True)
        return matrix_of(export, beside=map(_own_logins, namespaces_of(export, _BOOTSTRAP)))
    except StateError as error:
        raise unreadable(state, f"it {error}") from None


def _own_logins(namespace: str) -> VaultRights:
    """The logins that the bootstrap makes by itself, so that no stack's state knows them."""
    roles = (deployer_role(namespace), operator_role(namespace))
    texts = (deployer_policy(), operator_policy())
    return VaultRights(
        policies=[parse(text, role.policy) for role, text in zip(roles, texts, strict=True)],
        roles=[
            VaultRole(
                name=role.name,
                accounts=(role.service_account,),
                namespaces=(role.namespace,),
                policies=(role.policy,),
                mount=role.mount,
            )
            for role in roles
        ],
    )


def _check(path: str, capability: str) -> None:
    if path.startswith("arn:"):
        if ":" not in capability:
            raise typer.BadParameter(
                f"{capability!r} is no IAM action; write one such as s3:GetObject"
            )
        return
    known = [c.value for c in Capability if c is not Capability.DENY]
    if capability in known:
        return
    close = difflib.get_close_matches(capability, known, n=1)
    raise typer.BadParameter(
        f"{capability!r} is no capability; "
        + (f"did you mean {close[0]}?" if close else f"use one of {', '.join(known)}")
    )


def _tell_notes(shown: Matrix) -> None:
    for note in shown.notes:
        tell(f"not judged: {note}")
