"""What the caller says, as they say it: the one hand-off from the listening to the reply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager

from pipelines.audio import Audio
from pipelines.clock import now


class Utterance:
    """What the caller is saying, as it is said.

    Args:
        before: What the caller said just before, to which nobody has replied.
        text: What it is, if that is known without hearing it: keys that were pressed.
        began: When the caller began, by the event loop's clock; now if it is not given.
    """

    def __init__(
        self, before: Iterable[Audio] = (), text: str = "", began: float | None = None
    ) -> None:
        self.text = text
        self.began = now() if began is None else began
        self.until = self.began
        """When they were last heard to speak, or pressed the last key, by the same clock."""

        self.audio = list(before)
        """What was said, and what is said after it was closed."""

        self.closed_at: float | None = None
        """When the caller was done, by the event loop's clock; None while they are not."""

        self._closed_after = 0
        self._changed, self._done = asyncio.Event(), asyncio.Event()
        self._bound: asyncio.Timeout | None = None
        self._budget = 0.0

    def followed_by(self, later: Utterance) -> Utterance:
        """Return both as one, closed if ``later`` is; neither is changed."""
        began = self.began if self.audio else later.began
        both = Utterance([*self.audio, *later.audio], began=began)
        both.until = later.until if later.audio else self.until
        if later.closed:
            both.close()
        return both

    @property
    def seconds(self) -> float:
        """How long it is so far."""
        return sum(audio.seconds for audio in self.audio)

    @property
    def closed(self) -> bool:
        """Whether the caller is done."""
        return self.closed_at is not None

    def add(self, audio: Audio, silent: float = 0.0) -> None:
        """Take the next piece, which ends with so many seconds of silence, now."""
        self.until = now() - silent
        self.audio.append(audio)
        self._changed.set()

    def close(self) -> None:
        """Note that the caller is done. Nothing happens the second time."""
        if self.closed:
            return
        self.closed_at = now()
        self._closed_after = len(self.audio)
        self._changed.set()
        self._done.set()
        self._start_deadline()

    async def listen(self) -> AsyncGenerator[Audio, None]:
        """Yield the audio from its beginning; return when the caller is done."""
        heard = 0
        while True:
            while heard < (self._closed_after if self.closed else len(self.audio)):
                heard += 1
                yield self.audio[heard - 1]
            if self.closed:
                return
            await self._wait_for_change()

    async def wait_closed(self) -> None:
        """Return when the caller is done."""
        # No deadline: the call closes every utterance, for its length if for nothing else.
        await self._done.wait()

    @asynccontextmanager
    async def answered_within(self, seconds: float) -> AsyncIterator[None]:
        """Bound what runs inside: it may take ``seconds`` from when the caller is done.

        Raises:
            TimeoutError: If it takes longer.
        """
        async with asyncio.timeout(None) as bound:
            self._bound, self._budget = bound, seconds
            self._start_deadline()
            try:
                yield
            finally:
                self._bound = None

    def _start_deadline(self) -> None:
        if self.closed and self._bound is not None:
            self._bound.reschedule(now() + self._budget)

    async def _wait_for_change(self) -> None:
        self._changed.clear()  # no deadline, as above
        await self._changed.wait()
