"""Server-sent events, however the body is cut."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.providers.transport.sse import BYTE_ORDER_MARK, DONE, MAX_EVENT, sse

BODY = (
    b"data: one\n\n: a comment\n\nevent: named\r\ndata:two\r\ndata: lines\r\n\r\n"
    b"event: without data\n\ndata: caf\xc3\xa9\r\rid: 7\nretry: 5\nunknown\nx: y\ndata\n\n"
    b"data: the last"
)
EVENTS = [
    ("message", "one"),
    ("named", "two\nlines"),
    ("message", "café"),
    ("message", ""),
    ("message", "the last"),
]


async def read(pieces: Sequence[bytes]) -> list[tuple[str, str]]:
    async def body() -> AsyncGenerator[bytes, None]:
        for piece in pieces:
            yield piece

    return [event async for event in sse(body())]


@given(st.lists(st.integers(0, len(BODY) + 3), max_size=12))
def test_however_the_body_is_cut_the_events_are_the_same(cuts: list[int]) -> None:
    """Within a name, a letter or the end of a line, or a byte order mark before all of it."""
    body = BYTE_ORDER_MARK + BODY
    ends = sorted({0, *cuts, len(body)})
    pieces = [body[a:b] for a, b in pairwise(ends)]
    assert asyncio.run(read(pieces)) == EVENTS


@pytest.mark.parametrize("text", ['{"a": 1}', ' [\n{"a":\n\n1}]\n', '\ufeff{"data: a"\n\n: 1}'])
def test_a_body_that_is_json_is_one_event(text: str) -> None:
    """A server that was asked for a stream answers in one piece, or with an error."""
    (name, data), end = asyncio.run(read([text[:3].encode(), text[3:].encode()]))
    assert (name, end) == ("message", ("message", DONE))
    assert json.loads(data) == json.loads(text.removeprefix("\ufeff"))


A, B, DATA = '{"a": 1}', '{"b": "}"}', "data: "


@pytest.mark.parametrize(
    "text",
    [
        f"{DATA}{A}\n{DATA}{B}\n",
        f"{DATA}{A}\r\n{DATA}{B}\r\n\r\n",
        f"{A}\n{B}\n",
        f"{A}\n\n{B}",
        f"\ufeff{DATA}{A}\n\n\ufeff{DATA}{B}\n\n",
        f"{DATA}{DATA}{A}\n\n{DATA}data:{B}\n\n",
    ],
)
def test_events_are_parted_though_no_empty_line_does(text: str) -> None:
    """As proxies trim them, or write an object a line; each once the next begins."""
    assert asyncio.run(read([text.encode()])) == [("message", A), ("message", B)]


def test_named_events_are_parted_too() -> None:
    """By the next name; one object over several lines is one all the same."""
    text = f'event: a\n{DATA}1\nevent: b\n{DATA}{{\n{DATA}"c": {{\n{DATA}}}\n{DATA}}}\n'
    assert asyncio.run(read([text.encode()])) == [("a", "1"), ("b", '{\n"c": {\n}\n}')]


def test_bytes_that_are_no_text_are_replaced() -> None:
    """As the standard says; in a comment they are nothing at all."""
    assert asyncio.run(read([b": \xff\n\ndata: caf\xe9\n\n"])) == [("message", "caf\ufffd")]


def test_an_event_without_end_is_refused() -> None:
    """It would fill the memory."""
    with pytest.raises(ValueError, match="too long"):
        asyncio.run(read([b"data: ", b"x" * MAX_EVENT]))
