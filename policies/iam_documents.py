"""The IAM documents of a resource: which property holds which kind.

Owns the places. Reading and matching are `access.iam`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from access.iam import Document, IamError, Statement, parse
from policies.resource_types import AWS_ENGINE_ROLE
from policies.view import NotKnown, Unknown, View

IAM_ROLE = "aws:iam/role:Role"
IDENTITY_POLICIES = frozenset(
    {
        "aws:iam/policy:Policy",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/userPolicy:UserPolicy",
        "aws:iam/groupPolicy:GroupPolicy",
        IAM_ROLE,
        AWS_ENGINE_ROLE,
    }
)
"""Types with policies of an identity: what it may do."""

KMS_KEY = "aws:kms/key:Key"
KMS_KEY_POLICIES = frozenset(
    {
        KMS_KEY,
        "aws:kms/keyPolicy:KeyPolicy",
        "aws:kms/externalKey:ExternalKey",
        "aws:kms/replicaKey:ReplicaKey",
        "aws:kms/replicaExternalKey:ReplicaExternalKey",
    }
)
SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 -- a type
SECRET_POLICIES = frozenset({SECRET, "aws:secretsmanager/secretPolicy:SecretPolicy"})


def identity_documents(properties: View) -> Iterator[View]:
    """Where a resource keeps what an identity may do."""
    for name in ("policy", "policyDocument"):
        if properties[name].given:
            yield properties[name]
    for inline in properties["inlinePolicies"].entries():
        if inline["policy"].given:
            yield inline["policy"]


def statements(place: View) -> Iterator[tuple[str, Statement]]:
    """Each statement at a place, with its path for evidence."""
    for statement in document(place).statements:
        yield f"{place.path}: Statement[{statement.index}]", statement


def allowing(place: View) -> Iterator[tuple[str, Statement]]:
    """Each Allow statement at a place, with its path for evidence."""
    return ((path, each) for path, each in statements(place) if each.allows)


def document(place: View) -> Document:
    """The document at a place. Raises NotKnown for one that AWS could not read either."""
    value = place.value
    _refuse_unknown(value, place.path)
    try:
        return parse(value)
    except IamError as error:
        raise NotKnown(place.path, str(error)) from error


def _refuse_unknown(value: Any, path: str) -> None:
    if isinstance(value, Unknown):
        raise NotKnown(path, value.reason)
    for key, each in (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    ):
        _refuse_unknown(each, f"{path}.{key}")
