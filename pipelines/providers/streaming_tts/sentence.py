"""One sentence on its way from a provider to whoever listens."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import uuid4

from pipelines.audio import Audio
from pipelines.providers.contracts import ProviderError, Speech, Timing
from pipelines.text.words import words

SILENCE = 10.0
"""Seconds without any result after which a sentence fails. Whoever asks for it has a shorter
deadline; this one is for those who have none."""


MOST_SECONDS = 120.0
"""Of audio that one sentence may have. What has come of it and was not listened to yet waits in
memory: 2 MB for the longest at 8 kHz, 0.1 MB for a usual one."""


class Sentence:
    """One text on its way to whoever listens."""

    def __init__(self, text: str, rate: int) -> None:
        self.context = uuid4().hex
        self.text = text
        self.rate = rate
        self.sent_at: float | None = None
        self.heard_at = 0.0
        """When the last audio came; before the first, when it was sent."""

        self.seconds = 0.0
        """Of audio that has come."""

        self._odd = b""
        self._untimed = len(words(text))
        self._last_end = 0.0
        self._results: asyncio.Queue[Speech | ProviderError | None] = asyncio.Queue()

    def add(self, pcm: bytes) -> None:
        """Take the next piece.

        Raises:
            ProviderError: If it will not end.
        """
        pcm = self._odd + pcm
        whole = len(pcm) & ~1
        self._odd = pcm[whole:]
        if not whole:
            return
        audio = Audio(pcm[:whole], self.rate)
        self.seconds += audio.seconds
        if self.seconds > MOST_SECONDS:
            raise ProviderError("tts", "a sentence does not end")
        self._results.put_nowait(audio)

    def time(self, ends: Sequence[float]) -> None:
        """Take the ends of the next words; more of them than there are words are left out."""
        kept: list[float] = []
        for end in ends[: self._untimed]:
            self._last_end = max(self._last_end, end)
            kept.append(self._last_end)
        self._untimed -= len(kept)
        if kept:
            self._results.put_nowait(Timing(tuple(kept)))

    def end(self, error: ProviderError | None = None) -> None:
        """Note that no more comes; ``error`` says why if it is not whole."""
        self._results.put_nowait(error)

    async def next(self) -> Speech | None:
        """Return what comes next; None at the end. Cancelling is safe.

        Raises:
            ProviderError: If it failed.
        """
        try:
            async with asyncio.timeout(SILENCE):
                result = await self._results.get()
        except TimeoutError:
            raise ProviderError("tts", f"nothing came for {SILENCE:g} s", timed_out=True) from None
        if isinstance(result, ProviderError):
            raise result
        return result
