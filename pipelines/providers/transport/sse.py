"""Server-sent events, as language models stream their replies."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator

MAX_EVENT = 4 * 1024 * 1024
"""Bytes of one event: a minute of base64 at 24 kHz."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


async def sse(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[tuple[str, str], None]:
    """Yield the server-sent events of a body: name (``message`` if none is given) and data.

    As the WHATWG's HTML standard has it (9.2.6), but for ``id`` and ``retry``, which are for
    browsers. However the body is cut makes no difference, and each byte is looked at once. Other
    than in a browser, an event at the end of the body counts though no empty line ends it, since
    gateways trim it; and a body that begins with a bracket is no stream, but one JSON text, which
    is all there is to say: it is yielded as one event. Closing the generator does not close
    ``chunks``.

    Raises:
        ValueError: If it is not UTF-8, or an event is longer than ``MAX_EVENT``.
    """
    events, line, returned = _Events(), bytearray(), False
    async for chunk in chunks:
        if not chunk:
            continue
        # A line ends with LF, CRLF or CR; of a CRLF the LF may come with the next chunk.
        text = chunk.removeprefix(b"\n") if returned else chunk
        returned = chunk.endswith(b"\r")
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *ends, rest = text.split(b"\n")
        for end in ends:
            line += end
            for event in events.add(bytes(line)):
                yield event
            line.clear()
        line += rest
        if events.size + len(line) > MAX_EVENT:
            raise ValueError("a server-sent event is too long")
    for event in (*events.add(bytes(line)), *events.end()):
        yield event


class _Events:
    """The lines of a body, and what they say."""

    def __init__(self) -> None:
        self.size = 0
        """Bytes of the event that has begun."""

        self._name = ""
        self._data: list[str] = []
        self._first = True
        self._json: bool | None = None  # not known before there is a line

    def add(self, line: bytes) -> Iterator[tuple[str, str]]:
        """Take a line; yield the event that it ends."""
        if self._first:
            line, self._first = line.removeprefix(BYTE_ORDER_MARK), False
        if self._json is None and (begins := line.lstrip()):
            self._json = begins[:1] in (b"{", b"[")
        self.size += len(line) + 1
        if self._json:
            self._data.append(line.decode())
        elif line:
            self._take(line.decode())
        else:
            yield from self.end()

    def end(self) -> Iterator[tuple[str, str]]:
        """Yield the event that has begun, now that it is whole."""
        name, data = self._name, self._data
        self._name, self._data, self.size = "", [], 0
        if data:
            yield name or "message", "\n".join(data)

    def _take(self, line: str) -> None:
        field, _, value = line.partition(":")
        if field == "event":
            self._name = value.removeprefix(" ")
        elif field == "data":
            self._data.append(value.removeprefix(" "))
