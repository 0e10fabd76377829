"""The rotation function from its archive, on a real PostgreSQL and moto's Secrets Manager."""

from __future__ import annotations

import importlib.util
import itertools
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import psycopg
import pytest
from psycopg import sql

from benchmarks import rotation_servers
from benchmarks.rotation_load import LoginLoad
from benchmarks.rotation_servers import Servers
from local.services.postgresql_setup import let_change
from rotation import alternation, archive
from rotation.alternation import Pair
from rotation.credential import Credential
from rotation.errors import ForeignError, RightsError, UnreachableError, UntrustedError
from rotation.four_steps import Step
from rotation.postgresql import Route, trust
from tests.local.rotation_application import KILLED, RAISED, Application, Function

pytestmark = pytest.mark.e2e

ROTATIONS = 20
BOTO = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3")


@dataclass
class Rig:
    """Both servers and the function, for any number of applications."""

    servers: Servers
    function: Function
    admin: str

    def application(self, name: str) -> Application:
        return Application(self.servers, self.function, self.admin, name)

    def route(self) -> Route:
        return Route(tls=trust(self.servers.postgres.ca_file.read_text()))

    def administrator(self) -> Credential:
        postgres = self.servers.postgres
        password = postgres.admin_password_file.read_text()
        text = self.servers.document(postgres.admin_user, password)
        return Credential.read(text, where="the test")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("rotation")
    boto = folder / "boto"
    boto.mkdir()
    for name in BOTO:
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        (boto / name).symlink_to(Path(found.origin).parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        with rotation_servers.running(folder) as servers:
            with servers.postgres.connect_as_admin() as admin:
                admin.execute("ALTER SYSTEM SET log_statement = 'all'")
                admin.execute("SELECT pg_reload_conf()")
            path = folder / "function.zip"
            archive.write(path, ca_pem=servers.postgres.ca_file.read_text())
            with Function(path, boto, folder / "function.log", servers.endpoint) as function:
                yield Rig(servers, function, servers.store_admin())


@pytest.mark.parametrize("step", list(Step))
def test_a_step_killed_after_any_of_its_calls_ends_well_when_repeated(rig: Rig, step: Step) -> None:
    application = rig.application(f"killed_{step.name.lower()}")
    application.rotate()
    steps = list(Step)
    before, after = steps[: steps.index(step)], steps[steps.index(step) :]
    for stop in itertools.count(1):
        token = application.begin()
        assert application.run(token, *before) == 0
        status = application.run(token, step, stop=stop)
        assert application.works(), "the published credential must work at every moment"
        assert application.run(token, *after) == 0, rig.function.last_line()
        application.assert_whole(token)
        if status == 0:
            break
        assert status == KILLED
    # describe, read, and whatever the step changes: fewer, and nothing would have been killed
    assert stop > {Step.CREATE: 4, Step.SET: 12, Step.TEST: 8, Step.FINISH: 4}[step]


def test_the_first_rotation_killed_after_any_of_its_calls_ends_well(rig: Rig) -> None:
    for stop in itertools.count(1):
        application = rig.application(f"first_{stop}")
        token = application.begin()
        assert application.run(token, Step.CREATE) == 0
        status = application.run(token, Step.SET, stop=stop)
        assert application.works(), "the published credential must work at every moment"
        done = application.run(token, Step.SET, Step.TEST, Step.FINISH)
        assert done == 0, rig.function.last_line()
        application.assert_whole(token)
        if status == 0:
            break
        assert status == KILLED
    assert stop > 18


def test_no_login_is_refused_over_twenty_rotations(rig: Rig) -> None:
    application = rig.application("busy")
    open_before = application.log_in()
    with LoginLoad(rig.servers, application.secret, rate=50) as load:
        load.await_more(25)
        for _ in range(ROTATIONS):
            token = application.rotate()
            load.await_more(25)
    assert load.failures == []
    assert load.logins > ROTATIONS * 25
    assert load.reads == load.logins, "each login reads the published secret"
    assert set(load.users) == {"busy", "busy_clone"}
    assert min(load.users.values()) > ROTATIONS * 25 / 4
    application.assert_whole(token)
    open_before.execute("INSERT INTO of_busy VALUES (1)")
    open_before.close()


def test_both_users_may_do_the_same_before_and_after_also_with_what_comes_later(rig: Rig) -> None:
    application = rig.application("rights")
    with application.log_in() as session:
        before = privileges(session)
        session.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC")
    with rig.servers.postgres.connect_as_admin() as admin:
        admin.execute("GRANT CREATE ON SCHEMA public TO rights")
    for number in range(4):
        application.rotate()
        current, previous = application.document(), application.document("AWSPREVIOUS")
        table = sql.Identifier(f"later_{number}")
        with application.log_in(current) as new, application.log_in(previous) as old:
            new.execute(sql.SQL("CREATE TABLE {} (id bigint)").format(table))
            old.execute(sql.SQL("INSERT INTO {} VALUES (1)").format(table))
            old.execute(sql.SQL("ALTER TABLE {} ADD COLUMN more text").format(table))
            assert privileges(new) == privileges(old) > before
            owner = "SELECT tableowner FROM pg_tables WHERE tablename = %s"
            assert old.execute(owner, [f"later_{number}"]).fetchone() == ("rights_owner",)
    with rig.servers.postgres.connect_as_admin() as admin:
        admin.execute("GRANT DELETE ON runs TO rights_owner")
    with application.log_in(current) as new, application.log_in(previous) as old:
        for session in (new, old):
            session.execute("DELETE FROM runs")
            session.execute("SELECT * FROM later_0")
        old.execute("DROP TABLE later_1")


def privileges(session: psycopg.Connection[Any]) -> set[tuple[str, str]]:
    """What the session's role may do with each table of schema public."""
    rows = session.execute(
        "SELECT relname, p FROM pg_class, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND has_table_privilege(oid, p)"
    ).fetchall()
    return set(rows)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"username": "strongroom_admin"}, "user strongroom_admin"),
        ({"username": "vault"}, "user vault"),
        ({"host": "localhost"}, "server localhost"),
        ({"port": 1}, "server 127.0.0.1:1"),
        ({"dbname": "postgres"}, "database postgres"),
    ],
)
def test_a_pending_secret_for_somebody_else_is_refused(
    rig: Rig, changed: dict[str, Any], named: str
) -> None:
    application = rig.application(f"deputy_{crc32(named.encode())}")
    token = application.begin()
    assert application.run(token, Step.CREATE) == 0
    pending = application.document("AWSPENDING")
    application.put_pending(token, json.dumps({**pending, **changed}))
    roles = all_roles(rig)
    for step in (Step.SET, Step.TEST):
        assert application.run(token, step) == RAISED
        line = rig.function.last_line()
        assert line["error"] == "ForeignError"
        assert named in line["what"]
    assert all_roles(rig) == roles
    assert application.works()


def test_another_secret_than_its_own_is_refused(rig: Rig) -> None:
    application, other = rig.application("own"), rig.application("foreign")
    token = other.begin()
    event = {"SecretId": other.secret, "ClientRequestToken": token}
    for step in Step:
        status = rig.function.call([{"Step": step.value, **event}], application.environment())
        assert status == RAISED
        assert rig.function.last_line()["error"] == "ForeignError"
    assert other.stages()[token] == ["AWSPENDING"]
    with pytest.raises(other.client.exceptions.ResourceNotFoundException):
        other.document("AWSPENDING")


def test_whoever_does_not_know_the_current_password_gets_no_new_one(rig: Rig) -> None:
    application = rig.application("stolen")
    document = application.document()
    application.client.put_secret_value(
        SecretId=application.secret, SecretString=json.dumps({**document, "password": "fake"})
    )
    token = application.begin()
    assert application.run(token, Step.CREATE) == 0
    roles = all_roles(rig)
    assert application.run(token, Step.SET) == RAISED
    assert rig.function.last_line()["error"] == "LoginError"
    assert all_roles(rig) == roles


def all_roles(rig: Rig) -> list[Any]:
    """Every role with its stored verifier."""
    with rig.servers.postgres.connect_as_admin() as admin:
        return admin.execute("SELECT * FROM pg_authid ORDER BY oid").fetchall()


@pytest.mark.parametrize(
    ("statement", "error", "named"),
    [
        ("CREATE ROLE {name}_clone LOGIN", ForeignError, "{name}_clone exists"),
        ("ALTER ROLE {name} CREATEDB", RightsError, "CREATEDB"),
        ("ALTER ROLE {name} VALID UNTIL '2099-01-01'", RightsError, "VALID UNTIL"),
        ("ALTER ROLE {name} SET work_mem = '8MB'", RightsError, "settings"),
        (
            "CREATE ROLE {name}_owner; GRANT {name}_owner TO {name}",
            RightsError,
            "2 objects or grants of its own",
        ),
        ("CREATE ROLE {name}_owner", ForeignError, "belongs to {name}_owner"),
        ("CREATE ROLE {name}_owner LOGIN", RightsError, "{name}_owner can log in"),
    ],
)
def test_roles_that_would_not_be_alike_are_refused_with_nothing_changed(
    rig: Rig, statement: str, error: type[Exception], named: str
) -> None:
    application = rig.application(f"odd_{crc32(statement.encode())}")
    with rig.servers.postgres.connect_as_admin() as admin:
        admin.execute(statement.format(name=application.name).encode())
    roles = all_roles(rig)
    token = application.begin()
    assert application.run(token, Step.CREATE) == 0
    assert application.run(token, Step.SET) == RAISED
    line = rig.function.last_line()
    assert (line["error"], named.format(name=application.name) in line["what"]) == (
        error.__name__,
        True,
    ), line
    assert all_roles(rig) == roles
    assert application.works()


def test_a_right_that_one_user_lost_is_found_before_it_is_published(rig: Rig) -> None:
    application = rig.application("lost")
    application.rotate()
    token = application.begin()
    assert application.run(token, Step.CREATE, Step.SET) == 0
    with rig.servers.postgres.connect_as_admin() as admin:
        admin.execute("REVOKE lost_owner FROM lost")
    assert application.run(token, Step.TEST) == RAISED
    line = rig.function.last_line()
    assert (line["error"], line["what"]) == (
        "RightsError",
        "lost works as lost instead of lost_owner",
    )
    with rig.servers.postgres.connect_as_admin() as admin:
        admin.execute("GRANT lost_owner TO lost")
    assert application.run(token, Step.TEST, Step.FINISH) == 0
    application.assert_whole(token)


def test_no_password_is_in_any_log(rig: Rig) -> None:
    application = rig.application("secretive")
    seen = [application.document()["password"]]
    for _ in range(2):
        application.rotate()
        seen.append(application.document()["password"])
    logged = rig.servers.log.read_text()
    assert "ALTER ROLE" in logged, "statements are logged, or this would see nothing"
    written = logged.split("CREATE ROLE secretive_owner")[-1] + rig.function.log.read_text()
    assert "secretive_clone" in written
    assert [password for password in seen[1:] if password in written] == []
    assert len(set(seen)) == 3


def test_a_server_that_is_not_trusted_or_not_there_is_refused(rig: Rig) -> None:
    application = rig.application("careful")
    current = Credential.read(json.dumps(application.document()), where="the test")
    pair = Pair.of("careful")
    pending = alternation.next_credential(current, pair)

    def apply(route: Route) -> bool:
        return alternation.apply(
            pending, current=current, admin=rig.administrator(), pair=pair, route=route
        )

    with pytest.raises(UntrustedError, match="certificate was refused"):
        apply(Route())
    with pytest.raises(UnreachableError, match="no connection"):
        apply(Route(tls=rig.route().tls, address=("127.0.0.1", 1)))
    assert apply(rig.route())
    assert not apply(rig.route())


def test_an_administrator_needs_no_more_than_createrole(rig: Rig) -> None:
    with rig.servers.postgres.connect_as_admin() as admin:
        admin.execute("CREATE ROLE fake_admin LOGIN CREATEROLE PASSWORD 'fake-of-the-admin'")
    document = rig.servers.document("fake_admin", "fake-of-the-admin")
    admin_secret = rig.servers.store("fake/narrow-admin", document)
    application = Application(rig.servers, rig.function, admin_secret, "narrow")
    with rig.servers.postgres.connect_as_admin() as admin:
        let_change(admin, "fake_admin", "narrow")
    for _ in range(3):
        application.assert_whole(application.rotate())


def test_a_rotation_that_begins_later_is_tried_with_the_current_value(rig: Rig) -> None:
    application = rig.application("tried")
    token = application.begin()
    application.put_pending(token, json.dumps(application.document()))
    roles = all_roles(rig)
    assert application.run(token, Step.TEST) == 0
    assert all_roles(rig) == roles
    assert application.stages()[token] == ["AWSPENDING"]


def test_calls_at_the_same_time_wait_for_each_other(rig: Rig) -> None:
    application = rig.application("together")
    current = Credential.read(json.dumps(application.document()), where="the test")
    pending = alternation.next_credential(current, application.pair)

    def apply(_: int) -> bool:
        return alternation.apply(
            pending,
            current=current,
            admin=rig.administrator(),
            pair=application.pair,
            route=rig.route(),
        )

    connect = rig.servers.postgres.connect_as_admin
    with ThreadPoolExecutor(4) as pool, connect() as watch, connect() as held:
        with held.transaction():  # nobody changes a role before all four are about to
            held.execute("LOCK TABLE pg_authid IN SHARE MODE")
            applied = [pool.submit(apply, number) for number in range(4)]
            deadline = time.monotonic() + 120
            while waiting(watch) < 4:
                assert time.monotonic() < deadline, f"{waiting(watch)} of 4 calls wait for a lock"
                time.sleep(0.05)
        assert all(future.result() for future in applied)
    for credential in (current, pending):
        assert application.works(json.loads(credential.text()))


def waiting(watch: psycopg.Connection[Any]) -> int:
    """How many sessions of rotations wait for a lock."""
    query = (
        "SELECT count(*)::int FROM pg_stat_activity"
        " WHERE application_name = 'strongroom rotation' AND wait_event_type = 'Lock'"
    )
    row = watch.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_the_owner_of_a_database_puts_no_function_in_front_of_the_administrators(rig: Rig) -> None:
    application = rig.application("hostile")
    with rig.servers.postgres.connect_as_admin() as admin:
        admin.execute(
            "CREATE SCHEMA evil; CREATE FUNCTION evil.hashtext(text) RETURNS integer"
            " LANGUAGE plpgsql AS $$ BEGIN RAISE 'run as %', session_user; END $$;"
            "GRANT USAGE ON SCHEMA evil TO PUBLIC;"
            "ALTER DATABASE mlflow SET search_path = evil, pg_catalog, public"
        )
        try:
            with application.log_in() as session, pytest.raises(psycopg.errors.RaiseException):
                session.execute("SELECT hashtext('fake')")
            application.rotate()
        finally:
            admin.execute("ALTER DATABASE mlflow RESET search_path; DROP SCHEMA evil CASCADE")
    assert application.works()


def test_a_pair_becomes_one_user_again_as_the_decision_says(rig: Rig) -> None:
    application = rig.application("undone")
    application.rotate()
    with rig.servers.postgres.connect_as_admin() as admin:
        admin.execute(
            "DROP ROLE undone, undone_clone; ALTER ROLE undone_owner RENAME TO undone;"
            "ALTER ROLE undone LOGIN PASSWORD 'fake-password-afterwards'"
        )
    document = {"username": "undone", "password": "fake-password-afterwards"}
    assert application.works({**application.document(), **document})


@dataclass
class Memory:
    """A store that keeps every document that was published."""

    published: list[Credential]

    def current(self) -> Credential:
        return self.published[-1]

    def publish(self, credential: Credential) -> None:
        self.published.append(credential)


def test_a_document_in_any_store_is_rotated_by_the_same_code(rig: Rig) -> None:
    application = rig.application("elsewhere")
    store = Memory([Credential.read(json.dumps(application.document()), where="the test")])
    for _ in range(3):
        published = alternation.rotate(
            store, admin=rig.administrator(), pair=Pair.of("elsewhere"), route=rig.route()
        )
        assert published == store.current()
        assert application.works(json.loads(published.text()))
        assert application.works(json.loads(store.published[-2].text()))
    assert [c.username for c in store.published] == ["elsewhere", "elsewhere_clone"] * 2
