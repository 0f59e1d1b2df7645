"""Anthropic's Messages, against a loopback server that speaks their wire format."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from pipelines.conversation import Brief, Message, Tokens, ToolCall, ToolResult, ToolSpec
from pipelines.providers.anthropic_messages import LanguageModel
from tests.contract.wires.anthropic_messages import (
    CASE,
    end,
    event,
    mistake,
    said,
    start,
    stop,
    text_start,
    tool_json,
    tool_start,
)
from tests.own_time import OwnTimeLoop

from .language import (
    BRIEF,
    KEY,
    SECRET_WORDS,
    SHAPES,
    Adapter,
    body,
    gather,
    in_bits,
    takes_any_conversation,
)

CLAUDE = Adapter(LanguageModel, "/v1/messages", lambda url: {"base_url": url})
WEATHER = ToolSpec(name="weather", description="Ask for it.", parameters={"type": "object"})
HI = body(start(), text_start(0), said("Hi."), stop(0), end("end_turn"))


def text(answer: Any, **options: Any) -> list[Any]:
    """Return a reply without its cost."""
    pieces = CLAUDE.reply(CLAUDE.server(answer), **options)
    return [piece for piece in pieces if not isinstance(piece, Tokens)]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_events_may_be_cut_anywhere(size: int) -> None:
    """Words arrive whole though the stream is cut within events and within characters."""
    blocks = (
        *(text_start(0), said("Café, "), event("ping"), said("naïve: 9 €."), stop(0)),
        *(tool_start(1, "weather", "toolu_1"), tool_json(1, '{"city": "K'), tool_json(1, 'öln"}')),
        *(stop(1), end("tool_use")),
    )
    call = ToolCall("weather", {"city": "Köln"}, "toolu_1")
    assert text(in_bits(size, start(), *blocks)) == ["Café, ", "naïve: 9 €.", call]


def test_calls_come_after_the_words() -> None:
    """In the order asked for, when the reply is whole; their fragments may be mixed."""
    blocks = (
        *(text_start(0), said("One moment."), stop(0)),
        *(tool_start(1, "weather", "toolu_1"), tool_start(2, "weather", "toolu_2")),
        *(tool_json(2, '{"city"'), tool_json(1, ""), tool_json(2, ': "Rome"}'), stop(1), stop(2)),
    )
    assert text(body(start(), *blocks, end("tool_use"))) == [
        "One moment.",
        ToolCall("weather", {}, "toolu_1"),
        ToolCall("weather", {"city": "Rome"}, "toolu_2"),
    ]


def test_thoughts_are_not_spoken() -> None:
    """Nor is anything of a kind that is not known yet."""
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    answer = body(
        start(),
        event("content_block_start", index=0, content_block=thinking),
        event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "Hm."}),
        event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "x"}),
        stop(0),
        event("telepathy", index="all", delta=["Hm."]),
        *(text_start(1), said("Hi.", 1), stop(1), end("end_turn")),
    )
    assert text(answer) == ["Hi."]


def test_tokens_are_told() -> None:
    """Those that were read from the cache and written to it were read; later counts win."""
    usage = {"cache_read_input_tokens": 500, "cache_creation_input_tokens": 40}
    answer = body(start(**usage), text_start(0), said("Hi."), end("end_turn", output_tokens=12))
    assert CLAUDE.reply(CLAUDE.server(answer)) == ["Hi.", Tokens(550, 12, 500)]
    answer = body(start(), text_start(0), said("Hi."), end("end_turn", input_tokens=11))
    assert CLAUDE.reply(CLAUDE.server(answer)) == ["Hi.", Tokens(11, 7, 0)]


def test_what_is_sent() -> None:
    """The tools and the system prompt are to be cached; the model does not think first."""
    server = CLAUDE.server(HI)
    CLAUDE.reply(server, Brief(prompt=BRIEF.prompt, tools=(WEATHER,)), max_tokens=99)
    (sent,) = server.bodies
    assert mistake(sent) is None
    cached = {"type": "ephemeral"}
    assert sent == {
        "model": "claude-haiku-5-5",
        "max_tokens": 99,
        "stream": True,
        "thinking": {"type": "disabled"},
        "system": [{"type": "text", "text": BRIEF.prompt, "cache_control": cached}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": SECRET_WORDS}]}],
        "tools": [
            {"name": "weather", "description": "Ask for it.", "input_schema": {"type": "object"}}
        ],
    }
    assert server.headers[0]["x-api-key"] == KEY
    assert server.headers[0]["anthropic-version"] == "2023-06-01"


def test_what_is_left_out() -> None:
    """Without tools and prompt, the request does not mention them."""
    server = CLAUDE.server(HI)
    CLAUDE.reply(server, Brief(may_call_tools=False))
    assert server.bodies[0].keys() == {"model", "max_tokens", "stream", "messages", "thinking"}


def test_a_model_may_be_made_to_think() -> None:
    """As hard as is wanted."""
    server = CLAUDE.server(HI)
    CLAUDE.reply(server, effort="low")
    assert server.bodies[0]["thinking"] == {"type": "adaptive"}
    assert server.bodies[0]["output_config"] == {"effort": "low"}


def test_results_are_sent_with_their_calls() -> None:
    """In the caller's place, before what the caller says next; the tools are told, to no use."""
    server = CLAUDE.server(HI)
    results = (
        ToolResult(ToolCall("weather", {"city": "Köln"}, "toolu_a"), "Rain."),
        ToolResult(ToolCall("functions.weather:0", {}, "fc:1"), " ", failed=True),
    )
    conversation = [
        Message("user", "Hm?"),
        Message("assistant", "One moment.", results=results),
        Message("user", "And?"),
    ]
    CLAUDE.reply(server, Brief(tools=(WEATHER,), may_call_tools=False), conversation)
    (sent,) = server.bodies
    assert mistake(sent) is None
    assert sent["tool_choice"] == {"type": "none"}
    assert [each["role"] for each in sent["messages"]] == ["user", "assistant", "user"]
    assert sent["messages"][1]["content"] == [
        {"type": "text", "text": "One moment."},
        {"type": "tool_use", "id": "toolu_a", "name": "weather", "input": {"city": "Köln"}},
        {"type": "tool_use", "id": "call_2", "name": "functions_weather_0", "input": {}},
    ]
    assert sent["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_a", "content": "Rain."},
        {"type": "tool_result", "tool_use_id": "call_2", "is_error": True},
        {"type": "text", "text": "And?"},
    ]


@pytest.mark.parametrize("effort", [None, "low"])
def test_a_form_is_asked_for_by_its_name(effort: str | None) -> None:
    """It may be longer than a reply, and nobody thinks over it: a model that does is not forced."""
    server = CLAUDE.server(HI)
    CLAUDE.reply(server, Brief(tools=(WEATHER,), form="weather"), effort=effort)
    (sent,) = server.bodies
    assert mistake(sent) is None
    assert sent["tool_choice"] == {"type": "tool", "name": "weather"}
    assert sent["thinking"] == {"type": "disabled"}
    assert "output_config" not in sent
    assert sent["max_tokens"] == 4096


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("tools", [(), (WEATHER,)])
def test_every_shape_of_a_conversation_is_taken(name: str, tools: tuple[ToolSpec, ...]) -> None:
    """With tools, and by an agent that has none but takes over from one that had."""
    server = CLAUDE.server(HI)
    CLAUDE.reply(server, Brief(tools=tools), SHAPES[name])
    assert mistake(server.bodies[0]) is None


def test_any_conversation_is_taken() -> None:
    """Whoever spoke, and whatever tools were used."""
    takes_any_conversation(CASE)


@pytest.mark.parametrize("reason", ["max_tokens", "model_context_window_exceeded", "refusal"])
def test_a_reply_that_is_cut_off_is_still_spoken(reason: str) -> None:
    """What there is of it is not thrown away."""
    assert text(body(start(), text_start(0), said("We are"), stop(0), end(reason))) == ["We are"]


def test_a_call_at_the_limit_is_not_made() -> None:
    """A call that was cut off may look whole: here what it is about is missing."""
    answer = body(start(), tool_start(0, "weather", "toolu_1"), stop(0), end("max_tokens"))
    assert CLAUDE.failure(CLAUDE.server(answer)) == "llm: a tool call that cannot be read"


def test_a_refusal_is_an_error() -> None:
    """Another model may answer."""
    server = CLAUDE.server(body(start(), end("refusal")))
    assert CLAUDE.failure(server) == "llm: the model refused to answer"


def test_an_empty_reply_is_told_as_it_is() -> None:
    """It is for others to ask again, or somebody else."""
    assert text(body(start(), end("end_turn"))) == []


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("overloaded_error", "llm: the server is overloaded"),
        ("api_error", "llm: the server reported an error"),
    ],
)
def test_an_error_in_the_stream_is_told_without_its_text(kind: str, told: str) -> None:
    """It may come after some words; the same server may do better next time."""
    broken = event("error", error={"type": kind, "message": f"{KEY} {SECRET_WORDS}"})
    error = CLAUDE.error(CLAUDE.server(body(start(), text_start(0), said("We"), broken)))
    assert str(error) == told
    assert error.retryable


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 529])
def test_an_http_error_is_told_by_its_status_alone(status: int) -> None:
    """The server's own text, which may quote the key, is left out; nothing is tried again."""
    server = CLAUDE.server(status)
    assert CLAUDE.failure(server).startswith(f"llm: HTTP {status}")
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (start(),),
        (start(), text_start(0), said("We are"), stop(0)),
        (start(), tool_start(0, "weather", "toolu_1"), tool_json(0, '{"city": "Ber')),
    ],
)
def test_a_stream_without_an_end_is_half_a_reply(parts: tuple[bytes, ...]) -> None:
    """A stream that closes politely, but before its stop_reason, is not taken for whole."""
    assert CLAUDE.failure(CLAUDE.server(body(*parts))) == "llm: the reply broke off"


@pytest.mark.parametrize(
    "garbage",
    [
        b"event: message_delta\ndata: {not json\n\n",
        b"event: message_delta\ndata: {\xff\xfe\n\n",
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": ["a"]}),
    ],
)
def test_garbage_is_a_provider_error(garbage: bytes) -> None:
    """What is no JSON, or holds no words where words should be, may have been the reply."""
    server = CLAUDE.server(body(garbage, said("Hi."), end("end_turn")))
    assert CLAUDE.failure(server) == "llm: the server's answer cannot be read"


@pytest.mark.parametrize("json", ['{"cut', "7", "[" * 5000])
def test_arguments_that_are_no_object_are_an_error(json: str) -> None:
    """A tool is not called with arguments that nobody can read."""
    parts = (tool_start(0, "weather", "toolu_1"), tool_json(0, json), stop(0), end("tool_use"))
    server = CLAUDE.server(body(start(), *parts))
    assert CLAUDE.failure(server) == "llm: a tool call that cannot be read"


def test_arguments_of_no_call_are_an_error() -> None:
    """They belong to a block that has not begun; empty ones to none."""
    server = CLAUDE.server(body(start(), tool_json(3, '{"a": 1}'), end("tool_use")))
    assert CLAUDE.failure(server) == "llm: a tool call that cannot be read"


@pytest.mark.usefixtures("nothing_left")
def test_turns_share_a_connection() -> None:
    """The next turn needs no new connection: what is left of an answer is read first."""

    async def answer(response: web.StreamResponse) -> None:
        await HI(response)
        await asyncio.sleep(0.01)  # the end of the body comes after that of the message

    async def main() -> None:
        server = CLAUDE.server(answer)
        async with CLAUDE.started(server) as model:
            for _ in range(3):
                await gather(model)
        assert len(server.peers) == 1

    with asyncio.Runner(loop_factory=OwnTimeLoop) as runner:  # what is left is not waited for long
        runner.run(main())


def test_the_official_package_reads_the_loopback_server_the_same() -> None:
    """What the contract is checked against is what Anthropic's own client takes for theirs."""
    anthropic = pytest.importorskip("anthropic")
    usage = {"cache_read_input_tokens": 500}
    blocks = (
        *(text_start(0), said("One "), event("ping"), said("moment."), stop(0)),
        *(tool_start(1, "weather", "toolu_1"), tool_json(1, '{"city": "K'), tool_json(1, 'öln"}')),
        *(stop(1), end("tool_use")),
    )
    server = CLAUDE.server(body(start(**usage), *blocks))

    async def main() -> tuple[Any, list[Any]]:
        async with CLAUDE.started(server) as model:
            ours = await gather(model, Brief(tools=(WEATHER,)))
            async with anthropic.AsyncAnthropic(api_key=KEY, base_url=server.url) as client:
                request = {key: value for key, value in server.bodies[0].items() if key != "stream"}
                async with client.messages.stream(**request) as stream:
                    return await stream.get_final_message(), ours

    theirs, ours = asyncio.run(main())
    said_, called = theirs.content
    assert "".join(ours[:2]) == said_.text
    assert ours[2] == ToolCall(called.name, called.input, called.id)
    assert ours[3] == Tokens(10 + 500, theirs.usage.output_tokens, 500)
    assert server.bodies[1] == server.bodies[0]
