"""Vault's own configuration file, as HCL text.

Owns the listener, storage, peers, seal and telemetry stanzas. It is kept in a ConfigMap, so nothing
in it is secret. Where a pod is placed and what it may do is values.py's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from components.vault.seal import Seal
from components.vault.tls import CA_KEY, peer_addresses

TLS_MOUNT = "/vault/tls"
CERTIFICATE_FILE = f"{TLS_MOUNT}/tls.crt"
KEY_FILE = f"{TLS_MOUNT}/tls.key"
CA_FILE = f"{TLS_MOUNT}/{CA_KEY}"


class TlsVersion(StrEnum):
    """The oldest TLS version the listener accepts, as Vault writes it."""

    TLS12 = "tls12"
    TLS13 = "tls13"


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """What the text is made from."""

    release: str
    replicas: int
    seal: Seal
    min_tls: TlsVersion = TlsVersion.TLS13
    telemetry: bool = True

    def hcl(self) -> str:
        """The whole file. The same input gives the same text."""
        stanzas = [
            "ui = true\n# Raft keeps its data in memory-mapped files, which cannot be locked.\n"
            "disable_mlock = true\n",
            self._listener(),
            self._storage(),
            self.seal.hcl(),
            'service_registration "kubernetes" {}\n',
            _TELEMETRY if self.telemetry else "",
        ]
        return "\n".join(stanza for stanza in stanzas if stanza)

    def _listener(self) -> str:
        return f"""\
listener "tcp" {{
  address         = "[::]:8200"
  cluster_address = "[::]:8201"
  tls_cert_file   = "{CERTIFICATE_FILE}"
  tls_key_file    = "{KEY_FILE}"
  tls_min_version = "{self.min_tls}"

  telemetry {{
    unauthenticated_metrics_access = false
  }}
  custom_response_headers {{
    default = {{
      "Strict-Transport-Security" = ["max-age=31536000"]
    }}
  }}
}}
"""

    def _storage(self) -> str:
        # The multiplier's default of 5 is meant for tiny machines; 1 is Vault's advice for
        # production and shortens the search for a new leader fivefold.
        joins = "".join(
            f"""
  retry_join {{
    leader_api_addr     = "{address}"
    leader_ca_cert_file = "{CA_FILE}"
  }}
"""
            for address in peer_addresses(self.release, self.replicas)
        )
        return f"""\
storage "raft" {{
  path                   = "/vault/data"
  performance_multiplier = 1
{joins}}}
"""


_TELEMETRY = """\
telemetry {
  prometheus_retention_time = "24h"
  disable_hostname          = true
}
"""
