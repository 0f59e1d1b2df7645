"""Server-sent events, as language models stream their replies."""

from __future__ import annotations

from collections.abc import AsyncGenerator

MAX_EVENT = 4 * 1024 * 1024
"""Bytes of one event: a minute of base64 at 24 kHz."""


async def sse(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[tuple[str, str], None]:
    """Yield the server-sent events of a body: name (``message`` if none is given) and data.

    As the WHATWG's HTML standard has it (9.2.6), but for ``id`` and ``retry``, which are for
    browsers. However the body is cut makes no difference. An event that is not ended by an empty
    line is dropped. Closing the generator does not close ``chunks``.

    Raises:
        ValueError: If it is not UTF-8, or an event is longer than ``MAX_EVENT``.
    """
    rest = b""
    async for chunk in chunks:
        # A lone \r at the end may be the first half of \r\n; it is looked at again then.
        rest = (rest + chunk).replace(b"\r\n", b"\n")
        *blocks, rest = rest.split(b"\n\n")
        if len(rest) > MAX_EVENT:
            raise ValueError("a server-sent event is too long")
        for block in blocks:
            fields = [line.partition(":") for line in block.decode().split("\n")]
            name = [value.removeprefix(" ") for field, _, value in fields if field == "event"]
            data = [value.removeprefix(" ") for field, _, value in fields if field == "data"]
            if data:
                yield name[-1] if name else "message", "\n".join(data)
