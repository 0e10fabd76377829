"""What rotations work on, all of it real but AWS: Vault with TLS, PostgreSQL, moto, and a client.

Owns starting and stopping them, the settings file that names them, and the rotator's identity:
exactly the policy that `rotation.identity` gives it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import hvac
import hvac.exceptions
import psycopg
import yaml

from local.node.forwards import free_port
from local.paths import Instance
from local.services import dev_vault, postgresql
from local.services.direct_node import DirectNode
from local.services.postgresql import PostgresService
from tests.local import killed_rotate
from tests.local.rotation_servers import (
    DOCUMENT,
    ROLE,
    make_engines,
    make_identity,
    until,
)
from tests.unit.support.stacks import changed
from tests.vaultops.stand_ins import api_server, fake_jwt
from vaultops.identity import log_in

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["cli.rotator", "tests.local.killed_rotate"])
_KUBECTL = """#!{python}
import json, sys, urllib.request
line = " ".join(sys.argv[1:])
workload = dict(spec=dict(replicas=1, selector=dict(matchLabels=dict(app="app"))))
pod = dict(metadata=dict(name="app-0"), status=dict(phase="Running"))
if "get deployment/app" in line:
    print(json.dumps(workload))
elif "get pods" in line:
    print(json.dumps(dict(items=[pod])))
elif "/pods/app-0:8080/proxy/credential" in line:
    print(urllib.request.urlopen("http://127.0.0.1:{port}/").read().decode())
else:
    sys.exit(f"the fake does not know {{line}}")
"""


@dataclass(frozen=True, kw_only=True)
class Rig:
    """The servers, and the files that a run of the command is given."""

    folder: Path
    vault: hvac.Client
    database: PostgresService
    ca_file: Path
    audit_log: Path
    aws: dict[str, str] = field(default_factory=dict)

    def arguments(self, *own: str) -> list[str]:
        """A whole command line, as the CronJob's pod has it."""
        files = {
            "--config-file": self.folder / "Pulumi.test.yaml",
            "--jwt-file": self.folder / "jwt",
            "--ca-file": self.ca_file,
        }
        where = [part for name, path in files.items() for part in (name, str(path))]
        return ["rotate", *own, *where, "--vault-address", self.vault.url]

    def configure(self, *credentials: Mapping[str, Any], endpoint: str | None = None) -> None:
        """Write the settings with these rotations, and give the rotator what they need."""
        static_roles = [
            {"name": "rotation-admin", "username": "rotation_admin", "schedule": "0 3 * * 0"},
            {"name": "tracking", "username": "tracking", "schedule": "0 4 * * 0"},
        ]
        settings = changed(
            "local",
            {
                "engines.database.host": "127.0.0.1",
                "engines.database.port": self.database.host_port,
                "engines.database.caFile": str(self.database.ca_file),
                "engines.database.staticRoles": static_roles,
                "engines.aws.rootKey": {"file": "fake-aws-key"},
                "aws.endpoint": endpoint,
                "rotation.credentials": list(credentials),
            },
        )
        config = {f"strongroom:{name}": value for name, value in settings.items()}
        (self.folder / "Pulumi.test.yaml").write_text(yaml.safe_dump({"config": config}))

    def run(self, *own: str) -> subprocess.CompletedProcess[str]:
        """The command, as a program of its own: the one that the pod runs."""
        return subprocess.run(
            [sys.executable, "-m", "cli.rotator", *self.arguments(*own)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**os.environ, **self.environment},
        )

    def killed(self, *own: str, save: int, before: bool, ahead: float = 0) -> int | None:
        """The command in a process that kills itself at its Nth record; its exit status.

        `save` 0 lets it live; its clock goes `ahead` seconds.
        """
        process = FORKED.Process(
            target=killed_rotate.main,
            args=(save, before, self.arguments(*own), self.environment, ahead),
        )
        process.start()
        process.join(120)
        return process.exitcode

    @property
    def environment(self) -> dict[str, str]:
        """Where the fake kubectl is found, and who the rotator is in AWS."""
        return {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", **self.aws}

    def record(self, rotation: str) -> dict[str, Any]:
        found = self.vault.secrets.kv.v2.read_secret_version(
            f"strongroom/rotation/records/{rotation}", raise_on_deleted_version=True
        )
        record: dict[str, Any] = json.loads(found["data"]["data"]["record"])
        return record

    def side_by_side(self, *own: str, count: int) -> list[int | None]:
        """The command `count` times at once; their exit statuses."""
        processes = [
            FORKED.Process(
                target=killed_rotate.main,
                args=(0, False, self.arguments(*own), self.environment, 0.0),
            )
            for _ in range(count)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join(120)
        return [process.exitcode for process in processes]

    def asked(self) -> list[str]:
        """The path of every request that Vault's audit log has."""
        entries = map(json.loads, self.audit_log.read_text().splitlines())
        return [entry["request"]["path"] for entry in entries if entry["type"] == "request"]

    def logs_in(self, user: str, password: str) -> bool:
        """Whether PostgreSQL lets the user in."""
        try:
            psycopg.connect(
                host="127.0.0.1",
                port=self.database.host_port,
                dbname="mlflow",
                user=user,
                password=password,
                sslmode="verify-full",
                sslrootcert=str(self.database.ca_file),
                connect_timeout=5,
            ).close()
        except psycopg.OperationalError as error:
            if "authentication failed" not in str(error):
                raise
            return False
        return True

    def rotator_may_rewrite(self, event: int) -> bool:
        """Whether the rotator's own token can replace an event line."""
        client = hvac.Client(url=self.vault.url, verify=str(self.ca_file))
        client.session.trust_env = False
        client.token = log_in(client, ROLE, fake_jwt(ROLE))["client_token"]
        try:
            client.secrets.kv.v2.create_or_update_secret(
                f"strongroom/rotation/events/{event:08d}", {"line": "fake"}
            )
        except hvac.exceptions.Forbidden:
            return False
        return True

    def secret(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self.vault.secrets.kv.v2.read_secret_version(
            path.removeprefix("secret/"), raise_on_deleted_version=True
        )["data"]["data"]
        return found

    def fake_kubectl(self, port: int) -> None:
        """A kubectl that knows one workload with one pod, whose endpoint is on loopback."""
        path = self.folder / "bin" / "kubectl"
        path.parent.mkdir(exist_ok=True)
        path.write_text(_KUBECTL.format(python=sys.executable, port=port))
        path.chmod(0o755)


@contextmanager
def rig(folder: Path, instance: Instance) -> Iterator[Rig]:
    """Everything started, the engines configured, the identity made."""
    with ExitStack() as held:
        vault = held.enter_context(dev_vault.running(folder, tls=True))
        node = DirectNode(instance.logs)
        database = postgresql.start(node, instance, port=free_port())
        held.callback(postgresql.stop, node, instance)
        made = Rig(
            folder=folder,
            vault=vault,
            database=database,
            ca_file=folder / dev_vault.CA,
            audit_log=folder / "audit.log",
        )
        make_engines(vault, database, made.audit_log)
        make_identity(vault, made.ca_file, held.enter_context(api_server()), folder / "jwt")
        yield made


@contextmanager
def client(rig: Rig) -> Iterator[Callable[[], dict[str, Any]]]:
    """A program that reconnects by the published credential; the result tells what it saw."""
    port = free_port()
    program = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.local.reconnecting_client"),
            *(rig.vault.url, str(rig.ca_file), DOCUMENT, str(rig.database.ca_file), str(port)),
        ],
        env={**os.environ, "VAULT_TOKEN": rig.vault.token},
        stderr=(rig.folder / "client.log").open("wb"),
    )

    def seen() -> dict[str, Any]:
        with urlopen(f"http://127.0.0.1:{port}/seen", timeout=5) as answer:
            found: dict[str, Any] = json.loads(answer.read())
        return found

    def logged_in() -> bool:
        assert program.poll() is None, (rig.folder / "client.log").read_text()
        try:
            return bool(seen()["logins"])
        except OSError:
            return False

    try:
        rig.fake_kubectl(port)
        until(logged_in, "the client's first login")
        yield seen
    finally:
        program.terminate()
        program.wait(20)


@contextmanager
def pod_that_says(rig: Rig, user: str) -> Iterator[dict[str, str]]:
    """The one pod's endpoint; what it answers is the mapping's `credential`."""
    answer = {"credential": user}

    class Endpoint(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        rig.fake_kubectl(server.server_port)
        yield answer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
