"""An audit device must write hashes in place of secrets and of token accessors.

`log_raw` writes every token and secret as it is; an accessor in clear lets its reader revoke.
Source: HashiCorp, "Audit devices", common configuration options.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import VAULT_AUDIT
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View

SAFE = {"log_raw": False, "hmac_accessor": True}


def check(device: View) -> Iterator[Judgement]:
    """Yield a finding for each option that shows values."""
    yield from each((device["options"][name] for name in SAFE), _option)


def _option(option: View) -> Iterator[Judgement]:
    name = option.path.rpartition(".")[2]
    if option.text() and option.flag() is not SAFE[name]:
        yield Finding(evidence=f"{option.path} is {option.text()!r}", fix=f"remove {option.path}")


RULE = Rule(
    id="vault-audit-device-hides-values",
    title="An audit device must hash secrets and accessors.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 AU-9", "PCI DSS 10.5"),
    resource_types=frozenset({VAULT_AUDIT}),
    remediation="Leave log_raw off and hmac_accessor on.",
    check=check,
)
