"""A value in AWS Secrets Manager: AWS's own rotation is started, and watched to its end.

The value is changed by the secret's rotation function. Owns when a rotation counts as done: the
version that it asked for is AWSCURRENT and nothing is AWSPENDING, which a function that ended
half-way leaves behind. Asked twice with one token AWS starts one rotation, so a killed run may ask
again.

Needs: secretsmanager DescribeSecret and RotateSecret on the secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rotation.documents import refused
from rotation.drivers.following import Following
from rotation.steps import Facts, Pending, Run, Step
from vaultops.errors import DoubtError

_CURRENT, _PENDING = "AWSCURRENT", "AWSPENDING"


def steps(client: Any, secret: str, following: Following) -> tuple[Step, ...]:
    """Start, wait for AWS, wait for the consumers; `client` is boto3's for Secrets Manager."""
    where = f"AWS secret {secret}"

    def describe() -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = client.describe_secret(SecretId=secret)
        except (ClientError, BotoCoreError) as error:
            raise refused(error, where) from None
        return found

    def start(run: Run) -> Facts:
        found = describe()
        stages = found.get("VersionIdsToStages", {})
        if run.id in stages:
            return {"new": run.id}
        if not found.get("RotationEnabled"):
            raise DoubtError(
                "the secret has no rotation that could be started",
                where=where,
                why="no rotation function is configured for it, or it is switched off",
                fix="deploy the rotating secret with its function, and enable rotation",
            )
        if left := _left(stages):
            raise DoubtError(
                f"an earlier rotation has not ended: version {left} is {_PENDING}",
                where=where,
                why="its function failed, and AWS starts no other before",
                fix="see the function's log; take the label off (aws secretsmanager "
                f"update-secret-version-stage --version-stage {_PENDING}), and run it again",
            )
        try:
            client.rotate_secret(SecretId=secret, ClientRequestToken=run.id)
        except (ClientError, BotoCoreError) as error:
            raise refused(error, where) from None
        return {"new": run.id}

    def ended(run: Run) -> Facts | Pending:
        stages = describe().get("VersionIdsToStages", {})
        if _CURRENT not in stages.get(run.facts["new"], ()):
            return Pending(f"version {run.facts['new']} is not {_CURRENT} yet")
        if left := _left(stages):
            return Pending(f"version {left} is {_PENDING}")
        return {}

    return (
        Step(name="start", act=start, remedy="read the reason; nothing was changed"),
        Step(
            name="await-aws",
            act=ended,
            remedy="see the rotation function's log (CloudWatch); the value of before is valid. A "
            f"version left {_PENDING} stops the next rotation: take the label off",
        ),
        following.step(),
    )


def _left(stages: Mapping[str, list[str]]) -> str | None:
    """A version that waits for a rotation's end, which the current one does not."""
    return next(
        (v for v, labels in stages.items() if _PENDING in labels and _CURRENT not in labels), None
    )
