"""The IAM document of a read-only visitor of named S3 buckets. Pure: makes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from components.vault.inputs import exact, refuse

SESSION_POLICY_LIMIT = 2048  # characters that AWS takes as a session policy


def s3_read_policy(buckets: Sequence[str], *, partition: str = "aws") -> str:
    """Listing of `buckets` and reading of their objects, as JSON; nothing else, nowhere else.

    `partition` is `aws`, or that of a separate AWS such as `aws-us-gov`, whose buckets they are.

    Raises ValueError for a pattern, for a name S3 does not know, and for more than AWS takes.
    """
    exact("buckets", buckets, example="example-training-data")
    for bucket in buckets:
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
            raise refuse(
                "buckets", bucket, "is no bucket name; the policy would match nothing", "Name it"
            )
    document = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "ListNamedBuckets",
                    "Effect": "Allow",
                    "Action": ["s3:ListBucket"],
                    "Resource": [f"arn:{partition}:s3:::{bucket}" for bucket in buckets],
                },
                {
                    "Sid": "ReadTheirObjects",
                    "Effect": "Allow",
                    "Action": ["s3:GetObject"],
                    "Resource": [f"arn:{partition}:s3:::{bucket}/*" for bucket in buckets],
                },
            ],
        },
        separators=(",", ":"),
    )
    if len(document) > SESSION_POLICY_LIMIT:
        raise refuse(
            "buckets",
            len(buckets),
            f"make a document of {len(document)} characters, and AWS takes {SESSION_POLICY_LIMIT}",
            "Split them among two roles",
        )
    return document
