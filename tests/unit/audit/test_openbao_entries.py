"""What rows say of real entries of an OpenBao, and of a Vault's about the same calls.

Both logs were recorded by tests/vaultops/record_audit.py: OpenBao 2.7.2 with its audit device in
its configuration, and Vault 1.21.0. Ids, keyed hashes and lease ids are fakes, times are real.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from audit import baseline, reports
from audit.backend import Tables, rows_of
from audit.detections import spent_wrapping
from audit.detections.detection import Facts
from audit.known import NOTHING
from audit.thresholds import DEFAULT
from tests.unit.audit.entries import Rows, read_into, tables_of

LOGS = {name: Path(__file__).with_name(f"calls_{name}.jsonl") for name in ("vault", "openbao")}
# Of another file, another moment, or a fake.
OWN = {"time", "request_id", "device", "file"}
ASKER = {"subject": "root", "token_type": "service", "policies": ["root"]}
# OpenBao's row where it says something else than Vault's, by path and phase.
DIFFERENCES = {
    # Vault asks for no token and looks for no mount; OpenBao does, and has moved the path.
    ("sys/generate-root/attempt", "request"): {**ASKER, "mount": "sys/", "mount_type": "system"},
    ("sys/generate-root/attempt", "response"): {
        **ASKER,
        "mount": "sys/",
        "mount_type": "system",
        "error": "unsupported operation",
    },
    # What Vault does not have is an error there.
    ("sys/generate-root-token/attempt", "response"): {"error": None},
    ("sys/namespaces/team", "response"): {"error": None},
    ("team/sys/mounts/kv", "request"): {"mount": "team/sys/", "mount_type": "ns_system"},
    ("team/sys/mounts/kv", "response"): {
        "mount": "team/sys/",
        "mount_type": "ns_system",
        "error": None,
    },
    ("team/kv/", "request"): {"mount": "team/kv/", "mount_type": "kv"},
    ("team/kv/", "response"): {"mount": "team/kv/", "mount_type": "kv", "error": None},
}
# A token that nobody issued: Vault says why, OpenBao writes a type of none.
BAD_TOKEN = {"token_type": "default", "error": "permission denied"}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tables]:
    """What each log holds."""
    found = {}
    for name, log in LOGS.items():
        store, outcome = read_into(tmp_path_factory.mktemp(name) / "store", log)
        lines = len(log.read_bytes().splitlines())
        assert (outcome.events, outcome.known, outcome.problems) == (lines, 0, 0)
        found[name] = tables_of(store)
    return found


def in_order(tables: Tables) -> Rows:
    return rows_of(tables.events.order_by("line"))


def test_the_same_calls_give_the_same_rows_but_for_known_differences(
    tables: dict[str, Tables],
) -> None:
    pairs = list(zip(in_order(tables["vault"]), in_order(tables["openbao"]), strict=True))
    assert len(pairs) > 50
    met = set()
    for vault, openbao in pairs:
        call = (vault["path"], vault["phase"])
        bad_token = (vault["error"] or "").endswith("invalid token")
        expected = BAD_TOKEN if bad_token else DIFFERENCES.get(call, {})
        met.add("bad token" if bad_token else call)
        differs = {key for key in vault if key not in OWN and vault[key] != openbao[key]}
        # Entities are fakes: whether there is one must agree.
        differs -= {"entity"} if bool(vault["entity"]) == bool(openbao["entity"]) else set()
        assert {key: openbao[key] for key in differs} == expected, call
    assert met >= {*DIFFERENCES, "bad token"}


def test_requests_and_responses_are_joined_alike(tables: dict[str, Tables]) -> None:
    def joined(rows: Rows) -> list[list[int]]:
        lines: dict[str, list[int]] = {}
        for row in rows:
            lines.setdefault(row["request_id"], []).append(row["line"])
        return list(lines.values())

    vault, openbao = (joined(in_order(each)) for each in tables.values())
    assert vault == openbao
    assert {len(lines) for lines in openbao} == {1, 2}


@pytest.mark.parametrize("name", LOGS)
def test_who_unwraps_is_nobody_known(tables: dict[str, Tables], name: str) -> None:
    unwrapped = [row for row in in_order(tables[name]) if row["path"] == "sys/wrapping/unwrap"]
    assert len(unwrapped) == 3
    assert {row["subject"] for row in unwrapped} == {None}
    assert unwrapped[0]["policies"] == ["response-wrapping"]


@pytest.mark.parametrize("name", LOGS)
def test_a_wrapping_token_that_comes_twice_is_found(tables: dict[str, Tables], name: str) -> None:
    events = tables[name].events
    facts = Facts(
        requests=events.filter(events.phase == "request"),
        calls=baseline.calls(events),
        visits=baseline.visits(events),
        activity=tables[name].activity,
        known=NOTHING,
        thresholds=DEFAULT,
    )
    detection = spent_wrapping.DETECTION
    [finding] = detection.findings(rows_of(detection.episodes(facts)))
    assert (finding.count, finding.subject, finding.address) == (1, None, "127.0.0.1")
    [evidence] = finding.evidence
    line = LOGS[name].read_text().splitlines()[evidence.line - 1]
    assert "wrapping token is not valid or does not exist" in line


def test_a_namespace_is_in_front_of_path_and_mount(tables: dict[str, Tables]) -> None:
    listed = [row for row in in_order(tables["openbao"]) if row["path"] == "team/kv/"]
    assert {(row["mount"], row["subject"], row["error"]) for row in listed} == {
        ("team/kv/", "root", None)
    }


@pytest.mark.parametrize("name", LOGS)
def test_a_secret_that_is_not_there_is_no_refusal(tables: dict[str, Tables], name: str) -> None:
    refused = {row["path"] for row in rows_of(reports.denials(tables[name].events))}
    assert {"secret/data/other/team", "auth/kubernetes/login"} <= refused
    assert "secret/data/ml/no-such-secret" not in refused


@pytest.mark.parametrize("name", LOGS)
def test_changes_tried_in_either_dialect(tables: dict[str, Tables], name: str) -> None:
    paths = [row["path"] for row in rows_of(reports.changes(tables[name].events))]
    assert paths == [
        *("sys/generate-root/attempt", "sys/generate-root-token/attempt"),
        *("sys/namespaces/team", "team/sys/mounts/kv"),
        *("auth/token/create", "sys/policies/acl/fake", "sys/policies/acl/fake", "sys/auth/fake"),
        *("sys/mounts/fake", "sys/mounts/fake", "sys/audit/no-such-device"),
    ]


@pytest.mark.parametrize("name", LOGS)
def test_a_lease_has_its_holder(tables: dict[str, Tables], name: str) -> None:
    (lease,) = rows_of(reports.leases(tables[name].events))
    assert (lease["subject"], lease["role"]) == ("ml/trainer", "train")
    assert lease["lease_id"].startswith("database/creds/train/")
