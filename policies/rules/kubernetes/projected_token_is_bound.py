"""A projected token must name its audience and end within a day.

Without an audience it is a token of the API server, and whoever receives it can use it there.
Source: Kubernetes, "Configure service accounts", service account token volume projection.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policies.pods import WORKLOADS, each_field
from policies.rule import Finding, Judgement, Rule, Severity, each_of
from policies.view import View

DAY = 24 * 3600


def _source(source: View, *, is_own: bool) -> Iterator[Judgement]:
    token = source["serviceAccountToken"]
    if not token.given:
        return
    audience = token["audience"].text()
    if "*" in audience or not (audience or is_own):
        yield Finding(
            evidence=f"{token.path}.audience is {audience or 'not set'}",
            fix="set audience to the one service that reads the token",
        )
    if (seconds := token["expirationSeconds"].number()) and seconds > DAY:
        yield Finding(
            evidence=f"{token.path}.expirationSeconds is {seconds:.0f}",
            fix=f"set expirationSeconds to at most {DAY}",
        )


def _volume(volume: View) -> Iterator[Judgement]:
    # The API server's own token, as Kubernetes itself mounts it, has no audience on purpose.
    is_own = volume["name"].text().startswith("kube-api-access-")
    yield from each_of(volume["projected"]["sources"], partial(_source, is_own=is_own))


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each projected token without audience, or too long."""
    volumes = {"volumes": partial(each_of, check=_volume)}
    yield from each_field(properties, volumes, containers=False)


RULE = Rule(
    id="pod-projected-token-is-bound",
    title="A projected token must name its audience and end within a day.",
    severity=Severity.MEDIUM,
    frameworks=("NIST SP 800-53 IA-9",),
    resource_types=WORKLOADS,
    remediation="audience: vault, expirationSeconds: 600.",
    check=check,
)
