"""A connection that breaks is replaced, and so is one that is too old."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from structlog.testing import capture_logs

from pipelines.clock import now
from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_stt.protocol import TranscriptionEvent
from pipelines.providers.streaming_stt.provider import StreamingStt
from tests.pipelines.providers.streaming_stt.calling import calling, lose, run

from .parrot import (
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
