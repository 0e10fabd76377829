"""Where the stand-in is nearer to AWS than moto: rotations of Secrets Manager.

AWS answers RotateSecret at once and calls the function afterwards; a schedule can be set on a
secret that has no value yet, and no version is left of the test that AWS makes then. moto fails
without a value, leaves the test's version, makes an empty version the current one, and forgets by
the next new value which version that is. It runs no function: `local/services/rotation.py` does.
"""

from __future__ import annotations

import copy
import uuid
from typing import Any

from moto.core.config import default_user_config
from moto.secretsmanager.models import SecretsManagerBackend

_moto_rotate = SecretsManagerBackend.rotate_secret
_moto_move = SecretsManagerBackend.update_secret_version_stage


def adapt() -> None:
    """Change moto in this process. Again is harmless."""
    default_user_config["lambda"] = {"use_docker": False}  # functions are kept, and run nowhere
    SecretsManagerBackend.rotate_secret = rotate_secret  # type: ignore[method-assign]
    SecretsManagerBackend.update_secret_version_stage = _move  # type: ignore[method-assign]


def _move(
    self: SecretsManagerBackend,
    secret_id: str,
    version_stage: str,
    remove_from_version_id: str,
    move_to_version_id: str,
) -> tuple[str, str]:
    """Move a stage; a new value takes AWSCURRENT from the version that has it now."""
    answer = _moto_move(self, secret_id, version_stage, remove_from_version_id, move_to_version_id)
    if version_stage == "AWSCURRENT" and move_to_version_id:
        secret: Any = self.secrets[secret_id]
        secret.set_default_version_id(move_to_version_id)
    return answer


def rotate_secret(
    self: SecretsManagerBackend,
    secret_id: str,
    client_request_token: str | None = None,
    rotation_lambda_arn: str | None = None,
    rotation_rules: dict[str, Any] | None = None,
    rotate_immediately: bool = True,
) -> str:
    """Set the schedule; at once means that a version without a value waits for the function."""
    secret: Any = self.secrets.get(secret_id)
    if secret is None:
        return _moto_rotate(self, secret_id)  # it knows how to say that there is none
    versions, default = copy.deepcopy(secret.versions), secret.default_version_id
    secret.versions = secret.versions or {"none": {"version_id": "none", "version_stages": []}}
    try:
        answer = _moto_rotate(
            self,
            secret_id,
            None,
            rotation_lambda_arn or secret.rotation_lambda_arn,
            rotation_rules,
            rotate_immediately=False,
        )
    finally:
        secret.versions, secret.default_version_id = versions, default
    if rotate_immediately:
        token = client_request_token or str(uuid.uuid4())
        secret.remove_version_stages_from_old_versions(["AWSPENDING"])
        secret.versions[token] = {
            "createdate": secret.last_rotation_date,
            "version_id": token,
            "version_stages": ["AWSPENDING"],
        }
    return answer
