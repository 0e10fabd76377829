"""What decrypts Vault's root key at start, as Vault's own configuration states it.

Owns the `seal` stanza, and what the server's pods need beside it: annotations of their service
account, environment variables read from Secrets, a mounted CA. Everything here is known before
anything is deployed; AWS keys are named by alias for that reason. No credential passes through.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

TRANSIT_CA_PATH = "/vault/seal/ca.crt"
REPLACED_AT_START = ("HOST_IP", "POD_IP", "HOSTNAME", "API_ADDR", "TRANSIT_ADDR", "RAFT_ADDR")


class SealType(StrEnum):
    """Vault's names of its seals."""

    AWSKMS = "awskms"
    GCPCKMS = "gcpckms"
    TRANSIT = "transit"
    SHAMIR = "shamir"


@dataclass(frozen=True, kw_only=True)
class SecretVariable:
    """An environment variable that pods read from `key` of the Secret `secret_name`."""

    name: str
    secret_name: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Seal:
    """A seal. `stanza` is empty for Shamir, Vault's default.

    Raises ValueError for a value that would end its string, or that the chart would replace.
    """

    type: SealType
    stanza: dict[str, str] = field(default_factory=dict)
    account_annotations: dict[str, str] = field(default_factory=dict)
    variables: tuple[SecretVariable, ...] = ()
    ca_secret: str | None = None

    def __post_init__(self) -> None:
        for key, value in self.stanza.items():
            if not value or not value.isprintable() or any(c in value for c in '"\\${}'):
                raise ValueError(
                    f"seal {self.type}, {key}: {value!r} is empty or holds a quote, brace, dollar "
                    "sign, backslash or line break, which would change the meaning of Vault's "
                    "configuration. Use the plain name."
                )
            if word := next((w for w in REPLACED_AT_START if w in value), None):
                raise ValueError(
                    f"seal {self.type}, {key}: {value!r} holds {word}, which HashiCorp's chart "
                    "replaces in the configuration when a pod starts; Vault would ask for another "
                    "key. Use a name without it."
                )

    def hcl(self) -> str:
        """The stanza as text; empty for Shamir."""
        if not self.stanza:
            return ""
        lines = "".join(f'  {key} = "{value}"\n' for key, value in self.stanza.items())
        return f'seal "{self.type}" {{\n{lines}}}\n'


def awskms(
    *,
    region: str,
    key: str,
    role: str | None = None,
    endpoint: str | None = None,
    stand_in_credentials: str | None = None,
) -> Seal:
    """An AWS KMS key, by id, ARN or `alias/…`.

    `role` is the IAM role that the pods' service account assumes. `endpoint` and the Secret
    `stand_in_credentials` replace AWS by a stand-in and belong together. Raises ValueError for one
    without the other, and for both kinds of identity at once.
    """
    if (endpoint is None) != (stand_in_credentials is None):
        raise ValueError(
            "endpoint: a stand-in needs both an endpoint and a Secret with its made-up "
            "credentials; with one of them the real AWS would be asked with the wrong ones. Set "
            "both, or none for AWS."
        )
    if role and endpoint:
        raise ValueError(
            f"role: {role!r} cannot be assumed at the stand-in {endpoint!r}. Remove one of them."
        )
    variables: tuple[SecretVariable, ...] = ()
    if stand_in_credentials:
        variables = tuple(
            SecretVariable(name=name, secret_name=stand_in_credentials, key=name)
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        )
    return Seal(
        type=SealType.AWSKMS,
        stanza={
            "region": region,
            "kms_key_id": key,
            **({"endpoint": endpoint} if endpoint else {}),
        },
        account_annotations={"eks.amazonaws.com/role-arn": role} if role else {},
        variables=variables,
    )


def gcpckms(
    *, project: str, region: str, key_ring: str, key: str, service_account: str | None = None
) -> Seal:
    """A Cloud KMS key. `service_account` is the Google account that the pods act as."""
    annotation = "iam.gke.io/gcp-service-account"
    return Seal(
        type=SealType.GCPCKMS,
        stanza={
            "project": project,
            "region": region,
            "key_ring": key_ring,
            "crypto_key": key,
        },
        account_annotations={annotation: service_account} if service_account else {},
    )


def transit(
    *, address: str, mount: str, key_name: str, token_secret: str, ca_secret: str | None = None
) -> Seal:
    """The Transit engine of another Vault, reached with the token in `token_secret`'s `token`."""
    if not address.startswith("https://"):
        raise ValueError(
            f"address: {address!r} is not https; this Vault's root key would cross the network in "
            "clear. Use an https:// address."
        )
    return Seal(
        type=SealType.TRANSIT,
        stanza={
            "address": address,
            "mount_path": mount.rstrip("/") + "/",
            "key_name": key_name,
            **({"tls_ca_cert": TRANSIT_CA_PATH} if ca_secret else {}),
        },
        variables=(SecretVariable(name="VAULT_TOKEN", secret_name=token_secret, key="token"),),
        ca_secret=ca_secret,
    )


def shamir() -> Seal:
    """Shares that people enter after every start of a pod."""
    return Seal(type=SealType.SHAMIR)
