"""Custom resources and Secrets of the real cluster, read and waited for."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from kubernetes import client

from vaultops.wait import wait_for

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Objects:
    """The API of one cluster."""

    api: client.ApiClient

    def secret(self, namespace: str, name: str) -> dict[str, str]:
        """The Secret's values; nothing when there is none."""
        try:
            found = client.CoreV1Api(self.api).read_namespaced_secret(name, namespace)
        except client.ApiException as error:
            if error.status == 404:
                return {}
            raise
        return {key: base64.b64decode(text).decode() for key, text in (found.data or {}).items()}

    def wait_for_secret(
        self, namespace: str, name: str, expected: dict[str, str], seconds: float = 120
    ) -> None:
        """Until the Secret has exactly these values. They are in no message."""

        def missing() -> str | None:
            found = self.secret(namespace, name)
            if found == expected:
                return None
            return f"it has {sorted(found)}, wanted {sorted(expected)}, or other values"

        _wait(missing, f"Secret {namespace}/{name}", seconds)

    def apply(self, manifest: Manifest) -> None:
        """Make the object anew."""
        self.delete(manifest)
        group, version = manifest["apiVersion"].split("/")
        client.CustomObjectsApi(self.api).create_namespaced_custom_object(
            group, version, manifest["metadata"]["namespace"], _plural(manifest), manifest
        )

    def delete(self, manifest: Manifest) -> None:
        """Remove the object and wait until it is gone."""
        custom = client.CustomObjectsApi(self.api)
        group, version = manifest["apiVersion"].split("/")
        place = (group, version, manifest["metadata"]["namespace"], _plural(manifest))

        def left() -> str | None:
            try:
                custom.delete_namespaced_custom_object(*place, manifest["metadata"]["name"])
            except client.ApiException as error:
                if error.status == 404:
                    return None
                raise
            return "it is still there"

        _wait(left, f"the end of {manifest['kind']} {manifest['metadata']['name']}")

    def wait_for_condition(self, manifest: Manifest, kind: str, status: str) -> str:
        """Until the object has that condition; its message."""
        custom = client.CustomObjectsApi(self.api)
        group, version = manifest["apiVersion"].split("/")
        found: list[Manifest] = []

        def missing() -> str | None:
            state = custom.get_namespaced_custom_object(
                group,
                version,
                manifest["metadata"]["namespace"],
                _plural(manifest),
                manifest["metadata"]["name"],
            ).get("status", {})
            conditions = state.get("conditions", [])
            found[:] = [c for c in conditions if c["type"] == kind and c["status"] == status]
            return None if found else f"conditions {conditions}"

        _wait(missing, f"{manifest['kind']} {manifest['metadata']['name']} {kind}={status}")
        return str(found[0].get("message", ""))

    def may(self, account: str, verb: str, resource: str, namespace: str, name: str = "") -> bool:
        """Whether a service account (`namespace:name`) may do that."""
        resource, _, subresource = resource.partition("/")
        review = client.V1SubjectAccessReview(
            spec=client.V1SubjectAccessReviewSpec(
                user=f"system:serviceaccount:{account}",
                groups=["system:serviceaccounts", "system:authenticated"],
                resource_attributes=client.V1ResourceAttributes(
                    verb=verb,
                    resource=resource,
                    subresource=subresource or None,
                    namespace=namespace,
                    name=name or None,
                ),
            )
        )
        answer = client.AuthorizationV1Api(self.api).create_subject_access_review(review)
        return bool(answer.status.allowed)


def _plural(manifest: Manifest) -> str:
    return f"{manifest['kind'].lower()}s"


def _wait(missing: Any, what: str, seconds: float = 120) -> None:
    wait_for(missing, what=what, where="the cluster", seconds=seconds, fix="see the operator's log")
