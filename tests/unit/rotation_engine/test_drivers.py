"""The drivers' own judgements, against moto: last use, stages, check-and-set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
import pytest
from moto import mock_aws

from rotation.alternation import Pair
from rotation.consumers import Cluster
from rotation.documents import SecretsManagerDocument
from rotation.drivers import database_password, iam_access_key, secrets_manager
from rotation.drivers.aws_keys import KeysOf
from rotation.drivers.database_password import Database
from rotation.drivers.following import Following
from rotation.drivers.iam_access_key import KEY_ID, SECRET, UserKey
from rotation.postgresql import Route
from rotation.steps import Facts, Pending, Run, Step
from vaultops.errors import DoubtError, VaultOpsError
from vaultops.kubectl import Kubectl

FOLLOWING = Following(consumers=(), cluster=Cluster(kubectl=Kubectl))
HOUR = 3600.0


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield


@cache
def client(service: str) -> Any:
    """Made once: reading AWS's models takes longer than every test here."""
    return boto3.client(service, region_name="eu-central-1")


def run(facts: Facts, *, since: float = 0, now: float = 0) -> Run:
    identity = "11111111-2222-4333-8444-555555555555"
    return Run(id=identity, since=since, now=now, facts=facts)


def step(steps: tuple[Step, ...], name: str) -> Step:
    (found,) = (one for one in steps if one.name == name)
    return found


def done(steps: tuple[Step, ...], name: str, facts: Facts | None = None) -> dict[str, str]:
    """All facts after a step that does not wait."""
    known = facts or {}
    found = step(steps, name).act(run(known))
    assert not isinstance(found, Pending), found.why
    return {**known, **found}


def test_a_secret_of_aws_is_replaced_by_check_and_set() -> None:
    made = client("secretsmanager")
    made.create_secret(Name="fake", SecretString='{"a": "1"}')
    document = SecretsManagerDocument(made, "fake")
    values, version = document.read()
    document.replace({**values, "a": "2"}, version)
    assert document.read()[0] == {"a": "2"}
    with pytest.raises(DoubtError, match="changed by somebody else"):
        document.replace({"a": "3"}, version)
    assert document.read()[0] == {"a": "2"}
    document.replace({"a": "4"}, document.read()[1])
    assert document.read()[0] == {"a": "4"}


@pytest.mark.parametrize("text", ["not JSON", "[]", '"fake"'])
def test_a_secret_of_another_form_is_refused(text: str) -> None:
    made = client("secretsmanager")
    made.create_secret(Name="fake", SecretString=text)
    with pytest.raises(VaultOpsError, match="its text is no JSON object"):
        SecretsManagerDocument(made, "fake").read()
    with pytest.raises(VaultOpsError, match="no published credential to begin with"):
        SecretsManagerDocument(made, "missing").read()


@dataclass
class Iam:
    """An IAM user whose keys' last use the test decides."""

    client: Any
    used: dict[str, tuple[float, str]] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def get_access_key_last_used(self, AccessKeyId: str) -> Any:
        at, service = self.used.get(AccessKeyId, (0.0, "N/A"))
        found = {"ServiceName": service}
        return {
            "AccessKeyLastUsed": {**found, "LastUsedDate": datetime.fromtimestamp(at, UTC)}
            if at
            else found
        }


@pytest.fixture
def user() -> UserKey:
    iam = Iam(client("iam"))
    iam.create_user(UserName="fake-user")
    key = iam.create_access_key(UserName="fake-user")["AccessKey"]
    values = {KEY_ID: key["AccessKeyId"], SECRET: key["SecretAccessKey"]}
    client("secretsmanager").create_secret(Name="fake", SecretString=json.dumps(values))
    return UserKey(
        keys=KeysOf(client=iam, user="fake-user"),
        accepts=lambda _, __: True,
        document=SecretsManagerDocument(client("secretsmanager"), "fake"),
        quiet=2 * HOUR,
        grace=HOUR,
    )


def test_an_old_key_that_is_used_is_not_switched_off(user: UserKey) -> None:
    steps = iam_access_key.steps(user, FOLLOWING)
    facts = done(steps, "publish", done(steps, "choose"))
    silence = step(steps, "await-silence").act
    old = facts["old"]
    assert isinstance(silence(run(facts, since=HOUR, now=2 * HOUR)), Pending)
    assert silence(run(facts, since=HOUR, now=3 * HOUR)) == {}
    user.keys.client.used[old] = (2 * HOUR, "s3")
    found = silence(run(facts, since=HOUR, now=3 * HOUR))
    assert isinstance(found, Pending)
    assert f"{old} was used at 1970-01-01T02:00:00" in found.why
    assert "until 1970-01-01T04:00:00" in found.why
    assert silence(run(facts, since=HOUR, now=4 * HOUR)) == {}


def test_a_key_that_was_lost_with_its_secret_is_replaced_and_a_used_one_is_not(
    user: UserKey,
) -> None:
    steps = iam_access_key.steps(user, FOLLOWING)
    facts = done(steps, "choose")
    lost, _ = user.keys.create()
    user.keys.client.used[lost] = (HOUR, "s3")
    with pytest.raises(DoubtError, match=f"{lost} \\(active, last used"):
        step(steps, "publish").act(run(facts))
    user.keys.client.used[lost] = (HOUR, "sts")  # what a killed runner's own probe leaves
    assert step(steps, "publish").act(run(facts)) == {"new": user.document.read()[0][KEY_ID]}
    assert {key.id for key in user.keys.all()} == {facts["old"], user.document.read()[0][KEY_ID]}


def test_no_old_key_ends_while_the_new_one_is_not_published(user: UserKey) -> None:
    steps = iam_access_key.steps(user, FOLLOWING)
    values, _ = user.document.read()
    facts = done(steps, "publish", done(steps, "choose"))
    user.document.replace(values, user.document.read()[1])
    for name in ("deactivate", "delete"):
        with pytest.raises(DoubtError, match="is not published any more"):
            step(steps, name).act(run(facts))
    assert all(key.active for key in user.keys.all())


@pytest.mark.parametrize("deleted", [False, True])
def test_a_published_key_that_nobody_can_use_is_told_at_once(user: UserKey, deleted: bool) -> None:
    steps = iam_access_key.steps(user, FOLLOWING)
    facts = done(steps, "choose")
    dead, secret = user.keys.create()
    values, version = user.document.read()
    user.document.replace({**values, KEY_ID: dead, SECRET: secret}, version)
    assert step(steps, "publish").act(run(facts)) == {"new": dead}
    if deleted:
        user.keys.delete(dead)
    else:
        user.keys.deactivate(dead)
    with pytest.raises(DoubtError, match=f"published key {dead} is not one of the user's, or not"):
        step(steps, "publish").act(run(facts))


def test_a_published_key_of_nobody_is_refused(user: UserKey) -> None:
    values, version = user.document.read()
    user.document.replace({**values, KEY_ID: "fake-key"}, version)
    with pytest.raises(DoubtError, match="the published key fake-key is not one of the user's"):
        step(iam_access_key.steps(user, FOLLOWING), "choose").act(run({}))


@pytest.mark.parametrize("alive", [True, False])
def test_a_published_database_login_that_is_dead_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, alive: bool
) -> None:
    login = {"host": "db.fake.example", "dbname": "fake", "username": "app", "password": "fake"}
    client("secretsmanager").create_secret(Name="login", SecretString=json.dumps(login))
    document = SecretsManagerDocument(client("secretsmanager"), "login")
    monkeypatch.setattr("rotation.postgresql.can_log_in", lambda *_: alive)
    database = Database(
        clients=nullcontext, document=document, pair=Pair.of("app"), admin_role="x", route=Route()
    )
    publish = step(database_password.steps(database, FOLLOWING), "publish").act
    facts = {"old": "app_clone", "new": "app"}
    refused: AbstractContextManager[object] = nullcontext()
    if not alive:
        refused = pytest.raises(DoubtError, match="the published login of app is refused")
    with refused:
        assert publish(run(facts)) == {}


@dataclass
class Rotating:
    """A secret with a rotation function that the test plays; moto would end it at once."""

    stages: dict[str, list[str]] = field(default_factory=lambda: {"first": ["AWSCURRENT"]})
    enabled: bool = True
    asked: list[str] = field(default_factory=list)

    def describe_secret(self, *, SecretId: str) -> Any:
        return {"RotationEnabled": self.enabled, "VersionIdsToStages": self.stages}

    def rotate_secret(self, *, SecretId: str, ClientRequestToken: str) -> Any:
        self.asked.append(ClientRequestToken)
        self.stages[ClientRequestToken] = ["AWSPENDING"]


def test_a_value_of_aws_is_rotated_when_it_is_current_and_nothing_is_pending() -> None:
    secret = Rotating()
    steps = secrets_manager.steps(secret, "fake", FOLLOWING)
    facts = done(steps, "start")
    assert step(steps, "start").act(run({})) == facts
    assert secret.asked == [facts["new"]], "a killed run sees that AWS has begun"

    def waits_for() -> str:
        found = step(steps, "await-aws").act(run(facts))
        return found.why if isinstance(found, Pending) else ""

    assert waits_for() == f"version {facts['new']} is not AWSCURRENT yet"
    secret.stages = {"first": ["AWSPREVIOUS"], facts["new"]: ["AWSCURRENT", "AWSPENDING"]}
    assert waits_for() == ""
    secret.stages["another"] = ["AWSPENDING"]
    assert waits_for() == "version another is AWSPENDING"


def test_a_rotation_left_half_way_or_switched_off_is_refused() -> None:
    half = Rotating({"first": ["AWSCURRENT"], "left": ["AWSPENDING"]})
    with pytest.raises(DoubtError, match="an earlier rotation has not ended: version left"):
        step(secrets_manager.steps(half, "fake", FOLLOWING), "start").act(run({}))
    off = Rotating(enabled=False)
    with pytest.raises(DoubtError, match="no rotation that could be started"):
        step(secrets_manager.steps(off, "fake", FOLLOWING), "start").act(run({}))
    real = secrets_manager.steps(client("secretsmanager"), "missing", FOLLOWING)
    with pytest.raises(VaultOpsError, match="AWS refuses the request"):
        step(real, "start").act(run({}))
    assert half.asked == off.asked == []
