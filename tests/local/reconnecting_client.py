"""A program that logs in to PostgreSQL 50 times a second by the published credential.

    python -m tests.local.reconnecting_client VAULT CA DOCUMENT DATABASE_CA PORT

It reads the credential again and again, more slowly than it logs in, and says at / which user the
last finished login was for: logins follow each other, so none of an older one is under way then.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import hvac
import psycopg

EVERY = 1 / 50
READ_EVERY = 0.5

seen: dict[str, Any] = {"logins": 0, "failures": [], "user": "", "switches": 0}
published: dict[str, Any] = {}


class _Endpoint(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """/ tells the user, /seen everything."""
        answer = seen if self.path == "/seen" else {"credential": seen["user"]}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's own name
        """Stay quiet."""


def _read(address: str, ca: str, path: str) -> None:
    """Keep `published` the newest version."""
    client = hvac.Client(url=address, token=os.environ["VAULT_TOKEN"], verify=ca)
    client.session.trust_env = False
    mount, _, rest = path.partition("/")
    while True:
        found = client.secrets.kv.v2.read_secret_version(
            rest, mount_point=mount, raise_on_deleted_version=True
        )
        published["credential"] = found["data"]["data"]
        time.sleep(READ_EVERY)


def _log_in(credential: dict[str, Any], ca: str) -> None:
    try:
        psycopg.connect(
            host=credential["host"],
            port=credential["port"],
            dbname=credential["dbname"],
            user=credential["username"],
            password=credential["password"],
            sslmode="verify-full",
            sslrootcert=ca,
            connect_timeout=5,
        ).close()
    except psycopg.OperationalError as error:
        seen["failures"].append(f"{time.time():.3f} {credential['username']}: {error}")
    seen["logins"] += 1
    seen["switches"] += credential["username"] != seen["user"]
    seen["user"] = credential["username"]


def main() -> None:
    """Never returns."""
    address, ca, path, database_ca, port = sys.argv[1:]
    threading.Thread(target=_read, args=(address, ca, path), daemon=True).start()
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), _Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while "credential" not in published:
        time.sleep(EVERY)
    seen["began"] = due = time.time()
    while True:
        _log_in(published["credential"], database_ca)
        seen["now"] = time.time()
        due += EVERY
        time.sleep(max(0.0, due - time.time()))


if __name__ == "__main__":
    main()
