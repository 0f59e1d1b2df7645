"""Speech that a test can transcribe without a model: each word is a loudness of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import groupby

import numpy as np

from agent.records.recordings.stereo import StereoAudio
from agent.records.verification.claims import ClaimedSpeech
from pipelines.audio import SPEECH_RATE, Audio, at_rate
from pipelines.providers.contracts import PlainTranscriptionSession, TranscriptionSession
from pipelines.settings import Section

WORDS = (
    *("hello", "there", "this", "is", "linden", "street", "kitchen", "how", "may", "we", "help"),
    *("you", "today", "our", "table", "for", "four", "booked", "on", "friday", "evening", "at"),
    *("seven", "thirty", "parking", "behind", "the", "house", "costs", "nothing", "goodbye"),
    *("thank", "everybody"),
)

A_WORD = 0.3
"""Seconds."""

LOUDEST, STEP = 20_000, 400


def spoken(text: str) -> Audio:
    """Return the words of a text, one after the other."""
    samples = [
        np.full(round(A_WORD * SPEECH_RATE), LOUDEST - STEP * WORDS.index(word), np.int16)
        for word in text.split()
    ]
    return Audio(np.concatenate(samples).tobytes(), SPEECH_RATE)


async def hear(audio: Audio) -> str:
    """Return the words of which at least half is there."""
    found = []
    for value, run in groupby(np.frombuffer(audio.pcm, np.int16).tolist()):
        place, rest = divmod(LOUDEST - value, STEP)
        half = len(list(run)) >= A_WORD * SPEECH_RATE / 2
        if half and not rest and 0 <= place < len(WORDS):
            found.append(WORDS[place])
    return " ".join(found)


def call(
    *sentences: tuple[str, float], began: float = 0.0
) -> tuple[list[ClaimedSpeech], StereoAudio]:
    """Return a call in which the agent says these, each after so many seconds; and its record."""
    pcm, claims = bytearray(), []
    for text, pause in sentences:
        pcm += bytes(2 * round(pause * SPEECH_RATE))
        at = began + len(pcm) / 2 / SPEECH_RATE
        audio = spoken(text)
        claims.append(ClaimedSpeech(text=text, at=at, until=at + audio.seconds))
        pcm += audio.pcm
    pcm += bytes(2 * SPEECH_RATE)
    silent = Audio(bytes(len(pcm)), SPEECH_RATE)
    return claims, StereoAudio(caller=silent, agent=Audio(bytes(pcm), SPEECH_RATE), began=began)


class Recognizer:
    """The same as a provider of the settings."""

    class Options(Section):
        """None."""

    def __init__(self, options: Options) -> None:
        self.options = options

    async def start(self) -> None:
        """Be ready."""

    async def warm(self) -> None:
        """Be ready already."""

    async def aclose(self) -> None:
        """Hold nothing."""

    def open_session(self) -> TranscriptionSession:
        """Return a session."""
        return PlainTranscriptionSession(self._transcribe)

    async def _transcribe(self, speech: AsyncIterator[Audio]) -> str:
        return await hear(at_rate([piece async for piece in speech], SPEECH_RATE))
