"""How long to wait for the pieces of a result, and what counts as too slow; no I/O of its own.

A piece late once is a pause. A result that comes slower than it is used up is one pause after the
other, each within any limit on pauses: so what is limited is how far it has fallen behind, in all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Generic, TypeVar

from pipelines.clock import now
from pipelines.providers.contracts import ProviderError, Stage

T = TypeVar("T")

JITTER = 0.1
"""Seconds behind from which a result is slow, not merely unsteady: pieces of 20 to 100 ms come as
much too late over the internet."""

REFILL = 0.5
"""Seconds gathered of a result that fell behind, before it goes on: one pause in place of many, and
few are slower than by so much in a whole sentence."""


class ResultPace(Generic[T]):
    """How far a result has fallen behind whoever uses it up as it comes, piece by piece.

    Times are seconds on one clock that never goes back. Only waiting counts: while nobody wants the
    next piece, it is not late.

    Args:
        first: Seconds to the first piece that counts, in all; a server may send others for ever.
        behind: Seconds that it may fall behind from then on, in sum.
        seconds: How long a piece lasts whoever uses it; 0 if it does not count.
    """

    def __init__(self, *, first: float, behind: float, seconds: Callable[[T], float]) -> None:
        self._first = first
        self._behind = behind
        self._seconds = seconds
        self._until: float | None = None  # for the first piece
        self._begun = False
        self._wanted_at = 0.0
        self._came_at = 0.0
        self._ahead = 0.0  # of what came, not used up yet
        self._lag = 0.0
        self._late = 0.0  # of the lag, since it was last gathered
        self.refilling = False
        """Whether it has fallen behind: pieces are better gathered, until this is False again."""

    def wanted(self, at: float) -> float:
        """Note that the next piece is wanted; return when it has failed if it has not come."""
        self._wanted_at = at
        if not self._begun:
            self._until = at + self._first if self._until is None else self._until
            return self._until
        if not self.refilling:
            self._ahead = max(0.0, self._ahead - (at - self._came_at))
        return at + self._behind - max(0.0, self._lag - self._ahead)

    def came(self, piece: T, at: float) -> None:
        """Note that a piece has come."""
        waited, self._came_at = at - self._wanted_at, at
        lasts = self._seconds(piece)
        if not self._begun:
            self._begun = lasts > 0
        elif self.refilling:
            self._lag += waited
        else:
            late = max(0.0, waited - self._ahead)
            self._lag += late
            self._late += late
            self._ahead = max(0.0, self._ahead - waited)
            self.refilling = self._late > JITTER
        self._ahead += lasts
        if self.refilling and self._ahead >= REFILL:
            self.refilling, self._late = False, 0.0

    @property
    def missed(self) -> str:
        """What to say of a piece that did not come in time."""
        if not self._begun:
            return f"nothing came for {self._first:.3g} s"
        return f"it fell {self._behind:g} s behind"


async def with_deadlines(
    source: AsyncGenerator[T, None], pace: ResultPace[T], stage: Stage
) -> AsyncGenerator[T, None]:
    """Yield what ``source`` yields, as long as it keeps ``pace``; close it in any case.

    Args:
        source: Gives results.
        pace: Of this result alone.
        stage: Named in the error.

    Raises:
        ProviderError: If it does not.
    """
    async with aclosing(source):
        while True:
            try:
                async with asyncio.timeout_at(pace.wanted(now())):
                    item = await anext(source)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise ProviderError(stage, pace.missed, timed_out=True) from None
            pace.came(item, now())
            yield item
