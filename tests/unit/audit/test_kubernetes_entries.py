"""What rows say of real lines of an API server's log, trap by trap.

The lines are those of the local node (Kubernetes 1.34.3); ids, uids and credential ids are fakes.
"""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from audit import baseline, reports
from audit.backend import rows_of
from audit.detections import denied_burst
from audit.detections.detection import Facts
from audit.known import NOTHING
from audit.store import Store
from audit.thresholds import DEFAULT
from tests.unit.audit.entries import Rows, events_of, read_into, tables_of, write

REAL = Path(__file__).with_name("kubernetes_entries.jsonl")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    read, outcome = read_into(tmp_path_factory.mktemp("real") / "store", REAL)
    assert outcome.problems == 0
    # What is answered at its start and at its end has two lines and is one row.
    assert (outcome.events, outcome.known) == (len(REAL.read_text().splitlines()) - 2, 2)
    return read


def of(store: Store, operation: str, path: str) -> Rows:
    return [e for e in events_of(store) if (e["operation"], e["path"]) == (operation, path)]


def test_an_impersonated_account_is_the_role_of_who_did_it(store: Store) -> None:
    read, refused = (of(store, "get", f"k8s:fake-audit/{name}") for name in ("allowed", "other"))
    done = {(e["subject"], e["role"], e["error"]) for e in read}
    assert done == {
        ("strongroom:admin", None, None),
        ("strongroom:admin", "fake-audit/reader", None),
    }
    (one,) = refused
    assert (one["subject"], one["role"]) == ("strongroom:admin", "fake-audit/reader")
    assert one["error"].startswith('secrets "other" is forbidden: User "system:serviceaccount:')


def test_an_address_that_the_client_claims_is_not_its_address(store: Store) -> None:
    assert "203.0.113.9" in REAL.read_text()
    assert {e["address"] for e in events_of(store)} == {"10.77.0.2"}


def test_a_watch_and_an_exec_are_one_call_each(store: Store) -> None:
    (watch,) = of(store, "watch", "k8s:fake-audit/")
    (into,) = of(store, "get", "k8s:pods/fake-audit/p/exec")
    assert (watch["phase"], into["phase"]) == ("response", "response")
    assert into["error"] is None


def test_who_may_have_seen_a_secret_includes_who_listed_them_all(store: Store) -> None:
    found = rows_of(reports.who(tables_of(store).events, "k8s:fake-audit/*"))
    lists = {row["path"]: row["calls"] for row in found if row["operation"] == "list"}
    # A list of one name is a read of that one.
    assert lists == {"k8s:fake-audit/": 1, "k8s:fake-audit/allowed": 1}


def test_a_namespace_is_found_by_its_name_with_a_slash(store: Store) -> None:
    found = rows_of(reports.who(tables_of(store).events, "k8s:fake-audit/"))
    assert {(row["operation"], row["path"]) for row in found} == {
        ("list", "k8s:fake-audit/"),
        ("watch", "k8s:fake-audit/"),
        ("create", "k8s:fake-audit/"),
    }


def test_what_is_not_there_or_is_there_already_is_no_refusal(store: Store) -> None:
    assert {404, 409, 403} <= {
        json.loads(line)["responseStatus"]["code"] for line in REAL.read_text().splitlines()
    }
    (missing,) = of(store, "get", "k8s:fake-audit/missing")
    assert missing["error"] is None
    assert [e["error"] for e in of(store, "create", "k8s:fake-audit/allowed")] == [None, None]
    refused = rows_of(reports.denials(tables_of(store).events))
    assert [row["path"] for row in refused] == ["k8s:fake-audit/other"]


@pytest.mark.parametrize(("code", "bursts"), [(404, 0), (409, 0), (403, 1)])
def test_only_refusals_are_a_burst(tmp_path: Path, code: int, bursts: int) -> None:
    (line,) = (line for line in REAL.read_bytes().splitlines() if b'"code":%d' % code in line)
    asked = json.loads(line)
    again = [orjson.dumps({**asked, "auditID": f"fake-{number}"}) for number in range(40)]
    read, _ = read_into(tmp_path / "store", write(tmp_path / "audit.log", again))
    events, activity = tables_of(read).events, tables_of(read).activity
    facts = Facts(
        requests=events,
        calls=baseline.calls(events),
        visits=baseline.visits(events),
        activity=activity,
        known=NOTHING,
        thresholds=DEFAULT,
    )
    detection = denied_burst.BY_SUBJECT
    found = list(detection.findings(rows_of(detection.episodes(facts))))
    assert [(one.subject, one.count) for one in found] == [("strongroom:admin", 40)] * bursts


@pytest.mark.parametrize(
    ("code", "said"),
    [(201, None), (404, "HTTP status 404"), (409, "HTTP status 409"), (403, "is forbidden")],
)
def test_a_change_of_rights_that_did_not_happen_says_so(
    tmp_path: Path, code: int, said: str | None
) -> None:
    lines = map(orjson.loads, REAL.read_bytes().splitlines())
    made = next(
        one
        for one in lines
        if one["verb"] == "create" and one["objectRef"]["resource"] == "rolebindings"
    )
    status: dict[str, int | str] = {"code": code}
    if code == 403:
        status |= {"status": "Failure", "message": 'rolebindings "r" is forbidden: fake'}
    tried = orjson.dumps({**made, "responseStatus": status})
    read, _ = read_into(tmp_path / "store", write(tmp_path / "audit.log", [tried]))
    (row,) = rows_of(reports.changes(tables_of(read).events))
    assert (row["error"] is None) is (said is None)
    assert (said or "") in (row["error"] or "")


def test_a_token_of_an_account_is_named_with_who_asked_for_it(store: Store) -> None:
    (token,) = of(store, "create", "k8s:serviceaccounts/fake-audit/reader/token")
    assert token["subject"] == "system:node:strongroom"


def test_changes_of_rights_are_changes(store: Store) -> None:
    changed = rows_of(reports.changes(tables_of(store).events))
    assert [row["path"] for row in changed] == [
        "k8s:roles/fake-audit/r",
        "k8s:rolebindings/fake-audit/r",
    ]
