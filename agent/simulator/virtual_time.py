"""An event loop whose clock jumps to the next timer instead of waiting for it.

Nothing that runs on the loop takes time by this clock. What does not run on it does: while a piece
of work is in a thread, or while a socket is open, the clock goes as the wall's does, so that no
timer is passed over. A conversation with scripted providers is therefore exact, and the same each
time; one with models of this machine takes as long as these compute, and not as long as people
speak; one with providers over the network takes as long as it does on the telephone.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

APART = 1e-6
"""Seconds between two results that would come at once: they come in the order of their requests."""


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for nothing that it can know the time of.

    Args:
        frozen: Whether the clock stands still while work is in threads, and does not go on.
    """

    def __init__(self, *, frozen: bool) -> None:
        super().__init__()
        self._frozen = frozen
        self._at = 0.0
        self._going_since: float | None = None  # by the wall's clock; None while it does not go
        self.working = 0
        """Pieces of work in threads."""

        self.ever_connected = False
        """Whether a socket was open, and all of it so no faster than on the telephone."""

    def time(self) -> float:
        """Return seconds; they never go back."""
        since = self._going_since
        return self._at if since is None else self._at + time.monotonic() - since

    def round_up(self, seconds: float) -> None:
        """Go on to the next whole multiple of ``seconds``, unless it goes as the wall's does."""
        if self._going_since is None:
            self._at = (self._at // seconds + 1) * seconds

    def select(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - as the standard library
        connected = len(self.get_map()) > 1  # the loop itself has one, to be woken by threads
        self.ever_connected |= connected
        if connected or (self.working and not self._frozen):
            if self._going_since is None:
                self._going_since = time.monotonic()
            return super().select(timeout)
        self._at, self._going_since = self.time(), None
        if self.working:
            return super().select(None if timeout is None or timeout > 0 else 0)
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("deadlock: nothing is ready and no timer is set")
            self._at += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Its clock begins at 0, and jumps.

    Args:
        work_takes: Seconds that each piece of work in a thread takes by this clock, however long it
            computes: then models of this machine give the same times on any. None for what it took.
    """

    def __init__(self, work_takes: float | None = None) -> None:
        self._jumping = _JumpingSelector(frozen=work_takes is not None)
        self._work_takes = work_takes
        self._pieces = 0
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return seconds by the clock that jumps."""
        return self._jumping.time()

    @property
    def ever_connected(self) -> bool:
        """Whether a socket was open at any time, so that it went as the wall's clock does."""
        return self._jumping.ever_connected

    def round_up(self, seconds: float) -> None:
        """Let time pass up to a whole multiple of ``seconds``.

        What is done next is then the same to the last bit of its times, however long it took to
        get there. Nothing happens while the clock goes as the wall's does.
        """
        self._jumping.round_up(seconds)

    def run_in_executor(  # type: ignore[override]
        self,
        executor: Executor | None,
        func: Callable[..., R],
        *args: Any,  # noqa: ANN401 - as the standard library
    ) -> asyncio.Future[R]:
        """Do work in a thread; the clock knows of it until its result is there, or given up."""
        doing: asyncio.Future[R] = super().run_in_executor(executor, func, *args)
        self._jumping.working += 1
        doing.add_done_callback(self._work_done)
        return doing if self._work_takes is None else self._delivered(doing, self._work_takes)

    async def shutdown_default_executor(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - the standard library's
    ) -> None:
        """End the threads that the loop has made, without a jump to the end of ``timeout``."""
        self._jumping.working += 1
        try:
            await super().shutdown_default_executor(*([] if timeout is None else [timeout]))
        finally:
            self._jumping.working -= 1

    def _work_done(self, _doing: asyncio.Future[Any]) -> None:
        self._jumping.working -= 1

    def _delivered(self, doing: asyncio.Future[R], takes: float) -> asyncio.Future[R]:
        """Return the result of ``doing``, so many seconds from now."""
        self._pieces += 1
        at = self.time() + takes + APART * self._pieces
        result: asyncio.Future[R] = self.create_future()

        def deliver() -> None:
            if result.cancelled() or doing.cancelled():
                result.cancel()
            elif (error := doing.exception()) is not None:
                result.set_exception(error)
            else:
                result.set_result(doing.result())

        doing.add_done_callback(lambda _: self.call_at(at, deliver))
        result.add_done_callback(lambda given: doing.cancel() if given.cancelled() else None)
        return result


def run(main: Coroutine[Any, Any, T], *, work_takes: float | None = None) -> T:
    """Run ``main`` to its end; hours of call take milliseconds.

    Args:
        main: What to do.
        work_takes: See :class:`VirtualTimeLoop`.

    Raises:
        AssertionError: If a task outlives ``main``.
    """

    async def watched() -> T:
        result = await main
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            raise AssertionError(f"still running: {left}")
        return result

    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(work_takes)) as runner:
        return runner.run(watched())
