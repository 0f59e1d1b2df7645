"""The Gemini API, against a loopback server that speaks its wire format."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pipelines.conversation import Brief, Message, Tokens, ToolCall, ToolResult, ToolSpec
from pipelines.providers.gemini import NO_SIGNATURE, LanguageModel
from tests.contract.wires.gemini import CASE, chunk, event, mistake

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

GEMINI = Adapter(
    LanguageModel, "/v1beta/models/{model}:streamGenerateContent", lambda url: {"base_url": url}
)
WEATHER = ToolSpec(name="weather", description="Ask for it.", parameters={"type": "object"})
HI = body(chunk({"text": "Hi."}), chunk(finish="STOP"))


def called(name: str = "weather", signature: str = "", **fields: object) -> dict[str, object]:
    """Return a part with a call."""
    part: dict[str, object] = {"functionCall": {"name": name, "args": {}, **fields}}
    return {**part, "thoughtSignature": signature} if signature else part


def text(answer: Any, **options: Any) -> list[Any]:
    """Return a reply without its cost."""
    pieces = GEMINI.reply(GEMINI.server(answer), **options)
    return [piece for piece in pieces if not isinstance(piece, Tokens)]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_events_may_be_cut_anywhere(size: int) -> None:
    """Words arrive whole though the stream is cut within events and within characters."""
    parts = (chunk({"text": "Café, "}), chunk({"text": "naïve: 9 €."}, finish="STOP"))
    assert text(in_bits(size, *parts)) == ["Café, ", "naïve: 9 €."]


def test_calls_come_after_the_words() -> None:
    """In the order asked for, with all that has to be sent back in their ids."""
    parts = (
        chunk(called(args={"city": "Köln"}, id="g1", signature="c2ln+/8=")),
        chunk(called(id="g2"), {"text": "One moment."}),
        chunk({"text": "", "thoughtSignature": "dGV4dA=="}, finish="STOP"),
    )
    assert text(body(*parts)) == [
        "One moment.",
        ToolCall("weather", {"city": "Köln"}, "gemini:c2ln+/8=:g1"),
        ToolCall("weather", {}, "gemini::g2"),
    ]


def test_a_call_is_sent_back_as_it_came() -> None:
    """With its signature and Google's own id, or the model refuses to go on."""
    server = GEMINI.server(
        body(chunk(called(id="g:1", signature="c2ln+/8=")), chunk(called(id="g2"), finish="STOP")),
        HI,
    )
    brief = Brief(tools=(WEATHER,))

    async def main() -> None:
        async with GEMINI.started(server) as model:
            pieces = await gather(model, brief)
            calls = [piece for piece in pieces if isinstance(piece, ToolCall)]
            results = tuple(ToolResult(call, "Rain.") for call in calls)
            conversation = [Message("user", "Hm?"), Message("assistant", "", results=results)]
            await gather(model, brief, conversation)

    asyncio.run(main())
    assert server.bodies[1]["contents"][1:] == [
        {"role": "model", "parts": [called(id="g:1", signature="c2ln+/8="), called(id="g2")]},
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "id": id_,
                        "name": "weather",
                        "response": {"output": "Rain."},
                    }
                }
                for id_ in ("g:1", "g2")
            ],
        },
    ]


@pytest.mark.parametrize(
    ("model", "signature"),
    [("gemini-3.5-flash-lite", NO_SIGNATURE), ("gemini-2.5-flash", None)],
)
def test_calls_of_another_model_are_sent_without_a_signature(
    model: str, signature: str | None
) -> None:
    """In its place the first of a message says so, where the model would miss it."""
    server = GEMINI.server(HI)
    GEMINI.reply(server, Brief(tools=(WEATHER,)), SHAPES["several results"], model=model)
    words, *calls = server.bodies[0]["contents"][1]["parts"]
    assert words == {"text": "One moment."}
    assert [call.get("thoughtSignature") for call in calls] == [signature, None]
    assert [call["functionCall"]["id"] for call in calls] == ["call_1", "call_2"]
    failed = server.bodies[0]["contents"][2]["parts"][1]["functionResponse"]
    assert failed == {"id": "call_2", "name": "book_table", "response": {"error": "Full."}}


def test_thoughts_are_not_spoken() -> None:
    """They are text, but marked."""
    answer = body(chunk({"text": "Hm.", "thought": True}, {"text": "Hi."}), chunk(finish="STOP"))
    assert text(answer) == ["Hi."]


def test_tokens_are_told() -> None:
    """Thoughts were written, too; each count is the sum so far."""
    first = chunk({"text": "Hi."}, promptTokenCount=50, candidatesTokenCount=1)
    counted = {"candidatesTokenCount": 7, "thoughtsTokenCount": 4, "cachedContentTokenCount": 30}
    last = chunk(finish="STOP", promptTokenCount=50, **counted)
    assert GEMINI.reply(GEMINI.server(body(first, last))) == ["Hi.", Tokens(50, 11, 30)]


def test_what_is_sent() -> None:
    """To the model's address, with any JSON Schema; the model hardly thinks first."""
    server = GEMINI.server(HI)
    GEMINI.reply(server, Brief(prompt=BRIEF.prompt, tools=(WEATHER,)), max_tokens=99)
    (sent,) = server.bodies
    assert mistake(sent) is None
    assert sent == {
        "systemInstruction": {"parts": [{"text": BRIEF.prompt}]},
        "contents": [{"role": "user", "parts": [{"text": SECRET_WORDS}]}],
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "weather",
                        "description": "Ask for it.",
                        "parametersJsonSchema": {"type": "object"},
                    }
                ]
            }
        ],
        "generationConfig": {
            "maxOutputTokens": 99,
            "thinkingConfig": {"thinkingLevel": "minimal"},
        },
    }
    assert server.headers[0]["x-goog-api-key"] == KEY
    assert server.queries[0] == {"alt": "sse"}  # and no key, which would be in logs of proxies


def test_what_is_left_out() -> None:
    """Without tools and prompt, the request does not mention them."""
    server = GEMINI.server(HI)
    GEMINI.reply(server, Brief(may_call_tools=False), thinking_level=None)
    assert server.bodies[0].keys() == {"contents", "generationConfig"}
    assert server.bodies[0]["generationConfig"].keys() == {"maxOutputTokens"}


def test_tools_may_be_told_but_not_used() -> None:
    """Because the conversation holds results of theirs."""
    server = GEMINI.server(HI)
    GEMINI.reply(server, Brief(tools=(WEATHER,), may_call_tools=False))
    assert server.bodies[0]["toolConfig"] == {"functionCallingConfig": {"mode": "NONE"}}


def test_a_form_is_asked_for_by_its_name() -> None:
    """It may be longer than a reply."""
    server = GEMINI.server(HI)
    GEMINI.reply(server, Brief(tools=(WEATHER,), form="weather"))
    forced = {"mode": "ANY", "allowedFunctionNames": ["weather"]}
    assert mistake(server.bodies[0]) is None
    assert server.bodies[0]["toolConfig"] == {"functionCallingConfig": forced}
    assert server.bodies[0]["generationConfig"]["maxOutputTokens"] == 4096


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("tools", [(), (WEATHER,)])
def test_every_shape_of_a_conversation_is_taken(name: str, tools: tuple[ToolSpec, ...]) -> None:
    """With tools, and by an agent that has none but takes over from one that had."""
    server = GEMINI.server(HI)
    GEMINI.reply(server, Brief(tools=tools), SHAPES[name])
    assert mistake(server.bodies[0]) is None


def test_any_conversation_is_taken() -> None:
    """Whoever spoke, and whatever tools were used."""
    takes_any_conversation(CASE)


@pytest.mark.parametrize("reason", ["MAX_TOKENS", "SAFETY", "RECITATION", "PROHIBITED_CONTENT"])
def test_a_reply_that_is_cut_off_is_still_spoken(reason: str) -> None:
    """What there is of it is not thrown away."""
    assert text(body(chunk({"text": "We are"}), chunk(finish=reason))) == ["We are"]


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "OTHER"])
def test_a_reply_that_is_blocked_whole_is_an_error(reason: str) -> None:
    """Another model may answer; so may this one, next time."""
    error = GEMINI.error(GEMINI.server(body(chunk(finish=reason))))
    assert str(error) == "llm: the reply was blocked by a filter"
    assert error.retryable


def test_a_prompt_that_is_blocked_is_an_error() -> None:
    """It would be blocked again."""
    answer = body(event({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}))
    error = GEMINI.error(GEMINI.server(answer))
    assert str(error) == "llm: the prompt was blocked by a filter"
    assert not error.retryable


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"])
def test_a_call_that_the_model_got_wrong_is_an_error(reason: str) -> None:
    """Whatever it said before."""
    answer = body(chunk({"text": "One moment."}), chunk(finish=reason))
    assert GEMINI.failure(GEMINI.server(answer)) == "llm: a tool call that cannot be read"


def test_a_call_at_the_limit_is_not_made() -> None:
    """Another one may be missing."""
    answer = body(chunk(called()), chunk(finish="MAX_TOKENS"))
    assert GEMINI.failure(GEMINI.server(answer)) == "llm: a tool call that cannot be read"


def test_a_call_without_a_name_is_an_error() -> None:
    """Nobody knows what to do then; without arguments, it is none."""
    answer = body(chunk(called("", args={"a": 1})), chunk(finish="STOP"))
    assert GEMINI.failure(GEMINI.server(answer)) == "llm: a tool call that cannot be read"


def test_an_empty_reply_is_told_as_it_is() -> None:
    """It is for others to ask again, or somebody else."""
    assert text(body(chunk({"text": ""}, finish="STOP"))) == []


def test_an_error_in_the_stream_is_told_without_its_text() -> None:
    """It may come after some words; the same server may do better next time."""
    broken = event({"error": {"code": 503, "message": f"{KEY} {SECRET_WORDS}", "status": "X"}})
    error = GEMINI.error(GEMINI.server(body(chunk({"text": "We"}), broken)))
    assert str(error) == "llm: the server is overloaded"
    assert error.retryable


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_an_http_error_is_told_by_its_status_alone(status: int) -> None:
    """The server's own text, which may quote the key, is left out; nothing is tried again."""
    server = GEMINI.server(status)
    assert GEMINI.failure(server).startswith(f"llm: HTTP {status}")
    assert len(server.bodies) == 1


@pytest.mark.parametrize("parts", [(), (chunk({"text": "We are"}),), (chunk(called()),)])
def test_a_stream_without_an_end_is_half_a_reply(parts: tuple[bytes, ...]) -> None:
    """A stream that closes politely, but before its finishReason, is not taken for whole."""
    assert GEMINI.failure(GEMINI.server(body(*parts))) == "llm: the reply broke off"


@pytest.mark.parametrize(
    "garbage",
    [
        b"data: {not json\n\n",
        b"data: {\xff\xfe\n\n",
        event({"candidates": [{"content": {"parts": [{"text": ["a"]}]}}]}),
    ],
)
def test_garbage_is_a_provider_error(garbage: bytes) -> None:
    """What is no JSON, or holds no words where words should be, may have been the reply."""
    server = GEMINI.server(body(garbage, chunk({"text": "Hi."}, finish="STOP")))
    assert GEMINI.failure(server) == "llm: the server's answer cannot be read"


@pytest.mark.parametrize("args", [[1], 7, '{"city": '])
def test_arguments_that_are_no_object_are_an_error(args: object) -> None:
    """A tool is not called with arguments that nobody can read."""
    server = GEMINI.server(body(chunk(called(args=args), finish="STOP")))
    assert GEMINI.failure(server) == "llm: a tool call that cannot be read"


@pytest.mark.usefixtures("nothing_left")
def test_turns_share_a_connection() -> None:
    """The next turn needs no new connection: an answer is read to its end."""

    async def main() -> None:
        server = GEMINI.server(HI)
        async with GEMINI.started(server) as model:
            for _ in range(3):
                await gather(model)
        assert len(server.peers) == 1

    asyncio.run(main())


@pytest.mark.parametrize("model", ["", "a/b", "a:b", "../v1"])
def test_the_name_of_a_model_is_a_name(model: str) -> None:
    """It is a part of the address."""
    with pytest.raises(ValueError, match="model"):
        LanguageModel.Options(model=model)
