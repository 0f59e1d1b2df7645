"""Fixed sentences, spoken in advance: a greeting at once, a filler when all else hangs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from pipelines.audio import Audio
from pipelines.providers.base import Synthesizer


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

        Cancelling is safe: what was not spoken to its end is not kept.

        Raises:
            ProviderError: If one cannot be spoken.
        """
        for sentence in sentences:
            if sentence in self._kept:
                self._kept.move_to_end(sentence)
                continue
            async with aclosing(self._tts.speak(sentence)) as pieces:
                self._keep(sentence, tuple([piece async for piece in pieces]))

    def kept(self, sentence: str) -> tuple[Audio, ...]:
        """Return the audio of ``sentence``; none if it was not prepared."""
        return self._kept.get(sentence, ())

    async def speak(self, text: str) -> AsyncGenerator[Audio, None]:
        """Yield ``text`` as audio: at once, if it was prepared.

        Raises:
            ProviderError: If it was not, and cannot be spoken.
        """
        if kept := self.kept(text):
            for piece in kept:
                yield piece
            return
        async with aclosing(self._tts.speak(text)) as pieces:
            async for piece in pieces:
                yield piece

    def _keep(self, sentence: str, audio: tuple[Audio, ...]) -> None:
        self._kept[sentence] = audio
        self._seconds += sum(piece.seconds for piece in audio)
        while self._seconds > self._most_seconds and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._seconds -= sum(piece.seconds for piece in dropped)
