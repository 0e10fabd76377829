"""Every secret in Secrets Manager must have a rotation in its stack.

Matched by the ARN where it is known, and by what the rotation depends on in a preview.
Source: CKV2_AWS_57; AWS FSBP SecretsManager.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policies.iam_documents import SECRET
from policies.rule import (
    REQUIRED_IN_PROD,
    Finding,
    Judgement,
    Resource,
    Severity,
    StackRule,
    each_resource,
    of_type,
)
from policies.rules.aws.secret_rotation_is_frequent import ROTATION
from policies.view import NotKnown


def _names(rotation: Resource, secret: Resource) -> bool:
    """Whether a rotation is this secret's. Raises NotKnown when a preview cannot tell."""
    if sources := rotation.depends_on.get("secretId"):
        return secret.urn in sources
    wanted = rotation.view["secretId"].text()
    names = {secret.view[key].text() for key in ("arn", "name")} - {""}
    return wanted in names or any(f":secret:{name}-" in wanted for name in names)


def check(resources: Sequence[Resource]) -> Iterator[Judgement]:
    """Yield a finding for each secret that nothing rotates."""
    rotations = of_type(resources, ROTATION)

    def judge(secret: Resource) -> Iterator[Judgement]:
        unknown: NotKnown | None = None
        for rotation in rotations:
            try:
                if _names(rotation, secret):
                    return
            except NotKnown as error:
                unknown = error
        if unknown:
            raise unknown
        yield Finding(
            evidence=f"no SecretRotation of this stack names {secret.name!r}",
            fix="add a SecretRotation, or a waiver for a secret that must not change",
        )

    yield from each_resource(of_type(resources, SECRET), judge)


RULE = StackRule(
    id="secret-rotates",
    title="A secret must have a rotation in its stack.",
    severity=Severity.HIGH,
    frameworks=("AWS FSBP SecretsManager.1", "NIST SP 800-53 IA-5(1)"),
    resource_types=frozenset({SECRET, ROTATION}),
    remediation="Attach a rotation, with a function that changes the credential at its source.",
    levels=REQUIRED_IN_PROD,
    check=check,
)
