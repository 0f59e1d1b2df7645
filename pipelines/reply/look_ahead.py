"""The next sentence, while one is heard: a voice that is slow to begin leaves no hole after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from pipelines.audio import Audio
from pipelines.providers.contracts import ProviderError
from pipelines.reply.steps import SentenceStarted, Step

Steps = AsyncGenerator[Step, None]
"""What is to be played, in order; of one sentence, a SentenceStarted first."""

Sentences = AsyncGenerator[Steps, None]


async def one_sentence_ahead(
    sentences: Sentences, released: asyncio.Event, *, whole: bool = False
) -> AsyncGenerator[Step, None]:
    """Yield the steps of all sentences in order, made up to one ahead of whoever takes them.

    The next sentence is asked for once the one that is being taken has begun to sound: what a voice
    needs to begin goes by while that one is made and heard. Two are made at once at most, and the
    audio of two is kept. Of a draft the first audio is made and no more, until it is released.

    All is made in tasks of its own, and whoever takes these steps may do so from any number of
    tasks. Those have ended, and all generators are closed, when this returns, raises or is closed;
    closing is safe at any moment, and so is cancelling, also twice.

    Args:
        sentences: Are read no further than they are made.
        released: Set once the reply is no draft any more.
        whole: Whether the next is asked for only once one is whole, for a voice that would make it
            at the expense of the one that is heard.

    Raises:
        Exception: What one of the generators raised, after all that came before it was taken.
    """
    making = _Making(released, whole=whole)
    asking = asyncio.create_task(making.each(sentences))
    try:
        while (one := await making.order.get()) is not None:
            while (step := await one.made.get()) is not None:
                if isinstance(step, SentenceStarted):
                    making.begun.release()
                yield step
            if one.failed:
                break
            making.kept.remove(one)
    finally:
        errors = await _ended([*(one.task for one in making.kept), asking])
    for error in errors:
        raise error


async def _ended(tasks: list[asyncio.Task[None]]) -> list[ProviderError]:
    """Cancel ``tasks`` and wait for their ends; return what has failed, in order.

    Raises:
        Exception: That of a bug, which is one whether its turn has come or not.
    """
    for task in tasks:
        task.cancel()
    # Unlike `wait`, this does not leave them behind when it is cancelled itself.
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception) and not isinstance(end, ProviderError):
            raise end
    return [end for end in ends if isinstance(end, ProviderError)]


class _Making:
    """The sentences that are being made, or wait to be taken: two at most.

    Args:
        released: Until then the first is made to its first audio.
        whole: Whether one is made to its end before the next is begun.
    """

    def __init__(self, released: asyncio.Event, *, whole: bool) -> None:
        self.order: asyncio.Queue[_Sentence | None] = asyncio.Queue()
        """None after the last."""

        self.kept: list[_Sentence] = []
        self.begun = asyncio.Semaphore(0)
        """Sentences that were begun to be taken, and not followed by the next yet."""

        self._released = released
        self._whole = whole

    async def each(self, sentences: Sentences) -> None:
        """Have one after the other made, until one has failed."""
        try:
            async with aclosing(sentences):
                async for steps in sentences:
                    one = _Sentence(steps, self._released)
                    self.kept.append(one)
                    self.order.put_nowait(one)
                    await (one.ended if self._whole else one.sounds).wait()
                    await self.begun.acquire()  # by now the one before it is whole
                    if one.failed:
                        return
        finally:
            self.order.put_nowait(None)


class _Sentence:
    """One sentence, which is made in a task of its own.

    Args:
        steps: Are closed in the end.
        released: Until then it is made to its first audio.
    """

    def __init__(self, steps: Steps, released: asyncio.Event) -> None:
        self.made: asyncio.Queue[Step | None] = asyncio.Queue()
        """None after the last."""

        self.sounds = asyncio.Event()
        """Set once its first audio has come and is wanted; or when it ends without any."""

        self.ended = asyncio.Event()
        self.task = asyncio.create_task(self._make(steps, released))

    @property
    def failed(self) -> bool:
        """Whether it has ended with an error."""
        return self.task.done() and self.task.exception() is not None

    async def _make(self, steps: Steps, released: asyncio.Event) -> None:
        try:
            async with aclosing(steps):
                async for step in steps:
                    self.made.put_nowait(step)
                    if isinstance(step, Audio):
                        await released.wait()
                        self.sounds.set()
        finally:
            self.sounds.set()
            self.ended.set()
            self.made.put_nowait(None)
