"""Server-sent events, however the body is cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.providers.transport.sse import MAX_EVENT, sse

BODY = (
    b"data: one\n\n: a comment\n\nevent: named\r\ndata:two\r\ndata: lines\r\n\r\n"
    b"event: without data\n\ndata: caf\xc3\xa9\n\ndata: never ended"
)
EVENTS = [("message", "one"), ("named", "two\nlines"), ("message", "café")]


async def read(pieces: Sequence[bytes]) -> list[tuple[str, str]]:
    async def body() -> AsyncGenerator[bytes, None]:
        for piece in pieces:
            yield piece

    return [event async for event in sse(body())]


@given(st.lists(st.integers(0, len(BODY)), max_size=12))
def test_however_the_body_is_cut_the_events_are_the_same(cuts: list[int]) -> None:
    """Within a name, a letter or the end of a line; one that was not ended is dropped."""
    ends = sorted({0, *cuts, len(BODY)})
    pieces = [BODY[a:b] for a, b in pairwise(ends)]
    assert asyncio.run(read(pieces)) == EVENTS


def test_an_event_without_end_is_refused() -> None:
    """It would fill the memory."""
    with pytest.raises(ValueError, match="too long"):
        asyncio.run(read([b"data: ", b"x" * MAX_EVENT]))
