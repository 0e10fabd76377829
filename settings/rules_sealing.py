"""The rules about sealed and encrypted files: what no single field of theirs can judge.

Each takes the sections it is about, so that settings/rules.py can hand them over as it has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from settings.environments import Environment
from settings.errors import Problem
from settings.sealed_secrets import SealedSecrets
from settings.sops import Sops
from settings.types import Duration

_RENEWED = (Duration.parse("1d"), Duration.parse("90d"))


def sealing_problems(
    sealed: SealedSecrets, environment: Environment, namespaces: Sequence[str]
) -> Iterator[Problem]:
    """Every violation in `sealedSecrets`; `namespaces` are the names in `namespaces`."""
    if not sealed.enabled:
        return
    named = [("sealedSecrets.namespace", sealed.namespace)]
    named += [(f"sealedSecrets.openedIn[{i}]", name) for i, name in enumerate(sealed.opened_in)]
    yield from known(named, namespaces)
    if not _RENEWED[0] <= sealed.key_renew_period <= _RENEWED[1]:
        yield Problem(
            "sealedSecrets.keyRenewPeriod",
            f"is {str(sealed.key_renew_period)!r}",
            "each key must be backed up, and a leaked one opens all that was sealed with it",
            "between 1d and 90d",
        )
    if environment is not Environment.PROD:
        return
    backup = sealed.backup
    if not (backup.age or backup.aws_kms or backup.gcp_kms):
        yield Problem(
            "sealedSecrets.backup",
            "names no key in environment prod",
            "without a backup of the sealing keys a lost cluster loses every sealed file",
            "`{awsKms: …}`, `{gcpKms: …}` or `{age: [age1…]}`",
            also=("environment",),
        )


def sops_problems(sops: Sops) -> Iterator[Problem]:
    """Every violation in `sops`."""
    if not (sops.aws_kms or sops.gcp_kms or sops.age):
        yield Problem(
            "sops",
            "names no key",
            "nothing could be encrypted for this stack",
            "`awsKms`, `gcpKms` or `age`",
        )
    for key, value in (("awsRole", sops.aws_role), ("awsProfile", sops.aws_profile)):
        if value and not sops.aws_kms:
            yield Problem(
                f"sops.{key}",
                "is given without `awsKms`",
                "settings that have no effect mislead whoever reads them",
                "`awsKms`, or remove it",
                also=("sops.awsKms",),
            )


def known(named: Iterable[tuple[str, str]], namespaces: Sequence[str]) -> Iterator[Problem]:
    """A problem for each (key, name) whose name is not among `namespaces`."""
    for key, name in named:
        if name not in namespaces:
            yield Problem(
                key,
                f"is {name!r}, which is not among `namespaces`",
                "nothing can run in a namespace that does not exist",
                f"one of {', '.join(sorted(namespaces))}, or add it to `namespaces`",
                also=("namespaces",),
            )
