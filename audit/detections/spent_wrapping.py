"""Spent wrapping token: somebody came with one that is used up, expired, or was never made.

A wrapping token works once. Whoever comes second finds that another was first, which is how an
intercepted secret shows. Vault and OpenBao refuse it before anything else, in the entry of the
request alone, and the log does not tell a used one from an expired one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ibis import Table

from audit.detections.detection import Detection, Facts, evidence, of_vault
from audit.findings import Severity


def rows(facts: Facts) -> Table:
    """The refusals, by address: who came is nobody known."""
    asked = facts.requests
    refused = asked.filter(
        of_vault(asked, "sys/wrapping/(?:unwrap|lookup|rewrap)$")
        & asked.error.fill_null("").contains("wrapping token is not valid")
    )
    return evidence(refused, refused.address.fill_null("no address"))


def _tell(first: Mapping[str, Any]) -> str:
    often = "once" if first["count"] == 1 else f"{first['count']} times"
    return (
        f"from {first['key']} somebody came {often} with a wrapping token that is spent, expired "
        f"or was never made, the first on {first['path']}; if it is spent, another read the secret"
    )


DETECTION = Detection(
    id="spent-wrapping-token",
    severity=Severity.HIGH,
    about="somebody comes with a wrapping token that is used up, expired or was never made",
    warm_up="none",
    rows=rows,
    tell=_tell,
)
