"""A container must get no secret as a literal in its environment or its arguments.

Whoever may read the object reads it, and so does every log of the object.
Source: Kubernetes, "Good practices for Kubernetes Secrets"; CIS Kubernetes Benchmark 5.4.1.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import POD_TYPES, containers, pod_spec
from policies.rule import Finding, Judgement, Rule, Severity, each_of
from policies.secret_values import kind_of
from policies.view import View


def _variable(variable: View) -> Iterator[Judgement]:
    name = variable["name"].text()
    if kind := kind_of(name, variable["value"].text()):
        yield Finding(
            evidence=f"{variable.path} ({name}) has {kind}",
            fix="mount the secret as a file, or read it from Vault",
        )


def _argument(argument: View) -> Iterator[Judgement]:
    text = argument.text()
    name, _, value = text.lstrip("-").partition("=")
    if kind := kind_of("", text) or kind_of(name, value):
        yield Finding(evidence=f"{argument.path} has {kind}", fix="pass the path of a file")


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each literal that looks like a secret."""
    for container in containers(pod_spec(properties)):
        yield from each_of(container["env"], _variable)
        for name in ("command", "args"):
            yield from each_of(container[name], _argument)


RULE = Rule(
    id="pod-no-secret-in-env",
    title="A container must get no secret as a literal.",
    severity=Severity.CRITICAL,
    frameworks=("CIS Kubernetes 5.4.1", "NIST SP 800-53 IA-5(7)"),
    resource_types=POD_TYPES,
    remediation="Use Vault Agent, the CSI driver, or a Secret mounted as a volume.",
    check=check,
)
