"""What signals ask of the process: first that it drains, then that it ends at once.

SIGTERM, SIGINT (Ctrl-C) and SIGHUP (the terminal is gone) begin the drain; a second SIGTERM or
SIGINT ends it. While nothing is served yet, the first ends the process at once.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType

from pipelines.clock import now

SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")
"""As far as the system has them."""

GONE_WITHIN = 4.0
"""Seconds that a process has to end by itself when it is to end at once; a second is for the
records of its calls, and the rest for connections and the database. Then the system ends it, by
SIGALRM, whatever holds its threads."""


class Stopping:
    """How far the process is asked to stop."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        """Set once it is to stop."""

        self.scope = asyncio.timeout(None)
        """What runs in it is cancelled, by TimeoutError, when the process is to end at once."""

        self._serving = self._signalled = self._over = False

    def serving(self) -> None:
        """Tell that calls are taken now, so that there is something to drain."""
        self._serving = True

    def signalled(self, number: int) -> bool:
        """Return whether a signal asks to end at once; it may come anywhere in the main thread."""
        again = self._signalled and number != getattr(signal, "SIGHUP", None)
        self._signalled = True
        return again

    def stop(self, *, at_once: bool) -> None:
        """Do what a signal asks for, on the event loop."""
        self.asked.set()
        if (at_once or not self._serving) and not self._over:
            self._over = True
            self.scope.reschedule(now())

    def over(self) -> None:
        """Let signals be that come from now on."""
        self._over = True


@contextmanager
def signals() -> Iterator[Stopping]:
    """Take signals, on any event loop, until the block is left.

    A handler of Python's own runs wherever the main thread is in Python code, so a second signal
    ends the process though its event loop is held. The alarm that it sets is not taken back: what
    hangs may be a thread that the interpreter waits for in the end.
    """
    stopping, loop = Stopping(), asyncio.get_running_loop()
    take = partial(_take, loop, stopping)
    before = {}
    for number in (getattr(signal, name) for name in SIGNALS if hasattr(signal, name)):
        if number == getattr(signal, "SIGHUP", None) and _is_ignored(number):
            continue  # nohup(1)
        before[number] = signal.signal(number, take)
    try:
        yield stopping
    finally:
        stopping.over()
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_ignored(number: int) -> bool:
    return signal.getsignal(number) is signal.SIG_IGN


def _take(
    loop: asyncio.AbstractEventLoop, stopping: Stopping, number: int, _frame: FrameType | None
) -> None:
    at_once = stopping.signalled(number)
    if at_once and hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, GONE_WITHIN)
    if not loop.is_closed():
        loop.call_soon_threadsafe(partial(stopping.stop, at_once=at_once))
