"""An answer of a few sentences, as a caller hears it, by a voice of a given speed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.clock import now
from pipelines.conversation import Brief, Message
from pipelines.listening.utterance import Utterance
from pipelines.providers.contracts import Piece, ProviderError, Speech
from pipelines.reply.playout import AUDIBLE
from tests.agent.call.parts import Parts
from tests.agent.conversation import FRAME, RATE, voice
from tests.virtual_time import run

SENTENCES = ("Come at one.", "Come at two.", "Come at three.", "Come at four.")


@dataclass
class Voice:
    """Speaks a tone; knows what it was asked for, and what it does at present."""

    first: float
    """Seconds to the first audio of a sentence."""

    seconds: float
    """Of a sentence."""

    speed: float = 4.0
    """Seconds of audio a second, from then on."""

    pause: float = 0.0
    """Seconds of near-silence after it."""

    fails: Sequence[str] = ()
    """Last words of the sentences that break off half-way, however often they are asked for."""

    asked: list[tuple[float, str]] = field(default_factory=list)
    speaking: int = 0
    most: int = 0
    """Sentences at once."""

    async def start(self) -> None: ...

    async def warm(self) -> None: ...

    async def aclose(self) -> None: ...

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        self.asked.append((round(now(), 3), text))
        self.speaking += 1
        self.most = max(self.most, self.speaking)
        try:
            await asyncio.sleep(self.first)
            pieces = round(self.seconds / 0.1)
            for piece in range(pieces):
                if text.rsplit(maxsplit=1)[-1] in self.fails and piece == pieces // 2:
                    raise ProviderError("tts", "it broke off")
                yield Audio(b"\x00\x10\x00\x10\x00\xf0\x00\xf0" * (rate // 40), rate)
                await asyncio.sleep(0.1 / self.speed)
            yield Audio(bytes(2 * round(self.pause * rate)), rate)
        finally:
            self.speaking -= 1


@dataclass
class Mind:
    """Writes sentences, so long after one another."""

    every: float = 0.0
    texts: Sequence[str] = SENTENCES
    writing: int = 0

    async def start(self) -> None: ...

    async def warm(self) -> None: ...

    async def aclose(self) -> None: ...

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        self.writing += 1
        try:
            for text in self.texts:
                yield f"{text} "
                await asyncio.sleep(self.every)
        finally:
            self.writing -= 1


class Answered:
    """One answer as it is played to a caller, in virtual time."""

    def __init__(self, voices: Voice | list[Voice], mind: Mind | None = None) -> None:
        self.mind = mind or Mind()
        self.parts = Parts(providers=voice(llm=self.mind, tts=voices))
        said = Utterance(text="When?")
        said.close()
        self.reply = self.parts.player.maker.answering(said)
        self.task = asyncio.create_task(self._play())

    async def _play(self) -> None:
        async for _ in self.parts.player.play(self.reply):
            pass

    def silences(self) -> list[float]:
        """Seconds of near-silence that the caller heard between two sounds."""
        ends, sounded, found = 0.0, None, list[float]()
        for at, pcm in self.parts.line.audio():
            begins = max(at, ends)
            ends = begins + Audio(pcm, RATE).seconds
            samples = np.frombuffer(pcm, "<i2").astype(float)
            if np.sqrt(np.mean(samples**2)) >= AUDIBLE:
                if sounded is not None and begins - sounded > FRAME:
                    found.append(round(begins - sounded, 3))
                sounded = ends
        return found


def silences(one: Voice, every: float = 0.0) -> list[float]:
    """Return the silences of an answer of four sentences."""

    async def main() -> list[float]:
        answered = Answered(one, Mind(every))
        answered.reply.release()
        await answered.task
        return answered.silences()

    return run(main())
