"""How many buckets one document of AWS can name: what AWS takes for a session is short."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from settings.errors import Problem

LONGEST_DOCUMENT = 2048  # characters that AWS takes as a session policy
# The document's own characters, and those around each bucket's two ARNs.
_FRAME, _AROUND = 205, len('"","/*",')


def bucket_problems(key: str, buckets: Sequence[str], *, partition: str) -> Iterator[Problem]:
    """A problem for more `buckets` than one document takes; `partition` is that of their ARNs."""
    if (length := document_length(buckets, partition=partition)) > LONGEST_DOCUMENT:
        yield Problem(
            key,
            f"names {len(buckets)} buckets, in a document of {length} characters",
            f"AWS takes {LONGEST_DOCUMENT}",
            "fewer, the others by another role",
        )


def document_length(buckets: Sequence[str], *, partition: str) -> int:
    """The length of the document that lets somebody list and read `buckets`."""
    arns = sum(len(f"arn:{partition}:s3:::{bucket}") for bucket in buckets)
    return _FRAME + 2 * arns + _AROUND * len(buckets)
