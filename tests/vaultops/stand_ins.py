"""Stand-ins for what Vault asks outside itself: the API server's TokenReview. Fake, and says so."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from vaultops.identity import Role


def fake_jwt(role: Role) -> str:
    """A service account token in form only: the stand-in reviewer believes it."""
    claims = {
        "iss": "fake-issuer",
        "aud": [role.audience],
        "exp": 4102444800,
        "iat": 1700000000,
        "kubernetes.io": {
            "namespace": role.namespace,
            "serviceaccount": {"name": role.service_account, "uid": "fake-uid"},
        },
    }
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in parts]
    return b".".join([*encoded, base64.urlsafe_b64encode(b"fake-signature").rstrip(b"=")]).decode()


class _Reviewer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Answer a TokenReview: authenticated as what the token says of itself."""
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        token = review["spec"]["token"]
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        account = claims["kubernetes.io"]
        name = account["serviceaccount"]["name"]
        review["status"] = {
            "authenticated": True,
            "audiences": claims["aud"],
            "user": {
                "username": f"system:serviceaccount:{account['namespace']}:{name}",
                "uid": account["serviceaccount"]["uid"],
            },
        }
        body = json.dumps(review).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's own name
        """Stay quiet."""


@contextmanager
def api_server() -> Iterator[str]:
    """The stand-in API server's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Reviewer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
