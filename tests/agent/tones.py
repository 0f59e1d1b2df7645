"""A language of tones: each sentence sounds at a frequency of its own.

Whoever has heard a line knows what was said on it, by whomever, and also if several spoke at once.

An agent speaks it (:class:`ToneSynthesizer`), hears it (:class:`ToneTranscriber`), and answers by a
table (:class:`TableModel`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence

import numpy as np

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.conversation import STAY_SILENT, Brief, Message
from pipelines.providers.contracts import (
    Piece,
    PlainTranscriptionSession,
    Speech,
    TranscriptionSession,
)
from pipelines.providers.scripted import LanguageModel, LanguageModelOptions

RATE = 8000
FREQUENCIES = (300, 400, 500, 600, 1050, *range(1750, 3600, 100))
"""Hertz: whole periods in 20 ms, in the band of a telephone, and none of them a key's."""

LEVEL = 4000
WINDOW = 0.04
"""Seconds: as fine as it is told when something sounds, and how far apart tones have to be."""

LASTS = 4
"""Windows that a tone lasts at least: where one begins or is cut off, there is a little of all."""

A_WORD, SHORTEST = 0.05, 0.3
"""Seconds of a word, and of a sentence."""


OTHER = "(something else)"
"""What is heard where a sentence sounds that has no frequency."""


class Tones:
    """Which sentence is which frequency.

    Args:
        sentences: Those that are told apart; all others sound alike.
    """

    def __init__(self, sentences: Iterable[str]) -> None:
        known = dict.fromkeys([OTHER, *sentences])
        self._frequencies = dict(zip(known, FREQUENCIES, strict=False))
        assert len(known) == len(self._frequencies), "there are not as many tones"

    def audio(self, text: str) -> Audio:
        """Return what a sentence sounds like, whoever says it."""
        frequency = self._frequencies.get(text.strip(), self._frequencies[OTHER])
        seconds = max(SHORTEST, A_WORD * len(text.split()))
        at = np.arange(round(seconds * RATE)) / RATE
        wave = LEVEL * np.sin(2 * np.pi * frequency * at)
        return Audio(wave.astype("<i2").tobytes(), RATE)

    def heard(self, audio: Audio) -> list[str]:
        """Return the sentences in some audio, in the order in which they began."""
        size = round(WINDOW * audio.rate)
        samples = np.frombuffer(audio.pcm, "<i2").astype(np.float64)
        windows = samples[: len(samples) // size * size].reshape(-1, size)
        found: list[tuple[int, str]] = []
        spectrum = np.abs(np.fft.rfft(windows, axis=1)) * 2 / size
        for text, frequency in self._frequencies.items():
            sounds = spectrum[:, round(frequency * WINDOW)] > LEVEL / 4
            found += [(at, text) for at in _runs(sounds.tolist())]
        return [text for _, text in sorted(found)]


def _runs(sounds: Sequence[bool]) -> list[int]:
    """Return where runs of a tone begin that are long enough."""
    began: list[int] = []
    lasts = 0
    for at, sounding in enumerate(sounds):
        lasts = lasts + 1 if sounding else 0
        if lasts == LASTS:
            began.append(at - LASTS + 1)
    return began


class _Ready:
    """A provider that holds nothing."""

    async def start(self) -> None:
        """Be ready."""

    async def warm(self) -> None:
        """Be ready already."""

    async def aclose(self) -> None:
        """Hold nothing."""


class ToneSynthesizer(_Ready):
    """Speaks tones."""

    def __init__(self, tones: Tones) -> None:
        self._tones = tones

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        """Yield a sentence."""
        yield self._tones.audio(text)


class ToneTranscriber(_Ready):
    """Hears tones: several sentences as one text, in their order."""

    def __init__(self, tones: Tones) -> None:
        self._tones = tones

    def open_session(self) -> TranscriptionSession:
        """Return the session of one call."""
        return PlainTranscriptionSession(self.transcribe)

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        """Return what was said."""
        pcm = b"".join([piece.pcm async for piece in speech])
        return " ".join(self._tones.heard(Audio(pcm, SPEECH_RATE)))


class TableModel(LanguageModel):
    """Answers by what was said last; "[NAME]" in an answer is a tool, as of a scripted one.

    Args:
        answers: By what is said. To anything else it stays silent, where it may, or fails.
    """

    def __init__(self, answers: Mapping[str, str]) -> None:
        super().__init__(LanguageModelOptions())
        self._answers = answers

    async def reply(
        self,
        brief: Brief,
        conversation: Sequence[Message],
    ) -> AsyncGenerator[Piece, None]:
        """Yield the answer."""
        said = conversation[-1].text
        silence = f"[{STAY_SILENT}]" if brief.may_stay_silent else ""
        line = next((answer for text, answer in self._answers.items() if text in said), silence)
        async for piece in LanguageModel(LanguageModelOptions(lines=(line,))).reply(
            brief, conversation
        ):
            yield piece
