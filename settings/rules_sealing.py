"""The rules about sealed and encrypted files: what no single field of theirs can judge.

Each takes the sections it is about, so that settings/rules.py can hand them over as it has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from settings.environments import Environment
from settings.errors import Problem
from settings.external_secrets import Chart as OperatorChart
from settings.sealed_secrets import Chart, SealedSecrets
from settings.sops import Sops
from settings.types import Duration
from settings.vault import Chart as VaultChart
from settings.vault import ChartSource

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
    yield from chart_problems("sealedSecrets.chart", sealed.chart)
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


def chart_problems(key: str, chart: Chart | OperatorChart | VaultChart) -> Iterator[Problem]:
    """A problem for a chart that is not there, is not pinned, or comes over an open line."""
    form = {ChartSource.REPOSITORY: "https://", ChartSource.OCI: "oci://"}.get(chart.source)
    if form is None:
        if not (Path(chart.location) / "Chart.yaml").is_file():
            yield Problem(
                f"{key}.location",
                f"is {chart.location!r}, and there is no Chart.yaml in it",
                "there would be nothing to deploy",
                "the chart's folder, relative to the program",
                also=(f"{key}.source",),
            )
        return
    if not chart.location.startswith(form):
        yield Problem(
            f"{key}.location",
            f"is {chart.location!r} though `source` is {chart.source}",
            "the chart could not be fetched, or be replaced on its way",
            f"{form}…",
            also=(f"{key}.source",),
        )
    if chart.version is None:
        yield Problem(
            f"{key}.version",
            "is missing",
            "an unpinned chart changes the cluster by itself",
            "an exact version",
            also=(f"{key}.source",),
        )
