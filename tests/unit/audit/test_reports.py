"""What the reports answer, on logs of which the answer is known."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from access.evaluate import Acl
from access.grant import OWN_TOKEN, Grant
from access.policy_hcl import parse
from audit import gaps, reports
from audit.backend import Tables, rows_of
from audit.unused import UnusedRight, unused
from tests.unit.audit.entries import REAL, START, call, calls, read_into, tables_of, write

DENIED = "1 error occurred:\n\t* permission denied\n\n"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """The real entries."""
    return tables_of(read_into(tmp_path_factory.mktemp("real") / "store", REAL)[0])


def tables(folder: Path, lines: list[bytes]) -> Tables:
    return tables_of(read_into(folder / "store", write(folder / "audit.log", lines))[0])


def test_access_counts_answered_calls(tmp_path: Path) -> None:
    lines = [
        *calls(range(3)),
        *call(3, subject="ml/notebook"),
        *call(4, error=DENIED),
        *call(5, path="sys/internal/ui/mounts/secret"),
        call(6)[0],
    ]
    events = tables(tmp_path, lines).events
    (path,) = rows_of(reports.by_path(events))
    assert (path["path"], path["calls"], path["subjects"]) == ("secret/data/ml/mlflow", 4, 2)
    assert [(one["subject"], one["calls"]) for one in rows_of(reports.by_subject(events))] == [
        ("ml/trainer", 3),
        ("ml/notebook", 1),
    ]


def test_refusals_are_counted_by_request_and_on_the_error(real: Tables) -> None:
    found = {
        (one["subject"], one["path"]): (one["requests"], one["error"])
        for one in rows_of(reports.denials(real.events))
    }
    assert found["approle/job", "secret/data/other"] == (1, "permission denied")
    assert found[None, "secret/data/ml/mlflow"][0] == 2
    assert found[None, "auth/approle/login"] == (1, "invalid credentials")
    assert sum(requests for requests, _ in found.values()) == 13


@pytest.mark.parametrize("path", ["secret/ml/mlflow", "secret/data/ml/mlflow", "secret/ml/ml*"])
def test_who_called_a_path_as_people_write_it(real: Tables, path: str) -> None:
    found = rows_of(reports.who(real.events, path))
    assert {(one["subject"], one["calls"], one["refused"]) for one in found} == {
        ("approle/job", 1, 0),
        ("userpass-ada", 1, 0),
        ("root", 1, 0),
        (None, 0, 2),
    }


def test_who_does_not_take_a_longer_name_for_the_path(tmp_path: Path) -> None:
    lines = [
        *call(1, path="secret/data/ml/mlflow-backup"),
        *call(2, path="secret/metadata/ml/mlflow"),
    ]
    events = tables(tmp_path, lines).events
    assert [one["path"] for one in rows_of(reports.who(events, "secret/ml/mlflow"))] == [
        "secret/metadata/ml/mlflow"
    ]


@pytest.mark.parametrize("mount", ["team/secret", "teams/ml/kv"])
def test_who_finds_a_secret_of_a_namespace_or_a_mount_with_slashes(
    tmp_path: Path, mount: str
) -> None:
    events = tables(tmp_path, call(1, path=f"{mount}/data/ml/mlflow")).events
    for asked in ("ml/mlflow", "data/ml/mlflow", "ml/*"):
        (one,) = rows_of(reports.who(events, f"{mount}/{asked}"))
        assert (one["path"], one["calls"]) == (f"{mount}/data/ml/mlflow", 1)


def test_what_the_command_line_asks_by_itself_is_no_access_in_a_namespace_either(
    tmp_path: Path,
) -> None:
    asked = call(1, path="team/sys/internal/ui/mounts/kv", mount="team/sys/")
    lines = [*asked, *call(2, path="secret/data/sys/internal/x")]
    paths = [one["path"] for one in rows_of(reports.by_path(tables(tmp_path, lines).events))]
    assert paths == ["secret/data/sys/internal/x"]


@pytest.mark.parametrize(
    ("path", "lists"), [("secret/ml/", 1), ("/secret/metadata/ml/", 1), ("secret/ml", 0)]
)
def test_a_folder_is_named_with_its_slash(tmp_path: Path, path: str, lists: int) -> None:
    lines = [*call(1, path="secret/metadata/ml/", operation="list"), *call(2)]
    found = rows_of(reports.who(tables(tmp_path, lines).events, path))
    assert [one["path"] for one in found] == ["secret/metadata/ml/"] * lists


def test_what_a_subject_used(real: Tables) -> None:
    found = rows_of(reports.used(real.events, "approle/job"))
    assert {one["path"]: (one["calls"], one["refused"]) for one in found} == {
        "auth/approle/login": (1, 0),
        "secret/data/ml/mlflow": (1, 0),
        "sys/wrapping/wrap": (1, 0),
        "secret/data/other": (0, 1),
    }


def test_who_got_which_login(tmp_path: Path) -> None:
    creds, static = "database/creds/ml-readonly", "database/static-creds/ml-tracking"
    lines = [
        *call(1, path=creds, lease=f"{creds}/fake", mount_type="database"),
        *call(2, path=static, subject="ml/notebook", mount_type="database"),
        *call(3, path=creds, error=DENIED, mount_type="database"),
        *call(4),
    ]
    found = rows_of(reports.leases(tables(tmp_path, lines).events))
    assert [(one["subject"], one["lease_id"], one["line"]) for one in found] == [
        ("ml/trainer", f"{creds}/fake", 2),
        ("ml/notebook", None, 4),
    ]


def test_root_and_its_making(real: Tables) -> None:
    found = rows_of(reports.root_use(real.events))
    paths = [one["path"] for one in found]
    assert paths.count("sys/generate-root/update") == 3
    assert "sys/policy/reader" in paths
    assert {one["subject"] for one in found} == {"root", None}


def test_changes_done_and_attempted(real: Tables) -> None:
    found = rows_of(reports.changes(real.events))
    assert {one["path"] for one in found} == {
        *("sys/audit/file", "sys/audit/second", "sys/policy/strongroom-deployer"),
        *("sys/policy/strongroom-operator", "sys/policy/reader", "sys/mounts/secret"),
        *("sys/mounts/pki", "sys/auth/deployer", "sys/auth/approle", "sys/auth/userpass"),
        *("auth/deployer/config", "auth/deployer/role/operator", "auth/deployer/role/strongroom"),
        *("auth/approle/role/job", "auth/approle/role/job/secret-id", "auth/userpass/users/ada"),
        *("sys/generate-root/attempt", "sys/generate-root/update"),
    }
    attempted = [one for one in found if one["error"]]
    assert [(one["subject"], one["path"]) for one in attempted] == [
        ("vault/strongroom-deployer", "sys/audit/second")
    ]


@pytest.mark.parametrize(
    "path",
    ["sys/generate-root-token/attempt", "sys/rotate/keyring", "sys/policies/acl/fake", "sys/raw/x"],
)
def test_changes_in_either_dialect(tmp_path: Path, path: str) -> None:
    events = tables(tmp_path, call(1, path=path, operation="update")).events
    assert [one["path"] for one in rows_of(reports.changes(events))] == [path]


@pytest.mark.parametrize(
    "path", ["auth/kubernetes/login", "secret/data/sys/policy", "sys/leases/x"]
)
def test_what_is_no_change_of_control(tmp_path: Path, path: str) -> None:
    events = tables(tmp_path, call(1, path=path, operation="update")).events
    assert rows_of(reports.changes(events)) == []


def test_sealing_is_told_though_nobody_answers_it(tmp_path: Path) -> None:
    request, _ = call(500, path="sys/seal", operation="update")
    shown = tables(tmp_path, [*call(1), request, *call(1000)])
    assert [one["path"] for one in rows_of(reports.changes(shown.events))] == ["sys/seal"]
    assert rows_of(gaps.halves(shown.events)) == []


@pytest.mark.parametrize("error", [None, "wrapping token is not valid or does not exist"])
@pytest.mark.parametrize("name", ["unwrap", "lookup", "rewrap"])
def test_a_refused_wrapping_token_is_whole_in_its_request(
    tmp_path: Path, name: str, error: str | None
) -> None:
    path = f"sys/wrapping/{name}"
    request, _ = call(500, path=path, operation="update", error=error)
    shown = tables(tmp_path, [*call(1), request, *call(1000)])
    missing = [one["path"] for one in rows_of(gaps.halves(shown.events))]
    assert missing == ([] if error else [path])
    (event,) = rows_of(shown.events.filter(shown.events.path == path))
    assert gaps.whole(event) is (error is not None)


def test_halves_of_calls_are_found_where_the_other_must_be(tmp_path: Path) -> None:
    lines = [
        call(0)[1],
        *calls(range(1, 200)),
        call(200)[0],
        call(201)[1],
        *calls(range(202, 400)),
        call(400)[0],
    ]
    found = rows_of(gaps.halves(tables(tmp_path, lines).events))
    assert [(one["missing"], one["line"]) for one in found] == [("response", 400), ("request", 401)]


def test_a_silence_is_measured_by_what_is_usual(tmp_path: Path) -> None:
    def minutes(*spans: range) -> list[int]:
        return [minute for span in spans for minute in span]

    def log(name: str, numbers: list[int], first: int) -> Path:
        lines = [line for minute in numbers for line in call(first + minute, at=60 * minute)]
        return write(tmp_path / name, lines)

    paths = (
        log("busy.log", minutes(range(60), range(75, 120)), 1000),
        log("seldom.log", minutes(range(0, 120, 20)), 2000),
        log("gone.log", minutes(range(30)), 3000),
    )
    activity = tables_of(read_into(tmp_path / "store", *paths)[0]).activity
    found = rows_of(gaps.silences(activity))
    assert [
        (Path(one["device"]).name, one["since"], one["minutes"], one["ongoing"]) for one in found
    ] == [
        ("gone.log", START + timedelta(minutes=29), 90, True),
        ("busy.log", START + timedelta(minutes=59), 16, False),
    ]


GRANT = Grant(
    name="ml-training",
    service_accounts=("trainer",),
    namespaces=("ml",),
    secrets=("secret/ml/mlflow", "secret/ml/never"),
    manages=("secret/ml/models",),
    database=("ml-readonly",),
)


def test_granted_minus_used_and_the_narrower_policy(tmp_path: Path) -> None:
    lines = [
        *calls(range(3)),
        *call(4, path="secret/data/ml/models", operation="create"),
        *call(5, path="secret/data/ml/never", error=DENIED),
        *call(6, path="secret/data/ml/never", policy="another"),
        *call(7, path="auth/token/renew-self", operation="update"),
    ]
    used = rows_of(reports.granted(tables(tmp_path, lines).events))
    (found,) = unused([GRANT], used)
    assert found.grant == "ml-training"
    assert set(found.unused) == {
        UnusedRight(path="secret/data/ml/never", capabilities=("read",)),
        UnusedRight(path="secret/data/ml/models", capabilities=("read", "patch", "delete")),
        UnusedRight(path="secret/metadata/ml/models", capabilities=("read",)),
        UnusedRight(path="database/creds/ml-readonly", capabilities=("read",)),
    }
    narrower = Acl([parse(found.narrower, "narrower")])
    assert narrower.capabilities("secret/data/ml/mlflow") == {"read"}
    assert narrower.capabilities("secret/data/ml/models") == {"create", "update"}
    assert narrower.capabilities("secret/data/ml/never") == {"deny"}
    assert {rule.path for rule in OWN_TOKEN} <= {rule.path for rule in narrower.rules}


def test_a_grant_that_nobody_used_can_go_and_a_used_one_is_not_told(tmp_path: Path) -> None:
    whole = Grant(
        name="whole", service_accounts=("a",), namespaces=("ml",), secrets=("secret/ml/mlflow",)
    )
    used = rows_of(reports.granted(tables(tmp_path, call(1, policy="whole")).events))
    (found,) = unused([whole, GRANT], used)
    assert (found.grant, found.narrower) == ("ml-training", "")


def test_where_the_log_does_not_say_which_policy_allowed_all_of_them_count(tmp_path: Path) -> None:
    silent = [line.replace(b"granting_policies", b"unknown") for line in call(1)]
    used = rows_of(reports.granted(tables(tmp_path, silent).events))
    assert [(one["policy"], one["calls"]) for one in used] == [("ml-training", 1)]
