"""The port of several workers: a connection is taken by the one that has least to do.

All workers wait at the same sockets. The system would wake them in whatever order it likes, and by
SO_REUSEPORT give a connection to one by its hash: sixteen calls of one proxy then come to four
workers as 8, 5, 2 and 1. So whoever has more than another leaves a connection to it for a moment.
"""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from agent.server.workers.siblings import Siblings
from pipelines.background import BackgroundTasks, Work
from pipelines.clock import now

log = structlog.get_logger()

STEP = 0.002
"""Seconds between two looks whether another has taken what is left to it."""

AGAIN_AFTER = 1.0
"""Seconds until connections are taken again, when there is no descriptor for one."""

TAKEN_WITHIN = 1.0
"""Seconds for a connection that was taken to be with who answers it: a turn or two of the loop."""


class SharedPort:
    """The sockets that all workers of a service listen on, and whose turn it is.

    Args:
        sockets: Listening. They are closed with this.
        siblings: The other workers.
        refusing: Returns whether this worker would take no call.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        siblings: Siblings,
        refusing: Callable[[], bool],
    ) -> None:
        self._sockets = sockets
        self._refusing = refusing
        self.siblings = siblings
        self._background = BackgroundTasks()
        self._taking = BackgroundTasks()

    @property
    def address(self) -> tuple[str, int]:
        """The first address that is listened on, and its port."""
        host, port, *_ = self._sockets[0].getsockname()
        return host, port

    def begin(self, take: Callable[[socket.socket], Work]) -> None:
        """Take connections from now on.

        Args:
            take: Called with each: counts it among the load, and returns what is done with it.
        """
        for listening in self._sockets:
            listening.setblocking(False)  # noqa: FBT003 - its signature
            self._background.keep_running(
                partial(self._accept, listening, take), "taking connections"
            )
        self.siblings.own.serve()

    async def aclose(self) -> None:
        """Take no more; what has come and was not taken is for the others. What was, is ours."""
        await self._background.aclose()
        await self._taking.aclose(TAKEN_WITHIN)
        for listening in self._sockets:
            listening.close()

    async def _accept(
        self, listening: socket.socket, take: Callable[[socket.socket], Work]
    ) -> None:
        while True:
            await _readable(listening)
            if not await self._is_ours(listening):
                continue
            try:
                connection, _ = listening.accept()
            except (BlockingIOError, ConnectionAbortedError):  # another was quicker; it has gone
                continue
            except OSError as error:
                log.warning("no connection can be taken", error=error.strerror)
                await asyncio.sleep(AGAIN_AFTER)
                continue
            connection.setblocking(False)  # noqa: FBT003
            self._taking.start(take(connection), "taking a connection")

    async def _is_ours(self, listening: socket.socket) -> bool:
        """Return whether to take what has come; False if another did meanwhile."""
        came = now()
        while now() - came < self.siblings.patience(refusing=self._refusing()):
            await asyncio.sleep(STEP)
            if not _waits(listening):
                return False
        return True


async def _readable(listening: socket.socket) -> None:
    """Return once a connection waits."""
    loop = asyncio.get_running_loop()
    comes = loop.create_future()

    def come() -> None:
        if not comes.done():
            comes.set_result(None)

    loop.add_reader(listening, come)
    try:
        await comes
    finally:
        loop.remove_reader(listening)


def _waits(listening: socket.socket) -> bool:
    look = select.poll()
    look.register(listening, select.POLLIN)
    return bool(look.poll(0))
