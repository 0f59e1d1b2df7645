"""HTTP connections that are idle, slow, or too many: closed, so that there is room for others.

aiohttp closes a kept connection after a while; it has no limit on how slowly the head of a request
may come, how slowly an answer is read, or how many connections there are.
"""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from agent.server.workers.shared_port import SharedPort
from agent.settings.server import ServerSettings
from pipelines.background import BackgroundTasks, Work
from pipelines.clock import now

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOOK_EVERY = 1.0
"""Seconds between two looks at the connections: what has to go may stay this much longer."""

HEAD_WITHIN = 10.0
"""Seconds from the connection to its first request."""

REQUEST_WITHIN = 60.0
"""Seconds for the rest of a request, and our answer: the slowest is one to `POST /calls`, while
Sinch is asked more than once."""

LINGER = 2.0
"""Seconds to read on what is left of a request that was answered before its end."""

ANSWERED_WITHIN = 1.0
"""Seconds for requests to be answered that have come before the process ends, calls being over."""

BESIDES_CALLS = 128
"""Connections besides the sockets of calls, and those that wait: callbacks, an operator, health."""


NEW_FOR = 1.0
"""Seconds for which a connection that asks for nothing may yet bring a call, and counts as one."""

LASTING: web.RequestKey[Callable[[], None]] = web.RequestKey("lasting")
"""To be called by whoever answers for longer than :data:`REQUEST_WITHIN`, and has deadlines."""


def lasts(request: web.Request) -> None:
    """Have an answer last for longer than :data:`REQUEST_WITHIN`: each piece has a deadline."""
    if (last := request.get(LASTING)) is not None:
        last()


@dataclass(slots=True)
class _State:
    """What a connection does."""

    since: float
    asks: bool = False
    asked_before: bool = False


class HttpConnections:
    """The connections of a server, each with what it does.

    Args:
        settings: How long one may be idle, and how many may wait.
        most_calls: How many calls there are besides.
        head_within: Seconds from a connection to its first request.
        shared: The port, if other workers listen on it, too; closed with this.
    """

    def __init__(
        self,
        settings: ServerSettings,
        most_calls: int,
        head_within: float = HEAD_WITHIN,
        shared: SharedPort | None = None,
    ) -> None:
        self._idle = settings.idle_timeout
        self._most = most_calls + settings.max_waiting + BESIDES_CALLS
        self._head_within = head_within
        self._shared = shared
        self._states: dict[RequestHandler, _State] = {}
        self._new: dict[object, float] = {}
        """Connections of a shared port that have asked for nothing yet, and since when."""

        self._streams = 0

    @asynccontextmanager
    async def served(
        self, app: web.Application, host: str, port: int
    ) -> AsyncIterator[tuple[str, int]]:
        """Serve an application at an address; yield the address, with the port that was taken.

        Raises:
            OSError: If the address cannot be listened on.
        """

        @web.middleware
        async def noting(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._noting(request, handler)

        app.middlewares.append(noting)
        if self._shared is not None:
            app.on_response_prepare.append(_close_afterwards)
        # Access logs would hold addresses, whose query may carry a token.
        runner = web.AppRunner(
            app,
            access_log=None,
            keepalive_timeout=self._idle,
            lingering_time=LINGER,
            shutdown_timeout=ANSWERED_WITHIN,
        )
        background = BackgroundTasks()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(runner.cleanup)
            stack.push_async_callback(background.aclose)
            await runner.setup()
            server = runner.server
            if server is None:
                raise RuntimeError("the runner has no server")  # which setup() makes
            if self._shared is None:
                await web.TCPSite(runner, host, port).start()
                address = runner.addresses[0][0], runner.addresses[0][1]
            else:
                stack.push_async_callback(self._shared.aclose)
                self._shared.begin(lambda connection: self._take(server, connection))
                address = self._shared.address
            background.keep_running(lambda: self._watch(server), "watching connections")
            yield address

    def _take(self, server: web.Server, connection: socket.socket) -> Work:
        """Count a connection of a shared port; return what has it answered."""
        self._new[connection] = now()
        self._tell_load()
        return self._connect(server, connection)

    async def _connect(self, server: web.Server, connection: socket.socket) -> None:
        try:
            loop = asyncio.get_running_loop()
            _, protocol = await loop.connect_accepted_socket(server, connection)
            self._new[protocol] = now()
        except OSError as error:  # it has gone
            log.debug("a connection was lost at once", error=error.strerror)
            connection.close()
        finally:
            self._new.pop(connection, None)
            self._tell_load()

    def _tell_load(self) -> None:
        if self._shared is not None:
            self._shared.siblings.own.bear(len(self._new) + self._streams)

    async def _noting(
        self,
        request: web.Request,
        handler: Handler,
    ) -> web.StreamResponse:
        """Note when a request begins and ends."""
        state = self._states.setdefault(request.protocol, _State(now()))
        state.asks, state.asked_before, state.since = True, True, now()

        def last() -> None:
            state.since = math.inf

        request[LASTING] = last
        stream = bool(request.headers.get("upgrade"))
        if stream:
            last()  # a stream has limits of its own
        self._new.pop(request.protocol, None)
        self._streams += stream
        self._tell_load()
        try:
            return await handler(request)
        finally:
            state.asks, state.since = False, now()
            self._streams -= stream
            self._tell_load()

    async def _watch(self, server: web.Server) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self._look(server.connections, now())

    def _look(self, connections: Sequence[RequestHandler], at: float) -> None:
        """Close those that take too long; and of too many, those that ask for nothing just now.

        Of these the ones go first that never have, and that have been silent for longest.
        """
        self._states = {one: self._states.get(one) or _State(at) for one in connections}
        for connection, state in self._states.items():
            longest = REQUEST_WITHIN if state.asks else self._idle
            if not state.asked_before:
                longest = self._head_within
            if at - state.since > longest:
                _abort(connection)
        self._new = {one: since for one, since in self._new.items() if at - since < NEW_FOR}
        self._tell_load()
        if (more := len(connections) - self._most) > 0:
            log.warning("too many connections", connections=len(connections))
            silent = [one for one, state in self._states.items() if not state.asks]
            silent.sort(key=lambda one: (self._states[one].asked_before, self._states[one].since))
            for connection in silent[:more]:
                _abort(connection)


async def _close_afterwards(request: web.Request, response: web.StreamResponse) -> None:
    """Have a connection bring one request: the next comes to whichever worker has room for it.

    A proxy sends whatever comes on connections that it has kept, the latest first: most calls would
    go to the worker that has last answered a callback.
    """
    if not request.headers.get("upgrade"):
        response.force_close()


def _abort(connection: RequestHandler) -> None:
    """Close a connection, whatever has not been sent on it yet."""
    if connection.transport is not None:
        connection.transport.abort()
