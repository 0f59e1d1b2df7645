"""A speech-to-text server on a websocket, whatever its format."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from aiohttp import WSMsgType, web

from .case import Plan

SAID = 0.05
"""Seconds of silence after which a turn may be over; after as long again it is. As long as a piece
of the silence that a provider is given, if it is :func:`hurried`."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Audio."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Finish:
    """That was all of the utterance."""


@dataclass(frozen=True, slots=True)
class Bye:
    """That was all."""


Taken = Heard | Finish | Bye | None


class Format(Protocol):
    """How one connection of a provider's server speaks."""

    rate: int

    def hello(self) -> Sequence[str]:
        """Return what it says first."""
        ...

    def take(self, message: str | bytes) -> Taken:
        """Return what a message of the client's means; None if there is nothing to do."""
        ...

    def partial(self, text: str) -> Sequence[str]:
        """Return a result that is not final, of ``text``."""
        ...

    def error(self, words: str) -> Sequence[str]:
        """Return an error."""
        ...

    def bye(self) -> Sequence[str]:
        """Return what it says last."""
        ...


class Finishing(Format, Protocol):
    """A provider that is told when an utterance is over."""

    def part(self, text: str) -> Sequence[str]:
        """Return a final result, which is not the last."""
        ...

    def last(self, text: str) -> Sequence[str]:
        """Return the last result of an utterance, with what is not in earlier ones."""
        ...


class Turning(Format, Protocol):
    """A provider that says when a turn is over."""

    def began(self) -> Sequence[str]:
        """Say that a turn begins."""
        ...

    def maybe_over(self, text: str) -> Sequence[str]:
        """Say that it may be over."""
        ...

    def resumed(self, text: str) -> Sequence[str]:
        """Say that it was not."""
        ...

    def over(self, text: str) -> Sequence[str]:
        """Say that it is over."""
        ...


@dataclass(kw_only=True)
class Connection:
    """What came on one connection."""

    query: list[tuple[str, str]] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    messages: list[str | bytes] = field(default_factory=list)
    pcm: bytearray = field(default_factory=bytearray)
    socket: web.WebSocketResponse = field(default_factory=web.WebSocketResponse)
    pending: bool = False
    """Whether there is audio that has no answer."""

    closed: bool = False


def hurried(transcriber: type[Any]) -> type[Any]:
    """Return a speech-to-text that waits half as long: there is no network, and no model."""

    class Hurried(transcriber):  # type: ignore[misc]
        def __init__(self, options: Any) -> None:
            super().__init__(options)
            pace: Any = self.pace
            waits = {name: getattr(pace, name) / 2 for name in ("silence", "lag", "patience")}
            self.pace: Any = replace(pace, settled=pace.settled / 2, **waits)

    return Hurried


class HearingServer:
    """Hears ``Plan.text``, in each utterance or turn.

    Args:
        plan: What it does.
        path: Where.
        key: Returns the key from a request.
        new: Makes what speaks on a connection.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        path: str,
        key: Callable[[web.Request], str],
        new: Callable[[], Finishing] | None = None,
        new_turning: Callable[[], Turning] | None = None,
    ) -> None:
        self.plan = plan
        self.served = 0
        self.cancelled = 0
        self.keys: list[str] = []
        self.connections: list[Connection] = []
        self._path = path
        self._key = key
        self._new = new
        self._new_turning = new_turning

    def application(self) -> web.Application:
        """Return the server."""
        app = web.Application()
        app.router.add_get(self._path, self._connect)
        return app

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(self._key(request))
        refusal = {"unauthorized": 401, "rate_limit": 429}.get(self.plan.fault)
        if refusal:
            return web.json_response({"error": " ".join(self.plan.secrets)}, status=refusal)
        connection = Connection(query=list(request.query.items()), headers=request.headers)
        self.connections.append(connection)
        await connection.socket.prepare(request)
        try:
            if self._new is not None:
                await self._finishing(connection, self._new())
            elif self._new_turning is not None:
                await self._turning(connection, self._new_turning())
        except ConnectionError:
            pass  # it has gone
        finally:
            connection.closed = True
            self.cancelled += connection.pending
        return connection.socket

    async def _send(self, connection: Connection, messages: Sequence[str]) -> None:
        for message in messages:
            await connection.socket.send_str(message)
            await asyncio.sleep(0)

    async def _messages(self, connection: Connection, format_: Format) -> Taken:
        """Return what came next, of what means something; Bye at the end."""
        async for message in connection.socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                continue
            connection.messages.append(message.data)
            taken = format_.take(message.data)
            if isinstance(taken, Heard):
                connection.pcm += taken.pcm
            if taken is not None:
                return taken
        return None

    async def _finishing(self, connection: Connection, format_: Finishing) -> None:
        await self._send(connection, format_.hello())
        while (taken := await self._messages(connection, format_)) is not None:
            match taken:
                case Heard() if not connection.pending:
                    connection.pending = True
                    await self._begin(connection, format_)
                case Finish():
                    self.served += 1
                    if not await self._answer(connection, format_):
                        return
                case Bye():
                    if self.plan.fault != "silent":
                        await self._send(connection, format_.bye())
                    return

    async def _begin(self, connection: Connection, format_: Format) -> None:
        """Give the first result."""
        match self.plan.fault:
            case "error":
                await self._send(connection, format_.error(" ".join(self.plan.secrets)))
            case "garbage":
                await connection.socket.send_str("<html>Hello!</html>")
            case "none" | "early":
                await self._send(connection, format_.partial(self._halves()[0]))

    async def _answer(self, connection: Connection, format_: Finishing) -> bool:
        """Give the last results; return whether to go on."""
        if self.plan.fault == "silent":
            return True
        connection.pending = False
        first, rest = self._halves()
        if self.plan.fault == "empty":
            await self._send(connection, format_.last(""))
            return True
        await self._send(connection, format_.part(first))
        if self.plan.fault == "early":
            await connection.socket.close()
            return False
        await self._send(connection, format_.last(rest))
        return True

    def _halves(self) -> tuple[str, str]:
        words = self.plan.text.split(" ")
        half = (len(words) + 1) // 2
        return " ".join(words[:half]), " ".join(words[half:])

    async def _turning(self, connection: Connection, format_: Turning) -> None:
        await self._send(connection, format_.hello())
        turn: list[str] = []
        silent = -1.0  # seconds since speech; less than none before any
        while (taken := await self._messages(connection, format_)) is not None:
            match taken:
                case Heard(pcm) if pcm.strip(b"\0"):
                    silent = await self._voiced(connection, format_, turn, silent)
                case Heard(pcm) if silent >= 0:
                    now = silent + len(pcm) / (2 * format_.rate)
                    silent = await self._silent(connection, format_, turn, silent, now)
                case Bye():
                    await self._send(connection, format_.bye())
                    return

    async def _voiced(
        self, connection: Connection, format_: Turning, turn: list[str], silent: float
    ) -> float:
        if self.plan.fault == "empty":
            return -1.0
        if not connection.pending:
            connection.pending = True
            if self.plan.fault in ("none", "early"):
                await self._send(connection, format_.began())
            await self._begin(connection, format_)
        elif silent >= SAID:
            await self._send(connection, format_.resumed(" ".join(turn)))
        return 0.0

    async def _silent(
        self, connection: Connection, format_: Turning, turn: list[str], silent: float, now: float
    ) -> float:
        if silent == 0:
            self.served += 1
            turn.append(self.plan.text)
        if self.plan.fault == "silent":
            return now
        if self.plan.fault == "early":
            await connection.socket.close()
        elif silent < SAID <= now:
            await self._send(connection, format_.maybe_over(" ".join(turn)))
        elif now >= 2 * SAID:
            connection.pending = False
            await self._send(connection, format_.over(" ".join(turn)))
            turn.clear()
            return -1.0
        return now
