"""A reply is not lost for a field that nobody needs, whatever dialect a server speaks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from pipelines.conversation import Tokens, ToolCall, ToolSpec
from pipelines.providers import anthropic_messages, gemini, openai_chat
from pipelines.providers.contracts import ContextTooLongError, RequestRefusedError
from pipelines.providers.partial_call import PartialCall

from .language import BRIEF, KEY, SECRET_WORDS, Adapter, Answer, body, in_bits

CHAT = Adapter(
    openai_chat.LanguageModel,
    "/v1/chat/completions",
    lambda url: {"base_url": f"{url}/v1", "model": "m"},
)
CLAUDE = Adapter(anthropic_messages.LanguageModel, "/v1/messages", lambda url: {"base_url": url})
GEMINI = Adapter(
    gemini.LanguageModel,
    "/v1beta/models/gemini-3.5-flash-lite:streamGenerateContent",
    lambda url: {"base_url": url},
)
BOOK = ToolSpec(name="book", description="Book.", parameters={"type": "object"})
WITH_TOOL = replace(BRIEF, tools=(BOOK,))


def sent(*events: Any) -> bytes:
    """Return server-sent events; what is no text is JSON."""
    return b"".join(
        f"data: {each if isinstance(each, str) else json.dumps(each)}\n\n".encode()
        for each in events
    )


def replied(adapter: Adapter, answer: Answer | bytes) -> list[Any]:
    """Return the reply: all of its text, if any, and what tools it asks for."""
    pieces = adapter.reply(adapter.server(body(answer) if isinstance(answer, bytes) else answer))
    text = "".join(piece for piece in pieces if isinstance(piece, str))
    return [*filter(None, [text]), *(piece for piece in pieces if isinstance(piece, ToolCall))]


def choice(delta: Any = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {} if delta is None else delta, **more}]}


HI = choice({"content": "Hi."})
STOP = choice(finish_reason="stop")
OFFSETS: dict[str, Any] = {"index": 0, "finish_reason": None, "content_filter_offsets": {}}

CHUNKS: dict[str, Sequence[Any]] = {
    "Azure's choice without a delta": [HI, {"choices": [OFFSETS]}, STOP],
    "Azure's prompt filter": [{"choices": [], "prompt_filter_results": [{}]}, HI, STOP],
    "choices are null": [HI, STOP, {"choices": None, "usage": {"prompt_tokens": 1}}],
    "choices are empty": [{"choices": []}, HI, STOP, {"choices": []}],
    "no choices": [{"id": 1}, HI, STOP, {"usage": {"prompt_tokens": 1}}],
    "choices are something else": [{"choices": 7}, {"choices": [None, 7]}, HI, STOP],
    "a delta is null or something else": [choice([]), choice("x"), HI, choice(7), STOP],
    "content is null": [choice({"role": "assistant", "content": None}), HI, STOP],
    "a role is missing or odd": [
        choice({"role": None, "content": "Hi."}),
        choice({"role": 7}),
        STOP,
    ],
    "an index is null or odd": [{"choices": [{"index": None, "delta": {"content": "Hi."}}]}, STOP],
    "events that are no objects": [[], "null", '"text"', 7, HI, STOP],
    "NaN": ['{"choices": [{"delta": {"content": "Hi."}, "logprobs": NaN}]}', STOP],
    "content in parts": [
        choice({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]}),
        choice({"content": [{"type": "text", "text": "H"}]}),
        choice({"content": [{"type": "text", "text": "i"}, {"type": "reference"}, None, "."]}),
        STOP,
    ],
    "content is one part": [choice({"content": {"type": "text", "text": "Hi."}}), STOP],
    "reasoning apart": [
        choice({"reasoning_content": "Hm.", "content": None}),
        choice({"reasoning": "Hm.", "reasoning_details": [{"text": "Hm."}], "content": ""}),
        HI,
        STOP,
    ],
    "tool calls are null or empty": [
        choice({"content": "Hi.", "tool_calls": None, "function_call": None}),
        choice({"tool_calls": []}),
        choice({"tool_calls": [{}, None, {"index": 0, "function": None}]}),
        STOP,
    ],
    "no finish reason": [HI],
    "finish reason is empty": [HI, choice(finish_reason="")],
    "finish reason is odd": [HI, choice(finish_reason="eos_token")],
    "finish reason is a number": [HI, choice(finish_reason=1)],
    "finish reason comes with the words": [choice({"content": "Hi."}, finish_reason="stop")],
    "an error that is none": [{**HI, "error": None}, {"error": ""}, {"error": {}}, STOP],
    "an error of empty fields": [
        {**HI, "error": {"message": None, "code": None}},
        {"error": {"message": "", "code": 0, "details": [{}]}},
        {**STOP, "error": "null"},
    ],
    "an error of success": [{**HI, "error": {"code": 200}}, {**STOP, "error": "OK"}],
    "an error that is false": [{**HI, "error": False}, {**STOP, "error": 0}],
    "a call without a name": [
        choice({"content": "Hi.", "function_call": {"name": "", "arguments": "{}"}}),
        choice({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
        choice({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
        STOP,
    ],
    "a call without a name, cut short": [
        choice({"content": "Hi.", "tool_calls": [{"id": "a", "function": {"name": ""}}]}),
        choice(finish_reason="length"),
    ],
    "all of it again": [
        HI,
        {"choices": [{"delta": None, "message": {"content": "Hi."}, "finish_reason": "stop"}]},
    ],
    "all of it at the end alone": [
        choice({"role": "assistant"}),
        {"choices": [{"delta": {}, "message": {"content": "Hi."}, "finish_reason": "stop"}]},
    ],
    "completions": [{"choices": [{"text": "Hi."}]}, {"choices": [{"text": ""}]}, STOP],
    "text in text": [choice({"content": [{"type": "text", "text": {"value": "Hi."}}]}), STOP],
    "parts of other types": [
        choice({"content": [{"type": "TEXT", "text": "H"}]}),
        choice({"content": {"type": "text_delta", "text": "i."}}),
        STOP,
    ],
    "one choice": [{"choices": HI["choices"][0]}, {"choices": STOP["choices"][0]}],
    "content is false": [choice({"content": False}), HI, STOP],
    "a refusal": [choice({"content": None, "refusal": "Hi."}), STOP],
    "a refusal in parts": [choice({"content": [{"type": "refusal", "refusal": "Hi."}]}), STOP],
    "words that are no event": ["keepalive", HI, "OPENROUTER PROCESSING", STOP],
    "a message in place of a delta": [{"choices": [{"message": {"content": "Hi."}}]}, STOP],
}


@pytest.mark.parametrize("name", CHUNKS)
def test_chat_says_hi(name: str) -> None:
    """However its server writes all the rest."""
    assert replied(CHAT, sent(*CHUNKS[name], "[DONE]")) == ["Hi."]


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (None, []),
        ({}, []),
        ("none", []),
        ([], []),
        ({"prompt_tokens": None, "completion_tokens": None, "total_tokens": None}, []),
        ({"prompt_tokens": "9", "completion_tokens": 2.0}, [Tokens(9, 2)]),
        ({"prompt_tokens": 9.5, "completion_tokens": "two"}, [Tokens(9, 0)]),
        ({"prompt_tokens": -1, "completion_tokens": 2}, [Tokens(0, 2)]),
        ({"prompt_tokens": 9, "prompt_tokens_details": []}, [Tokens(9, 0)]),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": None}}, [Tokens(9, 0)]),
        ({"prompt_tokens": {"n": 9}, "completion_tokens": True}, [Tokens(0, 1)]),
    ],
)
def test_what_a_reply_has_cost_is_told_as_far_as_it_is_known(usage: Any, tokens: Any) -> None:
    """It is never worth a reply."""
    answer = body(sent(HI, STOP, {"choices": [], "usage": usage}, "[DONE]"))
    assert CHAT.reply(CHAT.server(answer)) == ["Hi.", *tokens]


def part(**call: Any) -> dict[str, Any]:
    """Return a chunk with a fragment of a tool call; name and arguments are its function's."""
    function = {name: call.pop(name) for name in ("name", "arguments") if name in call}
    return choice({"tool_calls": [{**call, "function": function} if function else call]})


MONDAY, FRIDAY = {"day": "Mon"}, {"day": "Fri"}
MON, FRI = json.dumps(MONDAY), json.dumps(FRIDAY)
CALL_STOP = choice(finish_reason="tool_calls")
ONE = [ToolCall("book", MONDAY)]
TWO = [ToolCall("book", MONDAY), ToolCall("book", FRIDAY)]
MIXED = [ToolCall("book", MONDAY), ToolCall("look", FRIDAY)]

CALLS: dict[str, tuple[Sequence[Any], Sequence[ToolCall]]] = {
    "arguments are an object": ([part(index=0, name="book", arguments=MONDAY)], ONE),
    "arguments are text in text": ([part(index=0, name="book", arguments=json.dumps(MON))], ONE),
    "an object as a placeholder": (
        [part(index=0, id="a", name="book", arguments="{}"), part(index=0, arguments=MON)],
        ONE,
    ),
    "an object as a placeholder, then fragments": (
        [
            part(index=0, name="book", arguments={}),
            part(index=0, arguments='{"day"'),
            part(index=0, arguments=': "Mon"}'),
        ],
        ONE,
    ),
    "a placeholder with the name each time": (
        [part(index=0, name="book", arguments="{}"), part(index=0, name="book", arguments=MON)],
        ONE,
    ),
    "null as a placeholder": (
        [part(index=0, name="book", arguments=None), part(index=0, arguments=MON)],
        ONE,
    ),
    "null in words as a placeholder": (
        [part(index=0, name="book", arguments="null"), part(index=0, arguments=MON)],
        ONE,
    ),
    "an empty text as a placeholder": (
        [part(index=0, name="book", arguments='""'), part(index=0, arguments=MON)],
        ONE,
    ),
    "arguments that come twice": (
        [part(index=0, name="book", arguments=MON), part(index=0, arguments=MON)],
        ONE,
    ),
    "fragments, then all of it": (
        [
            part(index=0, name="book", arguments=MON[:5]),
            part(index=0, arguments=MON[5:]),
            part(index=0, arguments=MON),
        ],
        ONE,
    ),
    "all of it so far, each time": (
        [part(index=0, name="book", arguments=MON[:at]) for at in (1, 6, 9, len(MON))],
        ONE,
    ),
    "no index": ([part(id="a", name="book", arguments=MON[:5]), part(arguments=MON[5:])], ONE),
    "an index in the first alone": (
        [part(index=0, id="a", name="book"), part(arguments=MON[:5]), part(arguments=MON[5:])],
        ONE,
    ),
    "an index in the later ones alone": (
        [part(id="a", name="book"), part(index=0, arguments=MON)],
        ONE,
    ),
    "an index that is null, or text": (
        [part(index=None, name="book", arguments=MON[:5]), part(index="0", arguments=MON[5:])],
        ONE,
    ),
    "a new id with each fragment": (
        [
            part(index=0, id="a", name="book", arguments=MON[:5]),
            part(index=0, id="b", name="book", arguments=MON[5:]),
        ],
        ONE,
    ),
    "an id before the name": (
        [part(index=0, id="a"), part(index=0, name="book"), part(index=0, arguments=MON)],
        ONE,
    ),
    "a function that is null": (
        [
            part(index=0, id="a", name="book"),
            part(index=0, id="a"),
            part(index=0, arguments=MON),
            choice({"tool_calls": [{"index": 0, "function": None}]}),
        ],
        ONE,
    ),
    "the older field": (
        [
            choice({"function_call": {"name": "book", "arguments": ""}}),
            choice({"function_call": {"arguments": MON}}),
        ],
        ONE,
    ),
    "several on one index, by id": (
        [
            part(index=0, id="a", name="book", arguments=MON),
            part(index=0, id="b", name="book", arguments=FRI[:4]),
            part(index=0, arguments=FRI[4:]),
        ],
        TWO,
    ),
    "several on one index, the id alone first": (
        [
            part(index=0, id="a", name="book", arguments=MON),
            part(index=0, id="b"),
            part(index=0, name="book", arguments=FRI),
        ],
        TWO,
    ),
    "several on one index, by name": (
        [part(index=0, name="book", arguments=MON), part(index=0, name="look", arguments=FRI)],
        MIXED,
    ),
    "several of one name and one id": (
        [
            part(index=0, id="a", name="book", arguments=MON),
            part(index=0, id="a", name="book", arguments=FRI),
        ],
        TWO,
    ),
    "several without index, mixed": (
        [
            part(id="a", name="book"),
            part(id="b", name="look"),
            part(id="a", arguments=MON),
            part(id="b", arguments=FRI),
        ],
        MIXED,
    ),
    "several without arguments": (
        [part(index=0, name="book", arguments="{}"), part(index=0, name="look", arguments="{}")],
        [ToolCall("book"), ToolCall("look")],
    ),
    "in either field": (
        [
            choice(
                {
                    "tool_calls": {"index": 0, "function": {"name": "book", "arguments": MON}},
                    "function_call": {"name": "book", "arguments": MON},
                }
            )
        ],
        ONE,
    ),
    "again, at the end": (
        [
            part(index=0, id="a", name="book", arguments=MON),
            {
                "choices": [
                    {
                        "message": {
                            "tool_calls": [{"id": "a", "function": {"name": "book"}}],
                        },
                    }
                ]
            },
        ],
        ONE,
    ),
    "flat": ([choice({"tool_calls": [{"name": "book", "arguments": MON}]})], ONE),
    "parameters": (
        [choice({"tool_calls": [{"function": {"name": "book", "parameters": MONDAY}}]})],
        ONE,
    ),
    "a name in pieces": (
        [
            part(index=0, id="a", name="bo"),
            part(index=0, name="ok", arguments=""),
            part(index=0, arguments=MON),
        ],
        ONE,
    ),
    "a name that grows": (
        [part(index=0, name="bo"), part(index=0, name="book", arguments=MON)],
        ONE,
    ),
    "no arguments at all": ([part(index=0, id="a", name="book")], [ToolCall("book")]),
}


@pytest.mark.parametrize("name", CALLS)
def test_chat_asks_for_tools(name: str) -> None:
    """However its server writes the calls; what they are called does not matter."""
    chunks, calls = CALLS[name]
    server = CHAT.server(body(sent(*chunks, CALL_STOP, "[DONE]")))
    asked = [each for each in CHAT.reply(server, WITH_TOOL) if isinstance(each, ToolCall)]
    assert [(call.name, call.arguments) for call in asked] == [
        (call.name, call.arguments) for call in calls
    ]
    names = [call.id for call in asked if call.id]
    assert len(names) == len(set(names))


WRITTEN = [
    f"```json\n{MON}\n```",
    f"```{MON}```",
    f"\ufeff{MON}",
    f"[{MON}]",
    json.dumps(f"[{MON}]"),
    '{"day": "Mon",}',
    '{"day": "Mon" , \n}',
]


@pytest.mark.parametrize("arguments", WRITTEN)
def test_arguments_are_read_however_they_are_written(arguments: str) -> None:
    """Fenced, in a list, in a text, or with a comma too many."""
    assert gathered("book", arguments) == ONE


def gathered(name: str, *arguments: Any) -> list[ToolCall]:
    call = PartialCall(name)
    for each in arguments:
        call.add(each)
    return call.whole()


def test_what_is_in_a_text_stays() -> None:
    """A line end that should have been escaped, commas, and what looks like a fence."""
    text = 'a,}\n"```, ]\\'
    written = json.dumps({"a": text}).replace("\\n", "\n")
    assert gathered("book", written[:-1] + ",}") == [ToolCall("book", {"a": text})]


@pytest.mark.parametrize("arguments", ["None", "false", False, "[{}]", "undefined", " {} ", "{}{}"])
def test_no_arguments_are_none_however_they_are_written(arguments: Any) -> None:
    """Even so, a call without a name is none."""
    assert gathered("book", arguments) == [ToolCall("book")]
    assert gathered(" ", arguments) == []


@pytest.mark.parametrize(
    "name",
    [
        " book ",
        "functions.book",
        "book<|channel|>commentary",
        "functions.book:0",
        "default_api.book",
        "`book`",
        "book()",
    ],
)
def test_a_name_is_what_the_tool_is_called(name: str) -> None:
    """Without what models put around it."""
    assert gathered(name, MON) == ONE


@pytest.mark.parametrize("name", ["my.book", "book:me", "tools", "book_2", "functions"])
def test_a_name_that_looks_odd_is_kept(name: str) -> None:
    """It may well be that."""
    assert gathered(name) == [ToolCall(name)]


@pytest.mark.parametrize(
    "arguments",
    ['{"day": "Mon"', '{"day": "Mon"}}', '{"day": "Mon"} and so on', '["Mon"]', '"Mon"', "7"],
)
def test_arguments_that_nobody_can_read_are_still_an_error(arguments: str) -> None:
    """A tool is not called by guesswork."""
    answer = sent(part(index=0, name="book", arguments=arguments), CALL_STOP, "[DONE]")
    assert CHAT.failure(CHAT.server(body(answer))) == "llm: a tool call that cannot be read"


BODIES: dict[str, bytes] = {
    "a byte order mark": b"\xef\xbb\xbf" + sent(HI, STOP, "[DONE]"),
    "CRLF": sent(HI, STOP, "[DONE]").replace(b"\n", b"\r\n"),
    "CR": sent(HI, STOP, "[DONE]").replace(b"\n", b"\r"),
    "no blank after the colon": sent(HI, STOP, "[DONE]").replace(b"data: ", b"data:"),
    "data in several lines": sent(json.dumps(HI, indent=1), STOP, "[DONE]")
    .replace(b"\n ", b"\ndata: ")
    .replace(b"\n}\n", b"\ndata: }\n")
    .replace(b"\ndata: }\n}", b"\ndata: }\ndata: }"),
    "comments, pings and other fields": (
        b": OPENROUTER PROCESSING\n\nevent: ping\ndata: {}\n\nid: 1\nretry: 5\nx: y\n"
        + sent(HI)
        + b"event: keepalive\ndata: keepalive\n\ndata:\n\n"
        + sent(STOP, "[DONE]")
    ),
    "events that have names": b"event: chunk\n"
    + sent(HI)
    + b"event: chunk\n"
    + sent(STOP, "[DONE]"),
    "nothing after the last event": sent(HI, STOP)[:-2],
    "nothing after the end": sent(HI, "[DONE]")[:-2],
    "more after the end": sent(HI, STOP, "[DONE]") + b"data: {not json\n\n",
    "no stream, and no reason to finish": b'{"choices": [{"message": {"content": "Hi."}}]}',
    "no empty lines": sent(HI, STOP, "[DONE]").replace(b"\n\n", b"\n"),
    "an object a line": sent(HI, STOP).replace(b"data: ", b"").replace(b"\n\n", b"\n"),
    "no UTF-8 in a comment": b": caf\xe9\n\n" + sent(HI, STOP),
    "no stream at all": json.dumps(
        {"object": "chat.completion", "choices": [{"message": {"content": "Hi."}}]}
        | {"usage": None}
    )
    .replace('"Hi."}', '"Hi."}, "finish_reason": "stop"')
    .encode(),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("size", [1, 1000])
def test_chat_says_hi_in_any_stream(name: str, size: int) -> None:
    """However the events are written and cut."""
    assert replied(CHAT, in_bits(size, BODIES[name])) == ["Hi."]


# Errors in an answer that began well.

TOO_LONG = "This model's maximum context length is 4096 tokens."
ERRORS: list[tuple[Any, str]] = [
    ({"error": {"message": f"{KEY} {SECRET_WORDS}", "code": 500}}, "reported an error"),
    ({"error": f"something about {KEY}"}, "reported an error"),
    ({"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}}, "too many"),
    ({"error": {"message": "x", "code": 429, "metadata": {"raw": SECRET_WORDS}}}, "too many"),
    ({"error": {"message": "x", "code": "429"}}, "too many"),
    ({"error": {"error": {"message": "x", "status": 429}}}, "too many"),
    ({"error": "Too Many Requests"}, "too many"),
    ({"object": "error", "message": "x", "code": 429}, "too many"),
    ({"error": {"message": "You exceeded your current quota"}}, "too many"),
    (
        {"error": {"code": "invalid_api_key", "message": f"Incorrect API key provided: {KEY}"}},
        "key",
    ),
    ({"error": {"message": "No auth", "code": 401}, "choices": None}, "key"),
    ({"error": {"message": "User not found.", "code": 403}}, "key"),
    ({"type": "error", "error": {"type": "authentication_error", "message": KEY}}, "key"),
    ({"error": {"message": TOO_LONG, "code": 400}}, "too long"),
    ({"error": TOO_LONG}, "too long"),
    ({"error": {"message": "x", "code": "context_length_exceeded"}}, "too long"),
    ({"error": {"message": "Service overloaded", "code": 503}}, "overloaded"),
    ({"error": {"message": "Provider returned error", "code": 400}}, "400"),
]


@pytest.mark.parametrize(("error", "told"), ERRORS)
def test_an_error_in_the_stream_is_told_as_what_it_is(error: Any, told: str) -> None:
    """By its class, without the server's words."""
    for stream in (sent(error), json.dumps(error).encode(), b"event: error\n" + sent(error)):
        failure = CHAT.error(CHAT.server(body(stream)))
        assert told in str(failure)
        assert isinstance(failure, ContextTooLongError) == (told == "too long")
        assert isinstance(failure, RequestRefusedError) == (told == "400")
        assert failure.limited == (told == "too many")
        assert failure.retryable == (told not in ("key", "too long", "400"))


def test_an_error_event_needs_no_error_in_it() -> None:
    """Its name says that it is one."""
    stream = b'event: error\ndata: {"code": 429, "message": "x"}\n\n'
    assert "too many" in CHAT.failure(CHAT.server(body(sent(HI), stream)))


# Anthropic's.


def message(kind: str | None, **fields: Any) -> bytes:
    event = {**({"type": kind} if kind else {}), **fields}
    return f"event: {kind}\ndata: {json.dumps(event)}\n\n".encode()


def block(**block: Any) -> bytes:
    return message("content_block_start", index=0, content_block=block)


def delta(**delta: Any) -> bytes:
    return message("content_block_delta", index=0, delta=delta)


BEGIN = message("message_start", message={"usage": {"input_tokens": 1}})
SAID = block(type="text", text="") + delta(type="text_delta", text="Hi.")
END = message("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 1})
OVER = message("message_stop")
THOUGHT = message(
    "content_block_start", index=0, content_block={"type": "thinking", "thinking": ""}
)

MESSAGES: dict[str, bytes] = {
    "usage is null": message("message_start", message={"usage": None}) + SAID + END + OVER,
    "message is null": message("message_start", message=None) + SAID + END + OVER,
    "no beginning": SAID + END + OVER,
    "counts are odd": message("message_start", message={"usage": {"input_tokens": "many"}})
    + SAID
    + message("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": None})
    + OVER,
    "no reason to stop": BEGIN
    + SAID
    + message("message_delta", delta={"stop_reason": None})
    + OVER,
    "an odd reason to stop": BEGIN + SAID + message("message_delta", delta={"stop_reason": 7}),
    "no end but a reason": BEGIN + SAID + END,
    "no reason but an end": BEGIN + SAID + OVER,
    "an end of OpenAI's": BEGIN + SAID + sent("[DONE]"),
    "no index": BEGIN
    + message("content_block_start", content_block={"type": "text"})
    + message("content_block_delta", index=None, delta={"type": "text_delta", "text": "Hi."})
    + END,
    "no block": BEGIN + delta(type="text_delta", text="Hi.") + OVER,
    "no types": BEGIN + block(text="Hi.") + END,
    "no types of deltas": BEGIN + block(type="text") + delta(text="Hi.") + END,
    "text is null": BEGIN
    + block(type="text", text=None)
    + delta(type="text_delta", text="Hi.")
    + END,
    "thoughts": BEGIN
    + THOUGHT
    + message("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "Hm."})
    + message("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "x"})
    + block(type="redacted_thinking", data="x")
    + SAID
    + OVER,
    "pings and strangers": BEGIN
    + message("ping")
    + b"event: ping\ndata: ping\n\n"
    + message("telepathy", delta=[], index="all")
    + SAID
    + END
    + OVER,
    "blocks of other kinds": BEGIN
    + block(type="server_tool_use", id="x", name="web_search", input={})
    + delta(type="input_json_delta", partial_json='{"query": ')
    + message("content_block_start", index=1, content_block={"type": "web_search_tool_result"})
    + message("content_block_start", index=2, content_block=7)
    + message("content_block_delta", index=2, delta={"type": "citations_delta", "citation": {}})
    + message("content_block_delta", index=2, delta={"type": "text_delta", "text": "Hi."})
    + END,
    "names alone": BEGIN.replace(b'"type": "message_start", ', b"")
    + SAID.replace(b'"type": "content_block_start", ', b"").replace(
        b'"type": "content_block_delta", ', b""
    )
    + END.replace(b'"type": "message_delta", ', b""),
    "arguments of no tool": BEGIN
    + SAID
    + delta(type="input_json_delta", partial_json="{}")
    + message("content_block_delta", index=7, delta={"partial_json": {}})
    + END,
    "text among thoughts": BEGIN
    + THOUGHT
    + delta(type="text_delta", text="Hm.")
    + delta(text="Hm.")
    + SAID
    + END,
    "text is an empty list": BEGIN
    + block(type="text", text=[])
    + delta(type="text_delta", text="Hi.")
    + END,
    "a call without a name": BEGIN + SAID + block(type="tool_use", name="", input={}) + END,
    "no stream at all": json.dumps(
        {
            "type": "message",
            "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hi."}],
            "stop_reason": "end_turn",
            "usage": None,
        }
    ).encode(),
    "no stream, and nothing but words": b'{"content": {"type": "text", "text": "Hi."}}',
    "types alone": b"".join(
        line + b"\n" for line in (BEGIN + SAID + END).split(b"\n") if not line.startswith(b"event")
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_claude_says_hi(name: str) -> None:
    """However what is between us and it writes all the rest."""
    assert replied(CLAUDE, MESSAGES[name]) == ["Hi."]


@pytest.mark.parametrize(
    "parts",
    [
        block(type="tool_use", id="a", name="book", input=MONDAY),
        block(type="tool_use", id="a", name="book", input={})
        + delta(type="input_json_delta", partial_json=MONDAY),
        block(type="tool_use", id="a", name="book", input=MONDAY)
        + delta(type="input_json_delta", partial_json=MON),
        block(type="tool_use", id=None, name="book", input=None)
        + delta(partial_json=MON[:4])
        + delta(type=None, partial_json=MON[4:]),
        block(id="a", name="book") + delta(type="input_json_delta", partial_json="{}" + MON),
        block(type="tool_use", id="a", name="book", input=[MONDAY]),
    ],
)
def test_claude_asks_for_a_tool(parts: bytes) -> None:
    """Whether the arguments come as an object, in fragments, or both."""
    (call,) = replied(CLAUDE, BEGIN + parts + END + OVER)
    assert (call.name, call.arguments) == ("book", MONDAY)


def test_claude_asks_for_tools_on_one_index() -> None:
    """Gateways number all blocks alike."""
    parts = [
        block(type="tool_use", id=name, name=name) + delta(partial_json=MON)
        for name in ("book", "look")
    ]
    asked = replied(CLAUDE, BEGIN + b"".join(parts) + END + OVER)
    assert [(call.name, call.arguments) for call in asked] == [("book", MONDAY), ("look", MONDAY)]


def test_claude_asks_for_a_tool_without_a_stream() -> None:
    """All of it in one text."""
    call = {"type": "tool_use", "id": "a", "name": "book", "input": MONDAY}
    answer = {"type": "message", "content": [{"type": "text", "text": "Hi."}, call]}
    said, asked = replied(CLAUDE, json.dumps(answer).encode())
    assert (said, asked.name, asked.arguments) == ("Hi.", "book", MONDAY)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ({"type": "rate_limit_error", "message": KEY}, "too many"),
        ({"type": "authentication_error", "message": KEY}, "key"),
        ({"type": "permission_error", "message": KEY}, "key"),
        ({"type": "request_too_large", "message": KEY}, "too long"),
        ({"type": "invalid_request_error", "message": "prompt is too long: 9 > 5"}, "too long"),
        ("Overloaded", "overloaded"),
        (None, "reported an error"),
    ],
)
def test_claude_tells_what_went_wrong(error: Any, told: str) -> None:
    """By its class."""
    answer = body(BEGIN, SAID, message("error", error=error))
    assert told in CLAUDE.failure(CLAUDE.server(answer))


# Google's.


def google(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": list(parts), "role": "model"}, **more}]}


G_HI, G_STOP = google({"text": "Hi."}), google(finishReason="STOP")

CANDIDATES: dict[str, Sequence[Any]] = {
    "content is null": [G_HI, {"candidates": [{"content": None, "finishReason": "STOP"}]}],
    "content is missing": [G_HI, {"candidates": [{"finishReason": "STOP", "index": None}]}],
    "content is something else": [G_HI, {"candidates": [{"content": []}, 7]}, G_STOP],
    "candidates are null": [{"candidates": None}, G_HI, G_STOP],
    "candidates are missing": [{"usageMetadata": {"promptTokenCount": 4}}, G_HI, G_STOP],
    "candidates are empty": [{"candidates": []}, G_HI, G_STOP],
    "parts are null": [G_HI, {"candidates": [{"content": {"parts": None}}]}, G_STOP],
    "parts are missing": [G_HI, {"candidates": [{"content": {"role": "model"}}]}, G_STOP],
    "parts without text": [google({}, {"inlineData": {}}, None, {"text": "Hi."}), G_STOP],
    "text is null": [google({"text": None}), G_HI, G_STOP],
    "a call that is null": [google({"text": "Hi.", "functionCall": None}), G_STOP],
    "thoughts": [google({"text": "Hm.", "thought": True, "thoughtSignature": None}), G_HI, G_STOP],
    "the reason is unknown": [G_HI, google(finishReason="TIRED")],
    "the reason is a number": [G_HI, google(finishReason=1)],
    "the reason is in small letters": [G_HI, google(finishReason="stop")],
    "usage is null": [{**G_HI, "usageMetadata": None}, {**G_STOP, "usageMetadata": []}],
    "counts are odd": [G_HI, {**G_STOP, "usageMetadata": {"promptTokenCount": "many"}}],
    "feedback is null": [{**G_HI, "promptFeedback": None}, {**G_STOP, "promptFeedback": {}}],
    "no block is unspecified": [
        {**G_HI, "promptFeedback": {"blockReason": "BLOCK_REASON_UNSPECIFIED"}},
        G_STOP,
    ],
    "thoughts that are text or an object": [
        google({"text": "Hm.", "thought": "Hm."}, {"text": "Hm.", "thought": {}}),
        google({"text": "Hi.", "thought": "false"}),
        G_STOP,
    ],
    "a call without a name": [
        google({"text": "H", "functionCall": {}}),
        google({"functionCall": {"name": "", "args": {}}}, {"text": "i."}),
        G_STOP,
    ],
    "names with underscores": [G_HI, google(finish_reason="STOP"), {"usage_metadata": {"x": 1}}],
    "names with underscores, and faults": [
        {**G_HI, "usage_metadata": {"prompt_token_count": "many"}},
        google({"text": "", "thought_signature": 7, "function_call": 7}, finish_reason="STOP"),
    ],
    "a response in it": [{"response": G_HI, "traceId": "x"}, {"response": G_STOP}],
    "one object each": [
        {"candidates": {"content": {"parts": {"text": "Hi."}}, "finishReason": "STOP"}},
    ],
    "content is a list": [{"candidates": [{"content": [{"parts": [{"text": "Hi."}]}]}]}, G_STOP],
    "content is a list of parts": [{"candidates": [{"content": [{"text": "Hi."}]}]}, G_STOP],
    "an error of empty fields": [{**G_HI, "error": {"code": 0, "message": ""}}, G_STOP],
    "an error that is none": [{**G_HI, "error": None}, {"error": {}}, G_STOP],
    "an end of OpenAI's": [G_HI, "[DONE]"],
    "a list": [[G_HI, G_STOP]],
}


@pytest.mark.parametrize("name", CANDIDATES)
def test_gemini_says_hi(name: str) -> None:
    """However what is between us and it writes all the rest."""
    assert replied(GEMINI, sent(*CANDIDATES[name])) == ["Hi."]


def test_gemini_says_hi_without_a_stream() -> None:
    """As it does if alt=sse gets lost on the way."""
    assert replied(GEMINI, json.dumps([G_HI, G_STOP], indent=1).encode()) == ["Hi."]
    assert replied(GEMINI, json.dumps(G_HI).encode()) == ["Hi."]


@pytest.mark.parametrize("args", [MONDAY, MON, [MONDAY][0] | {}])
def test_gemini_asks_for_a_tool(args: Any) -> None:
    """Whether the arguments are an object, or text."""
    call = {"functionCall": {"name": "book", "args": args, "id": None}, "text": None}
    (asked,) = replied(GEMINI, sent(google(call, thought=None), G_STOP))
    assert (asked.name, asked.arguments) == ("book", MONDAY)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ({"code": 429, "status": "RESOURCE_EXHAUSTED", "message": KEY}, "too many"),
        ({"status": "UNAUTHENTICATED", "code": 401}, "key"),
        ({"message": "API key not valid. Please pass a valid API key."}, "key"),
        ({"code": 503, "status": "UNAVAILABLE"}, "overloaded"),
        ({"code": 400, "message": "The input token count (9) exceeds the maximum"}, "too long"),
        ("Internal error", "reported an error"),
    ],
)
def test_gemini_tells_what_went_wrong(error: Any, told: str) -> None:
    """By its class, in the stream or in place of it."""
    for stream in (sent(G_HI, {"error": error}), json.dumps([{"error": error}]).encode()):
        assert told in GEMINI.failure(GEMINI.server(body(stream)))
