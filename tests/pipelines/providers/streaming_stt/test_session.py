"""What is heard over a websocket: nothing lost, nothing twice, nothing of another utterance."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.clock import now
from tests.pipelines.providers.streaming_stt.calling import calling, run

from .parrot import (
    LIMITS,
    Manner,
    Speech,
    cancelled_after,
    text,
    words,
)

# One utterance.


def test_an_utterance_is_heard_while_it_is_spoken() -> None:
    """Audio is sent as it comes; what is known so far grows; the end takes one answer."""

    async def main() -> None:
        async with calling() as (session, parrot):
            await asyncio.sleep(1.0)
            task = asyncio.create_task(session.transcribe(Speech(words(range(1, 51)))))
            await asyncio.sleep(0.5)
            assert parrot.connections[0].said[:10] == list(range(1, 11))
            assert session.so_far.startswith("1 2 3")
            assert await task == text(range(1, 51))
            assert now() == pytest.approx(2.0 + 0.02 + 0.1 + 0.02, abs=0.001)
            assert session.so_far == text(range(1, 51))

    run(main)


def test_the_connection_opens_when_the_call_begins() -> None:
    """Before anybody has spoken; and what is said before it is open is not lost."""

    async def main() -> None:
        async with calling(Manner(connects_in=0.3)) as (session, parrot):
            await asyncio.sleep(0.1)
            heard = await session.transcribe(Speech(words([1, 2, 3]), at_once=3))
            assert heard == "1 2 3"
            assert parrot.connections[0].opened_at == pytest.approx(0.3)
            assert len(parrot.connections) == 1

    run(main)


def test_pieces_travel_together() -> None:
    """Messages have the length that the provider wants; the rest goes at the end."""

    async def main() -> None:
        async with calling(limits=replace(LIMITS, group=0.08)) as (session, parrot):
            assert await session.transcribe(Speech(words(range(1, 11)))) == text(range(1, 11))
            sizes = [len(m) for _, m in parrot.connections[0].messages if isinstance(m, bytes)]
            assert sizes == [4 * 640, 4 * 640, 2 * 640]

    run(main)


def test_a_long_piece_is_cut() -> None:
    """No message is longer than the provider takes."""

    async def main() -> None:
        async with calling() as (session, parrot):
            whole = Audio(b"".join(piece.pcm for piece in words(range(1, 126))), SPEECH_RATE)
            assert await session.transcribe(Speech([whole])) == text(range(1, 126))
            sizes = [len(m) for _, m in parrot.connections[0].messages if isinstance(m, bytes)]
            assert sizes == [32_000, 32_000, 16_000]

    run(main)


def test_audio_comes_at_the_rate_that_the_provider_wants() -> None:
    """As many seconds go out as were spoken, whatever the rate."""

    async def main() -> None:
        async with calling(limits=replace(LIMITS, rate=24_000)) as (session, parrot):
            await session.transcribe(Speech(words(range(1, 26))))
            sent = sum(len(m) for _, m in parrot.connections[0].messages if isinstance(m, bytes))
            assert abs(sent / 2 - 0.5 * 24_000) <= 1

    run(main)


def test_nothing_said_asks_for_nothing() -> None:
    """Speech without audio sends nothing."""

    async def main() -> None:
        async with calling() as (session, parrot):
            assert await session.transcribe(Speech([])) == ""
            await asyncio.sleep(0.2)
            assert parrot.connections[0].commands == ["hello"]

    run(main)


# It goes on.


def test_an_utterance_that_goes_on_is_sent_once() -> None:
    """Only what is new is sent, and the whole is returned; again and again."""

    async def main() -> None:
        async with calling() as (session, parrot):
            pieces = words(range(1, 101))
            for end in (20, 40, 40, 100):
                assert await session.transcribe(Speech(pieces[:end], at_once=end)) == text(
                    range(1, end + 1)
                )
            assert parrot.connections[0].said == list(range(1, 101))
            assert parrot.connections[0].commands.count("finish") == 3

    run(main)


def test_an_utterance_goes_on_after_it_was_cancelled() -> None:
    """Amid speech, or while its answer is owed: what was sent is not sent again."""

    async def main() -> None:
        async with calling() as (session, parrot):
            pieces = words(range(1, 61))
            await cancelled_after(0.3, session.transcribe(Speech(pieces[:40])))
            await cancelled_after(0.05, session.transcribe(Speech(pieces[:40], at_once=40)))
            assert await session.transcribe(Speech(pieces, at_once=45)) == text(range(1, 61))
            assert parrot.connections[0].said == list(range(1, 61))
            assert len(parrot.connections) == 1

    run(main)


def test_the_same_words_by_other_objects_are_another_utterance() -> None:
    """An utterance is told by its pieces, not by their sound."""

    async def main() -> None:
        async with calling() as (session, parrot):
            assert await session.transcribe(Speech(words([1, 2]))) == "1 2"
            assert await session.transcribe(Speech(words([1, 2, 3]))) == "1 2 3"
            assert parrot.connections[0].said == [1, 2, 1, 2, 3]

    run(main)


def test_an_utterance_that_became_shorter_is_heard_anew() -> None:
    """It is not what was heard before, so nothing of that is used."""

    async def main() -> None:
        async with calling() as (session, _):
            pieces = words(range(1, 11))
            assert await session.transcribe(Speech(pieces)) == text(range(1, 11))
            assert await session.transcribe(Speech(pieces[:5])) == text(range(1, 6))

    run(main)


# Another one.


def test_late_results_of_an_utterance_never_reach_the_next() -> None:
    """Whether the first was cancelled amid its speech or while its answer was owed."""

    async def main() -> None:
        async with calling(Manner(thinks=lambda: 0.5)) as (session, parrot):
            await cancelled_after(0.3, session.transcribe(Speech(words(range(1, 40)))))
            await cancelled_after(0.3, session.transcribe(Speech(words([41, 42]))))
            assert await session.transcribe(Speech(words([51, 52]))) == "51 52"
            assert len(parrot.connections) == 1

    run(main)


def test_what_comes_after_the_last_result_is_dropped() -> None:
    """A text that comes when everything was heard belongs to nothing."""

    async def main() -> None:
        async with calling() as (session, parrot):
            assert await session.transcribe(Speech(words([1, 2]))) == "1 2"
            parrot.lines[0].tell("interim", "Thank you for watching.")
            parrot.lines[0].tell("final", "Thank you for watching.")
            await asyncio.sleep(0.1)
            assert session.so_far == "1 2"
            assert await session.transcribe(Speech(words([3]))) == "3"

    run(main)
