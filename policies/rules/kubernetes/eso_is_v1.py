"""Objects of External Secrets Operator must use version v1.

Older versions are not served by current releases: the object is lost at the upgrade.
Source: External Secrets Operator, release notes of 0.16 and 0.17.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.external_secrets import KINDS, OLD_VERSIONS, types
from policies.rule import Finding, Judgement, Rule, Severity
from policies.view import View

SERVED = "external-secrets.io/v1"


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for every version but v1."""
    version = properties["apiVersion"].text()
    if version != SERVED:
        yield Finding(
            evidence=f"apiVersion is {version or 'of an older type'}",
            fix=f"set apiVersion to {SERVED}",
        )


RULE = Rule(
    id="eso-is-v1",
    title="Objects of External Secrets Operator must use version v1.",
    severity=Severity.MEDIUM,
    frameworks=("NIST SP 800-53 SI-2",),
    resource_types=types(*KINDS, versions=OLD_VERSIONS),
    remediation="v1beta1 and v1 have the same fields; change the version.",
    check=check,
)
