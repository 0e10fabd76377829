"""A mount must not have secret values written to the audit log in clear.

The keys named here are left out of the hashing, for every request of the mount.
Source: HashiCorp, "Audit devices", audit_non_hmac_request_keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.resource_types import VAULT_MOUNT
from policies.rule import Finding, Judgement, Rule, Severity, each_of
from policies.view import View

LISTS = ("auditNonHmacRequestKeys", "auditNonHmacResponseKeys")
_SECRET = re.compile(r"\*|password|secret|token|key|jwt|data$|value|plaintext", re.IGNORECASE)


def _entry(entry: View) -> Iterator[Judgement]:
    if _SECRET.search(entry.text()):
        yield Finding(
            evidence=f"{entry.path} is {entry.text()!r}: its values would be logged in clear",
            fix=f"remove {entry.path}",
        )


def check(mount: View) -> Iterator[Judgement]:
    """Yield a finding for each key that holds secrets."""
    settings = (mount, mount["tune"]) if mount["tune"].given else (mount,)
    for place in settings:
        for name in LISTS:
            yield from each_of(place[name], _entry)


RULE = Rule(
    id="vault-mount-audits-hashed",
    title="A mount must keep secret values hashed in the audit log.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 AU-9", "NIST SP 800-53 SC-28"),
    resource_types=frozenset({VAULT_MOUNT, "vault:index/authBackend:AuthBackend"}),
    remediation="Leave out of the hashing only keys that name things, such as common_name.",
    check=check,
)
