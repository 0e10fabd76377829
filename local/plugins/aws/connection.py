"""How the stand-in plugin reaches its services, and why it can never reach AWS.

Owns the check of the provider's inputs and the clients made from them. No credential, endpoint,
profile or proxy of the environment is used.
"""

from __future__ import annotations

import ipaddress
import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from local.plugins.resource import Values
from local.plugins.values import Unknown

NEVER_AWS = "this is a stand-in, never the real AWS"
_REQUIRED = ("accessKey", "endpoints", "region", "secretKey")
# The official plugin's checks at start; this one makes none. The engine adds the last two.
_WITHOUT_EFFECT = (
    "skipCredentialsValidation",
    "skipMetadataApiCheck",
    "skipRegionValidation",
    "skipRequestingAccountId",
    "s3UsePathStyle",
    "version",
    "pluginDownloadURL",
)
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1", "fc00::/7")
)


class StandInError(Exception):
    """The stand-in refuses; the message says what to do."""


class Connection:
    """Clients of the services that the provider's inputs name an endpoint for."""

    def __init__(self) -> None:
        self._region = ""
        self._credentials: dict[str, str] = {}
        self._endpoints: dict[str, str] = {}
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def use(self, config: Values) -> None:
        """Take the provider's inputs. Raises StandInError for wrong ones."""
        if wrong := mistakes(config):
            raise StandInError("; ".join(f"{name}: {why}" for name, why in wrong.items()))
        if any(isinstance(config.get(name, Unknown()), Unknown) for name in _REQUIRED):
            return  # a preview: nothing is asked of it
        self._region = config["region"]
        self._credentials = {
            "aws_access_key_id": config["accessKey"],
            "aws_secret_access_key": config["secretKey"],
        }
        self._endpoints = _endpoints(config["endpoints"])

    def client(self, service: str) -> Any:
        """The client of `service`. Raises StandInError where it has no endpoint."""
        if service not in self._endpoints:
            known = ", ".join(sorted(self._endpoints)) or "no service"
            raise StandInError(
                f"the provider's endpoints name no {service}, only {known}, and {NEVER_AWS}. "
                f"Add an endpoint for {service} to the provider."
            )
        with self._lock:  # making clients of one session is not safe in several threads
            if service not in self._clients:
                self._clients[service] = boto3.Session(region_name=self._region).client(
                    service,
                    endpoint_url=self._endpoints[service],
                    config=Config(
                        proxies={},  # none, instead of those of the environment
                        s3={"addressing_style": "path"},
                        connect_timeout=5,
                        read_timeout=30,
                    ),
                    **self._credentials,
                )
        return self._clients[service]


def mistakes(config: Values) -> Mapping[str, str]:
    """What is wrong with the provider's inputs: a reason by name. Unknown values are let pass.

    Inputs without endpoints are those of a stack on AWS. It may be previewed, because a preview
    asks nothing of AWS; `Connection.client` refuses the first call of a deployment.
    """
    if "endpoints" not in config:
        return {}
    found = {
        name: f"required, because {NEVER_AWS} and it takes nothing from the environment"
        for name in _REQUIRED
        if not config.get(name)
    }
    for name in config:
        if name not in (*_REQUIRED, *_WITHOUT_EFFECT):
            found[name] = "not offered by this stand-in; remove it or use the official plugin"
    if "endpoints" not in found and not isinstance(config["endpoints"], Unknown):
        try:
            endpoints = _endpoints(config["endpoints"])
        except (TypeError, ValueError, AttributeError):
            found["endpoints"] = "must be a list of mappings from service to address"
        else:
            wrong = [f"{s}: {why}" for s, url in endpoints.items() if (why := _refusal(url))]
            if wrong:
                found["endpoints"] = f"{'; '.join(wrong)} ({NEVER_AWS})"
    return found


def _endpoints(value: Any) -> dict[str, str]:
    """Addresses by service. The SDK sends lists of a provider's inputs as JSON text."""
    entries = json.loads(value) if isinstance(value, str) else value
    return {service: url for entry in entries for service, url in entry.items() if url}


def _refusal(url: Any) -> str | None:
    """Why `url` is refused; None when it is an address of this machine or a private network."""
    parts = urlsplit(str(url))
    if parts.scheme not in ("http", "https"):
        return f"{url!r} is no http:// or https:// address"
    host = parts.hostname or ""
    if host == "localhost":
        return None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"{host!r} is a name, not a loopback or private address"
    if not any(address in network for network in _PRIVATE):
        return f"{host} is neither loopback nor a private address"
    return None
