"""Values for the scanners' corpus: secrets that open nothing, and what is often mistaken for one.

Owns the forms. Everything is made from a seed when it is asked for; none is written in a file of
this repository, and none was ever valid anywhere.
"""

from __future__ import annotations

import base64
import string
import uuid
import zlib
from collections.abc import Callable, Mapping
from random import Random

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

Maker = Callable[[Random], str]

BASE62 = string.ascii_letters + string.digits
_URL_SAFE = f"{BASE62}-_"
_BASE64 = f"{BASE62}+/"
_HEX = "0123456789abcdef"


def letters(random: Random, count: int, alphabet: str = BASE62) -> str:
    """So many letters of the alphabet."""
    return "".join(random.choices(alphabet, k=count))


def share(random: Random) -> str:
    """33 bytes, as `vault operator init` prints a share: base64, or hex with `-format=json`."""
    raw = random.randbytes(33)
    return base64.b64encode(raw).decode() if random.random() < 0.7 else raw.hex()


def identifier(random: Random) -> str:
    """A random UUID."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def aws_pair(random: Random) -> str:
    """An access key's id and secret, in two lines of the form that `key` and `secret` replace."""
    key = "AKIA" + letters(random, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    return f"{key}\n{letters(random, 40, _BASE64)}"


def database_url(random: Random) -> str:
    """A connection string with a password."""
    scheme = random.choice(("postgres", "postgresql", "mysql", "mongodb", "redis", "amqp"))
    host = random.choice(("db", "postgresql.data.svc", "10.20.3.4", "queue.internal"))
    password = letters(random, random.randint(14, 24))
    return f"{scheme}://{random.choice(('app', 'ml', 'mlflow'))}:{password}@{host}:5432/features"


def private_key(random: Random) -> str:
    """An EC key, in one of two PEM forms."""
    key = ec.derive_private_key(random.getrandbits(250) + 1, ec.SECP256R1())
    form = random.choice((PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL))
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode().strip()


def github_token(random: Random) -> str:
    """A personal access token with its checksum."""
    body = letters(random, 30)
    number, check = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        check = (string.digits + string.ascii_uppercase + string.ascii_lowercase)[digit] + check
    return f"ghp_{body}{check.rjust(6, '0')}"


SECRETS: Mapping[str, Maker] = {
    "vault root token": lambda r: f"hvs.{letters(r, 24)}",
    "vault service token": lambda r: f"hvs.CAESI{letters(r, r.randint(82, 90), _URL_SAFE)}",
    "vault batch token": lambda r: f"hvb.AAAAAQ{letters(r, r.randint(132, 180), _URL_SAFE)}",
    "vault recovery token": lambda r: f"hvr.{letters(r, 24)}",
    "wrapping token": lambda r: f"hvs.CAESI{letters(r, r.randint(82, 90), _URL_SAFE)}",
    "openbao token": lambda r: f"s.{letters(r, 24)}",
    "openbao batch token": lambda r: f"b.AAAAAQ{letters(r, r.randint(90, 140), _URL_SAFE)}",
    "unseal share": share,
    "recovery share": share,
    "approle secret id": identifier,
    "aws key pair": aws_pair,
    "database url": database_url,
    "private key": private_key,
    "github token": github_token,
}


def certificate(random: Random) -> str:
    """The form of a certificate."""
    body = base64.b64encode(b"\x30\x82" + random.randbytes(700)).decode()
    wrapped = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN CERTIFICATE-----\n{wrapped}\n-----END CERTIFICATE-----"


def stand_in(random: Random) -> str:
    """A token's place, as documentation and templates mark it."""
    return random.choice(
        (
            f"hvs.{random.choice('Xx*') * 24}",
            "<your-vault-token>",
            "${VAULT_TOKEN}",
            "{{ vault_token }}",
            "hvs.your-token-goes-here-now",
            f"s.{'x' * 24}",
            "hvs.EXAMPLE" + "TOKENEXAMPLETOKEN",
        )
    )


def open_url(random: Random) -> str:
    """A connection string without a password that anybody has."""
    return random.choice(
        (
            "postgres://app:${DB_PASSWORD}@db:5432/features",
            "postgresql://{{username}}:{{password}}@db:5432/features",
            "postgres://user:" + "password@localhost:5432/features",
            "mysql://app:<password>@db:3306/features",
            "redis://cache.internal:6379/0",
        )
    )


def documented_pair(_random: Random) -> str:
    """The key of Amazon's own documentation, put together here so that no scanner stops at it."""
    return "AKIA" + f"IOSFODNN7EXAMPLE\nwJalrXUtnFEMI/K7MDENG/bPxRfiCY{'EXAMPLE' + 'KEY'}"


HARMLESS: Mapping[str, Maker] = {
    "commit": lambda r: letters(r, 40, _HEX),
    "image digest": lambda r: f"sha256:{letters(r, 64, _HEX)}",
    "uuid": identifier,
    "placeholder": stand_in,
    "certificate": certificate,
    "lock file": lambda r: f"sha512-{base64.b64encode(r.randbytes(64)).decode()}",
    "audit hmac": lambda r: f"hmac-sha256:{letters(r, 64, _HEX)}",
    "token accessor": lambda r: letters(r, 24),
    "secret id accessor": identifier,
    "public key": lambda r: f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{letters(r, 43, _BASE64)}",
    "ciphertext": lambda r: f"vault:v1:{base64.b64encode(r.randbytes(60)).decode()}",
    "sealed secret": lambda r: f"AgB{letters(r, 520, _BASE64)}",
    "reference": lambda r: r.choice(
        ("ml-training-database", "kv/data/ml/training", "vault-tls", "database/creds/readonly")
    ),
    "url without password": open_url,
    "documented key": documented_pair,
    "fingerprint of a share": lambda r: letters(r, 64, _HEX),
}
