"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is no failure: how long one example takes says nothing of what it proves.
settings.register_profile("strongroom", deadline=None)
settings.load_profile("strongroom")
