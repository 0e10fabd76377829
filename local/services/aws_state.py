"""The stand-in's memory on disk. Owns which backends are kept and the file's safety.

moto keeps everything in memory; without this a Vault sealed by its KMS could never be unsealed
again after a crash. The file holds keys in the clear and is unpickled, which runs what it says:
a file that another user owns or may read or write is refused.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import stat
from collections import defaultdict
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from moto import backends
from moto.core.base_backend import BaseBackend

from local.files import write_private

SERVICES = ("kms", "iam", "awslambda_simple", "logs", "s3", "secretsmanager", "sts", "sns")
LAMBDA = (lambda: None).__name__
_PRIVATE_KEYS = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)


def _backends(service: str) -> Any:
    """moto's backends of one service: account, then region, then the backend."""
    if service == "awslambda_simple":  # by its name moto finds only the one that needs Docker
        from moto.awslambda_simple.models import lambda_simple_backends

        return lambda_simple_backends
    return backends.get_backend(service)  # type: ignore[call-overload] # typed name by name


class StateError(Exception):
    """The state file must not be trusted or cannot be read."""


class StateFile:
    """Backends saved to and restored from one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._saved = b""

    def load(self) -> bool:
        """Put the saved state into moto's backends; False when there is none.

        Raises StateError for a file that is not ours alone or not a state.
        """
        content = _read_own(self.path)
        if content is None:
            return False
        try:
            state = _Unpickler(io.BytesIO(content)).load()
            for (service, account, region), attributes in state["backends"].items():
                _backends(service)[account][region].__dict__.update(attributes)
            _backends("s3").bucket_accounts.update(state["buckets"])
        except (pickle.UnpicklingError, AttributeError, ImportError, EOFError, KeyError) as error:
            raise StateError(
                f"{self.path} is not a state of this version: {error}; move it away to start empty"
            ) from error
        self._saved = hashlib.sha256(content).digest()
        return True

    def save(self) -> None:
        """Write the backends durably when anything in them changed since the last time."""
        state = {
            "backends": {
                (service, account, region): backend.__dict__
                for service in SERVICES
                for account, region, backend in _backends(service).iter_backends()
            },
            "buckets": _backends("s3").bucket_accounts,
        }
        buffer = io.BytesIO()
        _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(state)
        digest = hashlib.sha256(buffer.getbuffer()).digest()
        if digest != self._saved:
            write_private(self.path, buffer.getvalue())
            self._saved = digest


def _read_own(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"{path}: refused, because it cannot be opened safely: {error}") from error
    with os.fdopen(descriptor, "rb") as stream:
        found = os.fstat(stream.fileno())
        mode = stat.S_IMODE(found.st_mode)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or mode & 0o077:
            raise StateError(
                f"{path}: refused, because loading it runs what is in it, and it is not a regular "
                f"file of user {os.geteuid()} with mode 0600 (owner {found.st_uid}, mode "
                f"{mode:04o}); if nobody else could write it, `chown` and `chmod 600` it"
            )
        return stream.read()


def private_key(der: bytes) -> Any:
    """A private key as the state file holds it; the file names this function."""
    return serialization.load_der_private_key(der, password=None)


class _Pickler(pickle.Pickler):
    """Knows what pickle does not: private keys, backends, and two of Lambda's kinds of mapping."""

    def persistent_id(self, obj: Any) -> tuple[str, str, str] | None:
        if isinstance(obj, BaseBackend):
            return type(obj).__module__.split(".")[1], obj.account_id, obj.region_name
        return None

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, _PRIVATE_KEYS):
            der = obj.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            return private_key, (der,)
        if isinstance(obj, WeakValueDictionary):
            return WeakValueDictionary, (dict(obj),)
        # A mapping of mappings, whose factory has no name to be found by.
        if isinstance(obj, defaultdict) and getattr(obj.default_factory, "__name__", "") == LAMBDA:
            return defaultdict, (dict,), None, None, iter(obj.items())
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: Any) -> Any:
        service, account, region = pid
        return _backends(service)[account][region]
