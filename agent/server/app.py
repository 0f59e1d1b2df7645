"""The aiohttp application: routes, admission, drain."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import WSCloseCode, web

from agent.call.call import PASSED_ON, Announcement, Call, Mover, TransferError
from agent.personas import loader
from agent.personas.errors import PersonaError
from agent.personas.mcp_servers import mcp_servers
from agent.records.transcript import Transcript, add_platform_line
from agent.server.admission import (
    Admission,
    Admitted,
    Caller,
    NotAdmittedError,
    details,
    script_for,
)
from agent.server.metrics import CONTENT_TYPE, Metrics
from agent.server.operator import OperatorInterface
from agent.server.providers import probe_speech, running, warm, warm_usual
from agent.settings import STAGES, Settings, SettingsError
from agent.sinch.call_control import CallControlError, ExpectedCall
from agent.sinch.callbacks import MAX_BYTES
from agent.sinch.service import sinch_service
from agent.sinch.tokens import Claims
from agent.store.folder import FolderStore
from agent.stream.line import LineError, WebSocketLine, client_address
from agent.stream.protocol import Connect, ProtocolError, State, StreamProtocol
from pipelines.listening.detectors import VoiceDetector, detectors
from pipelines.stages.lineup import Providers
from pipelines.tools.tool import CallInfo
from pipelines.turn_taking.end_of_turn import TurnModel
from pipelines.turn_taking.smart_turn import SmartTurn

if TYPE_CHECKING:
    from pipelines.tools.mcp import McpServer  # an extra

log = structlog.get_logger()

SPARE_SOCKETS = 32
"""Sockets beyond ``max_calls``: room to tell the next callers `busy` instead of nothing."""

DRAINED_WITHIN = 5.0
"""Seconds for calls to be gone, once they are told to end."""


ORDERS_EVERY = 0.2
"""Seconds between two looks at what other processes have for our calls."""

PROXY_HEADERS = {"forwarded", "x-forwarded-for", "x-real-ip", "via"}
"""Any of them, and a call from loopback is not from this machine."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A call in progress."""

    call: Call
    agent: str


class CallRegistry:
    """The calls of one process.

    Args:
        settings: The whole tree.
        providers: Started.
        new_detector: Gives each call its own voice detector.
        turn_model: Started; None if turns end by silence and words alone.
        mcp_servers: Started, by name.

    Raises:
        SettingsError: If the folder that processes share cannot be written.
    """

    def __init__(
        self,
        settings: Settings,
        providers: Providers,
        new_detector: Callable[[], VoiceDetector],
        turn_model: TurnModel | None = None,
        mcp_servers: Mapping[str, McpServer] | None = None,
    ) -> None:
        self._settings = settings
        self._turn_model = turn_model
        self._mcp_servers = mcp_servers or {}
        self._providers = providers
        self.answered = 0
        self._metrics = Metrics(self, providers)
        self._new_detector = new_detector
        self._call_settings = settings.call_settings()
        self._calls: dict[str, _Held] = {}
        """By our name of it: for a call that we placed, not the platform's."""

        self._expected: dict[str, ExpectedCall] = {}
        self._warming: set[asyncio.Task[None]] = set()
        self._sinch = sinch_service(settings, self) if settings.sinch.takes_callbacks else None
        self._admission = Admission(
            settings,
            self._sinch.tokens if self._sinch is not None else None,
            self._sinch.call_control if self._sinch is not None else None,
        )
        self._sockets = 0
        self._draining = False
        self._changed = asyncio.Event()

    def application(self) -> web.Application:
        """Return the application with its routes."""
        app = web.Application(client_max_size=MAX_BYTES)
        path = self._settings.server.path
        app.router.add_get(path, self._stream)
        app.router.add_get(path.rstrip("/") + "/{token}", self._stream)
        app.router.add_get("/health", self._health)
        app.router.add_get("/metrics", self._measure)
        if self._sinch is not None:
            sinch = self._settings.sinch
            app.router.add_post(sinch.callback_path, self._sinch.endpoint.handle)
        app.cleanup_ctx.append(self._running_sinch_service)
        app.cleanup_ctx.append(self._watching_providers)
        if self._settings.operator.token is not None:
            call_control = self._sinch.call_control if self._sinch is not None else None
            OperatorInterface(self._settings, self, call_control).add_to(app)
        return app

    async def _running_sinch_service(self, _app: web.Application) -> AsyncIterator[None]:
        if self._sinch is None:
            yield
            return
        carrying = asyncio.create_task(self._carry_orders(self._sinch.store))
        yield
        carrying.cancel()
        for task in self._warming:
            task.cancel()
        await asyncio.wait([carrying, *self._warming])
        await self._sinch.call_control.aclose()
        if self._sinch.api is not None:
            await self._sinch.api.aclose()

    async def _watching_providers(self, _app: web.Application) -> AsyncIterator[None]:
        watching = asyncio.create_task(self._providers.watch(probe_speech()))
        yield
        watching.cancel()
        await asyncio.wait([watching])

    async def _carry_orders(self, store: FolderStore) -> None:
        """Give to calls here what other processes have for them."""
        while True:
            await asyncio.sleep(ORDERS_EVERY)
            try:
                for call_id, order in list(store.orders(self._calls)):
                    self.deliver(call_id, order)
            except OSError as error:
                log.warning("the shared folder fails", error=error.strerror)

    # What the exchange asks of us

    def expect(self, expected: ExpectedCall) -> None:
        """Prepare for a call: its greeting is spoken now, so that it sounds with the answer."""
        self._expected[expected.call] = expected
        loop = asyncio.get_running_loop()
        loop.call_later(self._settings.sinch.token_lifetime, self._forget, expected)
        task = loop.create_task(self._warm_up(expected))
        self._warming.add(task)
        task.add_done_callback(self._warming.discard)

    def _forget(self, expected: ExpectedCall) -> None:
        if self._expected.pop(expected.call, None) is not None and not expected.outgoing:
            log.warning("an announced call did not come", agent=expected.agent)

    async def _warm_up(self, expected: ExpectedCall) -> None:
        headers = {"caller": expected.caller, "called": expected.called, **expected.headers}
        try:
            script = script_for(
                self._settings, expected.agent, details(headers, expected.call, expected)
            )
            await warm(self._providers, script, self._settings.server.rate)
        except PersonaError as error:
            log.warning("the agent of an announced call", error=str(error))

    def deliver(self, call_id: str, order: Mapping[str, Any]) -> bool:
        """Give an order to a call; return whether it is here."""
        held = self._calls.get(call_id)
        if held is None:
            return False
        call = held.call
        match order:
            case {"kind": "hang up", "goodbye": True}:
                call.say_goodbye()
            case {"kind": "hang up"}:
                call.end("the operator hung up")
            case {"kind": "transfer", "to": str(to), "announcement": str(text)}:
                call.announce(Announcement(text=text, transfer=to))
            case {"kind": "moved", "stay": bool(stay)}:
                call.moved(stay=stay)
            case {"kind": "not moved"}:
                call.not_moved()
        return True

    def platform_line(self, call_id: str, fields: Mapping[str, Any]) -> None:
        """Add to the transcript of a call what the platform says of it."""
        add_platform_line(self._settings.transcripts, call_id, **fields)

    @property
    def in_progress(self) -> dict[str, str]:
        """The calls here: our name of each, and its agent."""
        return {name: held.agent for name, held in self._calls.items()}

    async def drain(self, seconds: float) -> None:
        """Take no more calls, let those in progress finish, end them after ``seconds``."""
        self._draining = True
        await self._wait_for_calls(seconds)
        for held in list(self._calls.values()):
            held.call.end("the service stops")
        await self._wait_for_calls(DRAINED_WITHIN)

    async def _wait_for_calls(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while self._calls:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            log.warning("calls are still in progress", calls=len(self._calls))

    async def _health(self, _request: web.Request) -> web.Response:
        status = "draining" if self._draining else "ok"
        body = {
            "status": status,
            "calls": len(self._calls),
            "max_calls": self._settings.server.max_calls,
            "providers": [
                {"stage": stage, "provider": candidate.name, "status": candidate.status}
                for stage, candidate in self._providers.candidates
            ],
        }
        return web.json_response(body, status=503 if self._draining else 200)

    async def _measure(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self._sockets >= self._settings.server.max_calls + SPARE_SOCKETS:
            log.warning("socket refused: too many", sockets=self._sockets)
            raise web.HTTPServiceUnavailable
        limits = self._settings.line_limits()
        socket = web.WebSocketResponse(
            timeout=limits.close_timeout,
            compress=False,  # PCM does not shrink, and costs time trying
            max_msg_size=limits.max_message_bytes,
        )
        await socket.prepare(request)
        line = WebSocketLine(socket, limits)
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
            admitted = self._admit(caller, connect)
        except _RefusedError as refusal:
            log.warning("call refused", reason=str(refusal), remote=client_address(request))
            if protocol.state is State.CONNECTED:
                await line.send(protocol.busy() if refusal.busy else protocol.reject())
            return refusal.code
        try:
            await line.send(protocol.answer())
        except LineError:
            self._leave(admitted.claims)
            raise
        line.carry(connect.rate)
        await self._hold(admitted, line, protocol, connect)
        return WSCloseCode.GOING_AWAY if self._draining else WSCloseCode.OK

    def _admit(self, caller: Caller, connect: Connect) -> Admitted:
        """Return how to answer.

        Raises:
            _RefusedError: If the call is not trusted, there is no room, or no such agent.
        """
        try:
            admitted = self._admission.admit(caller, connect)
        except NotAdmittedError as error:
            raise _RefusedError(str(error), WSCloseCode.POLICY_VIOLATION) from None
        if self._draining or len(self._calls) >= self._settings.server.max_calls:
            self._leave(admitted.claims)
            reason = "draining" if self._draining else f"{len(self._calls)} calls already"
            raise _RefusedError(reason, WSCloseCode.TRY_AGAIN_LATER, busy=True)
        return admitted

    async def _hold(
        self, admitted: Admitted, line: WebSocketLine, protocol: StreamProtocol, connect: Connect
    ) -> None:
        """Hold a conversation, to its end and into its record."""
        claims, agent = admitted.claims, admitted.agent
        structlog.contextvars.bind_contextvars(call_id=_for_log(admitted.call_id))
        started = datetime.now(UTC)
        journal = Transcript(self._settings.transcripts, admitted.call_id, started)
        dialled = {"dialled": claims.dialled} if claims is not None and claims.dialled else {}
        journal.add(
            "call",
            call_id=admitted.call_id,
            agent=agent,
            started=started.isoformat(timespec="milliseconds"),
            rate=connect.rate,
            **dialled,
        )
        lineup = self._providers.lineup()
        call = Call(
            line=line,
            protocol=protocol,
            connect=connect,
            lineup=lineup,
            script=admitted.script,
            detector=self._new_detector(),
            turn_model=self._turn_model,
            journal=journal,
            settings=self._call_settings,
            mover=self._mover(claims),
            tools=admitted.script.tools.for_call(self._mcp_servers),
            about=CallInfo(
                call_id=admitted.call_id,
                caller=connect.headers.get("caller", ""),
                called=connect.headers.get("called", ""),
            ),
        )
        self.answered += 1
        log.info("call answered", agent=agent, rate=connect.rate)
        name = self._register(admitted.name, _Held(call, agent))
        self._expected.pop(name, None)
        ending = ""
        try:
            ending = await call.run()
        finally:
            await lineup.aclose()
            journal.close()
            del self._calls[name]
            self._changed.set()
            self._leave(claims, moved=ending == PASSED_ON)
        seconds = (datetime.now(UTC) - started).total_seconds()
        log.info("call ended", reason=ending, seconds=round(seconds, 1))

    def _leave(self, claims: Claims | None, *, moved: bool = False) -> None:
        """Tell the exchange that no stream of this token is, or will be: it is used up."""
        if claims is not None and self._sinch is not None:
            self._sinch.call_control.stream_ended(claims, moved=moved)

    def _register(self, name: str, held: _Held) -> str:
        """Note a call under ``name``, or under another if there is one of that name already."""
        while name in self._calls:
            name = f"{name}-{uuid.uuid4().hex[:8]}"
        self._calls[name] = held
        return name

    def _mover(self, claims: Claims | None) -> Mover | None:
        """Return what passes the caller of a stream on."""
        if claims is None or self._sinch is None:
            return None
        call_control = self._sinch.call_control

        async def move(to: str) -> None:
            try:
                await call_control.transfer(claims, to)
            except CallControlError as error:
                raise TransferError(str(error)) from None

        return move

    async def _ring(self, line: WebSocketLine, protocol: StreamProtocol) -> Connect:
        """Wait for `connect`.

        Raises:
            _RefusedError: If it does not come in time, or cannot be served.
        """
        try:
            async with asyncio.timeout(self._settings.server.connect_timeout):
                while (message := await line.receive()) is not None:
                    event = protocol.receive(message)
                    if isinstance(event, Connect):
                        call_id = event.call_id or f"unnamed-{uuid.uuid4()}"
                        structlog.contextvars.bind_contextvars(call_id=_for_log(call_id))
                        return replace(event, call_id=call_id)
        except TimeoutError:
            raise _RefusedError("no connect in time", WSCloseCode.POLICY_VIOLATION) from None
        except ProtocolError as error:
            raise _RefusedError(str(error), WSCloseCode.UNSUPPORTED_DATA) from None
        raise _RefusedError("closed before connect", WSCloseCode.OK)


class _RefusedError(Exception):
    """A call that is not taken. The message is for our log only."""

    def __init__(self, reason: str, code: int, *, busy: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.busy = busy


def _for_log(call_id: str) -> str:
    return "".join(c for c in call_id[:64] if c.isprintable())


async def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Answer calls until SIGTERM or SIGINT, then drain; a second signal ends at once.

    Args:
        settings: The whole tree.
        ready: Called with the address of the stream endpoint, once calls are answered.

    Raises:
        SettingsError: If a provider, detector or agent file cannot be used as configured.
        OSError: If the address cannot be listened on.
    """
    check(settings)
    stop = _on_signals()
    async with (
        running(settings) as providers,
        running_turn_model(settings) as turn_model,
        running_mcp_servers(settings) as mcp_servers,
    ):
        new_detector = detectors(settings.vad.gate, settings.vad.judge)
        board = CallRegistry(settings, providers, new_detector, turn_model, mcp_servers)
        # Access logs would hold addresses, whose query may carry a token.
        runner = web.AppRunner(board.application(), access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.server.host, settings.server.port)
            await site.start()
            host, port = runner.addresses[0][:2]
            ready(f"ws://{host}:{port}{settings.server.path}")
            warming = asyncio.create_task(warm_usual(settings, providers))
            await stop.get()
            warming.cancel()
            log.info("draining; once more to stop at once", seconds=settings.server.drain)
            draining = asyncio.create_task(board.drain(settings.server.drain))
            at_once = asyncio.create_task(stop.get())
            await asyncio.wait([draining, at_once], return_when=asyncio.FIRST_COMPLETED)
            draining.cancel()
            at_once.cancel()
        finally:
            await runner.cleanup()


def check(settings: Settings) -> None:
    """Look at what the settings name: providers, detectors, the agent file.

    Raises:
        SettingsError: If one cannot be used; a line for each mistake.
    """
    for stage in STAGES:
        settings.providers(stage)
    try:
        detectors(settings.vad.gate, settings.vad.judge)
    except LookupError as error:
        raise SettingsError(f"vad: {error.args[0]}") from None
    try:
        usual = loader.load(settings.prompts, settings.agent)
        mcp_servers(settings.mcp)
    except PersonaError as error:
        raise SettingsError(f"agent = {settings.agent!r}: {error}") from None
    except ValueError as error:
        raise SettingsError(str(error)) from None
    if missing := usual.tools.servers - settings.mcp.keys():
        raise SettingsError(f"agent = {settings.agent!r}: tools: no mcp.{min(missing)} in settings")


@asynccontextmanager
async def running_turn_model(settings: Settings) -> AsyncIterator[TurnModel | None]:
    """Start the configured turn model, close it in the end; None if there is to be none."""
    if settings.turns.model == "none":
        yield None
        return
    model = SmartTurn()
    await model.start()
    try:
        yield model
    finally:
        await model.aclose()


@asynccontextmanager
async def running_mcp_servers(settings: Settings) -> AsyncIterator[Mapping[str, McpServer]]:
    """Connect to the MCP servers of the settings, side by side; let go of them in the end.

    One that cannot be reached is logged, and tried again in the background: the service starts.

    Raises:
        SettingsError: If one cannot be built.
    """
    try:
        servers = mcp_servers(settings.mcp)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    try:
        await asyncio.gather(*(server.start() for server in servers.values()))
        yield servers
    finally:
        await asyncio.gather(*(server.aclose() for server in servers.values()))


def _on_signals() -> asyncio.Queue[int]:
    """Return a queue that gets SIGTERM and SIGINT as they come."""
    caught: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, caught.put_nowait, number)
    return caught
