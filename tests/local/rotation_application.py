"""The deployed rotation function over real servers, as its tests drive it.

Owns one application user with its secret (`Application`), and the process that runs the archive.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

import psycopg
from psycopg import sql

from benchmarks.rotation_servers import REGION, Servers
from rotation.alternation import Pair
from rotation.four_steps import Step

KILLED = 9
RAISED = 256


@dataclass
class Function:
    """The function's process; `log` gets what it writes."""

    archive: Path
    boto: Path
    log: Path
    endpoint: str
    orders: int = 0

    def __enter__(self) -> Self:
        driver = Path(__file__).with_name("rotation_driver.py")
        python: str = sys._base_executable  # type: ignore[attr-defined] # without our packages
        self._process = subprocess.Popen(
            [python, "-I", "-S", str(driver), str(self.archive), str(self.boto)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=30)

    def call(
        self, events: Sequence[dict[str, str]], environment: dict[str, str], stop: int = 0
    ) -> int:
        """Run the handler for one event after the other; the wait status of their process."""
        cloud = {
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "fake",
            "AWS_SECRET_ACCESS_KEY": "fake",
        }
        self.orders += 1
        order = {
            "number": self.orders,
            "events": events,
            "environment": {**cloud, **environment},
            "log": str(self.log),
            "stop": stop,
        }
        orders, answers = cast(tuple[IO[str], IO[str]], (self._process.stdin, self._process.stdout))
        print(json.dumps(order), file=orders, flush=True)
        for line in answers:
            number, status = json.loads(line)
            if number == self.orders:  # and not one that a test no longer waited for
                return int(status)
        raise EOFError(f"the function's process ended: {self._process.poll()}")

    def last_line(self) -> dict[str, Any]:
        """The last line of JSON that the function wrote."""
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        line: dict[str, Any] = json.loads(lines[-1])
        return line


@dataclass
class Application:
    """A user with a table of its own, its secret, and the function that rotates it."""

    servers: Servers
    function: Function
    admin: str
    name: str

    def __post_init__(self) -> None:
        self.pair = Pair.of(self.name)
        first = f"fake-first-password-of-{self.name}"
        role, table = sql.Identifier(self.name), sql.Identifier(f"of_{self.name}")
        with self.servers.postgres.connect_as_admin() as admin:
            for statement in (
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(first)),
                sql.SQL("CREATE TABLE {} (id bigint)").format(table),
                sql.SQL("ALTER TABLE {} OWNER TO {}").format(table, role),
                sql.SQL("GRANT SELECT, INSERT ON runs TO {}").format(role),
            ):
                admin.execute(statement)
        document = self.servers.document(self.name, first, team="fake")
        self.secret = self.servers.store(f"fake/{self.name}", document)
        self.client = self.servers.client()

    def environment(self) -> dict[str, str]:
        """What the function's deployment sets."""
        return {
            "SECRET_ARN": self.secret,
            "ADMIN_SECRET_ARN": self.admin,
            "USERS": ",".join(self.pair.users),
            "OWNER_ROLE": self.pair.owner,
        }

    def begin(self) -> str:
        """A rotation's pending version."""
        return self.servers.begin(self.secret)

    def run(self, token: str, *steps: Step, stop: int = 0) -> int:
        """The function's calls for these steps, in one process; its wait status."""
        event = {"SecretId": self.secret, "ClientRequestToken": token}
        events = [{"Step": step.value, **event} for step in steps]
        return self.function.call(events, self.environment(), stop)

    def rotate(self) -> str:
        """One whole rotation; the version that it made."""
        token = self.begin()
        assert self.run(token, *Step) == 0, self.function.last_line()
        return token

    def put_pending(self, token: str, document: str) -> None:
        """What somebody writes into the pending version who may write the secret."""
        self.client.put_secret_value(
            SecretId=self.secret,
            ClientRequestToken=token,
            SecretString=document,
            VersionStages=["AWSPENDING"],
        )

    def document(self, stage: str = "AWSCURRENT") -> dict[str, Any]:
        """One version of the secret."""
        answer = self.client.get_secret_value(SecretId=self.secret, VersionStage=stage)
        document: dict[str, Any] = json.loads(answer["SecretString"])
        return document

    def stages(self) -> dict[str, list[str]]:
        """The versions that have a stage."""
        versions = self.client.describe_secret(SecretId=self.secret)["VersionIdsToStages"]
        return {version: sorted(stages) for version, stages in versions.items() if stages}

    def log_in(self, document: dict[str, Any] | None = None) -> psycopg.Connection[Any]:
        """A session by a document, the published one by default."""
        document = document or self.document()
        return psycopg.connect(
            host=document["host"],
            port=document["port"],
            dbname=document["dbname"],
            user=document["username"],
            password=document["password"],
            sslmode="verify-full",
            sslrootcert=str(self.servers.postgres.ca_file),
            connect_timeout=20,
            autocommit=True,
        )

    def works(self, document: dict[str, Any] | None = None) -> bool:
        """Whether a document logs in and reads both tables; raises when it does not."""
        table = sql.Identifier(f"of_{self.name}")
        with self.log_in(document) as session:
            session.execute(sql.SQL("SELECT FROM {}").format(table))
            return session.execute("SELECT FROM runs").rowcount == 0

    def assert_whole(self, token: str) -> None:
        """`token` is the one current version, nothing is pending, and both documents work."""
        stages = self.stages()
        assert stages.pop(token) == ["AWSCURRENT"]
        assert list(stages.values()) == [["AWSPREVIOUS"]]
        current, previous = self.document(), self.document("AWSPREVIOUS")
        assert self.works(current)
        assert self.works(previous)
        assert {current["username"], previous["username"]} == set(self.pair.users)
        assert current["team"] == "fake"
