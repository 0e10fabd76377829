"""Google Secret Manager as custodian, over its REST API with google-auth's own session.

Owns the secret's versions. Needs no client library: google-auth comes with the cluster's client.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import google.auth
import google.auth.exceptions
import google.auth.transport.requests
import requests

from vaultops.custody import InitRecord
from vaultops.errors import VaultOpsError

_API = "https://secretmanager.googleapis.com/v1"
_session_class: Any = google.auth.transport.requests.AuthorizedSession  # has no types
_PERMISSIONS = (
    "secretmanager.versions.access",
    "secretmanager.versions.add",
    "secretmanager.versions.destroy",
)
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@dataclass(frozen=True)
class GcpSecretManagerCustodian:
    """The record as the latest version of one secret; every older record stays a version."""

    name: str
    project: str
    pgp_keys: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The secret's resource name."""
        return f"Google secret projects/{self.project}/secrets/{self.name}"

    def check(self) -> None:
        """Make the secret, still empty, and ask for the rights. Raises VaultOpsError."""
        if self._call("GET", "") is None:
            self._call(
                "POST",
                f"{_API}/projects/{self.project}/secrets?secretId={self.name}",
                {"replication": {"automatic": {}}},
            )
        wanted = {"permissions": list(_PERMISSIONS)}
        granted = self._call("POST", ":testIamPermissions", wanted).get("permissions", [])
        if missing := [each for each in _PERMISSIONS if each not in granted]:
            raise self._failure(f"the identity lacks {', '.join(missing)}")

    def load(self) -> InitRecord | None:
        """The latest enabled version's record, None without one."""
        answer = self._call("GET", "/versions/latest:access")
        if answer is None:
            return None
        text = base64.b64decode(answer["payload"]["data"]).decode(errors="replace")
        return InitRecord.read(text, self.where)

    def store(self, record: InitRecord) -> None:
        """Add a version; older ones stay."""
        data = base64.b64encode(record.to_json().encode()).decode()
        self._call("POST", ":addVersion", {"payload": {"data": data}})

    def drop_root_token(self) -> None:
        """Add a version without the token and destroy the one that had it."""
        record = self.load()
        if record is None or record.root_token is None:
            return
        older = (self._call("GET", "/versions/latest") or {})["name"]
        self.store(record.without_root_token())
        self._call("POST", f"{_API}/{older}:destroy", {})

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        """The parsed answer; None for "not found" on a read."""
        url = path
        if not path.startswith(_API):
            url = f"{_API}/projects/{self.project}/secrets/{self.name}{path}"
        try:
            credentials, _ = google.auth.default(scopes=[_SCOPE])
            session: requests.Session = _session_class(credentials)
            answer = session.request(method, url, json=body, timeout=30)
        except (
            google.auth.exceptions.GoogleAuthError,
            requests.exceptions.RequestException,
        ) as error:
            raise self._failure(str(error)) from None
        if answer.status_code == 404 and method == "GET":
            return None
        if not answer.ok:
            raise self._failure(f"HTTP {answer.status_code}: {answer.reason}")
        return answer.json()

    def _failure(self, why: str) -> VaultOpsError:
        return VaultOpsError(
            "Google Secret Manager refuses the custodian",
            where=f"strongroom:vault custodian.name: {self.name} (project {self.project})",
            why=why,
            fix="log in (gcloud auth application-default login) as an identity with "
            "roles/secretmanager.admin on that secret",
        )
