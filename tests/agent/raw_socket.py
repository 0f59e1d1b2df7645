"""A websocket spoken byte by byte, for what no well-behaved library would send."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(opcode: int, payload: bytes = b"", *, final: bool = True) -> bytes:
    """Return one masked frame (RFC 6455, 5.2); its mask is zero, so that it is read easily."""
    head = bytes([(0x80 if final else 0) | opcode])
    size = len(payload)
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65_536:
        head += bytes([0x80 | 126]) + struct.pack("!H", size)
    else:
        head += bytes([0x80 | 127]) + struct.pack("!Q", size)
    return head + bytes(4) + payload


def upgrade(url: str, **headers: str) -> bytes:
    """Return the request for a websocket."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    fields = {
        "Host": parts.netloc,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        **headers,
    }
    lines = [f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items() if v)]
    return "\r\n".join([*lines, "", ""]).encode()


class RawSocket:
    """A connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def head(self) -> str:
        """Return the first line that the server answers, behind which its headers have come."""
        async with asyncio.timeout(10):
            head = await self.reader.readuntil(b"\r\n\r\n")
        return head.split(b"\r\n")[0].decode()

    async def until_closed(self, within: float = 10.0) -> bytes:
        """Read until the server closes; return what it sent."""
        data = bytearray()
        with suppress(ConnectionError):
            async with asyncio.timeout(within):
                while piece := await self.reader.read(65_536):
                    data += piece
        return bytes(data)

    async def flood(self, data: bytes) -> None:
        """Send the same again and again until the server has had enough; read nothing."""
        with suppress(ConnectionError):
            while True:
                await self.send(data)

    def reset(self) -> None:
        """Leave with a RST, as a process that crashes or a machine that reboots."""
        linger = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, linger
        )
        self._writer.transport.abort()

    def half_close(self) -> None:
        """Say that nothing more comes, and go on reading."""
        self._writer.write_eof()

    async def close(self) -> None:
        """Leave."""
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


@asynccontextmanager
async def connected(url: str, request: bytes = b"") -> AsyncIterator[RawSocket]:
    """Connect to the host of an address, and send ``request``."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    raw = RawSocket(reader, writer)
    try:
        await raw.send(request)
        yield raw
    finally:
        await raw.close()
