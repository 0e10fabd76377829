"""Credentials that Vault is given, read from files which only the deployer may read.

Owns reading them before anything is deployed, so that a missing one changes nothing. A value leaves
here only as a secret Output; messages name files, never what is in them.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import pulumi

from settings import Problem, SettingsError
from settings.auth import Auth
from settings.engines import Engines

PRIVATE = 0o077


def wanted(engines: Engines, auth: Auth) -> dict[str, str]:
    """The files of credentials that the settings name, by the setting that names each."""
    files = {}
    if engines.database:
        files["engines.database.passwordFile"] = engines.database.password_file
    if auth.oidc:
        files["auth.oidc.clientSecretFile"] = auth.oidc.client_secret_file
    if auth.ldap:
        files["auth.ldap.bindPasswordFile"] = auth.ldap.bind_password_file
    return files


def read(files: Mapping[str, str], *, source: str) -> dict[str, pulumi.Output[str]]:
    """The content of each file without the line's end, by the same key.

    A file may be empty once Vault has its value: nothing is sent before the version grows.
    Raises SettingsError, naming every file that is missing or open to others; `source` is the stack
    file that names them.
    """
    if problems := [p for key, path in files.items() for p in _problems(key, Path(path))]:
        raise SettingsError(source, problems)
    return {
        key: pulumi.Output.secret(Path(path).read_text().rstrip("\r\n"))
        for key, path in files.items()
    }


def _problems(key: str, path: Path) -> Iterator[Problem]:
    if not path.is_file():
        yield Problem(
            key,
            f"names {str(path)!r}, which is no file",
            "Vault would be given an empty credential",
            "the path of a file with the credential, mode 0600 (empty once Vault has it)",
        )
    elif stat.S_IMODE(path.stat().st_mode) & PRIVATE:
        yield Problem(
            key,
            f"names {str(path)!r}, which others than its owner can open",
            "everybody on this machine could use the credential",
            f"the same, after `chmod 600 {path}`",
        )
