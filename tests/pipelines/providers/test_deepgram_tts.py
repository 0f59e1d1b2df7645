"""What is particular to Deepgram's speech; the contract is proven in tests/contract."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest

from pipelines.providers.contracts import ProviderError
from pipelines.providers.deepgram_tts import LIMITS, Synthesizer
from pipelines.providers.streaming_tts.protocol import AudioChunk, SynthesisEnded, SynthesisEvent
from tests.contract.case import Plan
from tests.contract.voices import rate_of, spoken, voiced
from tests.contract.wires.deepgram_tts import CASE, Server


class Connection:
    """One connection without a socket."""

    def __init__(self) -> None:
        self.protocol: Any = Synthesizer(Synthesizer.Options())._dialect.protocol()

    def told(self, kind: str) -> list[SynthesisEvent]:
        return list(self.protocol.read(json.dumps({"type": kind, "sequence_id": 0})))

    def heard(self, pcm: bytes) -> list[SynthesisEvent]:
        return list(self.protocol.read(pcm))


def test_voice_and_rate_belong_to_the_connection() -> None:
    """Linear samples at the line's rate where they can be had."""

    async def main() -> None:
        server = Server(Plan())
        async with voiced(CASE, server, model="aura-2-viktoria-de") as tts:
            rates = [await rate_of(tts, rate) for rate in (8_000, 22_050)]
        assert rates == [8_000, 24_000]
        assert server.queries[0] == {
            "model": "aura-2-viktoria-de",
            "encoding": "linear16",
            "sample_rate": "8000",
        }

    asyncio.run(main())


def test_a_sentence_is_spoken_and_flushed() -> None:
    """The next one goes over the same connection."""

    async def main() -> None:
        server = Server(Plan())
        async with voiced(CASE, server) as tts:
            for text in ("One.", "Two."):
                await spoken(tts, text)
        assert server.messages == [
            {"type": "Speak", "text": "One."},
            {"type": "Flush"},
            {"type": "Speak", "text": "Two."},
            {"type": "Flush"},
        ]
        assert len(server.queries) == 1

    asyncio.run(main())


def test_a_barge_in_clears_and_the_connection_is_used_again() -> None:
    """Once it was confirmed."""

    async def main() -> None:
        server = Server(Plan(seconds=5))
        async with voiced(CASE, server) as tts:
            async with aclosing(tts.speak("One.", 8_000)) as results:
                await anext(results)
            await asyncio.sleep(0.02)
            await spoken(tts, "Two.")
        assert [each["type"] for each in server.messages][2:4] == ["Clear", "Speak"]
        assert len(server.queries) == 1

    asyncio.run(main())


def test_a_connection_gets_twenty_sentences_a_minute() -> None:
    """Deepgram does not do further flushes; the twenty-first goes over another connection."""

    async def main() -> None:
        server = Server(Plan(seconds=0.01))
        async with voiced(CASE, server) as tts:
            for _ in range(21):
                await spoken(tts)
        assert LIMITS.a_minute == 20
        assert len(server.queries) == 2

    asyncio.run(main())


def test_clear_and_flushed_may_cross() -> None:
    """A cancelled sentence ends with Cleared alone; a Flushed of it is not taken for the next's."""
    line = Connection()
    line.protocol.speak("a", "One.", 8_000)
    line.protocol.cancel("a")
    assert line.told("Flushed") == []
    assert line.heard(b"\1\2") == [AudioChunk("a", b"\1\2")]
    assert line.told("Cleared") == [SynthesisEnded("a")]
    assert line.heard(b"\3\4") == []

    line.protocol.speak("b", "Two.", 8_000)
    line.protocol.cancel("b")
    assert line.told("Cleared") == [SynthesisEnded("b")]
    line.protocol.speak("c", "Three.", 8_000)
    assert line.told("Flushed") == [], "that of the second"
    assert line.heard(b"\5\6") == [AudioChunk("c", b"\5\6")]
    assert line.told("Cleared") == []
    assert line.told("Flushed") == [SynthesisEnded("c")]


def test_an_error_ends_the_connection_and_a_warning_does_not() -> None:
    """What it says is not repeated."""
    line = Connection()
    assert line.told("Warning") == []
    assert line.told("Metadata") == []
    with pytest.raises(ProviderError, match="reported an error"):
        line.told("Error")
