"""SVAML, the platform's language of commands: what both versions have in common. Pure.

What each version says in it is in :mod:`agent.sinch.api.v1` and :mod:`agent.sinch.api.v2`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Svaml = dict[str, Any]

_UNPRINTABLE = re.compile(r"[^\x20-\x7e\t]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The stream that a call is to be connected to."""

    endpoint: str
    """``wss://``, with its token."""

    rate: int
    """Hertz."""

    max_seconds: int
    headers: Mapping[str, str] = field(default_factory=dict)


def is_sip(address: str) -> bool:
    """Return whether this is a SIP address, and no number."""
    return address.lower().startswith(("sip:", "sips:"))


def call_headers(headers: Mapping[str, str]) -> list[dict[str, str]]:
    """Return call headers within version 2's limits: 16, of printable ASCII, 255 characters."""
    fit = {_UNPRINTABLE.sub("?", k)[:255]: _UNPRINTABLE.sub("?", v) for k, v in headers.items()}
    return [
        {"key": key, "value": value} for key, value in fit.items() if key and len(value) <= 255
    ][:16]
