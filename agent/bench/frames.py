"""Frames of a websocket (RFC 6455), as its client sends and receives them. Does no I/O.

By hand rather than by a library because of what a load tool needs: a frame that is masked once and
sent by a hundred callers, and a reader that hands over what a hundred of them hear without a task,
a queue or a future each.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
"""Opcodes (RFC 6455, 5.2)."""

_KNOWN = {CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG}

LARGEST = 8_000_000
"""Bytes of one frame that are taken: the platform's buffer of a call is 5 MB."""

_ACCEPTS = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What a server adds to our key before it hashes it (RFC 6455, 1.3)."""


class NonsenseError(Exception):
    """What came is no websocket; the message is one clear line."""


def masked(opcode: int, payload: bytes, mask: bytes) -> bytes:
    """Return a whole message of a client in one frame.

    Args:
        opcode: What it is.
        payload: Of any length.
        mask: 4 bytes. A client has to mask; which bytes it takes is for it to say.
    """
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + size.to_bytes(8, "big")
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    covered = (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")
    return head + mask + covered


def accept_of(key: str) -> str:
    """Return what a server has to answer to a client's ``Sec-WebSocket-Key``."""
    digest = hashlib.sha1(key.encode() + _ACCEPTS, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


class FrameReader:
    """Cut what a server sends into frames, wherever the network has cut it."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes, bool]]:
        """Yield opcode, payload, and whether it ends a message, of each frame that is whole by now.

        Raises:
            NonsenseError: If it is no frame that a server may send.
        """
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        while end - at >= 2:
            first, size = data[at], data[at + 1]
            if first & 0x70 or size & 0x80 or (first & 0x0F) not in _KNOWN:
                raise NonsenseError("what came is no frame of a websocket")
            body = at + 2
            if size > 125:
                wide = 2 if size == 126 else 8
                if end - body < wide:
                    break
                size = int.from_bytes(data[body : body + wide], "big")
                body += wide
                if size > LARGEST:
                    raise NonsenseError(f"a frame of {size} bytes")
            if end - body < size:
                break
            at = body + size
            yield first & 0x0F, data[body:at], bool(first & 0x80)
        self._rest = data[at:]
