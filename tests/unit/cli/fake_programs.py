"""Fakes of kubectl, kubeseal and sops as one small program: its name, a folder, the arguments.

Starts fast because it imports next to nothing. A fake sealed value says which certificate it was
sealed for, a fake encrypted one can be undone by anybody.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

PREFIX = "sealed-for-"


def fingerprint(pem: bytes) -> str:
    """The SHA-256 of the one certificate in `pem`."""
    body = b"".join(line for line in pem.splitlines() if not line.startswith(b"-----"))
    return hashlib.sha256(base64.b64decode(body)).hexdigest()


def kubectl(at: Path, line: str, _options: dict[str, str]) -> None:
    """The API server's answers are files in the folder."""
    if "cert.pem" in line:
        print((at / "cert.pem").read_text(), end="")
    elif "get secrets" in line:
        print((at / "keys.json").read_text())
    elif "apply" in line:
        (at / "applied.json").write_text(sys.stdin.read())
    elif "rollout" not in line:
        sys.exit(f"the fake does not know {line}")


def kubeseal(at: Path, line: str, options: dict[str, str]) -> None:
    """A value becomes a word that names the certificate."""
    if "--recovery-unseal" in line:
        secrets = json.load(sys.stdin)["items"]
        known = {fingerprint(base64.b64decode(s["data"]["tls.crt"])) for s in secrets}
        document = json.loads(Path(options["--secret-file"]).read_text())
        values = document["spec"]["encryptedData"].values()
        if not all(value.removeprefix(PREFIX) in known for value in values):
            sys.exit("error: no key could decrypt secret (token)")
    elif "--re-encrypt" in line:
        document = json.load(sys.stdin)
        newest = PREFIX + fingerprint((at / "cert.pem").read_bytes())
        document["spec"]["encryptedData"] = dict.fromkeys(document["spec"]["encryptedData"], newest)
        print(json.dumps(document))
    else:
        value = PREFIX + fingerprint(Path(options["--cert"]).read_bytes())
        sealed = [_sealed(secret, value) for secret in yaml.safe_load_all(sys.stdin)]
        print(yaml.safe_dump_all(sealed))


def sops(at: Path, line: str, _options: dict[str, str]) -> None:
    """`leaky` in the folder leaves values in clear."""
    document = json.load(sys.stdin)
    change: Callable[[str], str]
    if "decrypt" in line:
        del document["sops"]
        change = lambda value: value.removeprefix("ENC[").removesuffix("]")  # noqa: E731 -- one line of a fake
    else:
        document["sops"] = {"mac": "fake"}
        leaky = (at / "leaky").exists()
        change = lambda value: value if leaky else f"ENC[{value}]"  # noqa: E731 -- one line of a fake
    for item in document["items"]:
        item["data"] = {key: change(value) for key, value in item["data"].items()}
    print(json.dumps(document))


def _sealed(secret: dict[str, Any], value: str) -> dict[str, Any]:
    return {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {**secret["metadata"], "creationTimestamp": None},
        "spec": {"encryptedData": dict.fromkeys(secret["stringData"], value)},
    }


def main(program: str, folder: str, *arguments: str) -> None:
    """Note the call and answer it."""
    at, line = Path(folder), " ".join(arguments)
    with (at / "calls").open("a") as log:
        log.write(f"{program} {line}\n")
    known = {"kubectl": kubectl, "kubeseal": kubeseal, "sops": sops}
    known[program](at, line, dict(itertools.pairwise(arguments)))


if __name__ == "__main__":
    main(*sys.argv[1:])
