"""Providers of known latency: a transcriber that knows what is said, a model, an audible voice."""

from __future__ import annotations

import asyncio
import math
import random
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.conversation import Brief, Message
from pipelines.listening.caller_frames import Heard, pcm_of
from pipelines.listening.detectors import VoiceDetector, on_the_line
from pipelines.providers.contracts import Piece, ProviderError, Speech, TranscriptionSession
from tests.benchmarks.situations.speech import RATE, Samples, Word, aligned, level, loudness, own

PAD = 0.28
"""Seconds of near-silence after each sentence of Piper's, at about -60 dBFS."""

SECONDS_PER_LETTER = 0.065
"""Of the voice: 14 to 16 letters a second, as Piper's."""

KEY = 16
"""Samples by which a place in what the voice has spoken is found again."""


class NumberedFrames:
    """A voice detector that remembers the frames that it was given, so that each has its time.

    Args:
        detector: Does the work.
    """

    def __init__(self, detector: VoiceDetector) -> None:
        self._voiced = on_the_line(detector)
        self._ends: dict[bytes, float] = {}
        self._count = 0

    def voiced(self, frame: bytes) -> bool:
        """See :meth:`VoiceDetector.voiced`."""
        return self.voiced_on_line(frame)

    def voiced_on_line(self, frame: Heard) -> bool:
        """See :meth:`LineDetector.voiced_on_line`."""
        self._count += 1
        self._ends[pcm_of(frame)] = self._count * 0.02
        return self._voiced(frame)

    @property
    def heard(self) -> float:
        """Seconds of the call that were heard by now."""
        return self._count * 0.02

    def end_of(self, audio: Audio) -> float | None:
        """Return when ``audio`` was over, in seconds of the call; None if it is not of it."""
        return self._ends.get(audio.pcm[-640:])


class KnowingTranscriber:
    """Knows what the caller says up to the point that was heard.

    Args:
        said: Every word that is on the caller's line by now, in seconds of the call; it grows.
        frames: When each piece of audio was on the line.
        delay: Seconds from the end of speech to the transcript, and of each interim one.
        interims: Whether it tells what it has heard so far.
        errors: Share of words that are heard as others.
        seed: Of these.
    """

    Options = None

    def __init__(
        self,
        said: Callable[[], Sequence[Word]],
        frames: NumberedFrames,
        *,
        delay: float,
        interims: bool = True,
        errors: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.said, self.frames, self.delay, self.interims = said, frames, delay, interims
        self.errors, self.seed = errors, seed

    async def start(self) -> None:
        """Be ready."""

    async def warm(self) -> None:
        """Be ready already."""

    async def aclose(self) -> None:
        """Hold nothing."""

    def open_session(self) -> TranscriptionSession:
        """Return the session of one call."""
        return _KnowingSession(self)


class _KnowingSession:
    detects_turns = False

    def __init__(self, transcriber: KnowingTranscriber) -> None:
        self._of = transcriber
        self._heard: list[tuple[float, float]] = []

    @property
    def so_far(self) -> str:
        """What was heard, as late as it is known."""
        if not self._of.interims or not self._heard:
            return ""
        now = asyncio.get_running_loop().time()
        return self._text([(start, end) for start, end, at in self._known() if at <= now])

    def _known(self) -> list[tuple[float, float, float]]:
        zero = self._zero
        return [(start, end, zero + end + self._of.delay) for start, end in self._heard]

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        """Return what was said."""
        self._heard = []
        async for piece in speech:
            end = self._of.frames.end_of(piece)
            if end is None:
                end = self._heard[-1][1] + piece.seconds if self._heard else self._of.frames.heard
            self._heard.append((end - piece.seconds, end))
            self._zero = asyncio.get_running_loop().time() - end
        heard = list(self._heard)
        await asyncio.sleep(self._of.delay)
        return sentence(self._text(heard))

    async def turn_over(self) -> bool:
        """Never know."""
        raise ProviderError("stt", "does not detect turns", retryable=False)

    async def aclose(self) -> None:
        """Hold nothing."""

    _zero = 0.0

    def _text(self, heard: Sequence[tuple[float, float]]) -> str:
        spans = _merged(heard)
        found = []
        for word in self._of.said():
            middle = (word.began + word.ended) / 2
            if any(start <= middle and word.ended <= end + 0.03 for start, end in spans):
                found.append(self._mistaken(word))
        return " ".join(found)

    def _mistaken(self, word: Word) -> str:
        if not self._of.errors:
            return word.text
        chance = random.Random(f"{self._of.seed} {word.began:.2f} {word.text}")
        return word.text if chance.random() >= self._of.errors else chance.choice(OTHER_WORDS)


OTHER_WORDS = ("the", "a", "to", "four", "is", "it", "and", "you", "where", "see", "tree", "in")


def _merged(heard: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    spans: list[tuple[float, float]] = []
    for start, end in heard:
        if spans and start <= spans[-1][1] + 0.005:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def sentence(text: str) -> str:
    """Return it as a speech-to-text writes it: a capital, and a full stop whatever was said."""
    text = text.strip().rstrip(",;:… ").rstrip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?!" else ".")


class Model:
    """A language model that gives its replies in order, by how many the caller has heard of.

    Args:
        replies: The last is repeated.
        delay: Seconds to the first token; then 60 words a second.
    """

    Options = None

    def __init__(self, replies: Sequence[str], delay: float = 0.2) -> None:
        self._replies = replies
        self._delay = delay

    async def start(self) -> None:
        """Be ready."""

    async def warm(self) -> None:
        """Be ready already."""

    async def aclose(self) -> None:
        """Hold nothing."""

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        """Yield the reply that is due."""
        del brief
        said = sum(one.role == "assistant" and bool(one.text) for one in conversation)
        await asyncio.sleep(self._delay)
        for word in self._replies[min(max(0, said - 1), len(self._replies) - 1)].split():
            yield word + " "
            await asyncio.sleep(1 / 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenSentence:
    """A sentence as the voice speaks it."""

    text: str
    pcm: bytes
    audible: float
    """Seconds to its last audible sound."""

    words: tuple[Word, ...]


class SpokenSentences:
    """All that the voice has spoken in any call, found again by its samples."""

    def __init__(self) -> None:
        self._spoken: dict[str, SpokenSentence] = {}
        self._places: dict[bytes, tuple[str, int]] = {}

    def sentence(self, text: str) -> SpokenSentence:
        """Return how a sentence is spoken; the same each time."""
        if text not in self._spoken:
            said = self._spoken[text] = _spoken(text)
            for at in range(0, len(said.pcm) - 2 * KEY, 2):
                self._places[said.pcm[at : at + 2 * KEY]] = (text, at // 2)
        return self._spoken[text]

    def place(self, pcm: bytes) -> tuple[SpokenSentence, float] | None:
        """Return what is spoken at the beginning of ``pcm``, and how many seconds into it."""
        for at in (0, 2 * KEY, 160, 280):
            found = self._places.get(pcm[at : at + 2 * KEY])
            if found is not None:
                text, sample = found
                return self._spoken[text], (sample - at // 2) / RATE
        return None


class Voice:
    """An audible voice: recorded speech, cut to the length of the text, and Piper's silence.

    Args:
        sentences: Where it keeps what it has spoken.
        delay: Seconds to the first audio of a sentence.
        speed: Seconds of audio that it makes in a second, from then on.
    """

    Options = None

    def __init__(
        self, sentences: SpokenSentences, delay: float = 0.1, speed: float = math.inf
    ) -> None:
        self._delay, self._speed = delay, speed
        self._sentences = sentences

    async def start(self) -> None:
        """Be ready."""

    async def warm(self) -> None:
        """Be ready already."""

    async def aclose(self) -> None:
        """Hold nothing."""

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        """Yield a sentence, a tenth of a second at a time."""
        assert rate == RATE
        said = self._sentences.sentence(text)
        await asyncio.sleep(self._delay)
        for start in range(0, len(said.pcm), RATE // 5):
            yield Audio(said.pcm[start : start + RATE // 5], RATE)
            await asyncio.sleep(0.1 / self._speed)


def _spoken(text: str) -> SpokenSentence:
    letters = len(re.sub(r"[^\w ]", "", text))
    seconds = max(0.35, SECONDS_PER_LETTER * letters)
    bank = _bank()
    start = crc32(text.encode()) % (len(bank) - round(seconds * RATE) - 1)
    samples = bank[start : start + round(seconds * RATE)].copy()
    edge = round(0.01 * RATE)
    samples[:edge] *= np.linspace(0, 1, edge)
    samples[-edge:] *= np.linspace(1, 0, edge)
    rms = loudness(samples)
    audible = (int(np.flatnonzero(rms > 200)[-1]) + 1) * 0.01
    noise = np.random.default_rng(crc32(text.encode()))
    whole = np.concatenate([samples, np.zeros(round(PAD * RATE))])
    whole += noise.normal(0, 12, len(whole))
    pcm = np.clip(np.rint(whole), -32768, 32767).astype("<i2").tobytes()
    return SpokenSentence(text=text, pcm=pcm, audible=audible, words=aligned(samples, text))


def _bank() -> Samples:
    """Return a minute of speech without pauses of more than 0.1 s, at one level."""
    global _BANK  # noqa: PLW0603 - made once
    if _BANK is None:
        kept = []
        for name in ("press-one", "not-in-service", "first-in-line", "caller-waiting"):
            samples = own()[name].samples
            samples = samples * (4000 / level(samples))
            frames = samples[: len(samples) // 80 * 80].reshape(-1, 80)
            quiet = 0
            for frame, rms in zip(frames, loudness(samples), strict=True):
                quiet = 0 if rms > 150 else quiet + 1
                if quiet <= 8:
                    kept.append(frame)
        _BANK = np.concatenate(kept)
    return _BANK


_BANK: Samples | None = None
