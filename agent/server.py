"""The aiohttp application: routes, admission, drain."""

from __future__ import annotations

import asyncio
import hmac
import signal
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog
from aiohttp import WSCloseCode, web

from agent import persona
from agent.call import Call
from agent.line import LineError, WebSocketLine
from agent.persona import Details, PersonaError, Script
from agent.protocol import Connect, ProtocolError, State, StreamProtocol
from agent.settings import Settings, SettingsError
from agent.transcript import Transcript
from pipelines.endpoint import SmartTurn, TurnModel
from pipelines.phrases import Phrases
from pipelines.providers.base import ProviderError, Voice
from pipelines.vad import VoiceDetector, detectors

log = structlog.get_logger()

SPARE_SOCKETS = 32
"""Sockets beyond ``max_calls``: room to tell the next callers `busy` instead of nothing."""

START_WITHIN = 60.0
"""Seconds for the providers to load their models and open their connections."""

DRAINED_WITHIN = 5.0
"""Seconds for calls to be gone, once they are told to end."""


class Switchboard:
    """The calls of one process.

    Args:
        settings: The whole tree.
        voice: The providers, started.
        new_detector: Gives each call its own voice detector.
        turn_model: Started; None if turns end by silence and words alone.
    """

    def __init__(
        self,
        settings: Settings,
        voice: Voice,
        new_detector: Callable[[], VoiceDetector],
        turn_model: TurnModel | None = None,
    ) -> None:
        self._settings = settings
        self._turn_model = turn_model
        self._voice = voice
        self._new_detector = new_detector
        self._call_settings = settings.call_settings()
        self._calls: set[Call] = set()
        self._sockets = 0
        self._draining = False
        self._changed = asyncio.Event()

    def application(self) -> web.Application:
        """Return the application with its routes."""
        app = web.Application()
        app.router.add_get(self._settings.server.path, self._stream)
        app.router.add_get("/health", self._health)
        return app

    async def drain(self, seconds: float) -> None:
        """Take no more calls, let those in progress finish, end them after ``seconds``."""
        self._draining = True
        await self._wait_for_calls(seconds)
        for call in list(self._calls):
            call.end("the service stops")
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
        }
        return web.json_response(body, status=503 if self._draining else 200)

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
        protocol = StreamProtocol(_requested_rate(request) or self._settings.server.rate)
        try:
            connect = await self._ring(line, protocol)
            name, script = self._admit(request, connect)
        except _RefusedError as refusal:
            log.warning("call refused", reason=str(refusal), remote=request.remote)
            if protocol.state is State.CONNECTED:
                await line.send(protocol.busy() if refusal.busy else protocol.reject())
            return refusal.code
        await line.send(protocol.answer())
        line.carry(connect.rate)
        started = datetime.now(UTC)
        journal = Transcript(self._settings.transcripts, connect.call_id, started)
        journal.add(
            "call",
            call_id=connect.call_id,
            agent=name,
            started=started.isoformat(timespec="milliseconds"),
            rate=connect.rate,
        )
        call = Call(
            line=line,
            protocol=protocol,
            connect=connect,
            voice=self._voice,
            script=script,
            detector=self._new_detector(),
            turn_model=self._turn_model,
            journal=journal,
            settings=self._call_settings,
        )
        log.info("call answered", agent=name, rate=connect.rate)
        self._calls.add(call)
        try:
            ending = await call.run()
        finally:
            journal.close()
            self._calls.discard(call)
            self._changed.set()
        seconds = (datetime.now(UTC) - started).total_seconds()
        log.info("call ended", reason=ending, seconds=round(seconds, 1))
        return WSCloseCode.GOING_AWAY if self._draining else WSCloseCode.OK

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

    def _admit(self, request: web.Request, connect: Connect) -> tuple[str, Script]:
        """Return the agent that takes the call, by name, and its script.

        Raises:
            _RefusedError: If the token is wrong, there is no room, or no such agent.
        """
        headers = dict(connect.headers)
        in_header = headers.pop("token", "")  # no template may see it
        if not self._is_trusted(request.query.get("token") or in_header):
            raise _RefusedError("the token is wrong or missing", WSCloseCode.POLICY_VIOLATION)
        if self._draining or len(self._calls) >= self._settings.server.max_calls:
            reason = "draining" if self._draining else f"{len(self._calls)} calls already"
            raise _RefusedError(reason, WSCloseCode.TRY_AGAIN_LATER, busy=True)
        name = request.query.get("agent") or headers.get("agent") or self._settings.agent
        details = Details(
            now=datetime.now().astimezone(),
            caller=headers.get("caller", ""),
            called=headers.get("called", ""),
            call_id=connect.call_id,
            headers=headers,
        )
        try:
            return name, persona.load(self._settings.prompts, name).render(details)
        except PersonaError as error:
            raise _RefusedError(str(error), WSCloseCode.POLICY_VIOLATION) from None

    def _is_trusted(self, token: str) -> bool:
        """Return whether ``token`` is the configured one; compared in constant time."""
        wanted = self._settings.server.token
        return wanted is None or hmac.compare_digest(
            token.encode("utf-8", "replace"), wanted.get_secret_value().encode()
        )


class _RefusedError(Exception):
    """A call that is not taken. The message is for our log only."""

    def __init__(self, reason: str, code: int, *, busy: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.busy = busy


def _requested_rate(request: web.Request) -> int | None:
    """Return the rate that we put into the endpoint's address when we routed the call."""
    given = request.query.get("rate", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 7 else None


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
    async with running_voice(settings) as voice, running_turn_model(settings) as turn_model:
        new_detector = detectors(settings.vad.gate, settings.vad.judge)
        board = Switchboard(settings, voice, new_detector, turn_model)
        # Access logs would hold addresses, whose query may carry a token.
        runner = web.AppRunner(board.application(), access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.server.host, settings.server.port)
            await site.start()
            host, port = runner.addresses[0][:2]
            ready(f"ws://{host}:{port}{settings.server.path}")
            warming = asyncio.create_task(_warm(settings, voice))
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
    for stage in ("stt", "llm", "tts"):
        settings.provider_options(stage)
    try:
        detectors(settings.vad.gate, settings.vad.judge)
    except LookupError as error:
        raise SettingsError(f"vad: {error.args[0]}") from None
    try:
        persona.load(settings.prompts, settings.agent)
    except PersonaError as error:
        raise SettingsError(f"agent = {settings.agent!r}: {error}") from None


@asynccontextmanager
async def running_voice(settings: Settings) -> AsyncIterator[Voice]:
    """Build the configured providers, start them side by side, close them in the end.

    Raises:
        SettingsError: If one cannot be built or started.
    """
    built: dict[str, Any] = {}
    for stage in ("stt", "llm", "tts"):
        provider, options = settings.provider_options(stage)
        built[stage] = provider(options)
    try:
        try:
            async with asyncio.timeout(START_WITHIN):
                await asyncio.gather(*(provider.start() for provider in built.values()))
        except ProviderError as error:
            raise SettingsError(f"provider: {error}") from None
        except TimeoutError:
            raise SettingsError(f"providers: not started within {START_WITHIN:g} s") from None
        yield Voice(stt=built["stt"], llm=built["llm"], tts=Phrases(built["tts"]))
    finally:
        for provider in built.values():
            await provider.aclose()


async def _warm(settings: Settings, voice: Voice) -> None:
    """Speak the usual agent's own sentences in advance, so that its greeting sounds at once."""
    if not isinstance(voice.tts, Phrases):
        return
    try:
        script = persona.load(settings.prompts, settings.agent).render(
            Details(now=datetime.now().astimezone())
        )
        await voice.tts.prepare(script.own_sentences)
    except (PersonaError, ProviderError) as error:
        log.warning("the greeting is not prepared", error=str(error))


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


def _on_signals() -> asyncio.Queue[int]:
    """Return a queue that gets SIGTERM and SIGINT as they come."""
    caught: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, caught.put_nowait, number)
    return caught
