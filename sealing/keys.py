"""The controller's sealing keys: listed, backed up, restored, and tried on sealed files.

Owns the backup's form: the Secrets as they are in the cluster, their values encrypted by sops,
their names and certificates' fingerprints readable, so that it can be told without a key how fresh
a backup is. Private keys pass through this process and through pipes; no disk sees them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sealing import certificates, kubeseal, sops
from sealing.files import Document, State
from sealing.programs import run
from vaultops.errors import DoubtError, VaultOpsError
from vaultops.kubectl import Kubectl

LABEL = "sealedsecrets.bitnami.com/sealed-secrets-key"
COMPROMISED = "compromised"
FINGERPRINT = "strongroom.dev/sealing-certificate"
ENCRYPTED_FIELDS = "^data$"
MANAGER = "strongroom-restore"


@dataclass(frozen=True, kw_only=True)
class SealingKey:
    """A key pair of the controller, without its private half. `made` is the certificate's start."""

    name: str
    fingerprint: str
    made: datetime
    compromised: bool


@dataclass(frozen=True)
class Keys:
    """Opened keys: what they are, and their Secrets with the private halves."""

    known: tuple[SealingKey, ...]
    secrets: tuple[Document, ...]

    def __repr__(self) -> str:
        return f"Keys({len(self.known)})"

    @property
    def newest(self) -> SealingKey:
        """The key that the controller seals with."""
        return max((k for k in self.known if not k.compromised), key=lambda key: key.made)

    def listing(self, *names: str) -> bytes:
        """A List of the Secrets (of those named), as kubectl and kubeseal read it."""
        chosen = [s for s in self.secrets if not names or s["metadata"]["name"] in names]
        return json.dumps({"apiVersion": "v1", "kind": "List", "items": chosen}).encode()


def in_cluster(kubectl: Kubectl) -> Keys:
    """The controller's keys. Raises VaultOpsError when there are none."""
    answer = json.loads(
        run(kubectl.command("get", "secrets", "--selector", LABEL, "--output=json"))
    )
    return _opened(answer, source=f"namespace {kubectl.namespace}")


def back_up(kubectl: Kubectl, recipients: sops.Recipients) -> tuple[bytes, Keys]:
    """The encrypted backup of every key, and what is in it."""
    options = recipients.options()
    keys = in_cluster(kubectl)
    encrypted = sops.encrypt(keys.listing(), recipients, fields=ENCRYPTED_FIELDS)
    for secret in json.loads(encrypted)["items"]:
        if any(not str(value).startswith("ENC[") for value in secret["data"].values()):
            raise DoubtError(
                "the backup is not encrypted throughout; it was not written",
                where=secret["metadata"]["name"],
                why=f"sops with {options[0]} left a value in clear",
                fix="use sops 3.11 or newer",
            )
    return encrypted, keys


def fingerprints(backup: bytes, *, source: str) -> set[str]:
    """The certificates whose keys are in a backup, read without opening it."""
    items = _items(backup, source)
    return {item["metadata"]["annotations"][FINGERPRINT] for item in items}


def opened(backup: bytes, *, source: str) -> Keys:
    """The keys of a backup, opened with a key that this person has."""
    _items(backup, source)
    return _opened(json.loads(sops.decrypt(backup)), source=source)


def restore(kubectl: Kubectl, keys: Keys) -> None:
    """Put keys into the cluster and restart the controller, which reads them at its start only.

    A key of the same name and another value is refused by the API server, not replaced.
    """
    # Server-side: an ordinary apply would write the private key into an annotation as well.
    apply = ("apply", "--server-side", f"--field-manager={MANAGER}", "--filename=-")
    run(kubectl.command(*apply), keys.listing())
    deployment = f"deployment/{certificates.CONTROLLER}"
    run(kubectl.command("rollout", "restart", deployment))
    run(kubectl.command("rollout", "status", deployment, "--timeout=100s"))


def tried(document: Document, keys: Keys) -> State | None:
    """Whether the newest key opens `document`, or an older one; None when none of them does."""
    if kubeseal.opens(document, keys.listing(keys.newest.name)):
        return State.CURRENT
    return State.OLD if kubeseal.opens(document, keys.listing()) else None


def _opened(listing: Mapping[str, Any], *, source: str) -> Keys:
    known, secrets = [], []
    for item in listing.get("items") or []:
        metadata, data = item["metadata"], item["data"]
        certificate = certificates.read(
            base64.b64decode(data["tls.crt"]), source=f"{source}, {metadata['name']}"
        )
        labels = metadata.get("labels") or {}
        known.append(
            SealingKey(
                name=metadata["name"],
                fingerprint=certificate.fingerprint,
                made=certificate.not_before,
                compromised=labels.get(LABEL) == COMPROMISED,
            )
        )
        secrets.append(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {
                    "name": metadata["name"],
                    "namespace": metadata["namespace"],
                    "labels": labels,
                    "annotations": {FINGERPRINT: certificate.fingerprint},
                },
                "type": item.get("type", "kubernetes.io/tls"),
                "data": {key: data[key] for key in ("tls.crt", "tls.key")},
            }
        )
    if not known:
        raise VaultOpsError(
            "no sealing key there",
            where=source,
            why=f"no Secret has the label {LABEL}",
            fix="deploy the stack; the controller makes its first key when it starts",
        )
    order = sorted(range(len(known)), key=lambda place: known[place].made)
    return Keys(tuple(known[i] for i in order), tuple(secrets[i] for i in order))


def _items(backup: bytes, source: str) -> Sequence[Document]:
    try:
        document = json.loads(backup)
        items: Sequence[Document] = document["items"]
        whole = bool(items) and "sops" in document
        whole &= all(FINGERPRINT in item["metadata"]["annotations"] for item in items)
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise VaultOpsError(
            "no backup of sealing keys",
            where=source,
            why="it is not what `strongroom seal backup-keys` writes",
            fix="give the backup's file",
        )
    return items
