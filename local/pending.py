"""What a killed engine had begun to create and never recorded: adopted where it can be found again.

Owns the way from a pending operation to a resource of the state. Most kinds are simply created
again: they are written as they shall be, or applied under the stack's name. The kinds below are
refused when there is one of that name already, so each is entered into the state under the id that
its provider gives it, to be compared with what there is by a refresh.
"""

from __future__ import annotations

from typing import Any

# The input that is the provider's id, by type.
_IDS = {
    "vault:index/mount:Mount": "path",
    "vault:index/authBackend:AuthBackend": "path",
    "vault:aws/secretBackend:SecretBackend": "path",
    "aws:iam/role:Role": "name",
    "aws:kms/alias:Alias": "name",
    "aws:lambda/function:Function": "name",
    "aws:cloudwatch/logGroup:LogGroup": "name",
    "aws:secretsmanager/secret:Secret": "name",  # by which AWS answers as by the ARN
}


def settle(deployment: dict[str, Any]) -> bool:
    """Replace pending operations by the resources they may have made; whether there were any."""
    operations = deployment.pop("pending_operations", None) or []
    for operation in operations:
        resource = operation["resource"]
        given = resource.get("inputs", {}).get(_IDS.get(resource["type"], ""))
        if operation["type"] == "creating" and isinstance(given, str):
            deployment["resources"].append({**resource, "id": given})
    return bool(operations)


def unread(deployment: dict[str, Any]) -> list[str]:
    """The URNs of what was entered and not refreshed yet; a refresh tells whether it is there."""
    return [
        resource["urn"]
        for resource in deployment.get("resources", ())
        if resource["type"] in _IDS and not resource.get("outputs")
    ]
