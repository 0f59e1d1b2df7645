"""Which version this is."""

from __future__ import annotations

from importlib import metadata


def _installed() -> str:
    try:
        return metadata.version("sinch-voice-agent")
    except metadata.PackageNotFoundError:
        return "unknown"


VERSION = _installed()
"""The version that is installed, such as ``0.1.0``; ``"unknown"`` of a bare checkout.

Read once, when this is imported: files are looked through for it.
"""
