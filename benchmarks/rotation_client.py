"""A program that logs in again and again by the published credential, as a careful one would not.

    python -m benchmarks.rotation_client --endpoint URL --secret ARN --ca FILE --rate 50

Each login begins at its own time (`rate` a second, whatever the one before does), reads the secret
from Secrets Manager when its copy is older than `--age` seconds, logs in to PostgreSQL once, with
no second try, and writes one line: [reads so far, user, SQLSTATE or text of the failure or null].
Ends when its input is closed.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import boto3
import psycopg
import typer

from benchmarks.rotation_servers import REGION

THREADS = 6


class Published:
    """The secret as this program knows it; read anew when older than `age` seconds."""

    def __init__(self, endpoint: str, secret: str, age: float) -> None:
        self.reads = 0
        self._secret, self._age = secret, age
        self._client = boto3.client(
            "secretsmanager",
            region_name=REGION,
            endpoint_url=endpoint,
            aws_access_key_id="fake",
            aws_secret_access_key="fake",  # noqa: S106 -- moto takes any
        )
        self._lock = threading.Lock()
        self._known: tuple[float, dict[str, Any]] = (float("-inf"), {})

    def document(self) -> dict[str, Any]:
        """The current credential, at most `age` seconds old."""
        asked = time.monotonic()
        if self._age and asked - self._known[0] < self._age:
            return self._known[1]
        answer = self._client.get_secret_value(SecretId=self._secret, VersionStage="AWSCURRENT")
        with self._lock:
            self.reads += 1
            self._known = (asked, json.loads(answer["SecretString"]))
            return self._known[1]


def log_in(published: Published, ca: str) -> None:
    """One login and its line."""
    document = published.document()
    failure = None
    try:
        psycopg.connect(
            host=document["host"],
            port=document["port"],
            dbname=document["dbname"],
            user=document["username"],
            password=document["password"],
            sslmode="verify-full",
            sslrootcert=ca,
            connect_timeout=20,
        ).close()
    except psycopg.OperationalError as error:
        failure = str(error).strip().splitlines()[-1]
    line = json.dumps([published.reads, document["username"], failure])
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def main(
    endpoint: Annotated[str, typer.Option(help="Where Secrets Manager answers.")],
    secret: Annotated[str, typer.Option(help="The secret's ARN.")],
    ca: Annotated[str, typer.Option(help="File with PostgreSQL's authority.")],
    rate: Annotated[float, typer.Option(help="Logins a second.")] = 50,
    age: Annotated[float, typer.Option(help="Seconds for which a copy is good enough.")] = 0,
) -> None:
    """Log in until the input ends."""
    ended = threading.Event()
    threading.Thread(target=_await_end, args=[ended], daemon=True).start()
    published = Published(endpoint, secret, age)
    free = threading.Semaphore(THREADS)  # a slow machine lowers the rate, and queues nothing
    with ThreadPoolExecutor(THREADS) as pool:
        due = time.monotonic()
        while not ended.wait(max(0.0, due - time.monotonic())):
            free.acquire()
            pool.submit(log_in, published, ca).add_done_callback(lambda _: free.release())
            due = max(due + 1 / rate, time.monotonic() - 1)


def _await_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


if __name__ == "__main__":
    typer.run(main)
