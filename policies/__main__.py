"""Serves the pack to the engine. Wires only: `PolicyPack` never returns."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from pulumi.runtime import get_config_env
from pulumi_policy import EnforcementLevel, PolicyPack

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from policies.pack import environment, policies
from policies.rules import ALL
from policies.waivers import FILE, load

PolicyPack(
    name="strongroom",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=policies(
        ALL,
        environment(get_config_env()),
        load(FILE, (rule.id for rule in ALL), datetime.now(UTC).date()),
    ),
)
