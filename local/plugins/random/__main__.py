"""`python -m local.plugins.random`: serves the stand-in to the engine."""

from __future__ import annotations

import sys
from importlib.metadata import version

from pulumi.provider.experimental.server import main

from local.plugins.provider import StandInProvider
from local.plugins.random.types import TYPES

if __name__ == "__main__":
    main(sys.argv[1:], version("pulumi-random"), StandInProvider(TYPES))
