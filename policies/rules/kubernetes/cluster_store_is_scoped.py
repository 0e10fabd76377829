"""A ClusterSecretStore must say which namespaces may use it.

Without conditions every namespace reads every secret that the store can reach.
Source: External Secrets Operator, "Security best practices".
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.external_secrets import finds_anything, types
from policies.rule import Finding, Judgement, Rule, Severity, each_of
from policies.view import View

# Every namespace has this label, with its own name.
OWN_NAME = "kubernetes.io/metadata.name"


def _narrows(expression: View) -> bool:
    operator = expression["operator"].text()
    return operator == "In" or (operator == "Exists" and expression["key"].text() != OWN_NAME)


def _condition(condition: View) -> Iterator[Judgement]:
    selector = condition["namespaceSelector"]
    labelled = any(selector["matchLabels"].items())
    everything = selector.given and not (
        labelled or any(map(_narrows, selector["matchExpressions"].entries()))
    )
    named = condition["namespaces"].strings()
    wide = any(map(finds_anything, condition["namespaceRegexes"].entries()))
    if wide or everything or "*" in named:
        yield Finding(
            evidence=f"{condition.path} matches every namespace",
            fix=f"name the namespaces in {condition.path}.namespaces",
        )
    elif not (named or selector.given or condition["namespaceRegexes"].given):
        yield Finding(
            evidence=f"{condition.path} is empty", fix="name the namespaces, or remove the entry"
        )


def check(store: View) -> Iterator[Judgement]:
    """Yield a finding for no conditions, and for each that matches every namespace."""
    conditions = store["spec"]["conditions"]
    if not any(conditions.entries()):
        yield Finding(
            evidence="spec.conditions is not set: every namespace may use the store",
            fix="name the namespaces in spec.conditions[0].namespaces",
        )
    yield from each_of(conditions, _condition)


RULE = Rule(
    id="eso-cluster-store-is-scoped",
    title="A ClusterSecretStore must name the namespaces that may use it.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 AC-4", "NIST SP 800-53 AC-6"),
    resource_types=types("ClusterSecretStore"),
    remediation="Use a SecretStore in each namespace, or conditions with names.",
    check=check,
)
