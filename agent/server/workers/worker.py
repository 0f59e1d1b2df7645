"""One worker of a supervised service: what it has from its supervisor, and what it is told.

They hold the two ends of a socket, the lifeline. The worker says on it that it takes calls now; the
supervisor, that the worker is to leave: calls in progress go on, all others are for its successors.
If the supervisor is gone, so is the lifeline. The worker drains then as for SIGTERM, and gives up
the port at once: whoever starts the service again wants it.
"""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import structlog

from agent.server.registry import CallRegistry
from agent.server.stopping import Stopping
from agent.server.workers.inheritance import LEAVE, READY, Inheritance
from agent.server.workers.shared_port import SharedPort
from agent.server.workers.worker_slot import WorkerSlot

log = structlog.get_logger()

DECIDED_WITHIN = 15.0
"""Seconds for a connection to become a call, if it does: `server.connect_timeout`, usually."""

LOOK_EVERY = 0.05
"""Seconds between two looks."""


class Worker:
    """This process, as one of several.

    Args:
        given: By the supervisor.
    """

    def __init__(self, given: Inheritance) -> None:
        self.slot = WorkerSlot(number=given.slot, folder=Path(given.folder), workers=given.workers)
        self.sockets = [socket.socket(fileno=one) for one in given.sockets]
        self._lifeline = socket.socket(fileno=given.lifeline)
        self._lifeline.setblocking(False)  # noqa: FBT003 - its signature

    def ready(self) -> None:
        """Tell that calls are taken now."""
        try:
            self._lifeline.send(READY)
        except OSError as error:  # it is gone, and the lifeline will say so
            log.debug("the supervisor is not told", error=error.strerror)

    async def obey(
        self, stopping: Stopping, registry: CallRegistry, port: SharedPort, longest: float
    ) -> None:
        """Do what the supervisor says, once it says it, or what is to be done without one.

        Args:
            stopping: Told that the process is to end.
            registry: Of the calls here.
            port: Given up.
            longest: Seconds that no call is longer than.
        """
        told = await self._told()
        port.siblings.leaving = True
        await port.aclose()
        if told == LEAVE:
            log.info("leaving: new calls are for other workers", calls=len(registry.in_progress))
            # Who has come to this one already may bring a call, and is not sent away.
            await self._decided(port, registry)
            await registry.drain(longest)
        else:
            log.error("the supervisor is gone")
        stopping.stop(at_once=False)

    async def _decided(self, port: SharedPort, registry: CallRegistry) -> None:
        for _ in range(int(DECIDED_WITHIN / LOOK_EVERY)):
            if port.siblings.own.load <= len(registry.in_progress):
                return
            await asyncio.sleep(LOOK_EVERY)

    async def _told(self) -> bytes:
        try:
            return await asyncio.get_running_loop().sock_recv(self._lifeline, 1)
        except ConnectionError:
            return b""
