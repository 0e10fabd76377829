"""Connections to PostgreSQL, always by TLS whose certificate and host name are verified.

Owns connecting, the errors of it, and password verifiers. There is no way to switch TLS off.
"""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import scramp  # type: ignore[import-untyped]
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from rotation.credential import Credential
from rotation.errors import LoginError, StatementError, UnreachableError, UntrustedError

_REFUSED = {"28P01", "28000"}  # wrong password; no such user, or no rule that lets it in


def trust(ca_pem: str | None = None) -> ssl.SSLContext:
    """TLS that verifies certificate and host name, by these authorities or by the system's."""
    return ssl.create_default_context(cadata=ca_pem)


@dataclass(frozen=True, kw_only=True)
class Route:
    """How servers are reached. `timeout` is in seconds, for connecting and for each answer.

    With `address` every connection goes there (a port forward), while the certificate must still
    be for the credential's host.
    """

    tls: ssl.SSLContext = field(default_factory=trust, repr=False)
    address: tuple[str, int] | None = None
    timeout: float = 10


@contextmanager
def session(credential: Credential, route: Route) -> Iterator[Connection]:
    """A connection that is closed at the end; what was not committed is undone by the server.

    Raises UnreachableError, UntrustedError or LoginError; StatementError for a refused statement.
    """
    connection = _connect(credential, route)
    try:
        yield connection
    except DatabaseError as error:
        # Not the server's own message: it may quote the statement, with a verifier in it.
        code = _code(error)
        raise StatementError(
            f"PostgreSQL refused a statement of {credential.username} (SQLSTATE {code})",
            where=f"database {credential.database} on {credential.server}",
            why="the user lacks a right, or an object is not what the rotation expects",
            fix="let the administrator be a superuser, or have CREATEROLE and, from PostgreSQL 16 "
            "on, ADMIN OPTION on each role that it did not make; the code is explained in "
            "PostgreSQL's manual, appendix A",
        ) from None
    except (InterfaceError, OSError):
        raise _unreachable(credential, "the connection ended during a statement") from None
    finally:
        with suppress(InterfaceError, OSError):
            connection.close()


def can_log_in(credential: Credential, route: Route) -> bool:
    """Whether the server lets this login in; raises as `session` does for anything else."""
    try:
        with session(credential, route):
            return True
    except LoginError:
        return False


def verifier(password: str) -> str:
    """What PostgreSQL stores for a password (SCRAM-SHA-256, a new salt each time).

    Made here, so that the password itself is in no statement, no log and no activity view.
    """
    mechanism = scramp.ScramMechanism("SCRAM-SHA-256")
    salt, stored, server, rounds = mechanism.make_auth_info(password, iteration_count=4096)
    texts = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${rounds}:{texts[0]}${texts[1]}:{texts[2]}"


def _connect(credential: Credential, route: Route) -> Connection:
    try:
        plain = socket.create_connection(
            route.address or (credential.host, credential.port), route.timeout
        )
    except OSError as error:
        raise _unreachable(credential, f"no connection: {error.strerror or error}") from None
    try:
        return Connection(
            credential.username,
            host=credential.host,
            database=credential.database,
            password=credential.password,
            ssl_context=route.tls,
            sock=plain,
            application_name="strongroom rotation",
            # Whoever owns a database may set its search path, and so put a function of his own
            # in front of the administrator's.
            startup_params={"search_path": "pg_catalog"},
        )
    except DatabaseError as error:
        raise _refused(credential, _code(error)) from None
    except ssl.SSLCertVerificationError as error:
        raise _untrusted(
            credential, f"its certificate was refused: {error.verify_message}"
        ) from None
    except ssl.SSLError as error:
        raise _untrusted(credential, f"TLS failed: {error.reason}") from None
    except scramp.ScramException:
        raise _untrusted(credential, "it does not know the password that it asks for") from None
    except InterfaceError as error:
        plain.close()
        if "SSL" in str(error):
            raise _untrusted(credential, "it speaks no TLS, or hung up when asked to") from None
        raise _unreachable(credential, "the connection ended during the login") from None
    except OSError as error:
        plain.close()
        raise _unreachable(credential, f"the login ended: {error}") from None


def _code(error: DatabaseError) -> str:
    """SQLSTATE, or "unknown" when the server gave none."""
    fields = error.args[0] if error.args else None
    return str(fields.get("C", "unknown")) if isinstance(fields, dict) else "unknown"


def _refused(credential: Credential, code: str) -> LoginError | StatementError:
    where = f"database {credential.database} on {credential.server}"
    if code in _REFUSED:
        return LoginError(
            f"PostgreSQL does not let {credential.username} in",
            where=where,
            why="the password is not the one that the server has, the user is missing, or no "
            "rule of pg_hba.conf lets it in from here",
            fix="set the password of the document in the database, or store the right one",
        )
    return StatementError(
        f"PostgreSQL let {credential.username} in and ended the session (SQLSTATE {code})",
        where=where,
        why="the database is missing, starting, full, or closed to this user",
        fix="look the code up in PostgreSQL's manual, appendix A, and run the rotation again",
    )


def _unreachable(credential: Credential, why: str) -> UnreachableError:
    return UnreachableError(
        f"no PostgreSQL server answered {credential.username}",
        where=credential.server,
        why=why,
        fix="check the host and port of the document, the network rules and that the server "
        "runs; then run the rotation again",
    )


def _untrusted(credential: Credential, why: str) -> UntrustedError:
    return UntrustedError(
        "the PostgreSQL server is not trusted; no password was sent",
        where=credential.server,
        why=why,
        fix="give the authority that signed the server's certificate (for RDS, the bundle of "
        "its region), and use the name that the certificate is for",
    )
