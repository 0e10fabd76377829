"""The stack's configuration as typed, validated values; all mistakes are reported at once.

`loader.load()` reads the running stack, `reader.read()` a stack file's values, `Settings.parse()`
any mapping. No setting holds a secret.
"""

from __future__ import annotations

from settings.cloud import Cloud
from settings.environments import Environment
from settings.errors import Problem, SettingsError
from settings.root import Settings

__all__ = ["Cloud", "Environment", "Problem", "Settings", "SettingsError"]
