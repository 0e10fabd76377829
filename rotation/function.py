"""The rotation function: what AWS Lambda runs, once for each step.

Its environment, all of it required:

    SECRET_ARN        the one secret that it rotates; any other is refused
    ADMIN_SECRET_ARN  the credential document of an administrator of the same server
    USERS             the two users that take turns, with a comma between
    OWNER_ROLE        the role that owns what both may do

Authorities that may have signed the server's certificate lie beside this file as `ca.pem`;
without it the system's are trusted. Each call writes one line of JSON, without any value.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from importlib import resources

import boto3

from rotation.alternation import Pair
from rotation.errors import ConfigurationError, RotationError
from rotation.four_steps import Rotation, Step, run
from rotation.postgresql import Route, trust

CA_FILE = "ca.pem"
VARIABLES = ("SECRET_ARN", "ADMIN_SECRET_ARN", "USERS", "OWNER_ROLE")


def handler(event: Mapping[str, object], context: object) -> None:
    """Do the step that `event` asks for; raises a RotationError, upon which the step is repeated.

    `event` has SecretId, ClientRequestToken and Step. `context` is Lambda's, and not used.
    """
    del context
    began = time.monotonic()
    line: dict[str, object] = {"event": "rotation"}
    try:
        step, secret, token = _request(event)
        line |= {"step": step.value, "secret": secret, "version": token}
        outcome = run(step, secret=secret, token=token, rotation=_rotation(os.environ))
        line["outcome"] = outcome.value
    except Exception as error:
        line |= {"outcome": "failed", "error": type(error).__name__}
        if isinstance(error, RotationError):  # others may quote what they choked on
            line |= {"what": error.what, "where": error.where, "fix": error.fix}
        raise
    finally:
        line["seconds"] = round(time.monotonic() - began, 3)
        print(json.dumps(line), flush=True)


def _request(event: Mapping[str, object]) -> tuple[Step, str, str]:
    """Step, secret and version that the call is about."""
    texts = [event.get(key) for key in ("Step", "SecretId", "ClientRequestToken")]
    step, secret, token = (text if isinstance(text, str) else "" for text in texts)
    if step not in set(Step) or not secret or not token:
        raise ConfigurationError(
            "the call is no step of a rotation",
            where="the event: Step, SecretId, ClientRequestToken",
            why=f"one is missing, or Step is none of {', '.join(Step)}",
            fix="let Secrets Manager call this function, and nobody else",
        )
    return Step(step), secret, token


def _rotation(environment: Mapping[str, str]) -> Rotation:
    """The rotation that the environment describes."""
    missing = [name for name in VARIABLES if not environment.get(name)]
    users = tuple(name.strip() for name in environment.get("USERS", "").split(","))
    if missing or len(users) != 2:
        raise ConfigurationError(
            f"{', '.join(missing) or 'USERS'} is not set as it must be",
            where="the function's environment",
            why="without it the function would have to believe whoever writes the secret",
            fix=f"set {', '.join(VARIABLES)}; USERS has two names with a comma between",
        )
    try:
        pair = Pair(users=(users[0], users[1]), owner=environment["OWNER_ROLE"])
    except ValueError as error:
        raise ConfigurationError(
            "the pair of users cannot be used",
            where="the function's environment: USERS, OWNER_ROLE",
            why=str(error),
            fix="correct the names",
        ) from None
    ca = resources.files(__package__).joinpath(CA_FILE)
    return Rotation(
        client=boto3.client("secretsmanager"),
        secret=environment["SECRET_ARN"],
        admin=environment["ADMIN_SECRET_ARN"],
        pair=pair,
        route=Route(tls=trust(ca.read_text() if ca.is_file() else None)),
    )
