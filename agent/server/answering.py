"""A stream, from its socket to an answer: it rings, is let in or turned away, and is answered."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace

import structlog
from aiohttp import WSCloseCode, web

from agent.server.admission import Admission, Admitted, Caller, NotAdmittedError
from agent.server.call_runner import CallRunner
from agent.server.registry import CallRegistry
from agent.settings.calls import LineSettings
from agent.settings.server import ServerSettings
from agent.stream.addresses import client_address
from agent.stream.connect import Connect, ProtocolError
from agent.stream.line import LineError
from agent.stream.protocol import StreamProtocol, StreamState
from agent.stream.websocket import CLOSE_TIMEOUT, WebSocketLine

log = structlog.get_logger()

SPARE_SOCKETS = 32
"""Sockets beyond ``max_calls``: room to tell the next callers `busy` instead of nothing."""

PROXY_HEADERS = {"forwarded", "x-forwarded-for", "x-real-ip", "via"}
"""Any of them, and a call from loopback is not from this machine."""


class StreamEndpoint:
    """Where the platform's streams come in.

    Args:
        server: How many calls there may be, and how long a socket may take to `connect`.
        line: What each socket may ask of us.
        admission: Who may have a call.
        registry: The calls that there are.
        runner: Holds a call once it is answered.
    """

    def __init__(
        self,
        *,
        server: ServerSettings,
        line: LineSettings,
        admission: Admission,
        registry: CallRegistry,
        runner: CallRunner,
    ) -> None:
        self._max_calls = server.max_calls
        self._connect_timeout = server.connect_timeout
        self._line_settings = line
        self._admission = admission
        self._registry = registry
        self._runner = runner
        self._sockets = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Take the websocket that is asked for, and have a call on it."""
        if self._sockets >= self._max_calls + SPARE_SOCKETS:
            log.warning("socket refused: too many", sockets=self._sockets)
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(
            timeout=CLOSE_TIMEOUT,
            compress=False,  # PCM does not shrink, and costs time trying
            max_msg_size=self._line_settings.max_message_bytes,
        )
        await socket.prepare(request)
        line = WebSocketLine(socket, self._line_settings)
        self._sockets += 1
        code: int = WSCloseCode.INTERNAL_ERROR
        try:
            code = await self._take(request, line)
        except LineError as error:
            log.warning("line lost before the answer", reason=str(error))
            code = WSCloseCode.POLICY_VIOLATION
        except Exception:
            # A bug ends its own call, and no other.
            log.exception("call failed: this is a bug")
        finally:
            self._sockets -= 1
            structlog.contextvars.clear_contextvars()
            await line.close(code)
        return socket

    async def _take(self, request: web.Request, line: WebSocketLine) -> int:
        """Answer one call or refuse it; return the code to close the socket with."""
        caller = Caller(
            query=request.query,
            path_token=request.match_info.get("token", ""),
            remote=request.remote,
            proxied=bool(PROXY_HEADERS & {name.lower() for name in request.headers}),
        )
        protocol = StreamProtocol(self._admission.rate(caller))
        try:
            connect = await self._ring(line, protocol)
            admitted = await self._admit(caller, connect)
        except _NotTakenError as refusal:
            log.warning("call refused", reason=str(refusal), remote=client_address(request))
            if protocol.state is StreamState.CONNECTED:
                await line.send(protocol.busy() if refusal.busy else protocol.reject())
            return refusal.code
        try:
            await line.send(protocol.answer())
        except LineError:
            self._runner.leave(admitted.claims)
            raise
        line.carry(connect.rate)
        structlog.contextvars.bind_contextvars(call_id=_for_log(admitted.call_id))
        await self._runner.hold(admitted, line, protocol, connect)
        return WSCloseCode.GOING_AWAY if self._registry.draining else WSCloseCode.OK

    async def _ring(self, line: WebSocketLine, protocol: StreamProtocol) -> Connect:
        """Wait for `connect`.

        Raises:
            _NotTakenError: If it does not come in time, or cannot be served.
        """
        try:
            async with asyncio.timeout(self._connect_timeout):
                while (message := await line.receive()) is not None:
                    event = protocol.receive(message)
                    if isinstance(event, Connect):
                        call_id = event.call_id or f"unnamed-{uuid.uuid4()}"
                        structlog.contextvars.bind_contextvars(call_id=_for_log(call_id))
                        return replace(event, call_id=call_id)
        except TimeoutError:
            raise _NotTakenError("no connect in time", WSCloseCode.POLICY_VIOLATION) from None
        except ProtocolError as error:
            raise _NotTakenError(str(error), WSCloseCode.UNSUPPORTED_DATA) from None
        raise _NotTakenError("closed before connect", WSCloseCode.OK)

    async def _admit(self, caller: Caller, connect: Connect) -> Admitted:
        """Return how to answer.

        Raises:
            _NotTakenError: If the call is not trusted, there is no room, or no such agent.
        """
        try:
            admitted = await self._admission.admit(caller, connect)
        except NotAdmittedError as error:
            raise _NotTakenError(str(error), WSCloseCode.POLICY_VIOLATION) from None
        calls = len(self._registry.in_progress)
        draining = not self._registry.takes(admitted.name)
        if draining or calls >= self._max_calls:
            self._runner.leave(admitted.claims)
            reason = "draining" if draining else f"{calls} calls already"
            raise _NotTakenError(reason, WSCloseCode.TRY_AGAIN_LATER, busy=True)
        return admitted


class _NotTakenError(Exception):
    """A call that is not taken. The message is for our log only."""

    def __init__(self, reason: str, code: int, *, busy: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.busy = busy


def _for_log(call_id: str) -> str:
    return "".join(c for c in call_id[:64] if c.isprintable())
