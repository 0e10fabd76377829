"""The members of Google Cloud IAM bindings, however a resource writes them.

Owns the places and the meaning of a member's prefix.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.view import View

EVERYBODY = frozenset({"allUsers", "allAuthenticatedUsers"})


def bindings(properties: View) -> Iterator[tuple[str, View]]:
    """Each role with the list of its members."""
    if properties["policyData"].given:
        for binding in properties["policyData"].json()["bindings"].entries():
            yield binding["role"].text(), binding["members"]
    else:
        member = properties["member"]
        listed = member if member.given else properties["members"]
        yield properties["role"].text(), listed
