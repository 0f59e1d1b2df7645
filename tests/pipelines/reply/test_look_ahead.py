"""The next sentence is made while one is taken, and nothing of it is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain

import pytest

from pipelines.audio import Audio
from pipelines.clock import now
from pipelines.providers.contracts import ProviderError
from pipelines.reply.look_ahead import Steps, one_sentence_ahead
from pipelines.reply.steps import SentenceEnded, SentenceStarted, Step
from tests.virtual_time import run

PIECE = Audio(bytes(3200), 16_000)  # 0.1 s


@dataclass
class Source:
    """Sentences of three pieces, 0.5 s to the first; knows what was made, and whether it runs."""

    count: int = 4
    piece: float = 0.0
    """Seconds from each piece to the next."""

    fails_at: int = -1
    """Before its first piece."""

    breaks_at: int = -1
    """After its last piece."""

    error: Exception = field(default_factory=lambda: ProviderError("tts", "it broke off"))
    closing: float = 0.0
    """Seconds that it takes to close."""

    made: list[str] = field(default_factory=list)
    opened: int = 0
    closed: int = 0

    words_fail_at: int = -1
    words_after: float = 0.0
    """Seconds from one sentence's words to the next's."""

    asked: list[float] = field(default_factory=list)
    most: int = 0
    """Made at once."""

    _making: int = 0

    async def sentences(self) -> AsyncGenerator[Steps, None]:
        async with self._open():
            for number in range(self.count):
                if number == self.words_fail_at:
                    raise self.error
                yield self._steps(number)
                await asyncio.sleep(self.words_after)

    async def _steps(self, number: int) -> Steps:
        async with self._open():
            self.asked.append(now())
            self._making += 1
            self.most = max(self.most, self._making)
            try:
                yield SentenceStarted(f"{number}", 1)
                if number == self.fails_at:
                    raise self.error
                await asyncio.sleep(0.5)
                for _ in range(3):
                    self.made.append(f"{number}")
                    yield PIECE
                    await asyncio.sleep(self.piece)
                if number == self.breaks_at:
                    raise self.error
                yield SentenceEnded(f"{number}")
            finally:
                self._making -= 1

    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[None, None]:
        self.opened += 1
        try:
            yield
        finally:
            try:
                await asyncio.sleep(self.closing)
            finally:
                self.closed += 1

    def ahead(self, event: asyncio.Event | None = None) -> Steps:
        return one_sentence_ahead(self.sentences(), event or released())


def released(yes: bool = True) -> asyncio.Event:
    event = asyncio.Event()
    if yes:
        event.set()
    return event


def test_the_steps_are_the_same_and_in_order() -> None:
    """Started, audio, ended: sentence by sentence."""

    async def main() -> None:
        each = [[step async for step in one] async for one in Source().sentences()]
        assert [step async for step in Source().ahead()] == list(chain(*each))

    run(main())


def test_one_sentence_is_made_ahead_and_no_more() -> None:
    """However long somebody takes over a piece: the one they hear, and the next."""

    async def main() -> None:
        source, heard = Source(), 0
        async with aclosing(source.ahead()) as steps:
            async for step in steps:
                if isinstance(step, SentenceStarted):
                    heard = int(step.text)
                elif isinstance(step, Audio):
                    await asyncio.sleep(10)
                    assert int(source.made[-1]) == min(heard + 1, 3)

    run(main())


def test_the_next_sentence_is_asked_for_once_one_sounds() -> None:
    """A voice that takes 0.5 s to begin, and 0.6 s from then on, needs no 1.1 s for each."""

    async def main() -> None:
        source = Source(piece=0.2)
        async for _ in source.ahead():
            pass
        assert source.asked == pytest.approx([0.0, 0.5, 1.1, 1.6])  # the third: once two is heard
        assert source.most == 2

    run(main())


def test_of_a_draft_the_first_audio_is_made_and_no_more() -> None:
    """It may be dropped; released, it is made on."""

    async def main() -> None:
        source, event = Source(), released(False)
        async with aclosing(source.ahead(event)) as steps:
            taken = [await anext(steps), await anext(steps)]
            await asyncio.sleep(10)
            assert (len(taken), source.made) == (2, ["0"])
            event.set()
            await asyncio.sleep(10)
            assert source.made == ["0"] * 3 + ["1"] * 3

    run(main())


def test_a_failure_is_told_after_what_was_made_before_it() -> None:
    """The next sentence cannot be spoken: the one before is heard first."""

    async def main() -> None:
        source, taken = Source(fails_at=1), list[Step]()

        async def take() -> None:
            async for step in source.ahead():
                await asyncio.sleep(1)
                taken.append(step)

        with pytest.raises(ProviderError, match="broke off"):
            await take()
        started = SentenceStarted("0", 1), SentenceStarted("1", 1)
        assert taken == [started[0], PIECE, PIECE, PIECE, SentenceEnded("0"), started[1]]
        assert source.opened == source.closed

    run(main())


@pytest.mark.parametrize("piece", [0.0, 0.2])
def test_words_that_break_off_do_so_after_the_sentences_before(piece: float) -> None:
    """Though that is known while the first of them is still made."""

    async def main() -> None:
        source, taken = Source(words_fail_at=1, piece=piece), list[Step]()

        async def take() -> None:
            async for step in source.ahead():
                taken.append(step)

        with pytest.raises(ProviderError, match="broke off"):
            await take()
        assert taken == [SentenceStarted("0", 1), PIECE, PIECE, PIECE, SentenceEnded("0")]
        assert source.opened == source.closed

    run(main())


def test_a_sentence_that_breaks_off_takes_the_next_with_it() -> None:
    """What was made ahead is not heard behind a hole, and nothing more is asked for."""

    async def main() -> None:
        source, taken = Source(breaks_at=0, piece=0.3), list[Step]()

        async def take() -> None:
            async for step in source.ahead():
                taken.append(step)

        with pytest.raises(ProviderError, match="broke off"):
            await take()
        assert taken == [SentenceStarted("0", 1), PIECE, PIECE, PIECE]
        assert len(source.asked) == 2
        assert source.opened == source.closed

    run(main())


def test_a_failure_whose_turn_does_not_come_is_none() -> None:
    """Who was interrupted in the first sentence does not hear that the second is lost."""

    async def main() -> None:
        source = Source(fails_at=1)
        async with aclosing(source.ahead()) as steps:
            async for step in steps:
                if isinstance(step, Audio):
                    await asyncio.sleep(5)
                    break
        assert source.opened == source.closed

    run(main())


@pytest.mark.parametrize("turn", [True, False], ids=["in its turn", "before"])
def test_a_bug_is_raised_whether_its_turn_has_come_or_not(turn: bool) -> None:
    """It is never lost with what nobody wants any more."""

    async def main() -> None:
        source = Source(fails_at=1, error=ZeroDivisionError())

        async def take() -> None:
            async with aclosing(source.ahead()) as steps:
                async for step in steps:
                    await asyncio.sleep(5)
                    if isinstance(step, Audio) and not turn:
                        break

        with pytest.raises(ZeroDivisionError):
            await take()

    run(main())


@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("closing", [0.0, 0.3])
def test_cancelled_at_any_moment_nothing_is_left_running(closing: float, again: bool) -> None:
    """Every 50 ms and in between, the second time while the first is still at work."""

    async def main(after: float) -> None:
        source = Source(closing=closing)

        async def take() -> None:
            async with aclosing(source.ahead()) as steps:
                async for _ in steps:
                    await asyncio.sleep(0.13)

        task = asyncio.create_task(take())
        await asyncio.sleep(after)
        task.cancel()
        if again:
            await asyncio.sleep(0.1)
            task.cancel()
        await asyncio.wait([task])
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert source.opened == source.closed
        assert now() <= after + closing + 0.1

    for tick in range(60):
        for later in (0.0, 0.001):
            run(main(tick * 0.05 + later))


def test_cancelled_between_any_two_steps_of_the_loop_nothing_is_left_running() -> None:
    """Before the first step, while one is handed over, at the end."""

    async def main(turns: int) -> None:
        source = Source(count=2)

        async def take() -> None:
            async with aclosing(source.ahead()) as steps:
                async for _ in steps:
                    await asyncio.sleep(0)

        task = asyncio.create_task(take())
        for _ in range(turns):
            await asyncio.sleep(0 if turns % 2 else 0.02)
        task.cancel()
        await asyncio.wait([task])
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert source.opened == source.closed

    for turns in range(80):
        run(main(turns))


def test_nothing_is_begun_that_nobody_takes() -> None:
    """Closed before its first step, it has asked for nothing."""

    async def main() -> None:
        source = Source()
        await source.ahead().aclose()
        assert (source.opened, len(asyncio.all_tasks())) == (0, 1)

    run(main())
