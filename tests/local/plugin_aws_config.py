"""The AWS stand-in plugin's own inputs, as the official SDK sends them."""

from __future__ import annotations

import json
from typing import Any

REGION = "eu-central-1"
SERVICES = ("kms", "iam", "lambda", "logs", "s3", "secretsmanager")


def aws_config(endpoint: str) -> dict[str, Any]:
    """Inputs that name `endpoint` for every service; lists and flags come as JSON text."""
    return {
        "region": REGION,
        "accessKey": "testing",
        "secretKey": "testing",
        "endpoints": json.dumps([dict.fromkeys(SERVICES, endpoint)]),
        "skipCredentialsValidation": "true",
        "skipMetadataApiCheck": "true",
        "skipRegionValidation": "true",
        "skipRequestingAccountId": "true",
        "s3UsePathStyle": "true",
    }
