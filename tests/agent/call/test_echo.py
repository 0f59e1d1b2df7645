"""Whole calls on a line that returns what we say: nobody answers it, and a caller stops us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from pipelines.audio import Audio
from pipelines.providers.contracts import Speech
from tests.agent.conversation import FRAME, RATE, SCRIPT, Caller, Talk, talk, voice
from tests.benchmarks.word_errors import mulaw_round_trip
from tests.pipelines.listening.echo_paths import speech

DELAY = 0.25
VOICE = ("not-at-desk", "which-folder", "first-in-line")
SAMPLES = round(RATE * FRAME)


@dataclass
class EchoingCaller(Caller):
    """A caller whose telephone returns what it plays, through G.711."""

    down: float = 30.0
    """Decibels."""

    says: bytes = b""
    """Samples of what they say themselves, from the beginning of the call."""

    _played: bytearray = field(default_factory=bytearray)
    _frames: int = 0

    def _now(self) -> int:
        return 2 * round(asyncio.get_running_loop().time() * RATE)

    async def receive(self) -> str | bytes | None:
        frame = await super().receive()
        if isinstance(frame, bytes):
            end = 2 * SAMPLES * self._frames - 2 * round(DELAY * RATE)
            echo = bytes(self._played[max(0, end) : max(0, end + 2 * SAMPLES)])
            own = self.says[2 * SAMPLES * self._frames :][: 2 * SAMPLES]
            mixed = np.zeros(SAMPLES)
            for pcm, gain in ((echo, 10 ** (-self.down / 20)), (own, 1.0)):
                mixed[: len(pcm) // 2] += gain * np.frombuffer(pcm, "<i2")
            frame = mulaw_round_trip(np.rint(mixed).astype("<i2")).tobytes()
            self._frames += 1
        return frame

    async def send(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._played += bytes(max(0, self._now() - len(self._played))) + message
        elif "clear" in message:
            del self._played[self._now() :]
        await super().send(message)


class RecordedVoice:
    """Says recordings, whatever is to be said."""

    async def start(self) -> None: ...

    async def warm(self) -> None: ...

    async def aclose(self) -> None: ...

    async def speak(self, text: str, rate: int = RATE) -> AsyncGenerator[Speech, None]:
        del text, rate
        yield Audio(speech(*VOICE).astype("<i2").tobytes(), RATE)


def call_with(caller: EchoingCaller) -> Talk:
    return talk(
        caller,
        voice(["And thank you for."], ["What for?"], tts=RecordedVoice()),
        script=replace(SCRIPT, greeting="Somebody speaks here for a while."),
    )


@pytest.mark.parametrize("down", [10, 20, 30])
def test_nobody_answers_our_own_words(down: float) -> None:
    """The greeting is said to its end, and nobody has said anything."""
    done = call_with(EchoingCaller("." * 250, down=down))
    assert not done.caller.commands("clear")
    assert not done.notes.of("caller")
    assert not done.notes.of("held")
    assert done.notes.of("agent")[0]["cut_off"] is False
    assert done.notes.of("ended")[0]["echo"] > 2


@pytest.mark.parametrize("down", [10, 20])
def test_the_caller_stops_us_over_our_echo(down: float) -> None:
    """Half a second after the onset at the latest, and that is a turn."""
    says = np.concatenate([np.zeros(3 * RATE), speech("goodbye", "saturday")])
    done = call_with(EchoingCaller("." * 120, down=down, says=says.astype("<i2").tobytes()))
    assert 3.2 < done.caller.commands("clear")[0] < 3.8
    assert done.notes.of("caller")
