"""Google service accounts by their e-mail addresses. Owns their check; a group is none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from components.vault.inputs import refuse

_ACCOUNT = re.compile(r"[a-z][a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com")


def check_accounts(name: str, values: Sequence[str], project: str) -> None:
    """Refuse an empty list, and what is no service account. Raises ValueError."""
    example = f"for example ml-training@{project}.iam.gserviceaccount.com"
    if not values:
        raise refuse(name, values, "lets nobody in", f"Name accounts, {example}")
    for value in values:
        if not _ACCOUNT.fullmatch(value):
            raise refuse(
                name,
                value,
                "is no service account; a person, a group or everybody would be let in",
                f"Name one, {example}",
            )
