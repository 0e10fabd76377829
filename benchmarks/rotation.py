"""How many logins a rotation refuses: two users that take turns, beside one user alone.

    python -m benchmarks.rotation --rotations 20

A program logs in 50 times a second by the published credential, with no second try, while the
credential is rotated again and again: once by the usual way for one user (set the new password,
publish it at once), once by the project's four steps with two users. Both against the same real
PostgreSQL and moto's Secrets Manager, and for two kinds of program: one that reads the secret
before each login, and one that reads it once a second, as a mounted or synchronised secret does.
Prints Markdown.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import rotation_servers
from benchmarks.machine import facts
from benchmarks.rotation_load import LoginLoad
from benchmarks.rotation_servers import Servers
from local.progress import Clock
from rotation import four_steps, postgresql
from rotation.alternation import Pair
from rotation.credential import Credential
from rotation.four_steps import Rotation, Step
from rotation.postgresql import Route, trust

RATE = 50
AGES = {"reads before each login": 0.0, "reads once a second": 1.0}


@dataclass(frozen=True)
class Target:
    """One user with its secret, of which `rotate` does one rotation."""

    secret: str
    rotate: Callable[[], None]


@dataclass(frozen=True)
class Way:
    """A way to rotate, as the table names it; `target` makes a new user that is rotated by it."""

    name: str
    target: Callable[[Servers, str, str], Target]


def one_user(servers: Servers, name: str, admin: str) -> Target:
    """The password is changed and published, with nothing in between that would take time."""
    del admin
    secret, client = _user(servers, name), servers.client()
    connection = servers.postgres.connect_as_admin()

    def rotate() -> None:
        answer = client.get_secret_value(SecretId=secret, VersionStage="AWSCURRENT")
        current = Credential.read(answer["SecretString"], where=secret)
        following = current.renewed(current.username)
        stored = postgresql.verifier(following.password)
        connection.execute(f"ALTER ROLE {name} PASSWORD '{stored}'".encode())
        client.put_secret_value(SecretId=secret, SecretString=following.text())

    return Target(secret, rotate)


def two_users(servers: Servers, name: str, admin: str) -> Target:
    """The four steps of the rotation function."""
    rotation = Rotation(
        client=servers.client(),
        secret=_user(servers, name),
        admin=admin,
        pair=Pair.of(name),
        route=Route(tls=trust(servers.postgres.ca_file.read_text())),
    )

    def rotate() -> None:
        token = servers.begin(rotation.secret)
        for step in Step:
            four_steps.run(step, secret=rotation.secret, token=token, rotation=rotation)

    return Target(rotation.secret, rotate)


WAYS = (
    Way("one user, changed and published at once", one_user),
    Way("two users that take turns (four steps)", two_users),
)


def main(
    rotations: Annotated[int, typer.Option(min=1, help="Rotations of each kind.")] = 20,
) -> None:
    """Measure and print."""
    clock = Clock()
    print(facts())
    print("\n| program | rotation | rotations | median | logins | a second | refused | of all |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        with rotation_servers.running(Path(folder)) as servers:
            admin = servers.store_admin()
            for program, age in AGES.items():
                for way in WAYS:
                    row = measure(servers, way, admin, age, rotations)
                    print(f"| {program} | {way.name} | {row} |", flush=True)
                    clock(f"{program}: {way.name}")


def measure(servers: Servers, way: Way, admin: str, age: float, rotations: int) -> str:
    """One cell of the comparison, as the rest of a table's row."""
    # A copy must be read anew within a cycle; the rest of it the program works as always.
    logins_between = round(RATE * (0.5 + 2 * age))
    target = way.target(servers, f"{way.target.__name__}_{age:.0f}", admin)
    took = []
    with LoginLoad(servers, target.secret, rate=RATE, age=age) as load:
        load.await_more(logins_between)
        for _ in range(rotations):
            began = time.monotonic()
            target.rotate()
            took.append(time.monotonic() - began)
            load.await_more(logins_between)
    if other := [text for text in load.failures if "password authentication" not in text]:
        raise RuntimeError(f"{len(other)} logins failed for another reason, as {other[0]}")
    return (
        f"{rotations} | {statistics.median(took) * 1000:.0f} ms | {load.logins} "
        f"| {load.logins / load.seconds:.1f} | {len(load.failures)} "
        f"| {len(load.failures) / load.logins:.2%}"
    )


def _user(servers: Servers, name: str) -> str:
    """A new user that may read; its secret's ARN."""
    password = f"fake-first-password-of-{name}"
    with servers.postgres.connect_as_admin() as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'".encode())
        admin.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}".encode())
    return servers.store(f"fake/{name}", servers.document(name, password))


if __name__ == "__main__":
    typer.run(main)
