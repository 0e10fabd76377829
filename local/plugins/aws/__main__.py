"""`python -m local.plugins.aws`: serves the stand-in to the engine."""

from __future__ import annotations

import sys
from importlib.metadata import version

from pulumi.provider.experimental.server import main

from local.plugins.aws.provider import AwsProvider

if __name__ == "__main__":
    main(sys.argv[1:], version("pulumi-aws"), AwsProvider())
