"""What is heard over a websocket: nothing lost, nothing twice, nothing of another utterance."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.providers.contracts import ProviderError, TranscriptionSession
from pipelines.providers.streaming_stt.protocol import TranscriptionEvent, TranscriptionLimits
from pipelines.providers.streaming_stt.provider import StreamingStt
from pipelines.providers.streaming_stt.turns import Pace
from tests import virtual_time

from .parrot import (
    DETECTING,
    LIMITS,
    Dialect,
    Manner,
    Parrot,
    ParrotProtocol,
    Speech,
    cancelled_after,
    text,
    word,
    words,
)


@asynccontextmanager
async def calling(
    manner: Manner | None = None, limits: TranscriptionLimits = LIMITS, pace: Pace | None = None
) -> AsyncIterator[tuple[TranscriptionSession, Parrot]]:
    """Yield the session of one call, and the provider that it has."""
    parrot = Parrot(manner)
    parrot.manner.turns = limits.detects_turns
    provider = StreamingStt(Dialect(limits=limits), pace)
    await provider.connect_by(parrot, {})
    session = provider.open_session()
    try:
        yield session, parrot
    finally:
        await session.aclose()
        await provider.aclose()


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    virtual_time.run(main())


def lose(parrot: Parrot) -> None:
    parrot.lines[-1].break_off()


def now() -> float:
    return asyncio.get_running_loop().time()


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


# It breaks.


def test_a_lost_connection_is_told_at_once() -> None:
    """While the caller speaks, while they pause, and while an answer is owed."""

    async def main() -> None:
        for lost_at in (0.25, 0.55, 0.95):
            async with calling(Manner(thinks=lambda: 5.0)) as (session, parrot):
                began = now()
                ends = lost_at > 0.9
                speech = Speech(words(range(1, 21)), ends=ends)
                asyncio.get_running_loop().call_later(lost_at, lose, parrot)
                with pytest.raises(ProviderError, match="lost"):
                    await session.transcribe(speech)
                assert now() == pytest.approx(began + lost_at)

    run(main)


def test_an_utterance_is_heard_from_its_beginning_on_a_fresh_connection() -> None:
    """After the connection was lost, with the very same pieces."""

    async def main() -> None:
        async with calling() as (session, parrot):
            pieces = words(range(1, 41))
            asyncio.get_running_loop().call_later(0.5, lose, parrot)
            with pytest.raises(ProviderError):
                await session.transcribe(Speech(pieces))
            assert await session.transcribe(Speech(pieces, at_once=30)) == text(range(1, 41))
            assert parrot.connections[1].said == list(range(1, 41))

    run(main)


def test_a_connection_that_takes_nothing_is_not_asked_twice() -> None:
    """Even if the second attempt follows the first at once."""

    async def main() -> None:
        async with calling() as (session, parrot):
            pieces = words([1, 2])
            await session.transcribe(Speech([word(9)]))
            parrot.lines[0].break_off()
            with pytest.raises(ProviderError):
                await session.transcribe(Speech(pieces, at_once=2))
            assert await session.transcribe(Speech(pieces, at_once=2)) == "1 2"

    run(main)


def test_an_error_of_the_server_ends_the_connection() -> None:
    """The utterance fails; the next has a connection of its own."""

    async def main() -> None:
        async with calling() as (session, parrot):
            asyncio.get_running_loop().call_later(0.3, lambda: parrot.lines[0].tell("error"))
            with pytest.raises(ProviderError, match="reports an error"):
                await session.transcribe(Speech(words(range(1, 31))))
            assert parrot.connections[0].closed_at == pytest.approx(0.32)
            assert await session.transcribe(Speech(words([1]))) == "1"

    run(main)


def test_a_connection_that_owes_an_answer_for_long_is_replaced() -> None:
    """Whoever has the deadline cancels; what they ask next goes elsewhere."""

    async def main() -> None:
        async with calling() as (session, parrot):
            parrot.manner.silent = True
            pieces = words([1, 2, 3])
            await cancelled_after(3.0, session.transcribe(Speech(pieces)))
            parrot.manner.silent = False
            assert await session.transcribe(Speech(pieces, at_once=3)) == "1 2 3"
            assert len(parrot.connections) == 2
            assert parrot.connections[0].closed_at is not None

    run(main)


def test_nobody_connects_while_nobody_speaks() -> None:
    """A connection that cannot be had is asked for again with the next utterance, not before."""

    async def main() -> None:
        async with calling(Manner(refuses=True)) as (session, parrot):
            await asyncio.sleep(60)
            parrot.manner.refuses = False
            assert await session.transcribe(Speech(words([1]))) == "1"
            assert len(parrot.connections) == 1

    run(main)


def test_an_answer_that_need_not_come_is_had_by_ending_the_connection() -> None:
    """Where the provider may say nothing: it answers before it ends, unless it is not there."""

    async def main() -> None:
        limits = replace(LIMITS, asks_after=0.8)
        manner = Manner(answers_nothing=True, hears=lambda number: number > 10)
        async with calling(manner, limits) as (session, parrot):
            began = now()
            assert await session.transcribe(Speech(words([1, 2]), at_once=2)) == ""
            assert now() == pytest.approx(began + 0.1 + 0.8 + 0.04)  # connected, asked, answered
            assert parrot.connections[0].commands == ["hello", "finish", "bye"]
            assert await session.transcribe(Speech(words([11, 12]))) == "11 12"
            parrot.manner.silent = True
            await cancelled_after(60, session.transcribe(Speech(words([13]))))
            assert now() > 60

    run(main)


class Mistaken(ParrotProtocol):
    """Has a bug: it is confused by results."""

    def read(self, message: str | bytes) -> Sequence[TranscriptionEvent]:
        return tuple(5)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class MistakenDialect(Dialect):
    """The parrot's, with a bug."""

    def protocol(self) -> ParrotProtocol:
        return Mistaken()


def test_a_bug_of_ours_in_a_dialect_is_loud_and_nobody_hangs() -> None:
    """Whoever waits has an error at once; the log has the traceback; another session may try."""

    async def main() -> None:
        parrot = Parrot()
        provider = StreamingStt(MistakenDialect())
        await provider.connect_by(parrot, {})
        with capture_logs() as logs:
            for number in (1, 2):
                session = provider.open_session()
                began = now()
                with pytest.raises(ProviderError, match="the connection failed"):
                    await session.transcribe(Speech(words([number] * 50)))
                assert now() < began + 0.5
                await session.aclose()
        assert [type(entry["exc_info"]) for entry in logs] == [TypeError, TypeError]
        assert len(parrot.connections) == 2
        assert all(connection.closed_at for connection in parrot.connections)
        await provider.aclose()

    run(main)


# While nobody speaks.


def test_a_connection_is_kept_alive() -> None:
    """By a message every so often, but not while audio does it."""

    async def main() -> None:
        async with calling(limits=replace(LIMITS, keep_alive=5.0)) as (session, parrot):
            await asyncio.sleep(12.0)
            await session.transcribe(Speech(words(range(1, 1001))))
            await asyncio.sleep(12.0)
            kept = [at for at, m in parrot.connections[0].messages if m == "still there"]
            assert kept == pytest.approx([5.1, 10.1, 37.12, 42.12], abs=0.3)

    run(main)


def test_a_connection_is_replaced_for_its_age_while_nobody_speaks() -> None:
    """Not amid an utterance; and the fresh one is open before the next."""

    async def main() -> None:
        async with calling(limits=replace(LIMITS, age=10.0)) as (session, parrot):
            await asyncio.sleep(8.0)
            pieces = words(range(1, 301))
            assert await session.transcribe(Speech(pieces[:200])) == text(range(1, 201))
            assert await session.transcribe(Speech(pieces, at_once=200)) == text(range(1, 301))
            assert len(parrot.connections) == 1
            await asyncio.sleep(4.0)
            assert len(parrot.connections) == 2
            assert parrot.connections[0].closed_at is not None
            assert parrot.connections[0].commands[-1] == "bye"
            assert await session.transcribe(Speech(words([7]))) == "7"
            await asyncio.sleep(25.0)
            assert len(parrot.connections) == 4

    run(main)


def test_a_long_pause_does_not_replace_the_connection() -> None:
    """An utterance that has not ended keeps its connection, however old that is."""

    async def main() -> None:
        async with calling(limits=replace(LIMITS, age=10.0)) as (session, parrot):
            await cancelled_after(30.0, session.transcribe(Speech(words([1, 2]), ends=False)))
            assert len(parrot.connections) == 1
            assert parrot.connections[0].closed_at is None

    run(main)


def test_an_old_connection_is_not_used_for_another_utterance() -> None:
    """If it could never be replaced in peace."""

    async def main() -> None:
        async with calling(limits=replace(LIMITS, age=5.0)) as (session, parrot):
            for number in range(1, 6):
                assert await session.transcribe(Speech(words([number] * 100)))
            assert len(parrot.connections) == 2

    run(main)


# Announced calls.


def test_a_call_that_was_announced_finds_an_open_connection() -> None:
    """Each takes one; when there is none left, a fresh one is opened."""

    async def main() -> None:
        parrot = Parrot()
        provider = StreamingStt(Dialect())
        await provider.connect_by(parrot, {})
        await provider.warm()
        assert len(parrot.connections) == 1
        first, second = provider.open_session(), provider.open_session()
        hearing = asyncio.create_task(first.transcribe(Speech(words([1, 2]))))
        assert await second.transcribe(Speech(words([3, 4]))) == "3 4"
        assert await hearing == "1 2"
        assert [connection.said for connection in parrot.connections] == [[1, 2], [3, 4]]
        await provider.aclose()

    run(main)


def test_a_spare_connection_that_nobody_takes_is_closed() -> None:
    """After some time, politely; and there are never many."""

    async def main() -> None:
        parrot = Parrot()
        provider = StreamingStt(Dialect())
        await provider.connect_by(parrot, {})
        for _ in range(20):
            await provider.warm()
        assert len(parrot.connections) == 8
        await asyncio.sleep(20.1)
        assert all(connection.closed_at for connection in parrot.connections)
        assert parrot.connections[0].commands == ["hello", "bye"]
        await provider.aclose()

    run(main)


def test_warming_that_fails_or_is_cancelled_leaves_nothing() -> None:
    """It raises nothing; and no call gets a connection that did not open."""

    async def main() -> None:
        parrot = Parrot(Manner(refuses=True))
        provider = StreamingStt(Dialect())
        await provider.connect_by(parrot, {})
        await provider.warm()
        parrot.manner.refuses = False
        await cancelled_after(0.05, provider.warm())
        session = provider.open_session()
        assert await session.transcribe(Speech(words([1]))) == "1"
        assert len(parrot.connections) == 1
        await provider.aclose()

    run(main)


def test_closing_the_provider_ends_what_is_heard() -> None:
    """With ProviderError, at once, wherever it was."""

    async def main() -> None:
        parrot = Parrot(Manner(thinks=lambda: 5.0))
        provider = StreamingStt(Dialect())
        await provider.connect_by(parrot, {})
        speaking, waiting = provider.open_session(), provider.open_session()
        tasks = [
            asyncio.create_task(speaking.transcribe(Speech(words([1]), ends=False))),
            asyncio.create_task(waiting.transcribe(Speech(words([2])))),
        ]
        await asyncio.sleep(1.0)
        await provider.aclose()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(result, ProviderError)
        assert now() == pytest.approx(1.0)
        with pytest.raises(ProviderError):
            await provider.open_session().transcribe(Speech(words([3])))

    run(main)


# Turns that the provider detects.


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


# Whatever happens.

step = st.tuples(
    st.sampled_from(["say", "go on", "cut", "cut the answer", "lose", "wait"]),
    st.integers(1, 12),
    st.floats(0, 0.4),
)


class Story:
    """A call of random steps, and what has to be true of it.

    Args:
        session: Transcribes it.
        parrot: The provider.
    """

    def __init__(self, session: TranscriptionSession, parrot: Parrot) -> None:
        self.open_session = session
        self.parrot = parrot
        self.utterance: list[Audio] = []
        self.spoken: list[int] = []
        self.losses = 0
        self._numbers = count(1)
        self._names: dict[int, int] = {}

    def _new(self, number: int) -> list[Audio]:
        pieces = []
        for _ in range(number):
            name = next(self._numbers)
            pieces.append(word(name))
            self._names[id(pieces[-1])] = name
            self.spoken.append(name)
        return pieces

    def _text(self) -> str:
        return text(self._names[id(piece)] for piece in self.utterance)

    async def step(self, what: str, number: int, seconds: float) -> None:
        known = len(self.utterance)
        match what:
            case "go on" | "cut" if seconds > 0.2 or what == "go on":
                self.utterance = [*self.utterance, *self._new(number)]
            case "say" | "cut" | "cut the answer":
                known, self.utterance = 0, self._new(number)
        match what:
            case "say" | "go on":
                await self._hear(known)
            case "cut":
                speech = Speech(self.utterance, at_once=known)
                await cancelled_after(seconds / 2, self._attempt(speech))
            case "cut the answer":
                speech = Speech(self.utterance, at_once=len(self.utterance))
                await cancelled_after(seconds / 2, self._attempt(speech))
            case "lose":
                self.losses += 1
                self.parrot.lines[-1].break_off()
            case "wait":
                await asyncio.sleep(seconds * 20)

    async def _attempt(self, speech: Speech) -> None:
        try:
            await self.open_session.transcribe(speech)
        except ProviderError:
            assert self.losses

    async def _hear(self, known: int) -> None:
        for attempt in range(3):
            at_once = len(self.utterance) if attempt else known
            try:
                heard = await self.open_session.transcribe(Speech(self.utterance, at_once=at_once))
            except ProviderError:
                assert self.losses, "failed, though nothing was lost"
            else:
                assert heard == self._text()
                return
        pytest.fail("fails again and again")

    def check(self) -> None:
        for connection in self.parrot.connections:
            said = connection.said
            assert said == sorted(set(said)), "sent twice, or out of order"
        if not self.losses:
            assert len(self.parrot.connections) == 1
            assert self.parrot.connections[0].said == [
                n for n in self.spoken if n in set(self.parrot.connections[0].said)
            ]


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(step, max_size=12), seed=st.integers(0, 1 << 30))
def test_every_word_is_heard_once_in_its_own_utterance(
    steps: list[tuple[str, int, float]], seed: int
) -> None:
    """Whatever is cancelled, goes on, or is answered late; and it is sent once."""
    chance = random.Random(seed)

    async def main() -> None:
        manner = Manner(up=0.03, down=0.03, thinks=lambda: chance.random() * 0.4)
        async with calling(manner, replace(LIMITS, keep_alive=1.0)) as (session, parrot):
            story = Story(session, parrot)
            for what, number, seconds in steps:
                if what != "lose":
                    await story.step(what, number, seconds)
            await story.step("say", 3, 0.0)
            story.check()

    run(main)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(step, max_size=12), seed=st.integers(0, 1 << 30))
def test_every_word_is_heard_though_connections_are_lost(
    steps: list[tuple[str, int, float]], seed: int
) -> None:
    """A second attempt, from the beginning, hears all of the utterance and nothing else."""
    chance = random.Random(seed)

    async def main() -> None:
        manner = Manner(thinks=lambda: chance.random() * 0.4)
        async with calling(manner) as (session, parrot):
            await asyncio.sleep(0.2)
            story = Story(session, parrot)
            for what, number, seconds in steps:
                await story.step(what, number, seconds)
            await story.step("say", 3, 0.0)
            story.check()

    run(main)


@settings(max_examples=100, deadline=None)
@given(
    steps=st.lists(step, max_size=10),
    seed=st.integers(0, 1 << 30),
    maybe_after=st.floats(0.1, 0.6),
    over_after=st.floats(0.6, 3.0),
)
def test_turns_do_not_mix_utterances(
    steps: list[tuple[str, int, float]], seed: int, maybe_after: float, over_after: float
) -> None:
    """Where the provider detects turns, too, an utterance has all of its words and no other's."""

    async def main() -> None:
        manner = Manner(up=0.04, down=0.04, maybe_after=maybe_after, over_after=over_after)
        async with calling(manner, DETECTING) as (session, parrot):
            await asyncio.sleep(0.2)
            story = Story(session, parrot)
            story.losses = 1  # connections are replaced
            for what, number, seconds in steps:
                await story.step(what, number, seconds)
            await story.step("say", 3, 0.0)

    run(main)


def test_speech_rate_is_what_frames_are_made_of() -> None:
    """The parrot's words are 20 ms at the rate that sessions are given."""
    assert word(1).rate == SPEECH_RATE
    assert word(1).seconds == 0.02
