"""Fixed sentences, spoken in advance: a greeting at once, a filler when all else hangs.

They are kept in memory, and those that are the same in every call in files as well, so that a
process that has just started has them though the voice is down.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.providers.contracts import ProviderError, Speech, Timing


class CanSpeak(Protocol):
    """What speaks."""

    def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        """Yield ``text`` as audio, for a line of ``rate``; see ``Synthesizer.speak``."""
        ...


Key = tuple[str, int]
"""A sentence, and the rate of the line that it was spoken for."""


class PhraseFiles(Protocol):
    """Where sentences outlive the process. Nothing here raises, blocks, or takes long."""

    async def load(self, keys: Sequence[Key]) -> Mapping[Key, Audio]:
        """Return those of ``keys`` that are there."""
        ...

    async def save(self, key: Key, audio: Audio) -> None:
        """Keep a sentence, if that can be done."""
        ...


class _Coming:
    """A sentence that is being made ready, for whoever wants it meanwhile."""

    def __init__(self) -> None:
        self.pieces: list[Audio] = []
        self.over = False
        """Whether no more comes: it is whole, or it broke off."""

        self.error: ProviderError | None = None
        """Why it broke off; None if it did not, or whoever had it made went away."""

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

    async def listen(self, after: float) -> AsyncGenerator[Audio, None]:
        """Yield what comes after the first ``after`` seconds, as it comes."""
        async with aclosing(_after(after, self._all())) as pieces:
            async for piece in pieces:
                if isinstance(piece, Audio):
                    yield piece

    async def _all(self) -> AsyncGenerator[Speech, None]:
        heard = 0
        while True:
            while heard < len(self.pieces):
                heard += 1
                yield self.pieces[heard - 1]
            if self.over:
                return
            # No deadline: whoever speaks ends it in every case, and the caller of this has one.
            await self._changed.wait()


class PhraseStore:
    """The sentences that are kept. One a process.

    Args:
        most_seconds: Audio kept in memory; the longest unused goes first. 600 are 26 MB at 22,050
            hertz: some fifty agents' phrases.
        files: Where those that are the same in every call are kept as well; None for nowhere.
    """

    def __init__(self, most_seconds: float = 600.0, files: PhraseFiles | None = None) -> None:
        self._most_seconds = most_seconds
        self._kept: OrderedDict[Key, tuple[Audio, ...]] = OrderedDict()
        self._seconds = 0.0
        self.files = files
        self.coming: dict[Key, _Coming] = {}
        """What is being made ready just now."""

    def get(self, key: Key) -> tuple[Audio, ...]:
        """Return the audio of a sentence; none if it is not kept."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key, ())

    def keep(self, key: Key, audio: tuple[Audio, ...]) -> None:
        """Keep a sentence in memory, and drop what is too much."""
        self._kept[key] = audio
        self._seconds += sum(piece.seconds for piece in audio)
        while self._seconds > self._most_seconds and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._seconds -= sum(piece.seconds for piece in dropped)

    async def load(self, keys: Sequence[Key]) -> None:
        """Take from the files what is there of ``keys``.

        Whoever wants one of them meanwhile waits for it: files are faster than any voice.
        """
        wanted = [key for key in keys if not self.get(key) and key not in self.coming]
        if self.files is None or not wanted:
            return
        coming = {key: _Coming() for key in wanted}
        self.coming |= coming
        try:
            for key, audio in (await self.files.load(wanted)).items():
                self.keep(key, (audio,))
                coming[key].add(audio)
        finally:
            for key, one in coming.items():
                del self.coming[key]
                one.end()


class Phrases:
    """A synthesizer that remembers the sentences it was told to prepare. A Synthesizer itself.

    Args:
        tts: Speaks everything else.
        store: Where they are kept.
        own_voice: Whether the voice that is wanted most speaks now: no other's is put into files.
    """

    def __init__(
        self,
        tts: CanSpeak,
        store: PhraseStore | None = None,
        own_voice: Callable[[], bool] = lambda: True,
    ) -> None:
        self._tts = tts
        self._store = store or PhraseStore()
        self._own_voice = own_voice

    async def prepare(
        self, sentences: Iterable[str], rate: int = SPEECH_RATE, lasting: Collection[str] = ()
    ) -> None:
        """Speak those of ``sentences`` that are not kept yet, for a line of ``rate``; keep them.

        One that is being spoken already, for another call, is left to that. When one cannot be
        spoken the others are tried all the same, unless the voice does not answer, or fails twice.

        Cancelling is safe: what was not spoken to its end is not kept.

        Args:
            sentences: The first is needed first.
            rate: Hertz on the line.
            lasting: Those that are the same in every call: they are kept in files, too.

        Raises:
            ProviderError: If one cannot be spoken; the first such error.
        """
        keys = [(sentence, rate) for sentence in dict.fromkeys(sentences)]
        await self._store.load([key for key in keys if key[0] in lasting])
        errors: list[ProviderError] = []
        for key in keys:
            if self._store.get(key) or key in self._store.coming:
                continue
            try:
                await self._speak_in_advance(key, lasts=key[0] in lasting)
            except ProviderError as error:
                errors.append(error)
                if error.timed_out or len(errors) > 1:
                    break
        if errors:
            raise errors[0]

    async def _speak_in_advance(self, key: Key, *, lasts: bool) -> None:
        lasts = lasts and self._own_voice()
        coming = self._store.coming[key] = _Coming()
        try:
            async with aclosing(self._tts.speak(*key)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Audio):
                        coming.add(piece)
            self._store.keep(key, tuple(coming.pieces))
        except ProviderError as error:
            coming.error = error
            raise
        finally:
            del self._store.coming[key]
            coming.end()
        if lasts and self._own_voice():
            await self._save(key, coming.pieces)

    async def _save(self, key: Key, pieces: Sequence[Audio]) -> None:
        rates = {piece.rate for piece in pieces}
        if self._store.files is not None and len(rates) == 1:
            pcm = b"".join(piece.pcm for piece in pieces)
            await self._store.files.save(key, Audio(pcm, rates.pop()))

    def kept(self, sentence: str, rate: int = SPEECH_RATE) -> tuple[Audio, ...]:
        """Return the audio of ``sentence``; none if it was not prepared."""
        return self._store.get((sentence, rate))

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        """Yield ``text`` as audio: at once if it was prepared, as it comes if it is just being.

        Raises:
            ProviderError: If it was not, and cannot be spoken; or if that has just failed.
        """
        key, heard = (text, rate), 0.0
        while not self.kept(*key) and (coming := self._store.coming.get(key)) is not None:
            async with aclosing(coming.listen(heard)) as early:
                async for piece in early:
                    heard += piece.seconds
                    yield piece
            if coming.error is not None:
                raise coming.error
            # It broke off with the call that it was for, or no file has it: the rest is spoken.
        async with aclosing(_after(heard, self._rest(key))) as pieces:
            async for rest in pieces:
                yield rest

    async def _rest(self, key: Key) -> AsyncGenerator[Speech, None]:
        """Yield a sentence that nobody makes ready just now."""
        if kept := self.kept(*key):
            for piece in kept:
                yield piece
            return
        async with aclosing(self._tts.speak(*key)) as pieces:
            async for spoken in pieces:
                yield spoken


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
