"""The agent's own sound, come back: what a phone on loudspeaker picks up of it."""

from __future__ import annotations

from collections import deque

import numpy as np

from pipelines.audio import FRAME_SECONDS

DELAY = 0.25
"""Seconds: over a mobile network and the internet, there and back."""


class EchoLine:
    """A line that adds what was played to what is spoken, later and softer; nothing else.

    Args:
        decibels: By which it is softer.
        delay: Seconds, in steps of a frame.
    """

    def __init__(self, decibels: float, delay: float = DELAY) -> None:
        self._share = 10 ** (-decibels / 20)
        self._played = deque([b""] * round(delay / FRAME_SECONDS))

    def carry(self, spoken: bytes, played: bytes) -> bytes:
        """Return the caller's 20 ms with the echo in them."""
        self._played.append(played)
        before = self._played.popleft() or bytes(len(spoken))
        heard = np.frombuffer(spoken, "<i2") + self._share * np.frombuffer(before, "<i2")
        return np.clip(np.rint(heard), -32768, 32767).astype("<i2").tobytes()
