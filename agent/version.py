"""Which version this is."""

from __future__ import annotations

from functools import cache
from importlib import metadata


@cache
def version() -> str:
    """Return the version that is installed, such as ``0.1.0``; ``"unknown"`` of a bare checkout."""
    try:
        return metadata.version("sinch-voice-agent")
    except metadata.PackageNotFoundError:
        return "unknown"
