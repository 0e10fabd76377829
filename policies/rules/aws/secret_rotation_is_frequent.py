"""A rotation must happen at least every ninety days, whatever way its schedule is written.

Source: AWS, "Rotate Secrets Manager secrets"; CKV_AWS_304 accepts every cron expression.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.rotation import longest_days
from policies.rule import Finding, Judgement, Rule, Severity, each_of
from policies.view import View

ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
QUARTER = 90


def _rules(rules: View) -> Iterator[Judgement]:
    days = longest_days(rules)
    written = rules["scheduleExpression"].text()
    if days is None or days > QUARTER + (3 if written.startswith("cron") else 0):  # three months
        yield Finding(
            evidence=f"{rules.path} rotates "
            f"{f'every {days:.0f} days' if days else 'never'}{f' ({written})' if written else ''}",
            fix=f"set automaticallyAfterDays to at most {QUARTER}",
        )


def check(rotation: View) -> Iterator[Judgement]:
    """Yield a finding for a rotation that is off, absent or too slow."""
    if rotation["rotationEnabled"].flag() is False:
        yield Finding(evidence="rotationEnabled is false", fix="remove rotationEnabled")
    elif not any(rotation["rotationRules"].entries()):
        yield Finding(evidence="rotationRules is not set", fix="set automaticallyAfterDays")
    yield from each_of(rotation["rotationRules"], _rules)


RULE = Rule(
    id="secret-rotation-is-frequent",
    title="A secret's rotation must happen at least every ninety days.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 IA-5(1)", "PCI DSS 8.3.9"),
    resource_types=frozenset({ROTATION}),
    remediation="Rotate every thirty days where the consumer can follow.",
    check=check,
)
