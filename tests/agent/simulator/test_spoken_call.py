"""A call over a sound card, with a double of the card on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.simulator.plan import Plan
from agent.simulator.sound_card import DefaultSoundCard
from agent.simulator.spoken_call import SpokenCall
from agent.simulator.stream_caller import CallFailedError
from tests.agent.loopback import running, until

pytestmark = pytest.mark.usefixtures("nothing_left")


class Card:
    """A microphone that is silent, and a loudspeaker that keeps what it is given."""

    rate = 44100

    def __init__(self) -> None:
        self.played = bytearray()
        self.cleared = 0

    async def microphone(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.02)
            yield bytes(2 * 882)

    def play(self, pcm: bytes) -> None:
        self.played += pcm

    def clear(self) -> None:
        self.cleared += 1


def test_it_is_heard_and_keys_reach_the_agent(tmp_path: Path) -> None:
    """The greeting comes out of the loudspeaker; keys are tones; the end is a hang-up."""

    async def main() -> None:
        card, said = Card(), list[str]()
        async with running(tmp_path) as server:
            call = SpokenCall(card, Plan(turns=[], rate=8000), said.append)
            with pytest.raises(ValueError, match="key"):
                call.press("call me")
            holding = asyncio.ensure_future(call.hold(server.url, "terminal-1"))
            await until(lambda: len(card.played) > card.rate)  # half a second
            call.press("12#")
            await until(lambda: "Keypad: 12#" in str(server.lines()))
            holding.cancel()
            await asyncio.wait([holding])
            await until(lambda: not server.registry.in_progress)
            await until(lambda: server.lines()[-1]["kind"] == "ended")
            assert said == ["answered"]
            assert server.lines()[-1]["hung_up_by"] == "caller"
            assert any(card.played)

    asyncio.run(main())


def test_a_sound_card_that_gives_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A microphone that was unplugged ends the call in words."""

    async def main() -> None:
        monkeypatch.setattr("agent.simulator.sound_card.SILENT_AFTER", 0.05)
        card = DefaultSoundCard(8000)
        card.play(b"\1\0" * 4)
        out = bytearray(6)
        card.exchange(b"\2\0\3\0", out, 3, None, None)
        card.clear()
        rest = bytearray(6)
        card.exchange(b"", rest, 3, None, None)
        assert (bytes(out), bytes(rest)) == (b"\1\0" * 3, bytes(6))
        heard = card.microphone()
        assert await anext(heard) == b"\2\0\3\0"
        assert await anext(heard) == b""
        with pytest.raises(CallFailedError, match="microphone"):
            await anext(heard)

    asyncio.run(main())
