"""Which sample rate to ask a voice for."""

from __future__ import annotations

from collections.abc import Sequence


def voice_rate(rates: Sequence[int], line: int) -> int:
    """Return ``line`` if it is one of ``rates``, else 24,000: what voices are made at."""
    return line if line in rates else 24_000
