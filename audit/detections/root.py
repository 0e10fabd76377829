"""Root: its token at work, and attempts to make one, outside the windows that were announced.

Vault calls the path sys/generate-root/attempt, OpenBao sys/generate-root-token/attempt too, in a
namespace as well. A root user of a cloud account counts as root.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ibis import Table

from audit.detections.detection import Detection, Facts, evidence, of_vault, outside
from audit.findings import Severity


def use(facts: Facts) -> Table:
    """The calls of root tokens."""
    calls = facts.calls
    root = calls.policies.contains("root").fill_null(False)
    cloud = calls.token_type.isin(["Root"]).fill_null(False)
    used = outside(calls.filter(root | cloud), facts.known.root_windows)
    return evidence(used, used.address.fill_null("no address"))


def generation(facts: Facts) -> Table:
    """The calls that make a root token; asking how far an attempt is makes none."""
    calls = facts.calls
    making = of_vault(calls, "sys/generate-root") & (calls.operation != "read")
    tried = outside(calls.filter(making), facts.known.root_windows)
    return evidence(tried, tried.address.fill_null("no address"))


def _tell_use(first: Mapping[str, Any]) -> str:
    return (
        f"a root token made {first['count']} calls from {first['address']}, the first on "
        f"{first['path']}, at no announced time"
    )


def _tell_generation(first: Mapping[str, Any]) -> str:
    return f"from {first['address']} somebody began to make a root token, at no announced time"


USE = Detection(
    id="root-use",
    severity=Severity.CRITICAL,
    about="a root token is used outside an announced window",
    warm_up="none",
    rows=use,
    tell=_tell_use,
)
GENERATION = Detection(
    id="generate-root",
    severity=Severity.CRITICAL,
    about="somebody begins to make a root token outside an announced window",
    warm_up="none",
    rows=generation,
    tell=_tell_generation,
)
