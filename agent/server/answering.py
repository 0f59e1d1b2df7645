"""A stream, from its socket to an answer: it rings, is let in or turned away, and is answered."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, replace

import structlog
from aiohttp import WSCloseCode, web

from agent.server.admission import Admission, Admitted, Caller, NotAdmittedError, Ticket
from agent.server.call_runner import CallRunner
from agent.server.registry import NO_CONNECT, NOT_ADMITTED, CallRegistry
from agent.server.waiting_room import WaitingRoom
from agent.settings.calls import LineSettings
from agent.settings.server import ServerSettings
from agent.sinch.tokens import Claims
from agent.stream.addresses import (
    client_address,
    counted_as,
    is_cross_site,
    is_loopback,
    is_proxied,
)
from agent.stream.budget import Meter, before_the_answer
from agent.stream.connect import Connect, ProtocolError
from agent.stream.counted_websocket import CLOSE_TIMEOUT, CountedWebSocket
from agent.stream.line import LineError
from agent.stream.protocol import StreamProtocol, StreamState
from agent.stream.websocket import WebSocketLine
from pipelines.clock import now

log = structlog.get_logger()

AGAIN_AFTER = 5
"""Seconds until it is worth trying once more to connect where there was no room."""

AT_ONCE = 0.2
"""Seconds for our close frame to leave to somebody who has not said what they come for."""


@dataclass(eq=False, slots=True, kw_only=True)
class _Visit:
    """A socket that may bring a call."""

    request: web.Request
    caller: Caller
    ticket: Ticket
    address: str
    """For the log, and as it is counted."""

    name: str
    """By which its place is known until its call has one."""

    claims: Claims | None
    """Of its token. Once that is used up, call control is told if no call comes of it."""

    place: ExitStack
    """Of one that waits, or is to come; closed once its call is among those in progress."""

    came: float = 0.0
    """When its socket was connected, by the event loop's clock."""

    connect: Connect | None = None
    held: bool = False


class StreamEndpoint:
    """Where the platform's streams come in.

    What can be decided without a websocket is decided before there is one, in HTTP: whether what
    stands in the address is right, and whether there is room.

    Args:
        server: How many sockets may wait, and how long one may take to `connect`.
        line: What each socket may ask of us.
        admission: Who may have a call.
        registry: The calls that there are, and whether there is room for another.
        runner: Holds a call once it is answered.
    """

    def __init__(
        self,
        server: ServerSettings,
        line: LineSettings,
        admission: Admission,
        registry: CallRegistry,
        runner: CallRunner,
    ) -> None:
        self._connect_timeout = server.connect_timeout
        self._line_settings = line
        self._admission = admission
        self._registry = registry
        self._runner = runner
        self._waiting = WaitingRoom(server.max_waiting)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Take the websocket that is asked for, and have a call on it.

        Returns:
            What was asked for; or 400 if that is no websocket, 401 or 403 if it is not trusted, 503
            if there is no room, or the database fails.
        """
        address = counted_as(client_address(request))
        try:
            with ExitStack() as place:
                visit = self._look(request, address, place)
                line = await self._connect(visit)
                await self._have_call(visit, line)
        except NotAdmittedError as error:
            self._registry.refused_for[NOT_ADMITTED] += error.status in (401, 403)
            log.warning("call refused", reason=str(error), remote=address)
            headers = {"Retry-After": str(AGAIN_AFTER)} if error.status == 503 else {}
            response = web.Response(status=error.status, headers=headers)
            response.force_close()
            return response
        except ConnectionError:
            log.info("hung up before the socket was connected", remote=address)
            return web.Response(status=400)
        return line.socket

    def _look(self, request: web.Request, address: str, place: ExitStack) -> _Visit:
        """Return what comes.

        Raises:
            NotAdmittedError: If it is not let in.
        """
        caller = _caller(request)
        ticket = self._admission.look(caller)
        if reason := self._registry.no_room(ticket.name, here=True):
            self._registry.capacity.decline(reason)
            raise NotAdmittedError(reason, 503)
        return _Visit(
            request=request,
            caller=caller,
            ticket=ticket,
            address=address,
            name=ticket.name or str(uuid.uuid4()),
            claims=ticket.claims,
            place=place,
        )

    async def _connect(self, visit: _Visit) -> WebSocketLine:
        """Make a line of the socket; whoever comes in has a place then.

        A one-use token is used up before, so that it connects one socket; and given back if that
        comes to nothing.

        Raises:
            NotAdmittedError: If the token is late, or used already, or it is no websocket.
            ConnectionError: If the far end has left.
        """
        meter = self._take_place(visit)
        settings = self._line_settings
        socket = CountedWebSocket(meter, settings.max_message_bytes)
        if not socket.can_prepare(visit.request):
            raise NotAdmittedError("no websocket is asked for", 400)
        await self._admission.redeem(visit.caller, visit.ticket)
        connected = False
        try:
            await socket.prepare(visit.request)
            connected, visit.came = True, now()
        finally:
            if not connected:
                await self._admission.give_back(visit.ticket)
        return WebSocketLine(socket, meter, settings)

    def _take_place(self, visit: _Visit) -> Meter:
        """Have a place for one that comes; return what counts what it sends."""
        if visit.ticket.trusted:
            visit.place.enter_context(self._registry.places.coming(visit.name))
            return Meter(before_the_answer())
        transport = visit.request.transport
        if transport is None:
            raise ConnectionResetError
        visit.place.enter_context(self._waiting.place(visit.address, transport.abort))
        return Meter(before_the_answer(), self._waiting.budget(visit.address))

    async def _have_call(self, visit: _Visit, line: WebSocketLine) -> None:
        """Have the call that a socket brings, whatever becomes of it; close the socket."""
        code: int = WSCloseCode.INTERNAL_ERROR
        try:
            code = await self._take(visit, line)
        except LineError as error:
            log.warning("line lost before the answer", reason=str(error), remote=visit.address)
            code = WSCloseCode.POLICY_VIOLATION
        except Exception:
            # A bug ends its own call, and no other.
            log.exception("call failed: this is a bug")
        finally:
            structlog.contextvars.clear_contextvars()
            if not visit.held:
                self._runner.leave(visit.claims)
            within = AT_ONCE if visit.connect is None else CLOSE_TIMEOUT
            await line.close(code, within=within)
            transport = visit.request.transport
            if transport is not None and transport.get_write_buffer_size():
                transport.abort()  # a far end that does not read would keep it for ever

    async def _take(self, visit: _Visit, line: WebSocketLine) -> int:
        """Answer one call or refuse it; return the code to close the socket with."""
        protocol = StreamProtocol(self._admission.rate(visit.caller))
        try:
            visit.connect = connect = await self._ring(line, protocol)
            admitted = await self._admit(visit, connect)
        except _NotTakenError as refusal:
            self._registry.refused_for[NO_CONNECT] += visit.connect is None
            log.warning("call refused", reason=str(refusal), remote=visit.address)
            if protocol.state is StreamState.CONNECTED:
                await line.send(protocol.busy() if refusal.busy else protocol.reject())
            return refusal.code
        await line.send(protocol.answer())
        line.carry(connect.rate)
        structlog.contextvars.bind_contextvars(call_id=_for_log(admitted.call_id))
        visit.held = True
        await self._runner.hold(admitted, line, protocol, connect, visit.came, visit.place)
        return WSCloseCode.OK  # the call has closed the line, with a code of its own

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

    async def _admit(self, visit: _Visit, connect: Connect) -> Admitted:
        """Return how to answer; the call has a place then, which others see.

        Raises:
            _NotTakenError: If the call is not trusted, there is no room, or no such agent.
        """
        try:
            admitted = await self._admission.admit(visit.caller, connect, visit.ticket)
        except NotAdmittedError as error:
            self._registry.refused_for[NOT_ADMITTED] += 1
            raise _NotTakenError(str(error), WSCloseCode.POLICY_VIOLATION) from None
        visit.claims = admitted.claims
        name = visit.name if visit.ticket.trusted else admitted.name
        if reason := self._registry.no_room(name, here=True):
            self._registry.capacity.decline(reason)
            raise _NotTakenError(reason, WSCloseCode.TRY_AGAIN_LATER, busy=True)
        if not visit.ticket.trusted:
            visit.place.enter_context(self._registry.places.coming(visit.name))
        return admitted


def _caller(request: web.Request) -> Caller:
    proxied = is_proxied(request)
    return Caller(
        query=request.query,
        path_token=request.match_info.get("token", ""),
        remote=request.remote,
        proxied=proxied,
        # A page of ours brings a ticket: who may not call by the phone cannot by a script, either.
        cross_site=is_loopback(request.remote)
        and not proxied
        and ("origin" in request.headers or is_cross_site(request)),
    )


class _NotTakenError(Exception):
    """A call that is not taken. The message is for our log only."""

    def __init__(self, reason: str, code: int, *, busy: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.busy = busy


def _for_log(call_id: str) -> str:
    return "".join(c for c in call_id[:64] if c.isprintable())
