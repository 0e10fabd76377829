"""One PostgreSQL login as the stores keep it, in the form of AWS's own database secrets.

Owns reading, writing and new passwords. Where the document lies is the caller's matter.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rotation.errors import DocumentError

ENGINE = "postgres"
# 32 random bytes, as 43 characters that need no quoting in an address, a shell or SQL.
_PASSWORD_BYTES = 32
_FIX = (
    "store a JSON object with the texts engine (postgres), host, dbname, username and password, "
    "and the number port"
)


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A login. `more` are the document's other keys, kept as they are by every rotation."""

    host: str
    port: int = 5432
    database: str
    username: str
    password: str = field(repr=False)
    more: Mapping[str, object] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, text: str, *, where: str) -> Credential:
        """The login in a document; raises DocumentError, which names `where` and never a value."""
        try:
            document = json.loads(text)
        except ValueError:
            raise _bad(where, "it is no JSON") from None
        if not isinstance(document, dict):
            raise _bad(where, "it is no JSON object")
        more = dict(document)
        if more.pop("engine", ENGINE) not in (ENGINE, "postgresql"):
            raise _bad(where, "its engine is not postgres")
        texts = {key: more.pop(key, None) for key in ("host", "dbname", "username", "password")}
        for key, value in texts.items():
            if not isinstance(value, str) or not value:
                raise _bad(where, f"{key} is missing, empty or no text")
        return cls(
            host=str(texts["host"]),
            port=_port(more.pop("port", 5432), where),
            database=str(texts["dbname"]),
            username=str(texts["username"]),
            password=str(texts["password"]),
            more=more,
        )

    def text(self) -> str:
        """The document, as every store keeps it."""
        return json.dumps(
            {
                **self.more,
                "engine": ENGINE,
                "host": self.host,
                "port": self.port,
                "dbname": self.database,
                "username": self.username,
                "password": self.password,
            },
            sort_keys=True,
        )

    def renewed(self, username: str) -> Credential:
        """The same server and database, for `username` with a new random password."""
        return replace(self, username=username, password=secrets.token_urlsafe(_PASSWORD_BYTES))

    @property
    def server(self) -> str:
        """Host and port, as messages name them."""
        return f"{self.host}:{self.port}"


def _port(value: object, where: str) -> int:
    """RDS writes a number, people write texts; both are ports."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 65536:
        raise _bad(where, "port is no number from 1 to 65535")
    return value


def _bad(where: str, why: str) -> DocumentError:
    return DocumentError("the credential document cannot be used", where=where, why=why, fix=_FIX)
