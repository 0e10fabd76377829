"""A Pulumi program of engines and auth methods alone, for a Vault that runs already.

Its configuration holds the two sections as the program's own stack files have them, and where the
files are. It is copied into a project of its own.
"""

from __future__ import annotations

import sys

import pulumi
import pulumi_vault as vault

config = pulumi.Config("test")
sys.path.insert(0, config.require("repository"))

from components.vault.aws_root_key import DeployerLogin  # noqa: E402 -- found by the path above
from settings.auth import Auth  # noqa: E402 -- the path is set first
from settings.cloud import Aws  # noqa: E402 -- the path is set first
from settings.engines import Engines  # noqa: E402 -- the path is set first
from wiring import auth, engines, files  # noqa: E402 -- the path is set first

wanted = Engines.model_validate(config.require_object("engines"))
logins = Auth.model_validate(config.require_object("auth"))
read = files.read(wanted, logins, source="the test")
provider = vault.Provider(
    "vault",
    address=config.require("address"),
    auth_login_token_file=vault.ProviderAuthLoginTokenFileArgs(filename=config.require("token")),
    skip_child_token=True,
)
aws = Aws(region="eu-central-1")
opts = pulumi.ResourceOptions(providers=[provider])
engines.engines(
    wanted,
    read,
    address="https://vault.example.com:8200",
    deployer=DeployerLogin(
        address=config.require("address"),
        token_file=config.require("token"),
        ca_file=config.require("ca"),
    ),
    aws=aws,
    protect=False,
    opts=opts,
)
auth.methods(logins, read, aws=aws, opts=opts)
