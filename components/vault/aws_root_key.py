"""The access key of a user with which Vault's AWS engine works, where it has one.

Owns the way from the deployer's file into Vault. The file is read by the process that writes to
Vault, so the state holds its path and nothing of the key, neither in clear nor encrypted. Nothing
is read back: Vault and `strongroom rotate` change the key, and only a grown `version` writes the
file's key over it. Without the resource Vault is its pods again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from vaultops.errors import VaultOpsError
from vaultops.target import AddressTarget

_IDENTITY = ("region", "endpoint")


@dataclass(frozen=True, kw_only=True)
class DeployerLogin:
    """Where Vault is, and the paths of the deployer's token and of the CA that verifies Vault."""

    address: str
    token_file: str
    ca_file: str


class RootKeyProvider(dynamic.ResourceProvider):
    """What the engine runs for a `RootKey`; stored by its module path, not by its code."""

    serialize_as_secret_always = False  # it holds nothing, and a secret would blur every diff

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Give Vault the file's key. Raises VaultOpsError."""
        _write(props, _read(Path(props["file"])))
        return dynamic.CreateResult(id_=f"{props['path']}/config/root", outs=props)

    def update(
        self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]
    ) -> dynamic.UpdateResult:
        """Give Vault the file's key anew. Raises VaultOpsError."""
        _write(_news, _read(Path(_news["file"])))
        return dynamic.UpdateResult(outs=_news)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Only the version counts. Raises VaultOpsError when the rest would need it to grow."""
        grown = int(_olds["version"]) != int(_news["version"])
        changed = [name for name in _IDENTITY if _olds.get(name) != _news.get(name)]
        if changed and not grown:
            raise VaultOpsError(
                f"the AWS engine's {' and '.join(changed)} changed, but not the key's version",
                where="strongroom:engines aws.rootKey.version",
                why="Vault replaces its whole AWS identity at once, and only Vault knows its key",
                fix="put a new key into the file and add 1 to the version",
            )
        return dynamic.DiffResult(changes=grown)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Let Vault act as its pods do; the key itself is deleted at AWS, by a person."""
        _write(_props, {})


class RootKey(dynamic.Resource, module="strongroom", name="AwsRootKey"):
    """The root credential of the AWS engine at `path`."""

    def __init__(
        self,
        name: str,
        *,
        path: pulumi.Input[str],
        file: str,
        version: int,
        region: str,
        endpoint: str | None,
        deployer: DeployerLogin,
        opts: pulumi.ResourceOptions,
    ) -> None:
        props = {
            "path": path,
            "file": file,
            "version": version,
            "region": region,
            "endpoint": endpoint,
            "address": deployer.address,
            "token_file": deployer.token_file,
            "ca_file": deployer.ca_file,
        }
        super().__init__(RootKeyProvider(), name, props, opts)


def _read(file: Path) -> dict[str, str]:
    """The two parts of the key. No message shows what is in the file."""
    try:
        key = json.loads(file.expanduser().read_text())["AccessKey"]
        return {"access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]}
    except (OSError, ValueError, LookupError, TypeError):
        raise VaultOpsError(
            "the file holds no access key, so Vault was given none",
            where=f"strongroom:engines aws.rootKey.file, {file}",
            why='it is not {"AccessKey": {"AccessKeyId": …, "SecretAccessKey": …}}',
            fix="write what `aws iam create-access-key` prints into it, and deploy again",
        ) from None


def _write(props: Mapping[str, Any], key: Mapping[str, str]) -> None:
    region, endpoint = props["region"], props.get("endpoint")
    stand_in = {"iam_endpoint": endpoint, "sts_endpoint": endpoint, "sts_region": region}
    target = AddressTarget(
        addresses=(props["address"],), ca_file=str(Path(props["ca_file"]).expanduser())
    )
    token = Path(props["token_file"]).expanduser().read_text().strip()
    with target.pod_client(0, token) as vault:
        vault.write_data(
            f"{props['path']}/config/root",
            data={"region": region, **(stand_in if endpoint else {}), **key},
        )
