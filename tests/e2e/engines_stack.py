"""A stack of engines and auth methods alone, deployed by the real engine to a running Vault.

Owns the project and the sections of its settings; engines_program.py is its program.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from local import toolchain
from local.paths import REPOSITORY
from tests.e2e.vault_and_postgresql import Servers
from tests.local.rotation_aws import FakeAws
from tests.preview.engine import Engine

TOOLS = (
    "pulumi",
    "pulumi-language-python",
    "pulumi-language-python-exec",
    "pulumi-resource-pulumi-python",
    "pulumi-resource-vault",
)
BIND_PASSWORD = "fake-bind-password-for-tests"


class EnginesStack:
    """The program of engines_program.py in a project of its own."""

    def __init__(self, servers: Servers, aws: FakeAws, folder: Path) -> None:
        self.servers = servers
        self.aws = aws
        self.key_file = folder / "aws-key"
        self.password_file = folder / "database-password"
        bind = folder / "bind-password"
        for path, value in (
            (self.password_file, servers.database.vault_password_file.read_text()),
            (bind, BIND_PASSWORD),
            (self.key_file, as_aws_prints(aws.vault)),
        ):
            path.touch(mode=0o600)
            path.write_text(value)
        self.engines = self._engines()
        self._auth = _auth_section(servers, bind)
        self._engine = Engine(toolchain.bin_dir(TOOLS), folder, "test", project=folder)
        shutil.copy(Path(__file__).with_name("engines_program.py"), folder / "__main__.py")
        self._engine.configure(self._config())

    def run(self, *command: str) -> str:
        """Run a command of the engine on the sections as they are now; its output."""
        written = yaml.safe_load(self._engine.config_file.read_text())
        self._engine.config_file.write_text(yaml.safe_dump(written | {"config": self._config()}))
        done = self._engine.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def up(self, *arguments: str) -> str:
        return self.run("up", "--yes", "--skip-preview", *arguments)

    def exported(self) -> str:
        """The state with every secret decrypted."""
        return self._engine.exported("--show-secrets")

    def state_files(self) -> str:
        folder = self._engine.folder / "state"
        return "".join(p.read_text(errors="replace") for p in folder.rglob("*") if p.is_file())

    def _config(self) -> dict[str, Any]:
        return {
            "test:repository": str(REPOSITORY),
            "test:address": self.servers.vault.url,
            "test:token": str(self.servers.folder / "token"),
            "test:ca": str(self.servers.database.ca_file),
            "test:engines": self.engines,
            "test:auth": self._auth,
        }

    def _engines(self) -> dict[str, Any]:
        database = self.servers.database
        return {
            "database": {
                "host": "127.0.0.1",
                "port": database.host_port,
                "database": database.database,
                "passwordFile": str(self.password_file),
                "caFile": str(database.ca_file),
                "roles": [
                    {"name": "ml-readonly"},
                    {"name": "ml-readwrite", "access": "read-write"},
                ],
                "staticRoles": [
                    {"name": "ml-tracking", "username": "tracking", "schedule": "0 3 * * 0"}
                ],
            },
            "aws": {
                "endpoint": self.aws.endpoint,
                "rootKey": {"file": str(self.key_file)},
                "roles": [
                    {
                        "name": "ml-s3-access",
                        "role": "arn:aws:iam::123456789012:role/ml",
                        "buckets": ["example-data"],
                    }
                ],
            },
            "pki": {
                "commonName": "Example ML",
                "roles": [{"name": "serving", "domains": ["ml-serving.svc.cluster.local"]}],
            },
            "transit": {"keys": [{"name": "ml-models"}]},
        }


def as_aws_prints(key: tuple[str, str]) -> str:
    """A new key as `aws iam create-access-key` prints it."""
    return json.dumps({"AccessKey": {"AccessKeyId": key[0], "SecretAccessKey": key[1]}})


def _auth_section(servers: Servers, bind: Path) -> dict[str, Any]:
    return {
        "appRole": {"roles": [{"name": "batch", "cidrs": ["127.0.0.0/8"], "policies": ["batch"]}]},
        "ldap": {
            "url": "ldaps://directory.example.com",
            "caFile": str(servers.database.ca_file),
            "bindDn": "cn=vault,dc=example,dc=com",
            "bindPasswordFile": str(bind),
            "userDn": "ou=people,dc=example,dc=com",
            "groupDn": "ou=groups,dc=example,dc=com",
            "groups": {"ml-engineers": ["ml-engineers"]},
        },
        "github": {
            "organization": "example-org",
            "organizationId": 1,
            "teams": {"ml-engineers": ["ml-engineers"]},
        },
    }
