"""A reply that is gathered from chunks, whatever servers make of them."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.conversation import Tokens, ToolCall
from pipelines.providers.contracts import ProviderError
from pipelines.providers.openai_chat_stream import Chunk, StreamedReply


def chunk(finish: str | None = None, **delta: Any) -> Chunk:
    choice = {"delta": delta, "finish_reason": finish}
    return Chunk.model_validate({"choices": [choice]})


def part(arguments: str, **call: Any) -> dict[str, Any]:
    return {**call, "function": {"name": call.pop("name", None), "arguments": arguments}}


def gathered(*chunks: Chunk) -> StreamedReply:
    reply = StreamedReply("a-model")
    for each in chunks:
        list(reply.take(each))
    return reply


def test_text_comes_as_it_arrives() -> None:
    """A first chunk often holds the role alone, which is no content."""
    reply = StreamedReply("a-model")
    assert not chunk(role="assistant").has_content
    assert list(reply.take(chunk(content="Hel"))) == ["Hel"]
    assert list(reply.take(chunk("stop"))) == []
    assert reply.whole() == []


def test_fragments_of_calls_are_told_apart_by_index_id_or_name() -> None:
    """OpenAI numbers the calls; others number all alike, and name them."""
    numbered = gathered(
        chunk(tool_calls=[part('{"a"', index=0, id="x", name="one")]),
        chunk(tool_calls=[part("{}", index=1, id="y", name="two")]),
        chunk(tool_calls=[part(": 1}", index=0)]),
        chunk("tool_calls"),
    )
    assert numbered.whole() == [ToolCall("one", {"a": 1}, "x"), ToolCall("two", {}, "y")]
    alike = gathered(
        chunk(tool_calls=[part("{}", index=0, id="x", name="one")]),
        chunk(tool_calls=[part("{}", index=0, id="y", name="two")]),
        chunk("tool_calls"),
    )
    assert [call.name for call in alike.whole()] == ["one", "two"]


def test_a_reply_that_did_not_finish_broke_off() -> None:
    """Whatever there is of it."""
    with pytest.raises(ProviderError, match="broke off"):
        gathered(chunk(content="Hel")).whole()


def test_a_call_that_was_cut_off_is_not_made() -> None:
    """Half of its arguments may look whole; text that was cut off is better than none."""
    assert gathered(chunk("length", content="Hel")).whole() == []
    cut = gathered(chunk("length", tool_calls=[part("{}", index=0, id="x", name="one")]))
    with pytest.raises(ProviderError, match="cannot be read"):
        cut.whole()


def test_what_it_has_cost_is_told_once_if_the_server_counts() -> None:
    """In a chunk without choices, at the end."""
    assert gathered(chunk("stop")).tokens() is None
    usage = {
        "prompt_tokens": 90,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 64},
    }
    counted = Chunk.model_validate({"choices": [], "usage": usage})
    assert gathered(counted, chunk("stop")).tokens() == Tokens(90, 5, 64)
