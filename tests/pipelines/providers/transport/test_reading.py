"""What a server sends, read with no more than is needed of it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from pipelines.providers.transport.reading import (
    SEVERAL,
    Count,
    Words,
    objects,
    parsed,
    read,
    read_message,
    samples,
)


class _Word(BaseModel):
    end: float
    text: Words = ""


class _Part(BaseModel):
    said: Words = ""
    words: tuple[_Word, ...] = ()
    count: Count = None
    sure: float = Field(1.0, alias="confidence")


class _Message(BaseModel):
    part: _Part = _Part()
    parts: tuple[_Part, ...] = ()
    final: bool = False


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ({"final": None}, _Message()),
        ({"final": "yes", "part": {"said": "Hi."}}, _Message(final=True, part=_Part(said="Hi."))),
        ({"final": "perhaps", "part": {"said": "Hi."}}, _Message(part=_Part(said="Hi."))),
        ({"part": {"said": None, "confidence": "high"}}, _Message()),
        ({"part": 5, "parts": None, "other": 1}, _Message()),
        ({"parts": [None, 7, {"said": "Hi."}, []]}, _Message(parts=(_Part(said="Hi."),))),
        ({"part": {"count": 12.7}}, _Message(part=_Part(count=12))),
        ({"part": {"count": "12"}}, _Message(part=_Part(count=12))),
        ({"part": {"count": "many"}}, _Message()),
        ({"part": {"count": {}}}, _Message()),
        (
            {"part": {"words": [{"end": 1}, {"text": "a"}, {"end": None}, {"end": 2}, 3]}},
            _Message(part=_Part(words=(_Word(end=1), _Word(end=2)))),
        ),
        ([], _Message()),
        ("text", _Message()),
        (None, _Message()),
    ],
)
def test_what_cannot_be_read_is_taken_for_missing(sent: Any, taken: _Message) -> None:
    """And an object that lacks what it cannot do without is."""
    assert read(_Message, sent) == taken


class _Aliased(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
    how_many: Count = None
    some_parts: Annotated[tuple[_Part, ...], SEVERAL] = ()


@pytest.mark.parametrize(
    "sent",
    [
        {"someParts": {"said": "Hi."}, "howMany": "x"},
        {"some_parts": {"said": "Hi.", "count": "many"}, "how_many": "x"},
        {"some_parts": [7, {"said": "Hi.", "words": {"end": 1}}]},
    ],
)
def test_one_object_is_a_list_of_one_by_either_name(sent: Any) -> None:
    """And what is wrong in it is left out."""
    assert read(_Aliased, sent) == _Aliased(some_parts=(_Part(said="Hi."),))


@pytest.mark.parametrize("said", [5, True, {"text": "Hi."}, ["Hi."]])
def test_words_have_to_be_text(said: Any) -> None:
    """Nobody knows what was said then; null is nothing."""
    with pytest.raises(ValueError, match="no text"):
        read(_Message, {"part": {"said": said}})


def test_a_message_with_many_faults_is_something_else() -> None:
    """It costs no more than to find that out."""
    with pytest.raises(ValueError, match="validation errors"):
        read(_Message, {"parts": [5] * 1_000})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["part", "parts", "said", "words", "end", "x"]), inner)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_anything_is_read_or_a_value_error(value: Any) -> None:
    """Whatever JSON a server sends."""
    try:
        read(_Message, value)
    except ValueError as error:
        assert "no text" in str(error)  # noqa: PT017 - or it was read


def test_json_that_python_writes_is_read() -> None:
    """NaN is of no use, and so no reason to throw a message away; a byte order mark is nothing."""
    assert parsed('{"a": NaN, "b": [-Infinity]}') == {"a": None, "b": [None]}
    text = '\ufeff{"part": {"said": "Hi.", "confidence": NaN}}'
    assert read_message(_Message, text) == _Message(part=_Part(said="Hi."))
    assert read_message(_Message, text.encode()) == _Message(part=_Part(said="Hi."))


@pytest.mark.parametrize("text", ["", "{", "<html>", "[" * 100_000, b"\xff{"])
def test_what_is_no_json_is_an_error(text: str | bytes) -> None:
    """A message that broke off is not taken for an empty one."""
    with pytest.raises(ValueError, match=r"."):
        read_message(_Message, text)


def found(body: bytes) -> list[tuple[str, dict[str, Any] | None]]:
    async def chunks() -> AsyncGenerator[bytes, None]:
        yield body

    async def main() -> list[tuple[str, dict[str, Any] | None]]:
        return [each async for each in objects(chunks())]

    return asyncio.run(main())


def test_events_that_say_nothing_are_passed_over() -> None:
    """Pings with and without data, of a kind of their own, and what is no object."""
    body = (
        b"event: ping\ndata: ping\n\ndata:\n\ndata: null\n\ndata: []\n\n:\n\n"
        b"data: keepalive\n\ndata: OPENROUTER PROCESSING\n\ndata: [PING]\n\n"
        b'data: "text"\n\nevent: x\ndata: {"a": 1}\n\ndata: [{"b": 2}, 7]\n\ndata:  [DONE] \n\n'
    )
    assert found(body) == [("x", {"a": 1}), ("message", {"b": 2}), ("message", None)]


@pytest.mark.parametrize("end", [b"[DONE]", b"[done]", b'"[DONE]"', b"DONE", b"data: [DONE]"])
def test_the_end_is_written_in_many_ways(end: bytes) -> None:
    """It is one."""
    assert found(b"data: " + end) == [("message", None)]


@pytest.mark.parametrize("data", [b'data: {"a": ', b"data: [{", b'{"a": 1', b'[{"a": 1}', b"["])
def test_an_event_that_breaks_off_is_an_error(data: bytes) -> None:
    """It may have been the reply."""
    with pytest.raises(ValueError, match=r"."):
        found(data + b"\n\n")


@given(st.binary(max_size=40), st.booleans(), st.booleans(), st.booleans())
def test_base64_is_read_as_it_is_written(pcm: bytes, url: bool, lines: bool, bare: bool) -> None:
    """In either alphabet, in lines, filled up or not."""
    encoded = (base64.urlsafe_b64encode if url else base64.b64encode)(pcm).decode()
    if lines:
        encoded = "\r\n".join([encoded[:8], encoded[8:], ""])
    assert samples(encoded.rstrip("=") if bare and not lines else encoded) == pcm


@pytest.mark.parametrize("encoded", ["<html>", "abcde", "ä" * 4])
def test_what_is_no_base64_is_an_error(encoded: str) -> None:
    """It would be noise."""
    with pytest.raises(ValueError, match="no base64"):
        samples(encoded)
