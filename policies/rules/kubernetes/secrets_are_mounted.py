"""A container should read Secrets from files.

The environment is inherited by every child process, stands in crash dumps, and does not follow a
rotation.
Source: CIS Kubernetes Benchmark 5.4.1; CKV_K8S_35.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policies.pods import WORKLOADS, Checks, each_field
from policies.rule import ADVISED, Finding, Judgement, Rule, Severity, each_of
from policies.view import View


def _variable(variable: View) -> Iterator[Judgement]:
    if variable.at("valueFrom", "secretKeyRef").given:
        yield Finding(
            evidence=f"{variable.path} ({variable['name'].text()}) comes from a Secret",
            fix="mount the Secret as a volume",
        )


def _source(source: View) -> Iterator[Judgement]:
    if source["secretRef"].given:
        yield Finding(
            evidence=f"{source.path} puts every key of a Secret into the environment",
            fix="mount the keys that are needed as a volume",
        )


def _references(references: View) -> Iterator[Judgement]:
    # An older form of Spark's: names of variables, each with a key of a Secret.
    for _, reference in references.items():
        yield Finding(
            evidence=f"{reference.path} comes from a Secret",
            fix="mount the Secret as a volume",
        )


PLACES: Checks = {
    "env": partial(each_of, check=_variable),
    "envFrom": partial(each_of, check=_source),
    "envSecretKeyRefs": _references,
}


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each Secret in an environment."""
    yield from each_field(properties, PLACES)


RULE = Rule(
    id="pod-secrets-are-mounted",
    title="A container must read Secrets from files.",
    severity=Severity.MEDIUM,
    frameworks=("CIS Kubernetes 5.4.1",),
    resource_types=WORKLOADS,
    remediation="Mount with defaultMode 0400 and let the workload read the file again.",
    levels=ADVISED,
    check=check,
)
