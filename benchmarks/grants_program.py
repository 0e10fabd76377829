"""A Pulumi program of grants alone, for a Vault that runs already.

It is copied into a project of its own; the configuration says where the grants' files lie. The
processor time that this process took, in seconds, is left in a file: the program's own share.
"""

from __future__ import annotations

import atexit
import sys
import time
from pathlib import Path

import pulumi
import pulumi_vault as vault

config = pulumi.Config("benchmark")
sys.path.insert(0, config.require("repository"))

from access.grant import Grant  # noqa: E402 -- found by the path above
from components.vault.grant import VaultGrant, VaultGrantArgs  # noqa: E402 -- as well
from settings.grant_files import gather  # noqa: E402 -- as well
from wiring import collector  # noqa: E402 -- as well

share = Path(config.require("share"))
atexit.register(lambda: share.write_text(str(time.process_time())))
collector.search_rarely()
opts = pulumi.ResourceOptions(providers=[vault.Provider("vault", skip_child_token=True)])
for row in gather(config.require("grants")).rows:
    grant = Grant.model_validate(row)
    VaultGrant(f"grant-{grant.name}", VaultGrantArgs(grant=grant, auth_path="kubernetes"), opts)
