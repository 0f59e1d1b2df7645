"""The next sentence is made while one is taken, and nothing of it is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from pipelines.audio import Audio
from pipelines.clock import now
from pipelines.providers.contracts import ProviderError
from pipelines.reply.look_ahead import one_sentence_ahead
from pipelines.reply.steps import EndCall, SentenceEnded, SentenceStarted, Step
from tests.virtual_time import run

PIECE = Audio(bytes(3200), 16_000)  # 0.1 s


@dataclass
class Source:
    """Sentences of three pieces, 0.5 s to the first; knows what was made, and whether it runs."""

    sentences: int = 4
    fails_at: int = -1
    error: Exception = field(default_factory=lambda: ProviderError("tts", "it broke off"))
    closing: float = 0.0
    """Seconds that it takes to close."""

    made: list[str] = field(default_factory=list)
    opened: int = 0
    closed: int = 0

    async def steps(self) -> AsyncGenerator[Step, None]:
        self.opened += 1
        try:
            for number in range(self.sentences):
                yield SentenceStarted(f"{number}", 1)
                if number == self.fails_at:
                    raise self.error
                await asyncio.sleep(0.5)
                for _ in range(3):
                    self.made.append(f"{number}")
                    yield PIECE
                yield SentenceEnded(f"{number}")
            yield EndCall()
        finally:
            try:
                await asyncio.sleep(self.closing)
            finally:
                self.closed += 1


def released(yes: bool = True) -> asyncio.Event:
    event = asyncio.Event()
    if yes:
        event.set()
    return event


def test_the_steps_are_the_same_and_in_order() -> None:
    """Started, audio, ended: sentence by sentence, and what comes after the last."""

    async def main() -> None:
        plain = [step async for step in Source().steps()]
        ahead = [step async for step in one_sentence_ahead(Source().steps(), released())]
        assert ahead == plain

    run(main())


def test_one_sentence_is_made_ahead_and_no_more() -> None:
    """However long somebody takes over a piece: the one they hear, and the next."""

    async def main() -> None:
        source, heard = Source(), 0
        async with aclosing(one_sentence_ahead(source.steps(), released())) as steps:
            async for step in steps:
                if isinstance(step, SentenceStarted):
                    heard = int(step.text)
                elif isinstance(step, Audio):
                    await asyncio.sleep(10)
                    assert int(source.made[-1]) == min(heard + 1, 3)

    run(main())


def test_of_a_draft_the_first_audio_is_made_and_no_more() -> None:
    """It may be dropped; released, it is made on."""

    async def main() -> None:
        source, event = Source(), released(False)
        async with aclosing(one_sentence_ahead(source.steps(), event)) as steps:
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
            async for step in one_sentence_ahead(source.steps(), released()):
                await asyncio.sleep(1)
                taken.append(step)

        with pytest.raises(ProviderError, match="broke off"):
            await take()
        started = SentenceStarted("0", 1), SentenceStarted("1", 1)
        assert taken == [started[0], PIECE, PIECE, PIECE, SentenceEnded("0"), started[1]]
        assert source.closed == 1

    run(main())


def test_a_failure_whose_turn_does_not_come_is_none() -> None:
    """Who was interrupted in the first sentence does not hear that the second is lost."""

    async def main() -> None:
        source = Source(fails_at=1)
        async with aclosing(one_sentence_ahead(source.steps(), released())) as steps:
            async for step in steps:
                if isinstance(step, Audio):
                    await asyncio.sleep(5)
                    break
        assert source.closed == 1

    run(main())


@pytest.mark.parametrize("turn", [True, False], ids=["in its turn", "before"])
def test_a_bug_is_raised_whether_its_turn_has_come_or_not(turn: bool) -> None:
    """It is never lost with what nobody wants any more."""

    async def main() -> None:
        source = Source(fails_at=1, error=ZeroDivisionError())

        async def take() -> None:
            async with aclosing(one_sentence_ahead(source.steps(), released())) as steps:
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
            async with aclosing(one_sentence_ahead(source.steps(), released())) as steps:
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
        source = Source(sentences=2)

        async def take() -> None:
            async with aclosing(one_sentence_ahead(source.steps(), released())) as steps:
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
        await one_sentence_ahead(source.steps(), released()).aclose()
        assert (source.opened, len(asyncio.all_tasks())) == (0, 1)

    run(main())
