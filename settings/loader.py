"""Reads the stack's configuration from the running engine.

The SDK's Config answers single keys only, so a misspelt key would go unseen: this takes all of
them. Apart from `reader` because the command line, and what runs in the cluster, has no engine.
"""

from __future__ import annotations

import pulumi
from pulumi.runtime import config as engine

from settings.reader import read
from settings.root import Settings


def load() -> Settings:
    """The settings of the stack being deployed. Raises SettingsError with every mistake."""
    return read(
        {**engine.get_config_env(), **engine.CONFIG.get()},
        secret_keys={*engine.get_config_secret_keys_env(), *engine._SECRET_KEYS.get()},
        source=f"Pulumi.{pulumi.get_stack()}.yaml",
    )
