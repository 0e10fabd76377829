"""A Role that may read Secrets must name them.

`list` and `watch` return the contents of every Secret of the namespace, and `get` without
`resourceNames` reads any of them. Each entry of `rules` is judged by itself: a narrow first entry
does not excuse a wide second one.
Source: Kubernetes, "Good practices for Kubernetes Secrets"; CIS Kubernetes Benchmark 5.1.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.rbac import ROLES, Entry
from policies.rule import REQUIRED_IN_PROD, Finding, Judgement, Rule, Severity, each_of
from policies.view import View

GET = frozenset({"get"})
READS_ANY_SECRET = frozenset({"list", "watch"})


def _entry(view: View) -> Iterator[Judgement]:
    entry = Entry.read(view)
    if wide := entry.given("", "secrets", READS_ANY_SECRET):
        yield Finding(
            evidence=f"{entry}: {', '.join(wide)} returns every Secret's contents",
            fix=f"keep only get in {entry.path}.verbs and name the Secrets in resourceNames",
        )
    elif entry.given("", "secrets", GET) and not entry.names:
        yield Finding(
            evidence=f"{entry} without resourceNames",
            fix=f"name the Secrets in {entry.path}.resourceNames",
        )


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for each entry of `rules` that reads Secrets it does not name."""
    yield from each_of(role["rules"], _entry)


RULE = Rule(
    id="secret-reads-are-named",
    title="A Role that reads Secrets must name them and must not list or watch them.",
    severity=Severity.HIGH,
    frameworks=("CIS Kubernetes 5.1.2", "NIST SP 800-53 AC-6"),
    resource_types=ROLES,
    remediation="Grant get on secrets with resourceNames, one Role for each consumer.",
    levels=REQUIRED_IN_PROD,
    check=check,
)
