"""A TCP proxy between an adapter and its server, which breaks what the server sends."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

Break = Literal["drop", "end", "half_open"]
"""How a connection ends: reset (RST), closed (FIN), or dead without a sign: it goes on accepting
what the adapter sends, and forwards nothing more."""

BUFFER = 65_536
"""Bytes that a socket holds, about; the system would grow it to megabytes, and a server would have
sent a whole answer that its client has hardly begun to read. Less than a segment of the loopback
device (64 KiB) would make it wait for delayed acknowledgements."""

BYTE_BY_BYTE = 3_000
"""Bytes of a connection that ``split`` forwards one at a time: the head of an answer, and its first
results. The rest goes in larger odd pieces, because tests are run often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What the proxy does to what the server sends.

    It counts on each connection from when that was opened, or the line was set if that was later.
    """

    delay: float = 0.0
    """Seconds before the first byte."""

    split: bool = False
    """Whether the first bytes are forwarded one at a time, and the others in pieces of 997."""

    piece: int = 65_536
    """Bytes in a piece, at most."""

    gap: float = 0.0
    """Seconds after each piece."""

    breaks: Break | None = None
    after: int = 0
    """Bytes that still come before it breaks."""

    mutate: Callable[[bytes], bytes] | None = None
    """Changes each piece of what the server sends."""


GOOD = Line()
SPLIT = Line(split=True)
SLOW = Line(delay=0.03)
TRICKLE = Line(piece=701, gap=0.001)


class _Broken(Exception):  # noqa: N818 - it is planned
    """The line broke, as it was told to."""


class _Connection:
    """One connection of the adapter's, and ours to the server behind it."""

    def __init__(self, proxy: Proxy, down: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self.down = down
        self.passed = 0
        self.dead = False

    def reset(self) -> None:
        """Break it with a RST, unless it is closed."""
        if self.down.transport.is_closing():
            return
        sock: socket.socket = self.down.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.down.transport.abort()

    async def up(self, client: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        """Pass on what the adapter sends, until it has gone."""
        try:
            while data := await client.read(BUFFER):
                self._proxy.uploaded += data
                server.write(data)
                await server.drain()
        except OSError:
            return

    async def pass_down(self, server: asyncio.StreamReader) -> None:
        """Pass on what the server sends, as the line has it, until the server has closed.

        Raises:
            _Broken: If the line broke, and the connection with it.
        """
        while data := await server.read(BUFFER):
            line = self._proxy.line
            if line.delay and not self.passed:
                await asyncio.sleep(line.delay)
            if line.mutate:
                data = line.mutate(data)
            for piece in self._pieces(data):
                await self._proxy.flowing.wait()
                if self.dead:
                    await asyncio.Event().wait()
                await self._forward(piece)

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(data):
            line = self._proxy.line
            size = line.piece
            if line.split:
                size = 1 if self.passed < BYTE_BY_BYTE else 997
            yield data[at : at + size]
            at += size

    async def _forward(self, piece: bytes) -> None:
        line = self._proxy.line
        if line.breaks and self.passed + len(piece) > line.after:
            await self._send(piece[: max(0, line.after - self.passed)])
            await self._break(line.breaks)
            return
        await self._send(piece)
        await asyncio.sleep(line.gap)

    async def _send(self, piece: bytes) -> None:
        if piece:
            self.passed += len(piece)
            self._proxy.downloaded += len(piece)
            self.down.write(piece)
            await self.down.drain()

    async def _break(self, how: Break) -> None:
        self._proxy.broken.set()
        match how:
            case "drop":
                # What was sent before would be thrown away with the RST, on either side.
                await asyncio.sleep(0.002)
                self.reset()
            case "end":
                self.down.close()
            case "half_open":
                await asyncio.Event().wait()
        raise _Broken


class Proxy:
    """A proxy on loopback; make it with :func:`proxying`.

    Attributes:
        line: What it does; may be changed at any time.
        uploaded: All that adapters sent.
        downloaded: Bytes of the servers' that reached the adapters.
        opened: Connections of adapters, those that have gone included.
        broken: Set when the line has broken a connection.
        flowing: While it is not set, nothing of the servers' is passed on.
    """

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._line = GOOD
        self._listener: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self.uploaded = bytearray()
        self.downloaded = 0
        self.opened = 0
        self.broken = asyncio.Event()
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.port = 0

    @property
    def line(self) -> Line:
        """What it does."""
        return self._line

    @line.setter
    def line(self, line: Line) -> None:
        self._line = line
        self.broken.clear()
        for connection in self._connections:
            connection.passed = 0

    @property
    def open(self) -> int:
        """Connections that adapters hold now."""
        return len(self._connections)

    def hold(self) -> None:
        """Pass on nothing of the servers' until :meth:`release`."""
        self.flowing.clear()

    def release(self) -> None:
        """Pass on what was held, and what follows."""
        self.flowing.set()

    def reset_all(self) -> None:
        """Break every connection with a RST."""
        for connection in list(self._connections):
            connection.reset()

    def close_all(self) -> None:
        """Close every connection with a FIN."""
        for connection in list(self._connections):
            connection.down.close()

    def kill_all(self) -> None:
        """Let every connection go dead without a sign; those that follow are good."""
        for connection in list(self._connections):
            connection.dead = True

    async def listen(self) -> None:
        """Accept connections, at the same port as before if there was one."""
        sock = listening(self.port)
        self.port = sock.getsockname()[1]
        self._listener = await asyncio.start_server(self._accept, sock=sock, limit=BUFFER)

    def refuse(self) -> None:
        """Break every connection, and accept no other until :meth:`listen`."""
        if self._listener is not None:
            self._listener.close()
        self.reset_all()

    async def aclose(self) -> None:
        """Let go of everything."""
        self.refuse()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await asyncio.sleep(0)  # transports are closed a step later

    def _accept(self, client: asyncio.StreamReader, down: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(client, down))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, client: asyncio.StreamReader, down: asyncio.StreamWriter) -> None:
        connection = _Connection(self, down)
        self._connections.add(connection)
        self.opened += 1
        tasks: list[asyncio.Task[None]] = []
        upstream: asyncio.StreamWriter | None = None
        try:
            server, upstream = await self._reach_server()
            tasks.append(asyncio.create_task(connection.up(client, upstream)))
            tasks.append(asyncio.create_task(connection.pass_down(server)))
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            down.close()
            if upstream is not None:
                upstream.close()  # what the adapter said last still goes out
            self._connections.discard(connection)
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _reach_server(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        sock = socket.socket(proto=socket.IPPROTO_TCP)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        sock.connect(("127.0.0.1", self._server_port))  # at once, on loopback
        return await asyncio.open_connection(sock=sock, limit=BUFFER)


def listening(port: int = 0) -> socket.socket:
    """Return a socket that listens on loopback, at any free port if ``port`` is 0."""
    sock = socket.socket(proto=socket.IPPROTO_TCP)  # asyncio looks at it for TCP_NODELAY
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    sock.bind(("127.0.0.1", port))
    sock.listen()
    return sock


@asynccontextmanager
async def proxying(port: int) -> AsyncIterator[Proxy]:
    """Run a proxy before the server at ``port``."""
    proxy = Proxy(port)
    await proxy.listen()
    try:
        yield proxy
    finally:
        await proxy.aclose()
