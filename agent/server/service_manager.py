"""What a service manager is told, and how a process that hangs comes to its end.

systemd is told by its own protocol (sd_notify(3)): one datagram to the socket that
``NOTIFY_SOCKET`` names. Everybody else restarts a process that has ended: containers by their
restart policy. A container's health check restarts nothing, so a process whose loop is held for
too long ends itself.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog

from pipelines.background import BackgroundTasks

log = structlog.get_logger()

EVERY = 1.0
"""Seconds between two signs of life; sooner where less is asked for."""


def notify(state: str) -> None:
    """Tell the service manager, if there is one that wants to know. Never waits, never raises.

    Args:
        state: ``READY=1``, ``STOPPING=1`` or ``WATCHDOG=1``.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):  # in the abstract namespace
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.setblocking(False)  # noqa: FBT003 - its signature
            manager.sendto(state.encode(), address)
    except OSError as error:
        log.debug("the service manager is not told", state=state, error=error.strerror)


def asked_every() -> float:
    """Return the seconds within which systemd wants a sign of life; 0 if it does not."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    given = os.environ.get("WATCHDOG_USEC", "")
    return int(given) / 1e6 if given.isascii() and given.isdigit() else 0.0


@asynccontextmanager
async def living(limit: float) -> AsyncIterator[None]:
    """Give signs of life while the block runs.

    Should the loop be held for ``limit`` seconds, the process ends with status 1, whatever it is
    doing: a thread of C does it, which needs neither the loop nor the interpreter's lock. It writes
    to stderr where each thread stood (files, lines and functions).

    Args:
        limit: In seconds; 0 if the process is to wait for better times.
    """
    background = BackgroundTasks()
    background.keep_running(lambda: _signs_of_life(limit), "signs of life")
    try:
        yield
    finally:
        await background.aclose()


async def _signs_of_life(limit: float) -> None:
    wanted = [EVERY, *(seconds / 4 for seconds in (limit, asked_every()) if seconds)]
    with _last_words() as stderr:
        try:
            while True:
                if limit:
                    faulthandler.dump_traceback_later(limit, exit=True, file=stderr)
                notify("WATCHDOG=1")
                await asyncio.sleep(min(wanted))
        finally:
            faulthandler.cancel_dump_traceback_later()


@contextmanager
def _last_words() -> Iterator[int]:
    """Have stderr as a file of its own, on which no write waits: it may be what holds the loop."""
    try:
        number = sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):  # closed, or none at all
        number = -1
    try:
        ours = os.open(f"/dev/fd/{number}", os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)
    except OSError:  # a socket cannot be opened anew
        ours = os.dup(number) if number >= 0 else os.open(os.devnull, os.O_WRONLY)
    try:
        yield ours
    finally:
        os.close(ours)
