"""Fixed sentences, spoken in advance: a greeting at once, a filler when all else hangs."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from pipelines.audio import Audio
from pipelines.providers.base import Synthesizer


class _Coming:
    """A sentence that is being spoken in advance, for whoever wants it meanwhile."""

    def __init__(self) -> None:
        self.pieces: list[Audio] = []
        self.over = False
        """Whether no more comes: it is whole, or it broke off."""

        self._changed = asyncio.Event()

    def add(self, piece: Audio) -> None:
        """Take the next piece."""
        self.pieces.append(piece)
        self._tell()

    def end(self) -> None:
        """Note that no more comes."""
        self.over = True
        self._tell()

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def listen(self) -> AsyncGenerator[Audio, None]:
        """Yield the pieces from the first on, as they come."""
        heard = 0
        while True:
            while heard < len(self.pieces):
                heard += 1
                yield self.pieces[heard - 1]
            if self.over:
                return
            # No deadline: whoever speaks ends it in every case, and the caller of this has one.
            await self._changed.wait()


class Phrases:
    """A synthesizer that remembers the sentences it was told to prepare.

    Args:
        tts: Speaks everything else.
        most_seconds: Audio kept; the longest unused goes first. 600 are 26 MB at 22,050 hertz:
            some fifty agents' phrases.
    """

    def __init__(self, tts: Synthesizer, most_seconds: float = 600.0) -> None:
        self._tts = tts
        self._most_seconds = most_seconds
        self._kept: OrderedDict[str, tuple[Audio, ...]] = OrderedDict()
        self._coming: dict[str, _Coming] = {}
        self._seconds = 0.0

    async def start(self) -> None:
        """Start the synthesizer."""
        await self._tts.start()

    async def warm(self) -> None:
        """Warm the synthesizer."""
        await self._tts.warm()

    async def aclose(self) -> None:
        """Close the synthesizer."""
        await self._tts.aclose()

    async def prepare(self, sentences: Iterable[str]) -> None:
        """Speak those of ``sentences`` that are not kept yet, and keep them.

        One that is being spoken already, for another call, is left to that.

        Cancelling is safe: what was not spoken to its end is not kept.

        Raises:
            ProviderError: If one cannot be spoken.
        """
        for sentence in sentences:
            if sentence in self._kept:
                self._kept.move_to_end(sentence)
            elif sentence not in self._coming:
                await self._speak_in_advance(sentence)

    async def _speak_in_advance(self, sentence: str) -> None:
        coming = self._coming[sentence] = _Coming()
        try:
            async with aclosing(self._tts.speak(sentence)) as pieces:
                async for piece in pieces:
                    coming.add(piece)
            self._keep(sentence, tuple(coming.pieces))
        finally:
            del self._coming[sentence]
            coming.end()

    def kept(self, sentence: str) -> tuple[Audio, ...]:
        """Return the audio of ``sentence``; none if it was not prepared."""
        return self._kept.get(sentence, ())

    async def speak(self, text: str) -> AsyncGenerator[Audio, None]:
        """Yield ``text`` as audio: at once if it was prepared, as it comes if it is just being.

        Raises:
            ProviderError: If it was not, and cannot be spoken.
        """
        if kept := self.kept(text):
            for piece in kept:
                yield piece
            return
        heard = 0.0
        if (coming := self._coming.get(text)) is not None:
            async with aclosing(coming.listen()) as pieces:
                async for piece in pieces:
                    heard += piece.seconds
                    yield piece
            if text in self._kept:
                return
            # It broke off, with the call that it was for: the rest is spoken here.
        async with aclosing(self._tts.speak(text)) as pieces:
            async for piece in pieces:
                skipped = min(len(piece.pcm), 2 * round(heard * piece.rate))
                heard -= skipped / (2 * piece.rate)
                if skipped < len(piece.pcm):
                    yield Audio(piece.pcm[skipped:], piece.rate)

    def _keep(self, sentence: str, audio: tuple[Audio, ...]) -> None:
        self._kept[sentence] = audio
        self._seconds += sum(piece.seconds for piece in audio)
        while self._seconds > self._most_seconds and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._seconds -= sum(piece.seconds for piece in dropped)
