"""Builds the custodian that the stack's settings name. Owns the mapping's keys."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaultops.custody import Custodian
from vaultops.custody_file import FileCustodian
from vaultops.custody_pgp import PgpCustodian, read_public_key
from vaultops.errors import VaultOpsError


def build(facts: Mapping[str, Any]) -> Custodian:
    """The custodian of `facts`: `type` and what that type needs.

    file: path. pgp: path, keys (files). aws-secrets-manager: name, region, kms_key, endpoint.
    gcp-secret-manager: name, project. Other keys are left alone. Raises VaultOpsError.
    """
    match facts.get("type"):
        case "file":
            return FileCustodian(_path(facts["path"]))
        case "pgp":
            keys = tuple(read_public_key(_path(key)) for key in facts["keys"])
            return PgpCustodian(path=_path(facts["path"]), pgp_keys=keys)
        case "aws-secrets-manager":
            from vaultops.custody_aws import AwsSecretsManagerCustodian  # slow to import

            return AwsSecretsManagerCustodian(
                name=facts["name"],
                region=facts["region"],
                kms_key=facts.get("kms_key"),
                endpoint=facts.get("endpoint"),
            )
        case "gcp-secret-manager":
            from vaultops.custody_gcp import GcpSecretManagerCustodian  # slow to import

            return GcpSecretManagerCustodian(name=facts["name"], project=facts["project"])
    raise VaultOpsError(
        f"custodian type {facts.get('type')!r} is unknown",
        where="strongroom:vault custodian.type",
        why="nobody would keep the shares",
        fix="write file, pgp, aws-secrets-manager or gcp-secret-manager",
    )


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()
