"""One call's socket, from the generator's end: dials, says ``connect``, hands over what comes.

A protocol of asyncio's, without streams, tasks or queues: with a hundred calls, what a frame costs
here is what the load tool costs.
"""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import cast
from urllib.parse import urlsplit

from agent.bench.caller import LoadCaller
from agent.bench.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    LARGEST,
    PING,
    PONG,
    TEXT,
    FrameReader,
    NonsenseError,
    accept_of,
    masked,
)
from agent.simulator.call_in_progress import command_of
from agent.simulator.plan import Plan
from agent.simulator.stream_caller import connect_message

CONNECTS_WITHIN = 5.0
"""Seconds for the socket to be there."""

ANSWERS_WITHIN = 10.0
"""Seconds from there to ``answer``."""

TAKES_WITHIN = 5.0
"""Seconds that a server may take no audio: the platform sends in real time, too."""

CLOSES_WITHIN = 2.0
"""Seconds for a server to close its end of a call that is hung up."""

LONGEST_HEAD = 16_384
"""Bytes of a server's answer to the handshake."""

_MASK = b"\x5a\xa5\x3c\xc3"


class CallNotAnsweredError(Exception):
    """A call was not answered; the message is one clear line that quotes no address."""


class UnreachableError(CallNotAnsweredError):
    """There is no stream server at that address at all."""


class CallRefusedError(CallNotAnsweredError):
    """The server takes no more calls: 503, or ``busy``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom to call."""

    url: str
    """The stream endpoint, ``ws://`` or ``wss://``; it may hold a token."""

    headers: Mapping[str, str]
    """Of the call, as ``connect`` brings them."""

    @property
    def place(self) -> str:
        """Host and port, which may be shown."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @property
    def secure(self) -> bool:
        """Whether by TLS."""
        return urlsplit(self.url).scheme.lower() == "wss"

    @property
    def port(self) -> int:
        """The TCP port."""
        return urlsplit(self.url).port or (443 if self.secure else 80)


class CallLine(asyncio.Protocol):
    """A call. Dial it by :func:`dial`; afterwards :meth:`tick` has to be called every 20 ms."""

    def __init__(self, target: Target, number: int, seed: int) -> None:
        self.caller = LoadCaller(seed, 0.0)
        self.over = ""
        """Why the call has ended by itself; ``""`` while it has not."""

        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed = asyncio.Event()
        self._seed = seed
        self._target = target
        self._number = number
        self._key = base64.b64encode(os.urandom(16)).decode()
        self._transport: asyncio.Transport | None = None
        self._head: bytes | None = b""
        self._frames = FrameReader()
        self._text = b""
        self._opcode = BINARY
        self._blocked_since: float | None = None
        self._in_call = False

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a websocket."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop has its own
        parts = urlsplit(self._target.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._transport.write(
            f"GET {path} HTTP/1.1\r\nHost: {self._target.place}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {self._key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode("latin-1", "replace")
        )

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        at = time.perf_counter()
        try:
            if self._head is not None:
                data = self._handshake(data)
            for opcode, payload, ends in self._frames.feed(data):
                if opcode == BINARY and ends and self._in_call:
                    self.caller.audio(at, payload)
                else:
                    self._other(at, opcode, payload, ends=ends)
        except NonsenseError as error:
            self._end(f"the server speaks nonsense: {error}")

    def pause_writing(self) -> None:
        """The server does not read."""
        self._blocked_since = time.perf_counter()

    def resume_writing(self) -> None:
        """It does again."""
        self._blocked_since = None

    def connection_lost(self, _error: Exception | None) -> None:
        """Nothing comes any more."""
        self._end("the server closed the connection")
        self.closed.set()

    # What whoever holds the call calls

    def tick(self, at: float) -> None:
        """Send the next 20 ms."""
        if self.over or self._transport is None:
            return
        frame = self.caller.frame(at)
        if self._blocked_since is None:
            self._transport.write(frame)
        elif at - self._blocked_since > TAKES_WITHIN:
            self._end(f"the server took no audio for {TAKES_WITHIN:g} s")

    async def hang_up(self) -> None:
        """Close the call, and wait for the server to close its end; cancelling is safe."""
        if self._transport is None:
            return
        self.over = self.over or "hung up"
        if not self._transport.is_closing():
            self._transport.write(masked(CLOSE, (1000).to_bytes(2, "big"), _MASK))
        try:
            async with asyncio.timeout(CLOSES_WITHIN):
                await self.closed.wait()
        except TimeoutError:
            self._transport.abort()

    # What came

    def _handshake(self, data: bytes) -> bytes:
        """Take a piece of the server's answer; return what came behind it."""
        assert self._head is not None  # noqa: S101 - else there is no handshake
        self._head += data
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if not b"HTTP/1.1 ".startswith(self._head[:9]):
            self._fail(UnreachableError("what answers there speaks no HTTP: no stream server"))
        elif not end:
            if len(self._head) > LONGEST_HEAD:
                self._fail(UnreachableError("what answers there never ends its headers"))
            return b""
        else:
            self._read_head(head.decode("latin-1"))
        self._head = None
        return rest

    def _read_head(self, head: str) -> None:
        first, *lines = head.split("\r\n")
        status = first[9:12]
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        if not (status.isascii() and status.isdigit()):
            self._fail(UnreachableError("what answers there speaks no HTTP: no stream server"))
        elif status == str(HTTPStatus.SERVICE_UNAVAILABLE.value):
            self._fail(CallRefusedError("refused: HTTP 503, it takes no more calls"))
        elif status != str(HTTPStatus.SWITCHING_PROTOCOLS.value):
            self._fail(UnreachableError(f"refused: HTTP {status}, no call is answered there"))
        elif fields.get("sec-websocket-accept") != accept_of(self._key):
            self._fail(UnreachableError("what answers there is no websocket"))
        elif self._transport is not None:
            plan = Plan(headers=self._target.headers, rate=self.caller.heard.rate)
            message = connect_message(plan, f"bench-{os.getpid()}-{self._number}")
            self._transport.write(masked(TEXT, message.encode(), _MASK))

    def _other(self, at: float, opcode: int, payload: bytes, *, ends: bool) -> None:
        if opcode == PING and self._transport is not None:
            self._transport.write(masked(PONG, payload, _MASK))
        elif opcode == CLOSE:
            code = int.from_bytes(payload[:2], "big")
            self._end(f"the server closed the call, code {code or 1005}")
        elif opcode in (TEXT, BINARY, CONTINUATION):
            if opcode != CONTINUATION:
                self._opcode, self._text = opcode, b""
            if self._opcode == BINARY:
                self._audio(at, payload)
            else:
                self._text += payload
                if len(self._text) > LARGEST:
                    raise NonsenseError("a message without end")
                if ends:
                    self._command(at, command_of(self._text.decode("utf-8", "replace")))

    def _audio(self, at: float, payload: bytes) -> None:
        if self._in_call:
            self.caller.audio(at, payload)
        else:
            self._fail(CallNotAnsweredError("audio came before the answer"))

    def _command(self, at: float, command: str) -> None:
        if self._in_call:
            if command == "clear":
                self.caller.cleared(at)
        elif self.answered.done():  # too late, or behind a refusal
            return
        elif command == "answer":
            self._in_call = True
            self.caller = LoadCaller(self._seed, at)
            self.answered.set_result(None)
        elif command == "busy":
            self._fail(CallRefusedError("refused: busy"))
        elif command == "reject":
            self._fail(CallNotAnsweredError("refused: reject"))
        else:
            self._fail(
                CallNotAnsweredError("the first message was neither answer, busy nor reject")
            )

    def _fail(self, error: CallNotAnsweredError) -> None:
        if not self.answered.done():
            self.answered.set_exception(error)
        self._end(str(error))

    def _end(self, why: str) -> None:
        self.over = self.over or why
        if not self.answered.done():
            self.answered.set_exception(CallNotAnsweredError(f"not answered: {why}"))
        if self._transport is not None:
            self._transport.close()


@cache
def _tls() -> ssl.SSLContext:
    """Return what checks certificates; reading them all takes 20 ms, once."""
    return ssl.create_default_context()


async def dial(target: Target, number: int, seed: int) -> CallLine:
    """Place a call; return it once it is answered.

    Args:
        target: Whom to call.
        number: Of the call, for its id.
        seed: Of its caller.

    Raises:
        CallNotAnsweredError: If it was not, within a deadline.
    """
    loop = asyncio.get_running_loop()
    line = CallLine(target, number, seed)
    try:
        async with asyncio.timeout(CONNECTS_WITHIN):
            await loop.create_connection(
                lambda: line,
                urlsplit(target.url).hostname or "",
                target.port,
                ssl=_tls() if target.secure else None,
            )
    except TimeoutError:
        why = f"cannot connect: nothing came back within {CONNECTS_WITHIN:g} s"
        raise UnreachableError(why) from None
    except (OSError, UnicodeError) as error:  # of names, TLS, the network
        why = getattr(error, "strerror", None) or type(error).__name__
        raise UnreachableError(
            f"cannot connect: {why}; does a server run at {target.place}?"
        ) from None
    try:
        async with asyncio.timeout(ANSWERS_WITHIN):
            await line.answered
    except TimeoutError:
        await line.hang_up()
        raise CallNotAnsweredError(f"no answer within {ANSWERS_WITHIN:g} s") from None
    return line
