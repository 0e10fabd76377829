"""Serves the pack to the engine. Wires only: `PolicyPack` never returns.

The engine tells a pack the configuration of its stack once it runs (ConfigureStack), and the SDK
keeps only the stack's tags of it. So the call is listened to here: the policies of the stack's own
environment take the place of the strictest ones, with which the pack starts.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pulumi_policy import EnforcementLevel, Policy, PolicyPack
from pulumi_policy import policy as sdk

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from policies.pack import environment, policies
from policies.rule import Environment
from policies.rules import ALL
from policies.waivers import FILE, load

WAIVERS = load(FILE, (rule.id for rule in ALL), datetime.now(UTC).date())
keep_tags = sdk._PolicyAnalyzerServicer.ConfigureStack


def policies_of(env: Environment) -> list[Policy]:
    """Every policy, enforced as the environment asks."""
    return policies(ALL, env, WAIVERS)


def configure_stack(servicer: Any, request: Any, context: Any) -> Any:
    """Judge from now on as the stack's environment asks."""
    own = policies_of(environment(dict(request.config)))
    servicer._PolicyAnalyzerServicer__policies = own
    return keep_tags(servicer, request, context)


setattr(sdk._PolicyAnalyzerServicer, "ConfigureStack", configure_stack)  # noqa: B010 -- for mypy
PolicyPack(
    name="strongroom",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=policies_of(Environment.PROD),
)
