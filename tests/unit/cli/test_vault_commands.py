"""`strongroom vault` from the outside: what it prints, what it leaves, how it ends."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import app
from tests.unit.cli.fake_cluster import (
    FAKE_ROOT,
    FAKE_SHARES,
    FAKE_TOKEN,
    FakeCluster,
    fake_cluster,
    fake_snapshot,
    write_kubectl,
)
from tests.unit.support.stacks import REPOSITORY

COMMANDS = ("status", "unseal", "snapshot", "restore", "upgrade", "certificates")
SNAPSHOT = "taken.snap"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with the committed settings, a fake kubectl and a snapshot."""
    for file in REPOSITORY.glob("Pulumi.*.yaml"):
        shutil.copy(file, tmp_path)
    (tmp_path / SNAPSHOT).write_bytes(fake_snapshot())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


@pytest.fixture
def cluster(folder: Path) -> Iterator[FakeCluster]:
    with fake_cluster(folder) as made:
        yield made


def call(*arguments: str, stdin: str = "") -> Any:
    return CliRunner().invoke(app, ["vault", *arguments], input=stdin)


def arguments_of(command: str, *more: str) -> list[str]:
    return [command, *([SNAPSHOT, "--yes"] if command == "restore" else []), *more]


def assert_one_error(result: Any, status: int, *texts: str) -> None:
    assert result.exit_code == status, result.output
    assert result.stderr.count("error: ") == 1
    assert "Traceback" not in result.output
    for text in (*texts, "what to do: "):
        assert text in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = call(command, "--help")
    assert result.exit_code == 0
    assert "--stack" in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("stack", ["nope", "../prod", ""])
def test_an_unknown_stack_is_named_with_the_known_ones(command: str, stack: str) -> None:
    result = call(*arguments_of(command, "--stack", stack))
    assert_one_error(result, 1, f"there is no stack {stack!r}", "use one of dev, local, prod")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_file_is_named(command: str) -> None:
    result = call(*arguments_of(command, "--config-file", "missing.yaml"))
    assert_one_error(result, 1, "missing.yaml", "No such file")


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unreachable_cluster_gives_status_3(command: str, folder: Path) -> None:
    write_kubectl(
        folder,
        "#!/bin/sh\n# A fake of kubectl without a cluster.\n"
        "echo 'The connection to the server 127.0.0.1:1 was refused' >&2\nexit 1\n",
    )
    result = call(*arguments_of(command, "--stack", "dev"), stdin=f"{FAKE_ROOT}\n")
    assert_one_error(result, 3, "no cluster answers")


@pytest.mark.parametrize("command", COMMANDS)
def test_before_the_first_deployment_there_is_nothing_to_operate(
    command: str, folder: Path
) -> None:
    write_kubectl(
        folder,
        "#!/bin/sh\n# A fake of kubectl with an empty cluster.\n"
        """echo 'Error from server (NotFound): configmaps "vault-ca" not found' >&2\nexit 1\n""",
    )
    result = call(*arguments_of(command, "--stack", "dev"), stdin=f"{FAKE_ROOT}\n")
    assert_one_error(result, 1, "no such object", "deploy the stack first")


@pytest.mark.parametrize("arguments", [(), ("--stack", "dev", "--config-file", "Pulumi.dev.yaml")])
def test_a_stack_is_named_exactly_once(arguments: tuple[str, ...]) -> None:
    result = call("status", *arguments)
    assert result.exit_code == 2
    assert "either --stack NAME or --config-file FILE" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("config: [", "no YAML"),
        ("other: 1", "no mapping `config:`"),
        ("", "no mapping"),
        ("config: {2026-01-31: x}", "2026-01-31 is no setting's name"),
        ("[" * 5000, "no YAML"),
    ],
)
def test_a_file_that_holds_no_settings_is_refused(folder: Path, text: str, reason: str) -> None:
    (folder / "Pulumi.odd.yaml").write_text(text)
    assert_one_error(call("status", "--stack", "odd"), 1, "Pulumi.odd.yaml", reason)


def test_wrong_settings_are_told_as_a_deployment_tells_them(folder: Path) -> None:
    text = (folder / "Pulumi.dev.yaml").read_text().replace("strongroom:cloud", "strongroom:clod")
    (folder / "Pulumi.dev.yaml").write_text(text)
    result = call("status", "--stack", "dev")
    assert result.exit_code == 1
    assert "strongroom:clod is no setting" in result.stderr


def test_status_tells_people_and_programs(cluster: FakeCluster) -> None:
    people = call("status", "--stack", "dev")
    assert people.exit_code == 0, people.output
    assert "joined and healthy" in people.stderr
    programs = call("status", "--stack", "dev", "--json")
    found = json.loads(programs.stdout)
    assert found["state"] == "joined"
    assert [r["active"] for r in found["replicas"]] == [True, False, False]
    assert {r["seal_type"] for r in found["replicas"]} == {"awskms"}


def test_status_fails_for_a_sealed_server_and_shows_it(cluster: FakeCluster) -> None:
    cluster.sealed[1] = True
    result = call("status", "--stack", "dev")
    assert_one_error(result, 6, "sealed: vault-1")
    assert "sealed (0 of 2 shares)" in result.stdout


def test_status_fails_when_autopilot_is_in_doubt(cluster: FakeCluster) -> None:
    cluster.healthy = False
    assert_one_error(call("status", "--stack", "dev"), 6, "autopilot does not call every server")


def test_the_operator_s_token_is_revoked_and_on_no_command_line(
    cluster: FakeCluster, folder: Path
) -> None:
    assert call("status", "--stack", "dev").exit_code == 0
    assert cluster.requests[-1] == ("auth/token/revoke-self", FAKE_TOKEN)
    calls = (folder / "calls").read_text()
    assert FAKE_TOKEN not in calls
    assert "fake.jwt" not in calls


def test_shares_unseal_every_server_and_are_not_shown(cluster: FakeCluster, folder: Path) -> None:
    cluster.sealed, cluster.seal_type = [True] * 3, "shamir"
    result = call("unseal", "--stack", "dev", stdin="\n".join(FAKE_SHARES))
    assert result.exit_code == 0, result.output
    assert cluster.sealed == [False] * 3
    assert not any(share in result.output for share in FAKE_SHARES)
    assert not any(share in (folder / "calls").read_text() for share in FAKE_SHARES)


def test_holders_come_one_after_the_other(cluster: FakeCluster) -> None:
    cluster.sealed, cluster.seal_type = [True] * 3, "shamir"
    first = call("unseal", "--stack", "dev", stdin=FAKE_SHARES[0])
    assert_one_error(first, 6, "still sealed", "vault-2 (1 of 2 shares)")
    assert call("unseal", "--stack", "dev", stdin=FAKE_SHARES[1]).exit_code == 0


def test_a_wrong_share_is_refused(cluster: FakeCluster) -> None:
    cluster.sealed, cluster.seal_type = [True] * 3, "shamir"
    result = call("unseal", "--stack", "dev", stdin=f"{FAKE_SHARES[0]}\nfake-stranger\n")
    assert_one_error(result, 4, "refuses the shares")
    assert cluster.shares[0] == set()


def test_a_server_that_does_not_answer_is_not_taken_for_unsealed(
    cluster: FakeCluster, folder: Path
) -> None:
    (folder / "port-1").write_text("1")  # where nothing listens
    result = call("unseal", "--stack", "dev")
    assert_one_error(result, 3, "no answer from vault-1")


def test_recovery_shares_are_not_taken_for_unseal_shares(cluster: FakeCluster) -> None:
    cluster.sealed = [True, False, False]
    result = call("unseal", "--stack", "dev", stdin=FAKE_SHARES[0])
    assert_one_error(result, 1, "sealed by awskms, not by shares")
    assert not [path for path, _ in cluster.requests if path == "sys/unseal"]


def test_nothing_sealed_asks_for_no_share(cluster: FakeCluster) -> None:
    assert call("unseal", "--stack", "dev").exit_code == 0


def test_a_snapshot_is_kept_with_what_a_restore_needs(cluster: FakeCluster, folder: Path) -> None:
    result = call("snapshot", "--stack", "prod", "--output", "new.snap", "--json")
    assert result.exit_code == 0, result.output
    assert (folder / "new.snap").read_bytes()[:2] == b"\x1f\x8b"
    facts = json.loads((folder / "new.snap.json").read_text())
    assert facts == json.loads(result.stdout)
    assert facts["cluster_id"] == "fake-cluster-id"
    assert facts["seal"]["type"] == "awskms"
    assert facts["size"] == (folder / "new.snap").stat().st_size


def test_a_snapshot_overwrites_none(cluster: FakeCluster) -> None:
    for command in ("snapshot", "upgrade"):
        result = call(command, "--stack", "dev", "--output", SNAPSHOT)
        assert_one_error(result, 1, "exists already", SNAPSHOT)
    assert cluster.requests == []


def test_a_restore_hands_over_the_file_with_the_root_token(
    cluster: FakeCluster, folder: Path
) -> None:
    result = call("restore", SNAPSHOT, "--stack", "dev", "--yes", stdin=f"{FAKE_ROOT}\n")
    assert result.exit_code == 0, result.output
    assert cluster.restored == (folder / SNAPSHOT).read_bytes()
    assert "delete pod vault-0 vault-1 vault-2" in (folder / "calls").read_text()
    waited = "waiting for clients to reach it: vault-0, vault-1, vault-2 is not ready"
    assert waited in result.output
    assert FAKE_ROOT not in result.output


@pytest.mark.parametrize(
    ("arguments", "stdin", "status"),
    [((), "n\n", 1), ((), "", 1), (("--yes",), "", 1), (("--yes",), "fake-other-token\n", 4)],
    ids=["no", "nobody-there", "no-token", "another-token"],
)
def test_a_restore_happens_on_purpose_only(
    cluster: FakeCluster, arguments: tuple[str, ...], stdin: str, status: int
) -> None:
    result = call("restore", SNAPSHOT, "--stack", "dev", *arguments, stdin=stdin)
    assert result.exit_code == status
    assert cluster.restored is None


def test_a_damaged_snapshot_is_refused_before_anybody_is_asked(
    cluster: FakeCluster, folder: Path
) -> None:
    (folder / SNAPSHOT).write_bytes(fake_snapshot()[:-20])
    assert_one_error(call("restore", SNAPSHOT, "--stack", "dev"), 1, "no whole snapshot")
    assert cluster.requests == []


def test_an_upgrade_with_nothing_to_renew_takes_no_snapshot(
    cluster: FakeCluster, folder: Path
) -> None:
    result = call("upgrade", "--stack", "dev", "--output", "before.snap")
    assert result.exit_code == 0, result.output
    assert "every pod runs the newest template" in result.stderr
    assert not (folder / "before.snap").exists()


@pytest.mark.parametrize(("days", "status"), [("1", 0), ("2", 6), ("14", 6)])
def test_certificates_fail_below_the_threshold(
    cluster: FakeCluster, days: str, status: int
) -> None:
    result = call("certificates", "--stack", "dev", "--days", days, "--json")
    assert result.exit_code == status
    served = json.loads(result.stdout)
    assert [one["days_left"] for one in served] == [1, 1, 1]
    assert ("certificate-renewal.md" in result.stderr) is (status == 6)


def test_an_expired_certificate_is_untrusted(folder: Path) -> None:
    with fake_cluster(folder, days=0) as cluster:
        result = call("certificates", "--stack", "dev")
    assert_one_error(result, 5, "certificate has expired")
    assert cluster.requests == []
