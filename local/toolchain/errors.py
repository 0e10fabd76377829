"""What the toolchain says when it cannot provide a tool. Owns the one exception type."""

from __future__ import annotations


class ToolchainError(Exception):
    """A tool cannot be provided; the text says which, where, why and what to do."""
