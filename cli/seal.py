"""`strongroom seal`: seal files for the cluster, keep track of their keys, back the keys up.

Owns the conversation with the person. Secrets are read from a file or standard input and never an
argument; no plaintext and no private key is printed or written.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import seal_keys, tables
from cli.reporting import print_json, tell
from cli.sealing import AsJson, Output, Paths, controller_of, read_bytes, show_objects
from cli.stack import ConfigFile, StackName, settings_of
from sealing import certificates, files, kubeseal
from sealing.certificates import SealingCertificate
from sealing.files import SealedFile, State
from sealing.kubeseal import Scope
from settings import Settings
from vaultops.errors import DoubtError, VaultOpsError
from vaultops.kubectl import Kubectl

app = typer.Typer(no_args_is_help=True, help="Seal secrets for Git, and look after sealing keys.")
app.add_typer(seal_keys.app)

CertFile = Annotated[
    Path | None,
    typer.Option("--cert", help="The certificate's file; without it the controller is asked."),
]
Pin = Annotated[
    str | None,
    typer.Option("--fingerprint", help="The pinned certificate, in place of the settings' one."),
]


@app.command()
def certificate(
    stack: StackName = None,
    config_file: ConfigFile = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Show the controller's newest certificate; with --output write it, to seal without a cluster.

    Fails when it is not the one pinned: after a renewal the pin has to follow.

    Example: strongroom seal certificate --stack prod --output sealing.pem

    Exit status: 0 shown, and the pinned one where one is pinned, 5 another.
    """
    settings = settings_of(stack, config_file)
    found = certificates.fetch(controller_of(settings))
    if output:
        files.write(output, found.pem)
    facts = {
        "fingerprint": found.fingerprint,
        "pinned": settings.sealed_secrets.fingerprint,
        "from": f"{found.not_before:%Y-%m-%d %H:%M} UTC",
        "until": f"{found.not_after:%Y-%m-%d %H:%M} UTC",
    }
    if as_json:
        print_json(facts)
    else:
        tables.show_facts(facts)
    if settings.sealed_secrets.fingerprint:
        certificates.pinned(found, settings.sealed_secrets.fingerprint, source="the controller")


@app.command()
def seal(
    file: Annotated[Path, typer.Argument(help="A manifest with Secrets, or - for stdin.")],
    stack: StackName = None,
    config_file: ConfigFile = None,
    scope: Annotated[
        Scope, typer.Option(help="strict ties it to its name and namespace.")
    ] = Scope.STRICT,
    cert: CertFile = None,
    fingerprint: Pin = None,
    output: Output = None,
) -> None:
    """Seal Secrets for the cluster. The result can be committed; the manifest must not be.

    Example: strongroom seal seal secret.yaml --stack prod --output sealed.yaml

    Exit status: 0 sealed, 1 nothing could be sealed, 5 the certificate is not the pinned one.
    """
    settings = settings_of(stack, config_file)
    trusted = _trusted(settings, cert, fingerprint)
    content = sys.stdin.buffer.read() if str(file) == "-" else read_bytes(file)
    text = content.decode(errors="replace")
    source = "standard input" if str(file) == "-" else str(file)
    sealed = kubeseal.seal(files.load(text, source=source), trusted, scope, source=source)
    if scope is not Scope.STRICT:
        tell(f"scope {scope}: whoever may write sealed files there can open it under another name")
    result = files.dump(sealed)
    if output is None:
        typer.echo(result, nl=False)
        return
    _replaceable(output)
    files.write(output, result)
    tell(f"sealed {', '.join(files.name_of(d) for d in sealed)}: {output}")


@app.command()
def status(
    paths: Paths,
    stack: StackName = None,
    config_file: ConfigFile = None,
    fingerprint: Pin = None,
    as_json: AsJson = False,
) -> None:
    """Show which sealed files were made with an older key. Fails when there are any.

    Reads the notes in the files and the pinned fingerprint; needs no cluster and no key.

    Example: strongroom seal status secrets/ --stack prod

    Exit status: 0 all are of the current key, 1 a file cannot be read, 6 some are not.
    """
    settings = settings_of(stack, config_file)
    current = _pin(settings, fingerprint)
    rows = [
        (str(found.path), files.name_of(document), files.state(document, current))
        for found in files.find(paths)
        for document in found.sealed
    ]
    show_objects([(path, name, str(state)) for path, name, state in rows], as_json=as_json)
    if stale := [row for row in rows if row[2] is not State.CURRENT]:
        raise DoubtError(
            f"{len(stale)} of {len(rows)} sealed objects are not known to use the current key",
            where=stale[0][0],
            why="they cannot be opened once the older keys are gone, and can be if one leaked",
            fix="strongroom seal rotate, then commit; change the values themselves after a leak",
        )


@app.command()
def rotate(
    paths: Paths,
    stack: StackName = None,
    config_file: ConfigFile = None,
    fingerprint: Pin = None,
) -> None:
    """Seal files of older keys anew, in place. Values stay as they are and are seen by nobody.

    Example: strongroom seal rotate secrets/ --stack prod

    Exit status: 0 all are of the current key now, 5 the certificate is not the pinned one, 6
    nothing was changed, since the controller made a new key meanwhile.
    """
    settings = settings_of(stack, config_file)
    kubectl = controller_of(settings)
    trusted = _trusted(settings, None, fingerprint)
    changed = [
        (found, renewed)
        for found in files.find(paths)
        if (renewed := _renewed(found, kubectl, trusted)) is not None
    ]
    if certificates.fetch(kubectl).fingerprint != trusted.fingerprint:
        raise DoubtError(
            "the controller made a new key in between; no file was changed",
            where="the controller",
            why="it is unclear which files are sealed for which key",
            fix="pin the new certificate and run it again",
        )
    for found, renewed in changed:
        files.write(found.path, renewed)
        tell(f"sealed anew: {found.path}")
    tell(f"{len(changed)} files changed")


def _pin(settings: Settings, fingerprint: str | None) -> str:
    pin = fingerprint or settings.sealed_secrets.fingerprint
    if pin is None:
        raise VaultOpsError(
            "no certificate is pinned",
            where="strongroom:sealedSecrets.fingerprint",
            why="it is unknown which key is the current one",
            fix="set what `strongroom seal certificate` shows, or give --fingerprint",
        )
    return pin


def _trusted(settings: Settings, cert: Path | None, fingerprint: str | None) -> SealingCertificate:
    if cert:
        found, source = certificates.read(read_bytes(cert), source=str(cert)), str(cert)
    else:
        found, source = certificates.fetch(controller_of(settings)), "the controller"
    pin = fingerprint or settings.sealed_secrets.fingerprint
    return certificates.pinned(found, pin, source=source)


def _renewed(found: SealedFile, kubectl: Kubectl, trusted: SealingCertificate) -> str | None:
    """The file's new text; None when everything in it is current."""
    stale = [
        document
        for document in found.sealed
        if files.state(document, trusted.fingerprint) is not State.CURRENT
    ]
    if not stale:
        return None
    documents = [
        kubeseal.re_encrypt(document, kubectl, trusted) if document in stale else document
        for document in found.documents
    ]
    return files.dump(documents, as_json=found.path.suffix == ".json")


def _replaceable(path: Path) -> None:
    """A sealed file may be replaced by a newer one; anything else would be lost."""
    if path.exists() and not list(files.find([path])):
        raise VaultOpsError(
            "the output exists and is no sealed file; nothing was written",
            where=str(path),
            why="what is in it would be lost",
            fix="name another file",
        )
