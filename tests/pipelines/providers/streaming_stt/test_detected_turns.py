"""Turns that the provider detects."""

from __future__ import annotations

import asyncio

import pytest

from pipelines.clock import now
from pipelines.providers.contracts import ProviderError
from tests.pipelines.providers.streaming_stt.calling import calling, run

from .parrot import (
    DETECTING,
    Manner,
    Speech,
    cancelled_after,
    text,
    words,
)


def test_the_text_is_had_when_the_turn_may_be_over() -> None:
    """Silence is sent in real time until the provider has decided; then it stops."""

    async def main() -> None:
        async with calling(limits=DETECTING) as (session, parrot):
            assert await session.transcribe(Speech(words(range(1, 26)))) == text(range(1, 26))
            assert now() == pytest.approx(0.5 + 0.2 + 0.1 + 0.04, abs=0.1)
            assert await session.turn_over()
            assert now() == pytest.approx(0.5 + 0.4 + 0.1 + 0.04, abs=0.1)
            await asyncio.sleep(10)
            assert parrot.connections[0].seconds == pytest.approx(0.5 + 1.0, abs=0.15)
            assert len(parrot.connections) == 1

    run(main)


def test_there_is_a_text_without_an_end_of_the_turn() -> None:
    """After a second of patience, which is longer while the text still grows."""

    async def main() -> None:
        manner = Manner(maybe_after=3.0, over_after=5.0)
        async with calling(manner, DETECTING) as (session, _):
            await asyncio.sleep(1.0)
            assert await session.transcribe(Speech(words(range(1, 11)))) == text(range(1, 11))
            assert now() == pytest.approx(2.2, abs=0.01)
            assert await session.turn_over()
            assert now() == pytest.approx(6.2, abs=0.15)

    run(main)


def test_a_turn_that_is_resumed_is_not_over() -> None:
    """The caller goes on after the turn may have been over; the whole is heard in the end."""

    async def main() -> None:
        async with calling(Manner(over_after=2.0), DETECTING) as (session, parrot):
            pieces = words(range(1, 41))
            assert await session.transcribe(Speech(pieces[:20])) == text(range(1, 21))
            verdict = asyncio.create_task(session.turn_over())
            heard = asyncio.create_task(session.transcribe(Speech(pieces, at_once=20)))
            assert not await verdict
            assert await heard == text(range(1, 41))
            assert await session.turn_over()
            assert parrot.connections[0].said == list(range(1, 41))

    run(main)


def test_a_turn_that_was_over_may_go_on() -> None:
    """By a single word: it is waited for, not only the turn before."""

    async def main() -> None:
        async with calling(limits=DETECTING) as (session, _):
            pieces = words(range(1, 12))
            assert await session.transcribe(Speech(pieces[:10])) == text(range(1, 11))
            assert await session.turn_over()
            await asyncio.sleep(5.0)
            assert await session.transcribe(Speech(pieces, at_once=10)) == text(range(1, 12))
            assert await session.turn_over()

    run(main)


def test_an_end_that_was_on_its_way_is_not_the_end() -> None:
    """When the caller has gone on, what comes at once is about what they said before."""

    async def main() -> None:
        manner = Manner(up=0.1, down=0.1, over_after=2.0)
        async with calling(manner, DETECTING) as (session, _):
            await asyncio.sleep(1.0)
            pieces = words(range(1, 12))
            await cancelled_after(0.2 + 0.35, session.transcribe(Speech(pieces[:10])))
            assert await session.transcribe(Speech(pieces, at_once=11)) == text(range(1, 12))

    run(main)


def test_what_was_said_after_the_end_of_a_turn_is_not_in_the_next_utterance() -> None:
    """Though the provider has not heard it yet when that begins."""

    async def main() -> None:
        manner = Manner(up=0.1, down=0.1, over_after=0.4)
        async with calling(manner, DETECTING) as (session, parrot):
            await asyncio.sleep(1.0)
            pieces = words([*range(1, 11), *[0] * 25, 11, 12])
            await cancelled_after(0.83, session.transcribe(Speech(pieces)))
            assert await session.transcribe(Speech(words([21]))) == "21"
            assert [connection.said for connection in parrot.connections][1] == [21]

    run(main)


def test_a_turn_may_begin_without_being_told_of() -> None:
    """Words say so, too; a connection with words that have not ended is not used again."""

    async def main() -> None:
        manner = Manner(says_began=False, maybe_after=3.0, over_after=4.0)
        async with calling(manner, DETECTING) as (session, _):
            await cancelled_after(1.5, session.transcribe(Speech(words(range(1, 11)))))
            assert await session.transcribe(Speech(words([21]))) == "21"

    run(main)


def test_the_end_of_another_utterance_is_not_taken_for_this_ones() -> None:
    """Whether the turn is over may be asked before the first word of it is sent."""

    async def main() -> None:
        async with calling(limits=DETECTING) as (session, _):
            await session.transcribe(Speech(words([1, 2])))
            assert await session.turn_over()
            await asyncio.sleep(5.0)
            began = now()
            hearing = asyncio.create_task(session.transcribe(Speech(words(range(11, 41)))))
            await asyncio.sleep(0)
            assert await session.turn_over()
            assert now() > began + 0.9
            assert await hearing == text(range(11, 41))

    run(main)


def test_a_slow_provider_is_waited_for_while_the_text_grows() -> None:
    """Longer than for one that has nothing to say."""

    async def main() -> None:
        manner = Manner(speed=2.0, maybe_after=60.0, over_after=60.0)
        async with calling(manner, DETECTING) as (session, _):
            everything = words(range(1, 301))
            assert await session.transcribe(Speech(everything, at_once=300)) == text(range(1, 301))

    run(main)


def test_a_turn_may_end_before_our_own_detection_says_so() -> None:
    """The text is had while the line is not quiet, since nobody speaks any more."""

    async def main() -> None:
        manner = Manner(hears=lambda number: number < 100)
        async with calling(manner, DETECTING) as (session, _):
            noise = [*range(1, 26), *range(100, 400)]
            assert await session.transcribe(Speech(words(noise))) == text(range(1, 26))
            assert now() == pytest.approx(0.5 + 0.4 + 0.04 + 0.5, abs=0.1)
            assert await session.turn_over()

    run(main)


def test_noise_is_no_turn() -> None:
    """The text is empty, and nobody is waited for."""

    async def main() -> None:
        manner = Manner(hears=lambda number: number < 100)
        async with calling(manner, DETECTING) as (session, _):
            assert await session.transcribe(Speech(words(range(100, 110)))) == ""
            assert await session.turn_over()
            assert now() == pytest.approx(1.2, abs=0.15)

    run(main)


def test_an_open_turn_is_left_to_its_connection() -> None:
    """The next utterance has a fresh one, if the turn before it did not end."""

    async def main() -> None:
        manner = Manner(maybe_after=2.0, over_after=3.0)
        async with calling(manner, DETECTING) as (session, parrot):
            await cancelled_after(0.5, session.transcribe(Speech(words(range(1, 26)))))
            assert await session.transcribe(Speech(words([31, 32]))) == "31 32"
            assert [connection.said for connection in parrot.connections][1] == [31, 32]
            await asyncio.sleep(5.0)  # the turn ends by the silence that it is given
            assert await session.transcribe(Speech(words([41, 42]))) == "41 42"
            assert len(parrot.connections) == 2

    run(main)


def test_a_connection_that_never_said_a_word_is_not_used_again() -> None:
    """It may be dead; then one utterance is lost, and no more."""

    async def main() -> None:
        async with calling(limits=DETECTING) as (session, parrot):
            parrot.manner.silent = True
            assert await session.transcribe(Speech(words([1, 2]))) == ""
            parrot.manner.silent = False
            await asyncio.sleep(5.0)
            assert await session.transcribe(Speech(words([3, 4]))) == "3 4"
            assert len(parrot.connections) == 2

    run(main)


def test_what_detects_no_turns_says_so() -> None:
    """For whoever asks all the same."""

    async def main() -> None:
        async with calling() as (session, _):
            assert not session.detects_turns
            with pytest.raises(ProviderError) as caught:
                await session.turn_over()
            assert not caught.value.retryable

    run(main)
