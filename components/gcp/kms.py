"""A Cloud KMS key in a ring of its own. Owns rotation, the care taken of deletion, and who uses it.

Google keeps the names of rings and keys for ever; a deleted key's versions are gone and its name
is not free. So both names are the caller's, a ring is left where it is, and can be taken over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components.gcp.labels import standard_labels
from components.vault.inputs import refuse

USE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
# Vault's gcpckms seal asks for the key itself at start (cloudkms.cryptoKeys.get), which the role
# above does not hold. Source: hashicorp/go-kms-wrapping, wrappers/gcpckms, SetConfig.
VIEW = "roles/cloudkms.viewer"
DAY = 24 * 60 * 60  # seconds


@dataclass(frozen=True, kw_only=True)
class KmsKeyArgs:
    """`service_account` is the e-mail address of the one account that uses the key.

    `rotation_days` and `destroy_days` are in days; the latter is how long a destroyed version can
    be restored. With `protect` the engine refuses to delete the key, and forgets it instead of
    deleting it where the program no longer has it. `adopt_key_ring` takes over a ring that exists
    already. A key cannot be taken over: after a `destroy` the next one needs a new name.
    Raises ValueError.
    """

    project: str
    location: str
    key_ring: str
    key: str
    service_account: str
    rotation_days: int = 90
    destroy_days: int = 30
    protect: bool = True
    adopt_key_ring: bool = False

    def __post_init__(self) -> None:
        for name, pattern, like in (
            ("project", r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "example-project"),
            ("location", r"[a-z]+[a-z0-9-]*", "europe-west3"),
            ("key_ring", r"[A-Za-z0-9_-]{1,63}", "strongroom"),
            ("key", r"[A-Za-z0-9_-]{1,63}", "vault-unseal"),
        ):
            value = getattr(self, name)
            if not re.fullmatch(pattern, value):
                raise refuse(
                    name,
                    value,
                    "is no such name at Google; Vault would look for a key that cannot be",
                    f"Write it like {like}",
                )
        if not re.fullmatch(
            r"[a-z][a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com", self.service_account
        ):
            raise refuse(
                "service_account",
                self.service_account,
                "is no service account; a person, a group or everybody could unseal Vault",
                f"Write it like vault@{self.project}.iam.gserviceaccount.com",
            )
        if not 1 <= self.rotation_days <= 365:
            raise refuse(
                "rotation_days",
                self.rotation_days,
                "is outside 1 to 365 days; one version would seal too much, or Google refuse it",
                "Use 90",
            )
        if not 1 <= self.destroy_days <= 120:
            raise refuse(
                "destroy_days",
                self.destroy_days,
                "is outside 1 to 120 days; Google would refuse the key",
                "Use 30, the time in which a mistake can be taken back",
            )


class KmsKey(pulumi.ComponentResource):
    """Produces the ring, the key, who may use it and who may look at it.

    `key_id` is projects/…/locations/…/keyRings/…/cryptoKeys/…; it is there when the account can
    use the key.
    """

    key_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: KmsKeyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:gcp:KmsKey", name, {}, opts)
        guarded = pulumi.ResourceOptions(
            parent=self, protect=args.protect, retain_on_delete=args.protect
        )
        ring_id = f"projects/{args.project}/locations/{args.location}/keyRings/{args.key_ring}"
        ring = gcp.kms.KeyRing(
            f"{name}-ring",
            project=args.project,
            location=args.location,
            name=args.key_ring,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect,
                retain_on_delete=True,  # Google deletes no ring; the engine shall not say it did
                import_=ring_id if args.adopt_key_ring else None,
            ),
        )
        key = gcp.kms.CryptoKey(
            f"{name}-key",
            key_ring=ring.id,
            name=args.key,
            purpose="ENCRYPT_DECRYPT",
            rotation_period=f"{args.rotation_days * DAY}s",
            destroy_scheduled_duration=f"{args.destroy_days * DAY}s",
            labels=standard_labels("kms-key"),
            opts=guarded,
        )
        member = f"serviceAccount:{args.service_account}"
        # Guarded like the key: without them Vault stays sealed as surely as without it.
        view = gcp.kms.CryptoKeyIAMMember(
            f"{name}-view", crypto_key_id=key.id, role=VIEW, member=member, opts=guarded
        )
        # A binding has the last word on its role at this key: whoever else was given it loses it.
        use = gcp.kms.CryptoKeyIAMBinding(
            f"{name}-use",
            crypto_key_id=key.id,
            role=USE,
            members=[member],
            opts=pulumi.ResourceOptions.merge(guarded, pulumi.ResourceOptions(depends_on=[view])),
        )
        self.key_id = use.crypto_key_id
        self.register_outputs({"key_id": self.key_id})
