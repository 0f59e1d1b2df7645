"""A reply runs one sentence ahead: voices over websockets are asked for two at once."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from tests.contract.case import Plan
from tests.contract.voices import spoken, voiced
from tests.contract.wires import cartesia_tts, deepgram_tts, elevenlabs_tts

WIRES = pytest.mark.parametrize("wire", [cartesia_tts, deepgram_tts, elevenlabs_tts])


@WIRES
def test_two_sentences_at_once_are_each_whole(wire: Any) -> None:
    """Neither is heard in the other, on one connection or two."""

    async def main() -> None:
        async with voiced(wire.CASE, wire.Server(Plan())) as tts:
            alone = await spoken(tts, "One.")
            both = await asyncio.gather(spoken(tts, "One."), spoken(tts, "Two."))
        assert list(both) == [alone, alone]

    asyncio.run(main())


@WIRES
def test_the_next_sentence_is_dropped_without_the_one_that_is_heard(wire: Any) -> None:
    """Interrupted after the first audio of one, the other still comes whole."""

    async def main() -> None:
        async with voiced(wire.CASE, wire.Server(Plan())) as tts:
            alone = await spoken(tts, "One.")

            async def dropped() -> None:
                async with aclosing(tts.speak("Two.", 8_000)) as pieces:
                    await anext(pieces)

            whole, _ = await asyncio.gather(spoken(tts, "One."), dropped())
        assert whole == alone

    asyncio.run(main())
