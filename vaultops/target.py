"""How each replica of a Vault cluster is reached, with its certificate verified.

Owns addresses, port forwards and TLS trust. `VaultTarget` reaches pods, `AddressTarget` servers
with addresses of their own. Neither knows what is done over the connection.
"""

from __future__ import annotations

import ssl
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import hvac
import hvac.exceptions
import requests

from vaultops.errors import DeniedError, UnreachableError, UntrustedError, VaultOpsError
from vaultops.kubectl import Kubectl
from vaultops.portforward import PortForward

REQUEST_SECONDS = 30
VAULT_PORT = 8200
_LEADERLESS = "active cluster node not found"  # a standby's 500 while another takes over


class Target(ABC):
    """The replicas of one cluster, numbered from 0."""

    replicas: int
    ca_file: str

    @abstractmethod
    def name(self, ordinal: int) -> str:
        """What people call the replica."""

    @abstractmethod
    def url(self, ordinal: int) -> str:
        """Where the replica answers now. Raises UnreachableError."""

    @abstractmethod
    def reset(self, ordinal: int) -> None:
        """Forget a connection that failed."""

    @contextmanager
    def pod_client(
        self, ordinal: int, token: str | None = None, *, seconds: float = REQUEST_SECONDS
    ) -> Iterator[hvac.Client]:
        """A client of one replica; `token` None calls without one.

        Raises UnreachableError when nobody answers, UntrustedError for a certificate that our CA
        did not issue for the address, and DeniedError or VaultOpsError for those of hvac's
        exceptions that the caller does not handle itself.
        """
        client = hvac.Client(
            url=self.url(ordinal),
            verify=self.ca_file,
            timeout=seconds,
            session=_session(self.ca_file),
        )
        client.token = token
        try:
            yield client
        except requests.exceptions.RequestException as reason:
            if isinstance(reason, requests.exceptions.SSLError) and not _cut_off(reason):
                raise UntrustedError(
                    f"the certificate of {self.name(ordinal)} is not trusted",
                    where=client.url,
                    why=str(reason),
                    fix="use the CA that issued it (ConfigMap vault-ca), or renew the certificate",
                ) from None
            self.reset(ordinal)
            raise UnreachableError(
                f"{self.name(ordinal)} does not answer",
                where=client.url,
                why=type(reason).__name__,
                fix="see the pod's log; it may be starting",
            ) from None
        except hvac.exceptions.VaultError as reason:
            raise _refusal(reason, self.name(ordinal)) from None
        finally:
            client.adapter.close()

    @abstractmethod
    def close(self) -> None:
        """End every connection."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _cut_off(error: BaseException) -> bool:
    """Whether the connection ended within the handshake: a forward to a pod that is starting does.

    The libraries wrap the cause in each other's exceptions.
    """
    cause: object = error
    while isinstance(cause, BaseException):
        if isinstance(cause, ssl.SSLEOFError):
            return True
        cause = getattr(cause, "reason", None) or next(iter(cause.args), None)
    return False


def _refusal(reason: hvac.exceptions.VaultError, name: str) -> VaultOpsError:
    where = f"{name}: {reason.method or ''} {reason.url or ''}".rstrip(": ")
    why = "; ".join(map(str, reason.errors or [])) or str(reason) or type(reason).__name__
    if isinstance(reason, hvac.exceptions.Forbidden | hvac.exceptions.Unauthorized):
        return DeniedError(
            "Vault denies the request", where=where, why=why, fix="log in with a role that may"
        )
    silent = isinstance(reason, hvac.exceptions.VaultDown | hvac.exceptions.BadGateway)
    if silent or _LEADERLESS in why:
        return UnreachableError(
            "Vault is sealed or has no leader", where=where, why=why, fix="wait, or unseal it"
        )
    return VaultOpsError(
        "Vault refuses the request", where=where, why=why, fix="see the reason and Vault's log"
    )


def _session(ca_file: str) -> requests.Session:
    """A session with one CA that ignores the environment's proxies, .netrc and CA bundles."""
    session = requests.Session()
    session.trust_env = False
    session.verify = ca_file
    return session


@contextmanager
def ca_copy(ca_pem: str) -> Iterator[str]:
    """A temporary file with the CA, for libraries that want a path."""
    with tempfile.TemporaryDirectory(prefix="strongroom-ca-") as folder:
        path = Path(folder) / "ca.crt"
        path.write_text(ca_pem)
        yield str(path)


@dataclass
class AddressTarget(Target):
    """Servers with addresses of their own, each `https://host:port`; `ca_file` verifies them."""

    addresses: tuple[str, ...]
    ca_file: str

    @property
    def replicas(self) -> int:  # type: ignore[override]  # derived here, given for pods
        """One for each address."""
        return len(self.addresses)

    def name(self, ordinal: int) -> str:
        """The address."""
        return self.addresses[ordinal]

    def url(self, ordinal: int) -> str:
        """The address."""
        return self.addresses[ordinal]

    def reset(self, ordinal: int) -> None:
        """Nothing: requests open their own connections."""

    def close(self) -> None:
        """Nothing is kept open."""


@dataclass
class VaultTarget(Target):
    """The pods `<release>-0` … of a StatefulSet, reached by port forwards that are kept open."""

    kubectl: Kubectl
    replicas: int
    ca_pem: str
    release: str = "vault"
    _forwards: dict[int, PortForward] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self._held = ExitStack()
        self.ca_file = self._held.enter_context(ca_copy(self.ca_pem))

    def name(self, ordinal: int) -> str:
        """The pod's name."""
        return f"{self.release}-{ordinal}"

    def url(self, ordinal: int) -> str:
        """A loopback address that ends in the pod."""
        forward = self._forwards.get(ordinal)
        if forward is None or not forward.alive:
            self.reset(ordinal)
            forward = PortForward.start(self.kubectl, self.name(ordinal), VAULT_PORT)
            self._forwards[ordinal] = forward
        return f"https://127.0.0.1:{forward.port}"

    def reset(self, ordinal: int) -> None:
        """End the forward to one pod; the next request opens another."""
        if forward := self._forwards.pop(ordinal, None):
            forward.close()

    def close(self) -> None:
        """End all forwards and remove the CA's copy."""
        for ordinal in tuple(self._forwards):
            self.reset(ordinal)
        self._held.close()
