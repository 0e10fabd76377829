"""A KV engine should keep versions: a wrong write, or a wrong delete, is then no loss.

Source: HashiCorp, "KV secrets engine - version 2".
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import VAULT_MOUNT
from policies.rule import REQUIRED_IN_PROD, Finding, Judgement, Rule, Severity
from policies.view import View


def check(mount: View) -> Iterator[Judgement]:
    """Yield a finding for a KV engine of version 1."""
    kind = mount["type"].text()
    if kind not in ("kv", "kv-v1", "generic"):
        return
    version = "1" if kind == "kv-v1" else mount["options"]["version"].text()
    if version != "2":
        yield Finding(
            evidence=f"options.version of the {kind} engine is {version or 'not set (1)'}",
            fix='use type "kv-v2"',
        )


RULE = Rule(
    id="vault-kv-is-versioned",
    title="A KV engine must keep versions.",
    severity=Severity.MEDIUM,
    frameworks=("NIST SP 800-53 CP-9",),
    resource_types=frozenset({VAULT_MOUNT}),
    remediation="Mount kv-v2 and migrate the values.",
    levels=REQUIRED_IN_PROD,
    check=check,
)
