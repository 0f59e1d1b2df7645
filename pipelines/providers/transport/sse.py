"""Server-sent events, as language models stream their replies."""

from __future__ import annotations

from collections.abc import AsyncGenerator

MAX_EVENT = 4 * 1024 * 1024
"""Bytes of one event: a minute of base64 at 24 kHz."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


async def sse(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[tuple[str, str], None]:
    """Yield the server-sent events of a body: name (``message`` if none is given) and data.

    As the WHATWG's HTML standard has it (9.2.6), but for ``id`` and ``retry``, which are for
    browsers. However the body is cut makes no difference, and each byte is looked at once. An event
    that is not ended by an empty line is dropped. Closing the generator does not close ``chunks``.

    Raises:
        ValueError: If it is not UTF-8, or an event is longer than ``MAX_EVENT``.
    """
    event = _Event()
    line = bytearray()
    first = True
    async for chunk in chunks:
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            line += end
            whole = line.removesuffix(b"\r")
            event.add((whole.removeprefix(BYTE_ORDER_MARK) if first else whole).decode())
            first = False
            line.clear()
            if not whole:
                if event.data:
                    yield event.name or "message", "\n".join(event.data)
                event = _Event()
        line += rest
        if event.size + len(line) > MAX_EVENT:
            raise ValueError("a server-sent event is too long")


class _Event:
    """An event, as far as it has arrived."""

    def __init__(self) -> None:
        self.name = ""
        self.data: list[str] = []
        self.size = 0

    def add(self, line: str) -> None:
        self.size += len(line) + 1
        field, _, value = line.partition(":")
        if field == "event":
            self.name = value.removeprefix(" ")
        elif field == "data":
            self.data.append(value.removeprefix(" "))
