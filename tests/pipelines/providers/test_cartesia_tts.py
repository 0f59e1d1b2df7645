"""What is particular to Cartesia; the contract is proven in tests/contract."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest

from pipelines.providers.cartesia_tts import VERSION, Synthesizer
from pipelines.providers.contracts import ProviderError, Timing
from pipelines.providers.streaming_tts.protocol import SynthesisEnded, SynthesisEvent, WordsTimed
from tests.contract.case import Plan
from tests.contract.voices import rate_of, spoken, voiced
from tests.contract.wires.cartesia_tts import CASE, Server


def protocol(**options: object) -> Any:
    """Return a connection without a socket."""
    return Synthesizer(Synthesizer.Options.model_validate(options))._dialect.protocol()


def read(connection: Any, **message: object) -> list[SynthesisEvent]:
    return list(connection.read(json.dumps(message)))


def timed(*words: str) -> dict[str, object]:
    """Return timestamps of words that take a second each."""
    return {
        "words": words,
        "start": list(range(len(words))),
        "end": list(range(1, len(words) + 1)),
    }


def test_a_sentence_is_a_whole_context() -> None:
    """Nothing on the server waits for more text; the API's version is said."""

    async def main() -> None:
        server = Server(Plan())
        async with voiced(CASE, server, voice="v1", model="m1", language="de", speed=1.1) as tts:
            await spoken(tts, "Guten Tag.")
        (message,) = server.messages
        assert message == {
            "model_id": "m1",
            "transcript": "Guten Tag.",
            "voice": {"mode": "id", "id": "v1"},
            "language": "de",
            "context_id": message["context_id"],
            "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 8_000},
            "continue": False,
            "add_timestamps": True,
            "max_buffer_delay_ms": 0,
            "generation_config": {"speed": 1.1},
        }
        assert server.versions == [VERSION]

    asyncio.run(main())


def test_one_connection_serves_lines_of_all_rates() -> None:
    """The rate is said with each sentence: the line's where it can be had."""

    async def main() -> None:
        server = Server(Plan())
        async with voiced(CASE, server) as tts:
            lines = (8_000, 16_000, 48_000, 12_345)
            rates = [await rate_of(tts, rate) for rate in lines]
        assert rates == [8_000, 16_000, 48_000, 24_000]
        assert len(server.versions) == 1

    asyncio.run(main())


def test_a_barge_in_cancels_the_context() -> None:
    """By its name, at once; the connection is used again meanwhile."""

    async def main() -> None:
        server = Server(Plan(seconds=5))
        async with voiced(CASE, server) as tts:
            async with aclosing(tts.speak("Hello.", 8_000)) as results:
                await anext(results)
            await spoken(tts)
            first, cancel, second = server.messages
            assert cancel == {"context_id": first["context_id"], "cancel": True}
            assert second["context_id"] != first["context_id"]
        assert len(server.versions) == 1

    asyncio.run(main())


def test_word_ends_come_with_the_audio() -> None:
    """They count from the beginning of the sentence, and their punctuation does not matter."""

    async def main() -> list[float]:
        async with voiced(CASE, Server(Plan(seconds=1))) as tts:
            results = await spoken(tts, "Well, it is fine.")
        return [end for each in results if isinstance(each, Timing) for end in each.ends]

    assert asyncio.run(main()) == pytest.approx([0.25, 0.5, 0.75, 1.0])


def test_words_that_are_not_in_the_text_are_not_timed() -> None:
    """From the first, nothing is: what the caller has heard is not to be guessed too high."""
    connection = protocol()
    connection.speak("c", "I am 5 today", 8_000)
    message = {"type": "timestamps", "context_id": "c"}
    events = read(connection, **message, word_timestamps=timed("I", "am", "five", "today"))
    assert events == [WordsTimed("c", (1.0, 2.0))]


@pytest.mark.parametrize(
    ("status", "reason", "final"),
    [(401, "the key is refused", True), (429, "too many requests", False), (500, "500", False)],
)
def test_an_error_is_told_by_its_status(status: int, reason: str, final: bool) -> None:
    """And ends the sentence that it is of, or the connection if it is of none."""
    error = {"type": "error", "status_code": status, "title": "secret", "message": "words"}
    (ended,) = read(protocol(), context_id="c", **error)
    assert isinstance(ended, SynthesisEnded)
    assert ended.context == "c"
    assert ended.error is not None
    assert reason in str(ended.error)
    assert ended.error.retryable is not final
    assert "secret" not in str(ended.error)
    with pytest.raises(ProviderError, match=reason):
        read(protocol(), **error)


def test_types_that_are_not_known_mean_nothing() -> None:
    """Servers may learn to say more."""
    assert read(protocol(), type="phoneme_timestamps", context_id="c") == []
    assert read(protocol(), type="done") == []
