"""The four steps in which AWS Secrets Manager asks for a rotation, with two users that alternate.

Secrets Manager calls once for each step and repeats any that fails, so every step may be killed
anywhere and run again. Owns the guards and the versions of the secret; what happens in PostgreSQL
is in `alternation`.

Source: "Rotation by Lambda function", AWS Secrets Manager User Guide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from botocore.exceptions import ClientError

from rotation import alternation, postgresql
from rotation.alternation import Pair
from rotation.credential import Credential
from rotation.errors import DocumentMissingError, ForeignError, StageError
from rotation.postgresql import Route

CURRENT = "AWSCURRENT"
PENDING = "AWSPENDING"


class Step(StrEnum):
    """What Secrets Manager asks for, in this order."""

    CREATE = "createSecret"
    SET = "setSecret"
    TEST = "testSecret"
    FINISH = "finishSecret"


class Outcome(StrEnum):
    """`ALREADY`: an earlier call had done this, and nothing was changed now."""

    DONE = "done"
    ALREADY = "already"


class SecretsManager(Protocol):
    """The calls of boto3's client that a rotation needs."""

    def describe_secret(self, *, SecretId: str) -> Mapping[str, Any]: ...
    def get_secret_value(self, **request: str) -> Mapping[str, Any]: ...
    def put_secret_value(
        self,
        *,
        SecretId: str,
        ClientRequestToken: str,
        SecretString: str,
        VersionStages: Sequence[str],
    ) -> Mapping[str, Any]: ...
    def update_secret_version_stage(self, **request: str) -> Mapping[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """One secret's rotation: `secret` and `admin` are the ARNs of the two documents."""

    client: SecretsManager
    secret: str
    admin: str
    pair: Pair
    route: Route


def run(step: Step, *, secret: str, token: str, rotation: Rotation) -> Outcome:
    """Do one step for the version `token` of `secret`; raises a RotationError.

    A `secret` other than the rotation's own is refused before anything is read.
    """
    if secret != rotation.secret:
        raise ForeignError(
            f"this rotation is not for secret {secret}",
            where=f"the rotation of {rotation.secret}",
            why="a function that holds an administrator's credential must not serve any secret",
            fix="give that secret a rotation function of its own",
        )
    stages = _stages(rotation, token)
    if CURRENT in stages:
        if step is Step.FINISH and PENDING in stages:  # killed between its two changes
            _take_off_pending(rotation, token)
            return Outcome.DONE
        return Outcome.ALREADY
    if PENDING not in stages:
        raise StageError(
            f"version {token} is not {PENDING}",
            where=f"secret {secret}",
            why="it belongs to no rotation that is going on",
            fix="start a rotation anew (aws secretsmanager rotate-secret)",
        )
    match step:
        case Step.CREATE:
            return _create(rotation, token)
        case Step.SET:
            return _set(rotation, token)
        case Step.TEST:
            return _test(rotation, token)
        case Step.FINISH:
            return _finish(rotation, token)


def _create(rotation: Rotation, token: str) -> Outcome:
    """Store the idle user with a new password, unless an earlier call did."""
    try:
        _pending(rotation, token)
    except DocumentMissingError:
        pass
    else:
        return Outcome.ALREADY
    pending = alternation.next_credential(_current(rotation), rotation.pair)
    try:
        rotation.client.put_secret_value(
            SecretId=rotation.secret,
            ClientRequestToken=token,
            SecretString=pending.text(),
            VersionStages=[PENDING],
        )
    except ClientError as error:
        if _code(error) != "ResourceExistsException":  # another call was quicker; its value stays
            raise
        return Outcome.ALREADY
    return Outcome.DONE


def _set(rotation: Rotation, token: str) -> Outcome:
    current, pending = _current(rotation), _pending(rotation, token)
    admin = _read(rotation, rotation.admin, VersionStage=CURRENT)
    changed = alternation.apply(
        pending, current=current, admin=admin, pair=rotation.pair, route=rotation.route
    )
    return Outcome.DONE if changed else Outcome.ALREADY


def _test(rotation: Rotation, token: str) -> Outcome:
    """Try the pending credential; both logins of the set-up when it is a copy of the current one.

    With such a copy Secrets Manager tries a rotation that is to begin later (RotateImmediately).
    """
    pending, current = _pending(rotation, token), _current(rotation)
    if pending == current:
        for credential in (current, _read(rotation, rotation.admin, VersionStage=CURRENT)):
            with postgresql.session(credential, rotation.route):
                pass
    else:
        alternation.check(pending, current=current, pair=rotation.pair, route=rotation.route)
    return Outcome.DONE


def _finish(rotation: Rotation, token: str) -> Outcome:
    """Move AWSCURRENT, then take AWSPENDING off: left on, it would look like a rotation stuck."""
    _pending(rotation, token)  # a version without a value must never be the current one
    versions = rotation.client.describe_secret(SecretId=rotation.secret)["VersionIdsToStages"]
    holder = next((version for version, found in versions.items() if CURRENT in found), None)
    moved = {"RemoveFromVersionId": holder} if holder else {}
    rotation.client.update_secret_version_stage(
        SecretId=rotation.secret,
        VersionStage=CURRENT,
        MoveToVersionId=token,
        **moved,
    )
    _take_off_pending(rotation, token)
    return Outcome.DONE


def _take_off_pending(rotation: Rotation, token: str) -> None:
    rotation.client.update_secret_version_stage(
        SecretId=rotation.secret, VersionStage=PENDING, RemoveFromVersionId=token
    )


def _stages(rotation: Rotation, token: str) -> Sequence[str]:
    """The stages of version `token`; raises StageError when no rotation may touch it."""
    secret = rotation.client.describe_secret(SecretId=rotation.secret)
    if not secret.get("RotationEnabled"):
        raise StageError(
            "rotation is not enabled",
            where=f"secret {rotation.secret}",
            why="somebody switched it off, or nobody has switched it on yet",
            fix="enable rotation of the secret, with this function and a schedule",
        )
    versions: Mapping[str, Sequence[str]] = secret.get("VersionIdsToStages", {})
    if token not in versions:
        raise StageError(
            f"the secret has no version {token}",
            where=f"secret {rotation.secret}",
            why="the rotation that made it was cancelled, or the call is not Secrets Manager's",
            fix="start a rotation anew (aws secretsmanager rotate-secret)",
        )
    return versions[token]


def _current(rotation: Rotation) -> Credential:
    return _read(rotation, rotation.secret, VersionStage=CURRENT)


def _pending(rotation: Rotation, token: str) -> Credential:
    return _read(rotation, rotation.secret, VersionId=token, VersionStage=PENDING)


def _read(rotation: Rotation, secret: str, **version: str) -> Credential:
    """One version's document; raises DocumentError, DocumentMissingError when it has no value."""
    where = f"secret {secret}, version {' '.join(version.values())}"
    try:
        answer = rotation.client.get_secret_value(SecretId=secret, **version)
    except ClientError as error:
        if _code(error) != "ResourceNotFoundException":
            raise
        raise DocumentMissingError(
            "the secret has no value",
            where=where,
            why="nobody stored one yet",
            fix="store the credential document; the version of a rotation gets it in createSecret",
        ) from None
    return Credential.read(str(answer.get("SecretString", "")), where=where)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
