"""`strongroom rotate` against the real Vault and the real PostgreSQL, and moto for AWS.

Every rotation is killed after its steps, before and after they are noted, and gone on with.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pytest

from local.paths import Instance
from rotation.drivers.iam_access_key import KEY_ID, SECRET
from tests.local import rotation_rig
from tests.local.rotation_aws import EXPORTER, VAULT, FakeAws, fake_aws
from tests.local.rotation_rig import Rig
from tests.local.rotation_servers import DOCUMENT, KEY_DOCUMENT, until

pytestmark = pytest.mark.e2e

ALTERNATION = {
    "type": "database-password",
    "name": "app",
    "users": ["app", "app_clone"],
    "owner": "app_owner",
    "admin": "rotation-admin",
    "publish": {"vault": DOCUMENT},
    "consumers": [
        {
            "namespace": "ml-training",
            "workload": "deployment/app",
            "reload": "file",
            "endpoint": "8080/credential",
        }
    ],
}
ROTATIONS = 20
LOGINS = 50  # for each at least
# Records of one run: begun, choose, publish, await-consumers, revoke.
RECORDS = 5


HOUR, DAY = 3600, 86_400


@pytest.fixture(scope="module")
def aws() -> Iterator[FakeAws]:
    with fake_aws() as made:
        yield made


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, aws: FakeAws) -> Iterator[Rig]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        with rotation_rig.rig(tmp_path_factory.mktemp("rig"), Instance("test-rotate")) as made:
            made.aws.update(aws.rotator)
            yield made


def test_no_login_fails_in_20_rotations_that_are_killed_and_resumed(rig: Rig) -> None:
    rig.configure(ALTERNATION)
    users: list[str] = []
    with rotation_rig.client(rig) as seen:

        def enough() -> bool:
            return bool(seen()["logins"] >= LOGINS * len(users))

        for turn in range(ROTATIONS):
            save, before = turn % RECORDS + 1, turn // RECORDS % 2 == 0
            died = rig.killed("run", "app", "--now", "--wait", "60", save=save, before=before)
            assert died == -signal.SIGKILL
            # Before the first record nothing was begun, after the last nothing is left.
            begun = "--now" if (save, before) == (1, True) else "--json"
            assert rig.killed("run", "app", begun, "--wait", "60", save=0, before=False) == 0
            users.append(rig.secret(DOCUMENT)["username"])
            until(enough, "the client's logins, however fast this machine rotates")
        told = seen()
    assert told["failures"] == []
    assert users == ["app_clone", "app"] * (ROTATIONS // 2)
    assert told["switches"] == ROTATIONS + 1
    rate = told["logins"] / (told["now"] - told["began"])
    print(f"{told['logins']} logins, {rate:.0f} a second, {ROTATIONS} rotations, 0 failed")
    assert told["logins"] >= LOGINS * ROTATIONS


def test_the_old_password_works_until_the_pod_says_that_it_moved(rig: Rig) -> None:
    rig.configure(ALTERNATION)
    before = rig.secret(DOCUMENT)
    with rotation_rig.pod_that_says(rig, str(before["username"])) as answer:
        waits = rig.run("run", "app", "--now", "--json")
        assert waits.returncode == 0, waits.stderr
        (outcome,) = json.loads(waits.stdout)
        assert (outcome["result"], outcome["step"]) == ("waits", "await-consumers")
        assert f"says that it uses {before['username']}" in outcome["detail"]
        after = rig.secret(DOCUMENT)
        assert rig.logs_in(after["username"], after["password"])
        assert rig.logs_in(before["username"], before["password"])
        answer["credential"] = after["username"]
        assert rig.run("run", "app").returncode == 0
    assert rig.logs_in(after["username"], after["password"])
    assert not rig.logs_in(before["username"], before["password"])


def test_an_iam_key_is_replaced_through_a_kill_after_every_step(rig: Rig, aws: FakeAws) -> None:
    first = aws.exporter
    rig.vault.secrets.kv.v2.create_or_update_secret(
        KEY_DOCUMENT.removeprefix("secret/"), {KEY_ID: first[0], SECRET: first[1], "more": "kept"}
    )
    rig.configure(
        {
            "type": "iam-access-key",
            "name": "exporter",
            "user": EXPORTER,
            "publish": {"vault": KEY_DOCUMENT},
            "quiet": "2h",
            "grace": "1d",
        },
        endpoint=aws.endpoint,
    )
    ahead, killed = 0.0, 0
    steps: list[str] = []
    while not steps or rig.record("exporter")["finished"] is None:
        for before in (True, False):
            status = rig.killed("run", "exporter", save=2, before=before, ahead=ahead)
            assert status in (0, -signal.SIGKILL)
            killed += status != 0
            published = rig.secret(KEY_DOCUMENT)
            assert len(aws.keys(EXPORTER)) <= 2
            assert aws.works((published[KEY_ID], published[SECRET]))
        record = rig.record("exporter")
        steps.append(record["step"])
        if record["waiting"]:
            ahead += 3 * HOUR if record["step"] == "await-silence" else DAY
        assert len(steps) < 20, steps
    assert aws.keys(EXPORTER) == {published[KEY_ID]: "Active"}
    assert published[KEY_ID] != first[0]
    assert published["more"] == "kept"
    assert not aws.works(first)
    assert killed >= 2 * len(set(steps))
    assert set(steps) >= {"publish", "await-consumers", "await-silence", "grace", "delete"}


def test_a_third_key_is_refused_with_what_to_do(rig: Rig, aws: FakeAws) -> None:
    rotator = (aws.rotator["AWS_ACCESS_KEY_ID"], aws.rotator["AWS_SECRET_ACCESS_KEY"])
    foreign = aws.client("iam", rotator).create_access_key(UserName=EXPORTER)["AccessKey"]
    before = rig.secret(KEY_DOCUMENT)
    refused = rig.run("run", "exporter", "--now")
    assert refused.returncode == 9
    assert "the user has 2 keys already" in refused.stderr
    assert foreign["AccessKeyId"] in refused.stderr
    assert "aws iam" in refused.stderr
    assert rig.secret(KEY_DOCUMENT) == before
    assert len(aws.keys(EXPORTER)) == 2
    aws.client("iam", rotator).delete_access_key(
        UserName=EXPORTER, AccessKeyId=foreign["AccessKeyId"]
    )
    assert rig.run("run", "exporter").returncode == 0


def test_vaults_own_credentials_and_a_static_role_survive_kills(rig: Rig, aws: FakeAws) -> None:
    rig.vault.write_data(
        "aws/config/root",
        data={
            "access_key": aws.vault[0],
            "secret_key": aws.vault[1],
            "region": "eu-central-1",
            "iam_endpoint": aws.endpoint,
            "sts_endpoint": aws.endpoint,
        },
    )
    rig.configure(
        {"type": "vault-static-role", "name": "tracking", "role": "tracking"},
        {"type": "vault-database-root", "name": "vault-database"},
        {"type": "vault-aws-root", "name": "vault-aws", "user": VAULT},
        endpoint=aws.endpoint,
    )
    old = rig.vault.read("database/static-creds/tracking")["data"]
    first = rig.database.vault_password_file.read_text()
    for save, before in ((1, False), (2, True), (2, False), (3, True), (3, False), (4, True)):
        assert rig.killed("run", save=save, before=before) in (0, -signal.SIGKILL)
    assert rig.killed("run", save=0, before=False) == 0
    new = rig.vault.read("database/static-creds/tracking")["data"]
    assert new["password"] != old["password"]
    assert rig.logs_in("tracking", new["password"])
    assert not rig.logs_in("tracking", old["password"])
    assert not rig.logs_in("vault", first)
    assert rig.vault.read("aws/config/root")["data"]["access_key"] != aws.vault[0]
    assert list(aws.keys(VAULT)) == [rig.vault.read("aws/config/root")["data"]["access_key"]]
    rotated = [path for path in rig.asked() if path == "database/rotate-role/tracking"]
    assert len(rotated) == 1, "a resumed rotation must see that Vault has changed the password"


def test_of_two_runners_one_rotates(rig: Rig) -> None:
    rig.configure({"type": "vault-database-root", "name": "once"})
    before = rig.asked().count("database/rotate-root/mlflow")
    assert rig.side_by_side("run", "once", count=4) == [0] * 4
    assert rig.asked().count("database/rotate-root/mlflow") == before + 1
    assert rig.record("once")["finished"]


def test_events_are_signed_and_nobody_rewrites_one_unseen(rig: Rig) -> None:
    rig.configure({"type": "vault-database-root", "name": "once"})
    whole = rig.run("status", "--verify", "--json")
    assert whole.returncode == 0, whole.stderr
    told = rig.run("events")
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    assert {"began", "step-done", "finished"} <= {line["event"] for line in lines}
    assert rig.rotator_may_rewrite(1) is False
    path = "strongroom/rotation/events/00000002"
    line = rig.secret(f"secret/{path}")["line"]
    changed = line.replace('"event":"', '"event":"x')
    rig.vault.secrets.kv.v2.create_or_update_secret(path, {"line": changed})
    broken = rig.run("status", "--verify")
    assert broken.returncode == 6
    assert "line 2 was changed" in broken.stderr
    assert "line 3 does not follow" in broken.stderr
    rig.vault.secrets.kv.v2.create_or_update_secret(path, {"line": line})
    assert rig.run("status", "--verify").returncode == 0


def test_no_value_is_in_records_events_or_output(rig: Rig) -> None:
    kept = rig.run("events").stdout
    for name in ("app", "exporter", "tracking", "vault-database", "vault-aws"):
        kept += json.dumps(rig.record(name))
    published = (rig.secret(DOCUMENT)["password"], rig.secret(KEY_DOCUMENT)[SECRET])
    assert kept.count("app_clone") > 0
    assert not [value for value in published if value in kept]
    assert not [value for value in published if value in rig.audit_log.read_text()]
