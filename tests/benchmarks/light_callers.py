"""Callers that cost little: hundreds of them on one core, each with its own socket.

They speak the stream channel by hand: frames are made once, and written without a task a call. A
caller listens until the agent is silent, says something, and waits for the answer, over and over.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from agent.simulator.plan import Turn

FRAME = 0.020
FRAME_BYTES = 320
"""Of 16-bit samples at 8 kHz."""

TICK = 0.002
"""Seconds between two looks at who has a frame to send."""

SILENT_FOR = 1.2
"""Seconds without audio of the agent's that make it the caller's turn: longer than the lead."""

NOT_ANSWERED = 15.0
"""Seconds after which a caller speaks again."""


def message(payload: bytes, opcode: int) -> bytes:
    """Return a client's websocket message; its mask is all zeros, which changes nothing."""
    size = len(payload)
    head = bytes([0x80 | opcode, 0x80 | size]) if size < 126 else None
    head = head or bytes([0x80 | opcode, 0x80 | 126]) + size.to_bytes(2, "big")
    return head + bytes(4) + payload


SILENCE = message(bytes(FRAME_BYTES), 2)


def frames_of(turn: Turn) -> list[bytes]:
    """Return what is said, a message for each frame."""
    pcm = turn.audio.pcm
    return [
        message(pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0"), 2)
        for at in range(0, len(pcm), FRAME_BYTES)
    ]


@dataclass(slots=True)
class Heard:
    """What callers have measured; times by :func:`time.perf_counter`."""

    answered: list[float] = field(default_factory=list)
    """When each call was."""

    declined: list[tuple[float, float]] = field(default_factory=list)
    """When each asked that was turned away, and for how many seconds it waited for that."""

    failed: list[str] = field(default_factory=list)
    responses: list[tuple[float, float]] = field(default_factory=list)
    """When a caller had said what they had to say, and the seconds to the first of the answer."""

    gaps: list[tuple[float, float]] = field(default_factory=list)
    """When the agent's voice was interrupted, and the seconds of it."""

    late: list[float] = field(default_factory=list)
    """Seconds that the callers themselves were late."""


class Caller(asyncio.Protocol):
    """One call, from the connection on.

    Args:
        address: Host and path.
        says: What is said, turn by turn, as messages; over and over.
        heard: Is told what is measured.
        name: Of the call.
    """

    def __init__(
        self, address: tuple[str, str], says: Sequence[Sequence[bytes]], heard: Heard, name: str
    ) -> None:
        self._host, self._path = address
        self._says = says
        self.heard = heard
        self._name = name
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._asked = time.perf_counter()
        self.state = "asking"
        """``asking``, ``ringing``, ``answered`` or ``over``."""

        self.due = 0.0
        self._turn = 0
        self._position: int | None = None
        self._said = self._last = self._began = 0.0
        self._seconds = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if self.state in ("asking", "ringing"):
            self.heard.failed.append(f"{self.state}: {exc!r}")
        self.state = "over"

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self.state == "asking" and b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            self._connected(head.split(b" ", 2)[1])
        while self.state in ("ringing", "answered") and len(self._buffer) >= 2:
            first, size = self._buffer[0], self._buffer[1] & 0x7F
            at = {126: 4, 127: 10}.get(size, 2)
            if at > 2:
                size = int.from_bytes(self._buffer[2:at], "big")
            if len(self._buffer) < at + size:
                return
            payload, self._buffer = self._buffer[at : at + size], self._buffer[at + size :]
            self._receive(first & 15, payload)

    def _connected(self, status: bytes) -> None:
        assert self._transport is not None
        if status != b"101":
            self._decline("" if status == b"503" else f"HTTP {status.decode()}")
            return
        self.state = "ringing"
        connect = {"command": "connect", "callId": self._name, "sampleRate": 8000}
        self._transport.write(message(json.dumps(connect).encode(), 1))

    def _receive(self, opcode: int, payload: bytes) -> None:
        at = time.perf_counter()
        if opcode == 1:
            command = json.loads(payload)["command"]
            if command == "answer":
                self.state, self.due, self._last = "answered", at, at
                self.heard.answered.append(at)
            elif self.state == "ringing":
                self._decline("" if command == "busy" else command)
        elif opcode == 2 and self.state == "answered":
            self._hear(at, len(payload))
        elif opcode == 8 and self._transport is not None:
            self._transport.close()

    def _hear(self, at: float, size: int) -> None:
        if self._said:
            self.heard.responses.append((self._said, at - self._said))
            self._said, self._seconds = 0.0, 0.0
        if self._seconds == 0.0:
            self._began = at
        elif (missing := at - self._began - self._seconds) > 0:
            if missing < SILENT_FOR:  # else it is something else that it says
                self.heard.gaps.append((at, missing))
            self._began, self._seconds = at, 0.0
        self._seconds += size / 16000
        self._last = at

    def _decline(self, problem: str) -> None:
        assert self._transport is not None
        if problem:
            self.heard.failed.append(problem)
        else:
            self.heard.declined.append((self._asked, time.perf_counter() - self._asked))
        self.state = "over"
        self._transport.close()

    def send_due(self, at: float) -> None:
        """Send a frame, if one is due."""
        if self.state != "answered" or at < self.due or self._transport is None:
            return
        self.heard.late.append(at - self.due)
        self.due += FRAME
        if self._position is None:
            played = max(self._last, self._began + self._seconds)
            if self._said and at - self._said > NOT_ANSWERED:
                self.heard.failed.append("not answered")
                self._said = 0.0
            elif not self._said and at - played > SILENT_FOR:
                self._position = 0
        frame = SILENCE
        if self._position is not None:
            frame = self._says[self._turn][self._position]
            self._position += 1
            if self._position == len(self._says[self._turn]):
                self._position, self._said = None, at
                self._turn = (self._turn + 1) % len(self._says)
        self._transport.write(frame)

    def hang_up(self) -> None:
        """Leave."""
        self.state = "over" if self.state == "over" else "left"
        if self._transport is not None:
            self._transport.write(message((1000).to_bytes(2, "big"), 8))
            self._transport.close()

    def abort(self) -> None:
        """Be gone without a word."""
        self.state = "left"
        if self._transport is not None:
            self._transport.abort()


class Callers:
    """All callers of a process. :meth:`run` moves them.

    Args:
        url: The stream endpoint, ``ws://``.
        says: What each says.
    """

    def __init__(self, url: str, says: Sequence[Sequence[bytes]]) -> None:
        parts = urlsplit(url)
        self._at = parts.hostname or "", parts.port or 80
        self._address = parts.netloc, parts.path + (f"?{parts.query}" if parts.query else "")
        self._says = says
        self._count = 0
        self.heard = Heard()
        self.calls: list[Caller] = []
        """Those that are not over."""

    async def call(self) -> Caller:
        """Begin a call."""
        self._count += 1
        name = f"light-{os.getpid()}-{self._count}"
        shift = self._count % len(self._says)
        says = [*self._says[shift:], *self._says[:shift]]
        loop = asyncio.get_running_loop()
        caller = Caller(self._address, says, self.heard, name)
        await loop.create_connection(lambda: caller, *self._at)
        self.calls.append(caller)
        return caller

    @property
    def answered(self) -> int:
        """How many are in a call now."""
        return sum(one.state == "answered" for one in self.calls)

    async def run(self) -> None:
        """Send what is due, until this is cancelled."""
        while True:
            at = time.perf_counter()
            for caller in self.calls:
                caller.send_due(at)
            self.calls = [one for one in self.calls if one.state not in ("over", "left")]
            await asyncio.sleep(TICK)
