"""What is particular to ElevenLabs; the contract is proven in tests/contract."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from pipelines.audio import Audio
from pipelines.providers.contracts import ProviderError, Timing
from pipelines.providers.elevenlabs_tts import Synthesizer
from pipelines.providers.streaming_tts.protocol import (
    AudioChunk,
    MessageToSend,
    SynthesisEnded,
    SynthesisEvent,
    WordsTimed,
)
from tests.contract.case import Plan
from tests.contract.voices import rate_of, spoken, voiced
from tests.contract.wires.elevenlabs_tts import CASE, Server


def protocol(**options: object) -> Any:
    """Return a connection without a socket."""
    return Synthesizer(Synthesizer.Options.model_validate(options))._dialect.protocol()


def read(connection: Any, **message: object) -> list[SynthesisEvent]:
    return list(connection.read(json.dumps(message)))


def encoded(seconds: float, rate: int = 8_000) -> str:
    return base64.b64encode(bytes(int(2 * rate * seconds))).decode()


def aligned(text: str, each: float) -> dict[str, object]:
    """Return an alignment of characters that take ``each`` milliseconds."""
    return {
        "chars": list(text),
        "charStartTimesMs": [each * at for at in range(len(text))],
        "charDurationsMs": [each for _ in text],
    }


def test_voice_model_and_rate_belong_to_the_connection() -> None:
    """The line's rate is asked for where PCM can be had at it, else what the voice is made at."""

    async def main() -> list[int]:
        server = Server(Plan())
        async with voiced(CASE, server, voice="v1", model="m1", language="de") as tts:
            rates = [await rate_of(tts, rate) for rate in (8_000, 16_000, 48_000)]
        assert server.queries[0] == {
            "model_id": "m1",
            "output_format": "pcm_8000",
            "auto_mode": "true",
            "sync_alignment": "true",
            "inactivity_timeout": "180",
            "language_code": "de",
        }
        assert {each["output_format"] for each in server.queries} == {
            "pcm_8000",
            "pcm_16000",
            "pcm_24000",
        }
        assert set(server.voices) == {"v1"}
        return rates

    assert asyncio.run(main()) == [8_000, 16_000, 24_000]


def test_a_sentence_is_a_context_that_is_closed_once_it_is_heard() -> None:
    """Before its first audio, closing might have it never spoken; without, its end is not told."""

    async def main() -> None:
        server = Server(Plan())
        async with voiced(CASE, server, speed=1.1) as tts:
            await spoken(tts, " Hello there. ")
        begin, text, close = server.messages
        context = begin["context_id"]
        assert begin == {"text": " ", "context_id": context, "voice_settings": {"speed": 1.1}}
        assert text == {"text": "Hello there. ", "context_id": context, "flush": True}
        assert close == {"context_id": context, "close_context": True}
        assert not server.cancelled

    asyncio.run(main())


def test_a_context_is_closed_with_its_first_audio_only() -> None:
    """Once, whatever else comes."""
    connection = protocol()
    connection.speak("c", "Hello there.", 8_000)
    assert read(connection, contextId="c", alignment=aligned("H", 50)) == []
    first = read(connection, contextId="c", audio=encoded(0.1))
    assert [type(each) for each in first] == [MessageToSend, AudioChunk]
    assert [type(each) for each in read(connection, contextId="c", audio=encoded(0.1))] == [
        AudioChunk
    ]


def test_barge_ins_never_bring_a_connection_over_its_five_contexts() -> None:
    """Those that are closed still count until they are flushed; the sixth would end all."""

    async def main() -> None:
        server = Server(Plan(seconds=2))
        async with voiced(CASE, server) as tts:
            for _ in range(4):
                tasks = [asyncio.create_task(spoken(tts)) for _ in range(5)]
                await asyncio.sleep(0.01)
                for task in tasks[1:]:
                    task.cancel()
                pcm = b"".join(each.pcm for each in await tasks[0] if isinstance(each, Audio))
                assert len(pcm) == 2 * 2 * 8_000
        assert server.cancelled

    asyncio.run(main())


def test_words_end_where_their_characters_do() -> None:
    """Characters are timed from the beginning of their piece; a word may lie across two."""
    connection = protocol()
    connection.speak("c", "Hi there, you.", 8_000)
    events = read(connection, contextId="c", audio=encoded(1), alignment=aligned(" Hi the", 100))
    events += read(connection, contextId="c", audio=encoded(1), alignment=None)
    events += read(connection, contextId="c", audio=encoded(1), alignment=aligned("re, you.", 100))
    ends = [end for each in events if isinstance(each, WordsTimed) for end in each.ends]
    assert ends == pytest.approx([0.3, 2.2, 2.7])


def test_word_ends_come_with_the_audio() -> None:
    """One for each word, and the last at the end of the sentence or just before."""

    async def main() -> list[float]:
        async with voiced(CASE, Server(Plan(seconds=1))) as tts:
            results = await spoken(tts, "It is a fine day.")
        return [end for each in results if isinstance(each, Timing) for end in each.ends]

    ends = asyncio.run(main())
    assert len(ends) == 5
    assert ends == sorted(ends)
    assert 0.8 < ends[-1] <= 1.0


@pytest.mark.parametrize(
    ("code", "reason", "final"),
    [
        ("quota_exceeded", "no credit", True),
        ("invalid_api_key", "the key is refused", True),
        ("voice_not_found", "the server does not know the voice", True),
        ("system_busy", "the server is busy", False),
        ("secret words", "the server reported an error", False),
    ],
)
def test_an_error_is_told_in_our_words(code: str, reason: str, final: bool) -> None:
    """Its code is translated if it is known, and never repeated."""
    with pytest.raises(ProviderError, match=reason) as caught:
        read(protocol(), message="secret words", error=code, code=1008)
    assert caught.value.retryable is not final
    assert "secret" not in str(caught.value)


def test_what_is_not_for_a_sentence_is_no_event() -> None:
    """Nor is what comes late of a cancelled one, but for its end."""
    connection = protocol()
    connection.speak("c", "Hello.", 8_000)
    connection.cancel("c")
    assert read(connection, contextId="c", audio=encoded(1)) == []
    assert read(connection, audio=encoded(1)) == []
    assert read(connection, contextId="c", isFinal=True, audio=None) == [SynthesisEnded("c")]
