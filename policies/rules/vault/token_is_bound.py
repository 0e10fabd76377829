"""A token that a stack makes must end within a day, and name its policies.

It is no child of a login that ends: what is not set falls back to the server's 768 hours, a period
makes it live for ever as long as somebody renews it, and an orphan outlives who made it, so that
its own limits are all there is. Without policies and without a role it has all that its maker has.
Source: HashiCorp, "Tokens"; "Token auth method (API)", create token.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from access.grant import seconds
from policies.resource_types import VAULT_TOKEN
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import NotKnown, View

HOUR = 3600
DAY = 24 * HOUR


def _seconds(field: View) -> float:
    """The field in seconds, which it may also be as text without a unit; 0 when absent."""
    if (said := field.number()) is not None:
        return said
    try:
        return seconds(field.text() or "0s")
    except ValueError as error:
        raise NotKnown(field.path, str(error)) from error


def _within(field: View, limit: int) -> Iterator[Judgement]:
    lasts = _seconds(field)
    if not 0 < lasts <= limit:
        yield Finding(
            evidence=f"{field.path} is {f'{lasts:.0f} s' if lasts else 'not set'}",
            fix=f"set {field.path} to at most {limit}s",
        )


def _no_period(period: View) -> Iterator[Judgement]:
    if lasts := _seconds(period):
        yield Finding(
            evidence=f"{period.path} is {lasts:.0f} s: the token can be renewed for ever",
            fix=f"remove {period.path}",
        )


def _policies(token: View) -> Iterator[Judgement]:
    if not (token["roleName"].text() or token["policies"].strings()):
        yield Finding(
            evidence="policies is not set: the token has all that its maker has",
            fix="name a narrow policy in policies",
        )


def check(token: View) -> Iterator[Judgement]:
    """Yield a finding for each limit that is absent or too wide, for a period, and no policies."""
    yield from each([token["ttl"]], partial(_within, limit=HOUR))
    yield from each([token["explicitMaxTtl"]], partial(_within, limit=DAY))
    yield from each([token["period"]], _no_period)
    yield from each([token], _policies)


RULE = Rule(
    id="vault-token-is-bound",
    title="A token must end within a day, and name its policies.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 AC-12", "NIST SP 800-53 AC-6"),
    resource_types=frozenset({VAULT_TOKEN}),
    remediation="Let the workload log in by a role; a token of the stack also stands in its state.",
    check=check,
)
