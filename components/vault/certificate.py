"""A CA and a server certificate as one resource that renews itself on `up` when it is due.

Owns how certificates live in the state: both private keys are secret outputs, encrypted like every
other secret there. While nothing is due an `up` changes nothing. Which certificate is due is
decided by certificate_lineage.py. The engine runs the provider in a process of its own, which
imports it by this module's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pulumi
from pulumi.dynamic import (
    CreateResult,
    DiffResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from components.vault.certificate_lineage import (
    CertificateRequest,
    Lineage,
    advance,
    begin,
    due,
)
from components.vault.x509 import Issued, Names, ends, serial

INPUTS = ("common_name", "dns_names", "addresses", "validity_seconds", "renew_before_seconds")
COMPUTED = (
    "authority_pem",
    "authority_key",
    "successor_pem",
    "successor_key",
    "predecessor_pems",
    "server_pem",
    "server_key",
    "bundle_pem",
    "expires",
)
SECRET_OUTPUTS = ("server_key", "authority_key", "successor_key")


@dataclass(frozen=True, kw_only=True)
class ServerCertificateArgs:
    """Both durations are those of the server certificate; the CA lives for ten years."""

    common_name: str
    dns_names: Sequence[str]
    addresses: Sequence[str]
    validity: timedelta
    renew_before: timedelta

    def __post_init__(self) -> None:
        if not timedelta(0) < self.renew_before < self.validity:
            raise ValueError(
                f"renew_before: {self.renew_before} is not between nothing and the validity of "
                f"{self.validity}; the certificate would be renewed always or never. Make it about "
                "a third of the validity."
            )


class CertificateProvider(ResourceProvider):
    """Issues on create, renews on update when something is due. Reads the clock, nothing else."""

    serialize_as_secret_always = False  # it holds no value at all: only this class's name

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Issue a CA and a certificate."""
        lineage = begin(request_of(props), _now())
        return CreateResult(
            id_=f"authority-{serial(lineage.authority.certificate)}", outs=outputs(props, lineage)
        )

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Changed only when a certificate is due under the new inputs."""
        reason = due(lineage_of(_olds), request_of(_news), _now())
        changed_inputs = any(_olds.get(key) != _news.get(key) for key in INPUTS)
        return DiffResult(changes=reason is not None or changed_inputs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Replace what is due; the CA stays."""
        lineage = advance(lineage_of(_olds), request_of(_news), _now())
        return UpdateResult(outs=outputs(_news, lineage))


def request_of(props: Mapping[str, Any]) -> CertificateRequest:
    """The request in a resource's inputs."""
    return CertificateRequest(
        common_name=props["common_name"],
        names=Names(dns=frozenset(props["dns_names"]), addresses=frozenset(props["addresses"])),
        validity=timedelta(seconds=props["validity_seconds"]),
        renew_before=timedelta(seconds=props["renew_before_seconds"]),
    )


def lineage_of(state: Mapping[str, Any]) -> Lineage:
    """The certificates in a resource's state."""
    successor = state["successor_pem"]
    return Lineage(
        authority=Issued(state["authority_pem"], state["authority_key"]),
        server=Issued(state["server_pem"], state["server_key"]),
        successor=Issued(successor, state["successor_key"]) if successor else None,
        predecessors=tuple(state["predecessor_pems"]),
    )


def outputs(inputs: Mapping[str, Any], lineage: Lineage) -> dict[str, Any]:
    """What the state keeps: the inputs, and the lineage so that `lineage_of` gives it back."""
    return {
        **{key: inputs[key] for key in INPUTS},
        "authority_pem": lineage.authority.certificate,
        "authority_key": lineage.authority.key,
        "successor_pem": lineage.successor.certificate if lineage.successor else "",
        "successor_key": lineage.successor.key if lineage.successor else "",
        "predecessor_pems": list(lineage.predecessors),
        "server_pem": lineage.server.certificate,
        "server_key": lineage.server.key,
        "bundle_pem": lineage.bundle(),
        "expires": ends(lineage.server.certificate).isoformat(),
    }


class ServerCertificate(Resource, module="vault", name="ServerCertificate"):
    """A server certificate under a CA of its own."""

    bundle_pem: pulumi.Output[str]
    """The CA certificates that clients shall trust."""
    server_pem: pulumi.Output[str]
    server_key: pulumi.Output[str]
    """Secret."""
    expires: pulumi.Output[str]
    """When the served certificate ends, ISO 8601."""

    def __init__(
        self, name: str, args: ServerCertificateArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            CertificateProvider(),
            name,
            {
                "common_name": args.common_name,
                "dns_names": list(args.dns_names),
                "addresses": list(args.addresses),
                "validity_seconds": int(args.validity.total_seconds()),
                "renew_before_seconds": int(args.renew_before.total_seconds()),
                **dict.fromkeys(COMPUTED),
            },
            pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(additional_secret_outputs=list(SECRET_OUTPUTS))
            ),
        )


def _now() -> datetime:
    return datetime.now(UTC)
