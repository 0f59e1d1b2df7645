"""A model of the platform's playout buffer: what a caller hears is what comes out of it."""

from __future__ import annotations

from collections import deque

BUFFER_BYTES = 5_000_000
"""The platform holds 5 MB a call, and drops the oldest beyond (AsyncAPI "Voice Stream 1.0.0")."""


class PlayoutBuffer:
    """The platform's buffer of one call: filled as fast as we are sent, played in real time.

    Args:
        max_bytes: Beyond it the oldest bytes are lost.
    """

    def __init__(self, max_bytes: int = BUFFER_BYTES) -> None:
        self._pieces: deque[bytes] = deque()
        self._max_bytes = max_bytes
        self.size = 0
        """Bytes waiting to be played."""

        self.overflowed = 0
        """Bytes lost because the buffer was full."""

    def add(self, pcm: bytes) -> None:
        """Take audio that came in."""
        self._pieces.append(pcm)
        self.size += len(pcm)
        if self.size > self._max_bytes:
            self.overflowed += len(self.take(self.size - self._max_bytes))

    def clear(self) -> None:
        """Forget all that has not been played."""
        self._pieces.clear()
        self.size = 0

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes to be played; fewer if there are fewer."""
        taken = bytearray()
        while self._pieces and len(taken) < size:
            piece = self._pieces.popleft()
            wanted = size - len(taken)
            taken += piece[:wanted]
            if len(piece) > wanted:
                self._pieces.appendleft(piece[wanted:])
        self.size -= len(taken)
        return bytes(taken)
