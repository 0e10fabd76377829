"""A SealedSecret must be sealed for its own name and namespace.

With a wider scope, whoever can write an object in any namespace has the controller open it there.
Source: Sealed Secrets, README, "Scopes".
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View

SCOPES = ("sealedsecrets.bitnami.com/cluster-wide", "sealedsecrets.bitnami.com/namespace-wide")


def _scope(annotation: View) -> Iterator[Judgement]:
    # The controller takes every value but "true" for no; so much depends on it that others count.
    if annotation.text() not in ("", "false"):
        name = annotation.path.partition("annotations.")[2]
        yield Finding(
            evidence=f"{name} is {annotation.text()!r}",
            fix="seal again with --scope strict",
        )


def check(sealed: View) -> Iterator[Judgement]:
    """Yield a finding for each annotation that widens the scope."""
    for metadata in (sealed["metadata"], sealed.at("spec", "template", "metadata")):
        yield from each((metadata["annotations"][scope] for scope in SCOPES), _scope)


RULE = Rule(
    id="sealed-secret-is-strict",
    title="A SealedSecret must be sealed for its own name and namespace.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 AC-4",),
    resource_types=frozenset({"kubernetes:bitnami.com/v1alpha1:SealedSecret"}),
    remediation="Leave the scope at strict.",
    check=check,
)
