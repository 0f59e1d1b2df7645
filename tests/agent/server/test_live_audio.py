"""Listening in: both sides as they are heard, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.server.live.call_audio import RATE, CallAudio, compressed, expanded
from agent.stream.channel import Channel
from agent.stream.protocol import StreamProtocol
from agent.stream.tap import NO_TAP
from tests.agent.conversation import Caller
from tests.virtual_time import run

FRAME = 0.02


def tone(value: int, rate: int, seconds: float = FRAME) -> bytes:
    """Return samples of one value."""
    return np.full(round(rate * seconds), value, "<i2").tobytes()


@dataclass
class Story:
    """A call of so many seconds, in which the caller says 1000 and the agent -1000."""

    rate: int
    sent: Callable[[float], float]
    """Seconds of the agent's audio that are sent in a frame, by its time."""

    cleared_at: float = 99.0
    paused: Callable[[float], bool] = lambda _at: False

    def heard(self, seconds: float = 3.0) -> NDArray[np.int16]:
        """Return what a listener hears who is there all the time."""
        return run(self._heard(seconds))

    async def _heard(self, seconds: float) -> NDArray[np.int16]:
        loop = asyncio.get_running_loop()
        channel = Channel(Caller(""), StreamProtocol(), self.rate)
        began = loop.time()
        audio = CallAudio(channel, lambda: self.paused(loop.time() - began))
        with audio.listening() as listener:
            heard = b""
            while (at := loop.time() - began) < seconds:
                await asyncio.sleep(FRAME)
                channel.tap.received(tone(1000, self.rate))
                if sent := self.sent(at):
                    channel.tap.sent(tone(-1000, self.rate, sent))
                if 0 <= at - self.cleared_at < FRAME:
                    channel.tap.cleared()
                audio.advance()
                heard += listener.take()
        assert channel.tap is NO_TAP
        return np.frombuffer(heard, "<i2").reshape(-1, 2)


def seconds(side: NDArray[np.int16]) -> float:
    """Return for how long something is heard on a side."""
    return float(np.count_nonzero(np.abs(side) > 500)) / RATE


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
def test_both_sides_are_in_step(rate: int) -> None:
    """Left is the caller, right the agent, at 8 kHz whatever the line carries."""
    heard = Story(rate, sent=lambda at: FRAME * (1.0 <= at < 2.0)).heard()
    left, right = heard[:, 0], heard[:, 1]
    assert seconds(left) == pytest.approx(2.6, abs=0.1)
    assert seconds(right) == pytest.approx(1.0, abs=0.05)
    assert np.argmax(np.abs(right) > 500) / RATE == pytest.approx(1.02, abs=0.05)
    assert set(np.sign(left[np.abs(left) > 500])) == {1}
    assert set(np.sign(right[np.abs(right) > 500])) == {-1}


def test_what_was_cleared_is_not_heard() -> None:
    """It was sent ahead, and the caller has not heard it either."""

    def twice(at: float) -> float:
        return 2 * FRAME if 0.5 <= at < 1.5 else 0.0

    assert seconds(Story(8000, sent=twice).heard()[:, 1]) == pytest.approx(2.0, abs=0.1)
    cleared = Story(8000, sent=twice, cleared_at=1.0).heard()
    assert seconds(cleared[:, 1]) == pytest.approx(1.5, abs=0.1)


def test_nothing_is_heard_while_nothing_may_be_recorded() -> None:
    """A card number that the recording does not have is not listened in on."""
    heard = Story(8000, sent=lambda _at: FRAME, paused=lambda at: 1.0 <= at < 2.0).heard()
    silent = np.abs(heard[round(0.95 * RATE) : round(1.95 * RATE)]) < 500
    assert silent.mean() > 0.95
    assert seconds(heard[:, 0]) < 1.7


def test_g711_is_near_enough() -> None:
    """What goes to another process sounds as the telephone does."""
    samples = np.arange(-32000, 32000, 7).astype("<i2")
    back = np.frombuffer(expanded(compressed(samples.tobytes())), "<i2").astype(int)
    assert len(compressed(samples.tobytes())) == len(samples)
    assert np.all(np.abs(back - samples) <= 4 + np.abs(samples) / 16)
    assert expanded(compressed(b"\0\0" * 3)) == b"\0\0" * 3
