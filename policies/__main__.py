"""Serves the pack to the engine. Wires only: `PolicyPack` never returns."""

import sys
from pathlib import Path

from pulumi_policy import EnforcementLevel, PolicyPack

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from policies.pack import policies
from policies.rules import RULES

PolicyPack(
    name="strongroom",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=policies(RULES),
)
