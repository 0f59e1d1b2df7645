"""Server-sent events, as language models stream their replies."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator

MAX_EVENT = 4 * 1024 * 1024
"""Bytes of one event: a minute of base64 at 24 kHz."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

DONE = "[DONE]"
"""The data of an event that says that a stream is whole; OpenAI's invention."""

_NAMED_AGAIN = re.compile(r"(?:data: ?)*")
"""What proxies put before data that is an event already."""


async def sse(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[tuple[str, str], None]:
    """Yield the server-sent events of a body: name (``message`` if none is given) and data.

    As the WHATWG's HTML standard has it (9.2.6), but for ``id`` and ``retry``, which are for
    browsers. However the body is cut makes no difference, and each byte is looked at once. Other
    than in a browser, an event counts though no empty line ends it, since gateways trim them: at
    the end of the body, and where a JSON object is followed by another. A body that begins with a
    bracket is no stream, but JSON: one text, which is all there is to say, so that an event that is
    ``DONE`` follows it; or an object a line. Closing the generator does not close ``chunks``.

    Raises:
        ValueError: If an event is longer than ``MAX_EVENT``.
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
    for event in (*events.add(bytes(line)), *events.close()):
        yield event


class _Events:
    """The lines of a body, and what they say."""

    def __init__(self) -> None:
        self.size = 0
        """Bytes of the event that has begun."""

        self._name = ""
        self._data: list[str] = []
        self._json: bool | None = None  # not known before there is a line
        self._several = False

    def add(self, line: bytes) -> Iterator[tuple[str, str]]:
        """Take a line; yield the event that it ends."""
        line = line.removeprefix(BYTE_ORDER_MARK)
        if self._json is None and (begins := line.lstrip()):
            self._json = begins[:1] in (b"{", b"[")
        text = line.decode("utf-8", "replace")
        if self._json:
            yield from self._add(text)
        elif line:
            yield from self._take(text)
        else:
            yield from self.end()
        self.size += len(line) + 1

    def end(self) -> Iterator[tuple[str, str]]:
        """Yield the event that has begun, now that it is whole."""
        name, data = self._name, self._data
        self._name, self._data, self.size = "", [], 0
        if data:
            yield name or "message", "\n".join(data)

    def close(self) -> Iterator[tuple[str, str]]:
        """Yield what is left, now that the body has ended."""
        yield from self.end()
        if self._json and not self._several:  # if it can be read, then it is whole
            yield "message", DONE

    def _take(self, line: str) -> Iterator[tuple[str, str]]:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            if self._name and self._data:
                yield from self.end()
            self._name = value
        elif field == "data":
            again = _NAMED_AGAIN.match(value)
            yield from self._add(value[again.end() :] if again else value)

    def _add(self, data: str) -> Iterator[tuple[str, str]]:
        """Add a line of data. Within JSON, no line that ends one object begins another."""
        begins = data.lstrip()
        if begins.startswith(("{", DONE)) and self._data and self._data[-1].rstrip()[-1:] == "}":
            yield from self.end()
            self._several = True
        if begins or not self._json:
            self._data.append(data)
