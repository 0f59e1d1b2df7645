"""Fixed sentences, spoken in advance: a greeting at once, a filler when all else hangs."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Protocol

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.providers.contracts import Speech, Timing


class CanSpeak(Protocol):
    """What speaks."""

    def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        """Yield ``text`` as audio, for a line of ``rate``; see ``Synthesizer.speak``."""
        ...


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


Key = tuple[str, int]
"""A sentence, and the rate of the line that it was spoken for."""


class PhraseStore:
    """The sentences that are kept. One a process.

    Args:
        most_seconds: Audio kept; the longest unused goes first. 600 are 26 MB at 22,050 hertz:
            some fifty agents' phrases.
    """

    def __init__(self, most_seconds: float = 600.0) -> None:
        self._most_seconds = most_seconds
        self._kept: OrderedDict[Key, tuple[Audio, ...]] = OrderedDict()
        self._seconds = 0.0
        self.coming: dict[Key, _Coming] = {}
        """What is being spoken in advance just now."""

    def get(self, key: Key) -> tuple[Audio, ...]:
        """Return the audio of a sentence; none if it is not kept."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key, ())

    def keep(self, key: Key, audio: tuple[Audio, ...]) -> None:
        """Keep a sentence, and drop what is too much."""
        self._kept[key] = audio
        self._seconds += sum(piece.seconds for piece in audio)
        while self._seconds > self._most_seconds and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._seconds -= sum(piece.seconds for piece in dropped)


class Phrases:
    """A synthesizer that remembers the sentences it was told to prepare. A Synthesizer itself.

    Args:
        tts: Speaks everything else.
        store: Where they are kept.
    """

    def __init__(self, tts: CanSpeak, store: PhraseStore | None = None) -> None:
        self._tts = tts
        self._store = store or PhraseStore()

    async def prepare(self, sentences: Iterable[str], rate: int = SPEECH_RATE) -> None:
        """Speak those of ``sentences`` that are not kept yet, for a line of ``rate``; keep them.

        One that is being spoken already, for another call, is left to that.

        Cancelling is safe: what was not spoken to its end is not kept.

        Raises:
            ProviderError: If one cannot be spoken.
        """
        for sentence in sentences:
            if not self.kept(sentence, rate) and (sentence, rate) not in self._store.coming:
                await self._speak_in_advance(sentence, rate)

    async def _speak_in_advance(self, sentence: str, rate: int) -> None:
        key = (sentence, rate)
        coming = self._store.coming[key] = _Coming()
        try:
            async with aclosing(self._tts.speak(sentence, rate)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Audio):
                        coming.add(piece)
            self._store.keep(key, tuple(coming.pieces))
        finally:
            del self._store.coming[key]
            coming.end()

    def kept(self, sentence: str, rate: int = SPEECH_RATE) -> tuple[Audio, ...]:
        """Return the audio of ``sentence``; none if it was not prepared."""
        return self._store.get((sentence, rate))

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        """Yield ``text`` as audio: at once if it was prepared, as it comes if it is just being.

        Raises:
            ProviderError: If it was not, and cannot be spoken.
        """
        if kept := self.kept(text, rate):
            for piece in kept:
                yield piece
            return
        heard = 0.0
        if (coming := self._store.coming.get((text, rate))) is not None:
            async with aclosing(coming.listen()) as early:
                async for piece in early:
                    heard += piece.seconds
                    yield piece
            if self.kept(text, rate):
                return
            # It broke off, with the call that it was for: the rest is spoken here.
        async with aclosing(_after(heard, self._tts.speak(text, rate))) as pieces:
            async for rest in pieces:
                yield rest


async def _after(
    seconds: float, source: AsyncGenerator[Speech, None]
) -> AsyncGenerator[Speech, None]:
    """Yield what comes after the first ``seconds`` of audio."""
    async with aclosing(source):
        async for piece in source:
            if isinstance(piece, Timing):
                yield piece
                continue
            skipped = min(len(piece.pcm), 2 * round(seconds * piece.rate))
            seconds -= skipped / (2 * piece.rate)
            if skipped < len(piece.pcm):
                yield Audio(piece.pcm[skipped:], piece.rate)
