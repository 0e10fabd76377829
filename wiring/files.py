"""What Vault is given from files: credentials, which only the deployer may read, and CAs.

Owns reading them before anything is deployed, so that a missing one changes nothing. A credential
leaves here only as a secret Output; messages name files, never what is in them. The AWS key's file
is only looked at: the process that gives it to Vault reads it, so that no state has it.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pulumi

from settings import Problem, SettingsError
from settings.auth import Auth
from settings.engines import Engines

OTHERS = 0o077  # the permissions of everybody but the owner

Contents = dict[str, pulumi.Output[str]]


def read(engines: Engines, auth: Auth, *, source: str) -> Contents:
    """The content of each file that is named, by the setting that names it.

    A credential's file may be empty once Vault has it: nothing is sent before its version grows.
    Raises SettingsError with every file that is missing or, for a credential, open to others;
    `source` is the stack file that names them.
    """
    private, public = _credentials(engines, auth), _authorities(engines, auth)
    guarded = {**private, **_unread(engines)}
    problems = [
        *(p for key, path in guarded.items() for p in _problems(key, path, private=True)),
        *(p for key, path in public.items() for p in _problems(key, path, private=False)),
    ]
    if problems:
        raise SettingsError(source, problems)
    return {
        **{key: pulumi.Output.secret(_line(path)) for key, path in private.items()},
        **{key: pulumi.Output.from_input(path.read_text()) for key, path in public.items()},
    }


def _credentials(engines: Engines, auth: Auth) -> dict[str, Path]:
    files = {}
    if engines.database:
        files["engines.database.passwordFile"] = Path(engines.database.password_file)
    if auth.oidc:
        files["auth.oidc.clientSecretFile"] = Path(auth.oidc.client_secret_file)
    if auth.ldap:
        files["auth.ldap.bindPasswordFile"] = Path(auth.ldap.bind_password_file)
    return files


def _unread(engines: Engines) -> dict[str, Path]:
    key = engines.aws.root_key if engines.aws else None
    return {"engines.aws.rootKey.file": Path(key.file)} if key else {}


def _authorities(engines: Engines, auth: Auth) -> dict[str, Path]:
    files = {}
    if engines.database:
        files["engines.database.caFile"] = Path(engines.database.ca_file)
    if auth.ldap:
        files["auth.ldap.caFile"] = Path(auth.ldap.ca_file)
    return files


def unreadable(path: Path) -> str:
    """Why `path` is not read, in words that go on after its name; empty when nothing is wrong."""
    if not path.is_file():
        return "is no file"
    try:
        path.read_text()
    except OSError as reason:
        return f"cannot be read: {reason.strerror}"
    except UnicodeDecodeError:
        return "holds no text; a certificate must be PEM"
    return ""


def _line(path: Path) -> str:
    return path.read_text().rstrip("\r\n")


def _problems(key: str, path: Path, *, private: bool) -> Iterator[Problem]:
    if wrong := unreadable(path):
        yield Problem(
            key,
            f"names {str(path)!r}, which {wrong}",
            "Vault would be given an empty one",
            "the path of a file with the credential, mode 0600 (empty once Vault has it)"
            if private
            else "the path of a file with the CA's certificate",
        )
    elif private and stat.S_IMODE(path.stat().st_mode) & OTHERS:
        yield Problem(
            key,
            f"names {str(path)!r}, which others than its owner can open",
            "everybody on this machine could use the credential",
            f"the same, after `chmod 600 {path}`",
        )
