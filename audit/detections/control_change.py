"""Changes of who may do what: policies, auth methods and roles, mounts, outside a deployment.

Switching an audit device off is `audit_off`'s matter, whenever it happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ibis import Table

from audit.detections.detection import Detection, Facts, evidence, of_vault, outside
from audit.findings import Severity

# Vault documentation, "/sys" endpoints. Logins and renewals are updates under auth/ too: of those
# paths only configuration and roles are changes.
_SYSTEM = (
    r"sys/(?:policy|policies|auth|mounts|remount|audit|config|plugins|namespaces|raw"
    r"|rekey|rotate)(?:/|$)"
)
_AUTH = r"(?:auth/[^/]+/(?:config|role|roles|users|groups|map|tune)|identity)(?:/|$)"
_CHANGES = ("create", "update", "patch", "delete")


def rows(facts: Facts) -> Table:
    """The changes that went through."""
    calls = facts.calls
    changed = calls.filter(
        calls.operation.isin(_CHANGES)
        & calls.error.isnull()
        & (of_vault(calls, _SYSTEM) | of_vault(calls, _AUTH))
        & ~((calls.operation == "delete") & of_vault(calls, "sys/audit/"))
    )
    changed = outside(changed, facts.known.deployments)
    return evidence(changed, changed.subject.fill_null("nobody known"))


def _tell(first: Mapping[str, Any]) -> str:
    who, others = first["subject"] or "somebody unknown", first["count"] - 1
    more = f" and {others} more" if others else ""
    return f"{who} changed {first['path']}{more} outside every announced deployment"


DETECTION = Detection(
    id="control-change",
    severity=Severity.HIGH,
    about="policies, auth methods or mounts are changed outside an announced deployment",
    warm_up="none",
    rows=rows,
    tell=_tell,
)
