"""Google Secret Manager as custodian: the session is a fake that keeps versions as Google does."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any

import google.auth
import google.auth.credentials
import google.auth.exceptions
import pytest
import requests

from tests.unit.vaultops.records import FAKE_ROOT, record
from vaultops import custody_gcp
from vaultops.custody_gcp import GcpSecretManagerCustodian
from vaultops.errors import VaultOpsError

BASE = "https://secretmanager.googleapis.com/v1/projects/fake-project/secrets"
PERMISSIONS = {
    "secretmanager.versions.access",
    "secretmanager.versions.add",
    "secretmanager.versions.destroy",
}


@dataclass
class Google:
    """One project's secret `vault-init`: None does not exist, a version None is destroyed."""

    versions: list[str | None] | None = None
    permissions: set[str] = field(default_factory=lambda: set(PERMISSIONS))
    failure: Exception | None = None

    def request(self, method: str, url: str, json: Any, timeout: float) -> requests.Response:
        """Answer as the REST API does."""
        if self.failure:
            raise self.failure
        call = (method, url.removeprefix(BASE))
        if call == ("POST", "?secretId=vault-init"):
            self.versions = []
            return _answer(200, {"name": "projects/1/secrets/vault-init"})
        if self.versions is None:
            return _answer(404, {})
        if call == ("GET", "/vault-init"):
            return _answer(200, {"name": "projects/1/secrets/vault-init"})
        if call == ("POST", "/vault-init:testIamPermissions"):
            return _answer(
                200, {"permissions": sorted(self.permissions & set(json["permissions"]))}
            )
        if call == ("POST", "/vault-init:addVersion"):
            self.versions.append(base64.b64decode(json["payload"]["data"]).decode())
            return _answer(200, {})
        if method == "POST" and (found := re.search(r"/versions/(\d+):destroy$", url)):
            self.versions[int(found[1]) - 1] = None
            return _answer(200, {})
        if not self.versions:
            return _answer(404, {})
        name = f"projects/fake-project/secrets/vault-init/versions/{len(self.versions)}"
        if call == ("GET", "/vault-init/versions/latest"):
            return _answer(200, {"name": name})
        assert call == ("GET", "/vault-init/versions/latest:access"), call
        data = base64.b64encode((self.versions[-1] or "").encode()).decode()
        return _answer(200, {"name": name, "payload": {"data": data}})


def _answer(status: int, body: object) -> requests.Response:
    answer = requests.Response()
    answer.status_code = status
    answer.reason = {200: "OK", 403: "Forbidden", 404: "Not Found"}[status]
    answer._content = json.dumps(body).encode()
    return answer


@pytest.fixture
def google_api(monkeypatch: pytest.MonkeyPatch) -> Google:
    fake = Google()
    anonymous = google.auth.credentials.AnonymousCredentials()  # type: ignore[no-untyped-call]
    monkeypatch.setattr(google.auth, "default", lambda **_: (anonymous, None))
    monkeypatch.setattr(custody_gcp, "_session_class", lambda _: fake)
    return fake


@pytest.fixture
def custodian(google_api: Google) -> GcpSecretManagerCustodian:
    return GcpSecretManagerCustodian(name="vault-init", project="fake-project")


def test_a_record_is_read_back(custodian: GcpSecretManagerCustodian) -> None:
    assert custodian.load() is None
    custodian.check()
    custodian.check()
    assert custodian.load() is None
    custodian.store(record(created="fake-moment"))
    assert custodian.load() == record(created="fake-moment")


def test_older_versions_stay(custodian: GcpSecretManagerCustodian, google_api: Google) -> None:
    custodian.check()
    custodian.store(record(created="fake-first"))
    custodian.store(record(created="fake-second"))
    assert google_api.versions is not None
    assert "fake-first" in (google_api.versions[0] or "")


def test_the_version_with_the_root_token_is_destroyed(
    custodian: GcpSecretManagerCustodian, google_api: Google
) -> None:
    custodian.check()
    custodian.store(record(created="fake-moment"))
    custodian.drop_root_token()
    custodian.drop_root_token()
    assert custodian.load() == record(created="fake-moment", root_token=None)
    assert google_api.versions is not None
    assert len(google_api.versions) == 2
    assert not any(FAKE_ROOT in (text or "") for text in google_api.versions)


@pytest.mark.parametrize("permission", sorted(PERMISSIONS))
def test_a_right_that_is_missing_is_found_before_vault_is_initialised(
    custodian: GcpSecretManagerCustodian, google_api: Google, permission: str
) -> None:
    google_api.permissions.remove(permission)
    with pytest.raises(VaultOpsError, match="refuses the custodian") as refused:
        custodian.check()
    assert permission in refused.value.why


@pytest.mark.parametrize(
    "failure",
    [
        google.auth.exceptions.GoogleAuthError("no fake login"),  # type: ignore[no-untyped-call]
        requests.exceptions.ConnectionError("no fake network"),
    ],
)
def test_google_out_of_reach_is_one_error(
    custodian: GcpSecretManagerCustodian, google_api: Google, failure: Exception
) -> None:
    google_api.failure = failure
    for call in (custodian.check, custodian.load, lambda: custodian.store(record())):
        with pytest.raises(VaultOpsError, match="refuses the custodian") as refused:
            call()
        assert "no fake" in refused.value.why
        assert "project fake-project" in refused.value.where
        assert FAKE_ROOT not in str(refused.value)


def test_somebody_elses_secret_is_refused_and_not_shown(
    custodian: GcpSecretManagerCustodian, google_api: Google
) -> None:
    google_api.versions = ["some other secret"]
    with pytest.raises(VaultOpsError, match="no initialisation record") as refused:
        custodian.load()
    assert "some other" not in str(refused.value)
    assert "projects/fake-project/secrets/vault-init" in refused.value.where
