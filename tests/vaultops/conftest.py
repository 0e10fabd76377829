"""What all rigs share: a KMS and an API server to ask, both stand-ins on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.vaultops.rig import FAKE_AWS, kms
from tests.vaultops.stand_ins import api_server


@pytest.fixture(scope="session")
def kubernetes_api() -> Iterator[str]:
    """The address of the stand-in API server."""
    with api_server() as address:
        yield address


@pytest.fixture(scope="session")
def kms_endpoint() -> Iterator[str]:
    """The address of the stand-in for AWS; the dummy credentials stay in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FAKE_AWS.items():
            patch.setenv(name, value)
        with kms() as endpoint:
            yield endpoint
