"""What rows say of real entries of a Vault, trap by trap."""

from __future__ import annotations

import ibis
import pytest

from audit.schema import EVENTS
from tests.unit.audit.entries import REAL, Rows, events_of, read_into, tables_of


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """The real entries, in their order."""
    store, _ = read_into(tmp_path_factory.mktemp("real") / "store", REAL)
    schema = tables_of(store).events.schema()
    assert {name: kind for name, kind in schema.items() if name != "time"} == {
        name: kind for name, kind in EVENTS.items() if name != "time"
    }
    assert isinstance(schema["time"], ibis.expr.datatypes.Timestamp)
    return events_of(store)


def of(events: Rows, path: str, phase: str = "response") -> Rows:
    return [one for one in events if one["path"] == path and one["phase"] == phase]


def test_root_is_one_subject_whatever_its_token_is_called(events: Rows) -> None:
    with_root = [one for one in events if "root" in one["policies"]]
    assert len(with_root) > 50
    assert {one["subject"] for one in with_root} == {"root"}


def test_a_service_account_is_named_as_in_the_matrix(events: Rows) -> None:
    request, response = (
        of(events, "auth/deployer/login", phase)[0] for phase in ("request", "response")
    )
    assert (request["subject"], request["token_type"]) == (None, "default")
    assert response["subject"] == "vault/strongroom-deployer"
    assert response["role"] == "strongroom"
    assert response["policies"] == ["strongroom-deployer"]
    assert response["entity"].startswith("eeeeeeee-")


def test_an_approle_is_named_by_its_role(events: Rows) -> None:
    assert {one["subject"] for one in of(events, "sys/wrapping/wrap")} >= {
        "approle/job",
        "userpass-ada",
    }


def test_policies_that_allowed_a_call(events: Rows) -> None:
    reads = of(events, "secret/data/ml/mlflow")
    by_subject = {one["subject"]: one["granted_by"] for one in reads if not one["error"]}
    assert by_subject == {"root": ["root"], "approle/job": ["reader"], "userpass-ada": ["reader"]}


def test_errors_are_one_line(events: Rows) -> None:
    assert {one["error"] for one in events} == {
        None,
        "permission denied",
        "permission denied; invalid token",
        "invalid credentials",
    }


def test_a_denied_call_is_logged_twice_and_a_failed_login_once(events: Rows) -> None:
    denied = [one for one in events if one["path"] == "secret/data/other"]
    assert len(denied) == 8
    assert all(one["error"] for one in denied)
    failed = [one for one in events if one["error"] == "invalid credentials"]
    assert [one["phase"] for one in failed] == ["response", "response"]
    assert {one["subject"] for one in failed} == {None}


def test_a_lease_is_in_the_response_that_hands_it_out(events: Rows) -> None:
    leased = [one for one in events if one["lease_id"]]
    assert [(one["path"], one["phase"], one["mount_type"]) for one in leased] == [
        ("database/creds/ml-readonly", "response", "database")
    ]
    assert leased[0]["lease_id"].startswith("database/creds/ml-readonly/")


def test_the_probe_of_a_device_comes_from_nowhere(events: Rows) -> None:
    probe = events[0]
    assert (probe["path"], probe["address"], probe["subject"]) == ("sys/audit/test", None, None)


def test_times_are_utc(events: Rows) -> None:
    assert events[0]["time"].isoformat() == "2026-11-25T02:25:55.621599+00:00"
