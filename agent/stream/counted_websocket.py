"""A websocket on which every frame is counted as it comes, before anything is done about it.

aiohttp answers pings and joins fragments by itself: whoever only reads its messages never sees a
flood of them, while each costs the loop that all calls share. It calls ``_handle_frame`` of its
reader for each frame of every kind, so that is where frames are counted, and where what the far end
says when it closes is read before it can be refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.http import WebSocketError, WebSocketReader, WebSocketWriter, WSMessage
from aiohttp.web_request import BaseRequest

from agent.stream.budget import Meter
from pipelines.clock import now

READ_AHEAD = 65_536
"""Bytes of messages that wait to be taken before no more is read from the network."""

IN_ONE_GO = 0.005
"""Seconds of work on what has come already, before other calls have their turn."""

A_WAIT = 0.0002
"""Seconds for a message to come, from which on others have had their turn meanwhile."""

CLOSE_TIMEOUT = 2.0
"""Seconds to wait for the far end's close frame."""

NO_CODE = 1005
"""The close code for a close frame without one (RFC 6455, 7.4.1); never on the wire."""

NO_CLOSE = 1006
"""The close code for a far end that left without a close frame (the same)."""

LONGEST_REASON = 123
"""Characters; a close frame has no room for more bytes (RFC 6455, 5.5)."""

CLOSE_WORDS: Mapping[int, bytes] = {
    WSCloseCode.OK: b"the call is over",
    WSCloseCode.GOING_AWAY: b"the service stops",
    WSCloseCode.UNSUPPORTED_DATA: b"codec or sample rate cannot be served",
    WSCloseCode.POLICY_VIOLATION: b"not admitted",
    WSCloseCode.MESSAGE_TOO_BIG: b"the message is too big",
    WSCloseCode.INTERNAL_ERROR: b"something is wrong here",
    WSCloseCode.TRY_AGAIN_LATER: b"no room for another call now",
}
"""What our close frames say of their code, where nothing better is known. Why a call was not let in
is for our log alone."""

_CLOSE = int(WSMsgType.CLOSE)  # a member of an enumeration is looked up, for each frame

HANG_UPS = (WSCloseCode.OK, WSCloseCode.GOING_AWAY, NO_CODE, NO_CLOSE)
"""Close codes of a far end that just leaves; any other says that something went wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FarEndClosed:
    """How the far end has left."""

    code: int
    """As it said, be it a valid one or not; :data:`NO_CODE` or :data:`NO_CLOSE` if it did not."""

    reason: str = ""
    """As it said: one line, printable, of :data:`LONGEST_REASON` characters at the most."""

    @property
    def is_error(self) -> bool:
        """Whether the far end said that something went wrong."""
        return self.code not in HANG_UPS


class CountedWebSocket(web.WebSocketResponse):
    """A server's end of a websocket. Pings come out of ``receive``: answer them, or not.

    Args:
        meter: Told of each frame. What it finds too much closes the socket.
        max_message_bytes: Longest message that is taken.
    """

    def __init__(self, meter: Meter, max_message_bytes: int) -> None:
        super().__init__(
            timeout=CLOSE_TIMEOUT,
            compress=False,  # PCM does not shrink, and costs time trying
            max_msg_size=max_message_bytes,
            autoping=False,
        )
        self._meter = meter
        self._counting: _CountingReader | None = None
        self._we_closed = False  # first: what comes then is the answer
        self._working_since = now()

    def _post_start(
        self, request: BaseRequest, protocol: str | None, writer: WebSocketWriter
    ) -> None:
        """Read with our reader where aiohttp would read with its own; otherwise as it does."""
        self._ws_protocol = protocol
        self._writer = writer
        loop = asyncio.get_running_loop()
        self._reader = WebSocketDataQueue(request.protocol, READ_AHEAD, loop=loop)
        # aiohttp lets go of it when it closes; what it knows is asked for afterwards, too.
        self._counting = _CountingReader(self._reader, self._max_msg_size, self._meter)
        self._parser = self._counting
        request.protocol.set_parser(self._parser)
        request.protocol.keep_alive(val=False)

    async def receive(self, timeout: float | None = None) -> WSMessage:  # noqa: ASYNC109 - aiohttp's
        """Return the next message; after some work on what has come already, let others go first.

        Cancelling is safe: no message is lost.
        """
        before = now()
        if before - self._working_since > IN_ONE_GO:
            await asyncio.sleep(0)
            before = self._working_since = now()
        message = await super().receive(timeout)
        if (after := now()) - before > A_WAIT:
            self._working_since = after
        return message

    async def close(
        self,
        *,
        code: int = WSCloseCode.OK,
        message: bytes = b"",
        drain: bool = True,  # - aiohttp's
    ) -> bool:
        """Close with a code, and words for it: ``message``, what was wrong, or the code's own."""
        self._we_closed = self._we_closed or self.far_end_closed is None
        words = message or self.fault.encode() or CLOSE_WORDS.get(code, b"")
        return await super().close(code=code, message=_cut(words), drain=drain)

    @property
    def far_end_closed(self) -> FarEndClosed | None:
        """How the far end has left; None while it is there, or if it was we who closed.

        It may be known before all messages that came earlier are taken.
        """
        reader = None if self._we_closed else self._counting
        if reader is None or reader.closed is not None or reader.error is not None:
            return None if reader is None else reader.closed
        return FarEndClosed(code=NO_CLOSE) if reader.ended else None

    @property
    def fault(self) -> str:
        """What was wrong with the far end, fit for a log; ``""`` if nothing, or it just left."""
        closed, error = self.far_end_closed, self._counting and self._counting.error
        if closed is not None:
            return f"the platform closed with code {closed.code}" if closed.is_error else ""
        if error is None or isinstance(error, _TooMuchError):
            return str(error or "")
        return f"the line broke: {error}"


class _TooMuchError(WebSocketError):
    """More came than may come."""


class _CountingReader(WebSocketReader):
    def __init__(self, queue: WebSocketDataQueue, max_msg_size: int, meter: Meter) -> None:
        super().__init__(queue, max_msg_size, compress=False, decode_text=True)
        self._queue = queue
        self._meter = meter
        self.closed: FarEndClosed | None = None
        self.error: BaseException | None = None
        self.ended = False

    def feed_eof(self) -> None:
        self.ended = True
        super().feed_eof()

    def feed_data(self, data: bytes | bytearray | memoryview) -> tuple[bool, bytes]:
        over, rest = super().feed_data(data)
        if over and self.error is None:
            self.error = self._queue.exception()  # which forgets it when the far end leaves
        return over, rest

    def _handle_frame(
        self,
        fin: bool,  # noqa: FBT001 - aiohttp's
        opcode: int,
        payload: bytes | bytearray,
        compressed: int,
    ) -> None:
        if reason := self._meter.count(len(payload), now()):
            raise _TooMuchError(WSCloseCode.POLICY_VIOLATION, reason)
        if opcode == _CLOSE and self.closed is None:
            self.closed = _read_close(bytes(payload))
        super()._handle_frame(fin, opcode, payload, compressed)


def _cut(words: bytes) -> bytes:
    """Return what a close frame has room for, in whole characters."""
    return words[:LONGEST_REASON].decode("utf-8", "ignore").encode()


def _read_close(payload: bytes) -> FarEndClosed:
    """Return what a close frame says, be it valid or not."""
    if len(payload) < 2:
        return FarEndClosed(code=NO_CODE)
    reason = payload[2:].decode("utf-8", "replace")
    clean = "".join(c for c in reason if c.isprintable())[:LONGEST_REASON]
    return FarEndClosed(code=int.from_bytes(payload[:2], "big"), reason=clean)
