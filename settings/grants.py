"""Grants: which service account reads which secrets, for how long. Data, five lines in YAML.

Owns their shape and refuses wildcards; what a grant makes in Vault is decided by components.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from settings.base import Section, setting
from settings.types import Duration, Label, Text, refuse


def _exact(value: str) -> str:
    if any(sign in value for sign in "*+"):
        raise refuse(f"is {value!r}, a wildcard that reaches more than can be named")
    return value


Exact = Annotated[Text, AfterValidator(_exact)]


class Grant(Section):
    """What one set of service accounts may read."""

    name: Label = setting(why="the Vault policy and role carry it", write="ml-app")
    service_accounts: tuple[Exact, ...] = setting(
        why="only these identities log in with it", write="[ml-app-sa]", min_length=1
    )
    namespaces: tuple[Exact, ...] = setting(
        why="the identities count only there", write="[ml-training]", min_length=1
    )
    audience: Exact = setting(
        "vault", why="tokens made for another service are refused", write="vault"
    )
    secrets: tuple[Exact, ...] = setting(
        (), why="the paths in the KV engine it reads", write="[ml/mlflow]"
    )
    database: tuple[Exact, ...] = setting(
        (), why="the database roles it gets logins of", write="[ml-readonly]"
    )
    aws: tuple[Exact, ...] = setting(
        (), why="the AWS roles it gets credentials of", write="[ml-s3-access]"
    )
    ttl: Duration = setting(Duration.parse("1h"), why="a leaked login works that long", write="1h")
