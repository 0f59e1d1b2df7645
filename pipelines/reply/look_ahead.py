"""The next sentence, while one is heard: a voice that is slow to begin leaves no hole after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from pipelines.audio import Audio
from pipelines.providers.contracts import ProviderError
from pipelines.reply.steps import SentenceEnded, SentenceStarted, Step


async def one_sentence_ahead(
    steps: AsyncGenerator[Step, None], released: asyncio.Event
) -> AsyncGenerator[Step, None]:
    """Yield the same steps in the same order, made up to one sentence ahead of whoever takes them.

    The sentence that is being taken is made to its end as fast as it comes, then the next, and the
    one after that once the next is begun to be taken: at most the audio of two is kept. Of a draft
    the first audio is made and no more, until it is released.

    ``steps`` run in a task of their own, and whoever takes these may do so from any number of
    tasks. It has ended, and ``steps`` are closed, when this returns, raises or is closed; closing
    is safe at any moment, and so is cancelling, also twice.

    Raises:
        Exception: What ``steps`` raised, after all that they yielded before was taken.
    """
    made: asyncio.Queue[Step | None] = asyncio.Queue()
    begun = asyncio.Semaphore(0)  # sentences that were begun to be taken, and not followed yet
    making = asyncio.create_task(_make(steps, made, begun, released))
    try:
        while (step := await made.get()) is not None:
            if isinstance(step, SentenceStarted):
                begun.release()
            yield step
    finally:
        making.cancel()
        # Unlike `wait`, this does not leave it behind when it is cancelled itself.
        (end,) = await asyncio.gather(making, return_exceptions=True)
        if isinstance(end, Exception) and not isinstance(end, ProviderError):
            raise end  # a bug is one, whether its turn has come or not
    if isinstance(end, Exception):
        raise end


async def _make(
    steps: AsyncGenerator[Step, None],
    made: asyncio.Queue[Step | None],
    begun: asyncio.Semaphore,
    released: asyncio.Event,
) -> None:
    """Put ``steps`` into ``made``, None after the last."""
    try:
        async with aclosing(steps):
            async for step in steps:
                made.put_nowait(step)
                if isinstance(step, Audio):
                    await released.wait()
                elif isinstance(step, SentenceEnded):
                    await begun.acquire()
    finally:
        made.put_nowait(None)
