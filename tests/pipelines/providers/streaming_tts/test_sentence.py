"""One sentence on its way from a provider to whoever listens."""

from __future__ import annotations

import asyncio

import pytest

from pipelines.audio import Audio
from pipelines.providers.contracts import ProviderError, Timing
from pipelines.providers.streaming_tts.sentence import MOST_SECONDS, SILENCE, Sentence
from tests import virtual_time

RATE = 8_000


def test_half_a_sample_waits_for_the_other_half() -> None:
    """Whatever a provider cuts, whole samples come out."""

    async def main() -> None:
        sentence = Sentence("One.", RATE)
        for piece in (b"\1", b"\2\3", b"\4"):
            sentence.add(piece)
        sentence.end()
        assert await sentence.next() == Audio(b"\1\2", RATE)
        assert await sentence.next() == Audio(b"\3\4", RATE)
        assert await sentence.next() is None

    asyncio.run(main())


def test_words_end_in_order_and_there_are_no_more_than_were_given() -> None:
    """A provider that times words twice, or backwards, does not confuse the ledger."""

    async def main() -> None:
        sentence = Sentence("One two three.", RATE)
        sentence.time([0.5, 0.25])
        sentence.time([0.75, 1.0])
        sentence.time([1.25])
        sentence.end()
        assert await sentence.next() == Timing((0.5, 0.5))
        assert await sentence.next() == Timing((0.75,))
        assert await sentence.next() is None

    asyncio.run(main())


def test_a_sentence_ends_with_its_error_after_what_had_come() -> None:
    """What was made of it is heard first."""

    async def main() -> None:
        sentence = Sentence("One.", RATE)
        sentence.add(b"\1\2")
        sentence.end(ProviderError("tts", "lost"))
        assert await sentence.next() == Audio(b"\1\2", RATE)
        with pytest.raises(ProviderError, match="lost"):
            await sentence.next()

    asyncio.run(main())


def test_nobody_waits_for_ever() -> None:
    """There is a deadline for those who have none of their own."""

    async def main() -> None:
        began = asyncio.get_running_loop().time()
        with pytest.raises(ProviderError, match="nothing came") as caught:
            await Sentence("One.", RATE).next()
        assert caught.value.timed_out
        assert asyncio.get_running_loop().time() == began + SILENCE

    virtual_time.run(main())


def test_audio_without_end_is_refused() -> None:
    """It would fill the memory."""
    sentence = Sentence("One.", RATE)
    sentence.add(bytes(2 * int(MOST_SECONDS * RATE)))
    with pytest.raises(ProviderError, match="does not end"):
        sentence.add(b"\0\0")


def test_constants_are_for_patient_people() -> None:
    """The engine's own deadline is later than any that a call has, and a sentence fits memory."""
    assert SILENCE >= 10
    assert MOST_SECONDS * 2 * 8_000 < 2_000_000
