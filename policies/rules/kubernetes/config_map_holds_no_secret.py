"""A ConfigMap must hold no secret: it is not encrypted at rest, and nearly everybody may read it.

Files inside it are searched line by line.
Source: Kubernetes, "ConfigMaps"; "Good practices for Kubernetes Secrets".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.resource_types import CONFIG_MAP
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.secret_values import kind_of
from policies.view import View

_LINE = re.compile(r"""^\s*(?:export\s+|-\s+)?["']?([\w.-]+)["']?\s*[:=]\s*["']?(.*?)["']?,?\s*$""")


def _value(value: View) -> Iterator[Judgement]:
    name = value.path.rpartition("data.")[2]
    lines = value.text().splitlines()
    for number, line in enumerate(lines, start=1):
        pair = _LINE.match(line)
        kind = kind_of(pair[1], pair[2]) if pair else kind_of("", line)
        if kind := kind or (kind_of(name, line) if len(lines) == 1 else None):
            where = value.path if len(lines) == 1 else f"{value.path}, line {number}"
            yield Finding(evidence=f"{where} has {kind}", fix="move it to Vault or to a Secret")
            return


def check(config_map: View) -> Iterator[Judgement]:
    """Yield a finding for each key that holds something like a secret."""
    yield from each((value for _, value in config_map["data"].items()), _value)


RULE = Rule(
    id="config-map-holds-no-secret",
    title="A ConfigMap must hold no secret.",
    severity=Severity.CRITICAL,
    frameworks=("CIS Kubernetes 5.4.1", "NIST SP 800-53 SC-28"),
    resource_types=frozenset({CONFIG_MAP}),
    remediation="Keep secrets in Vault and name their path in the ConfigMap.",
    check=check,
)
