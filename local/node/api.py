"""One GET to the node's API server from the host, without a client library."""

from __future__ import annotations

import http.client
import ssl

from local.node.layout import Layout


def get(layout: Layout, port: int, path: str) -> str | None:
    """The body of a 200 answer as administrator; None for anything else, or no answer."""
    try:
        context = ssl.create_default_context(cafile=str(layout.pki / "ca.crt"))
        context.load_cert_chain(layout.pki / "admin.crt", layout.pki / "admin.key")
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read().decode()
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        return None
    return body if answer.status == http.HTTPStatus.OK else None
