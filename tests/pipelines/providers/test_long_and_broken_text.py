"""Conversations that servers find too long, and characters that they send by halves.

Over real sockets, by each adapter of a language model. What servers say is as it was seen in their
documentation and in reports of their users, November 2026, shortened.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from pipelines.conversation import Brief, Message, ToolCall
from pipelines.providers import anthropic_messages, gemini, openai_chat
from pipelines.providers.contracts import ContextTooLongError, ProviderError
from pipelines.stages.budgets import Budgets
from pipelines.stages.limits import ModelLimits
from pipelines.stages.llm import FailoverLanguageModel
from pipelines.stages.pool import ProviderPool
from pipelines.stages.usage import DraftCost, Usage

from .language import gather

SECRET = "the caller's own words"


def openai_says(*texts: str) -> str:
    events: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": text}}]} for text in texts
    ]
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return "".join(f"data: {json.dumps(one)}\n\n" for one in events) + "data: [DONE]\n\n"


def anthropic_says(*texts: str) -> str:
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {}}]
    events += [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
        for text in texts
    ]
    events += [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}}]
    events += [{"type": "message_stop"}]
    return "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events)


def gemini_says(*texts: str) -> str:
    events: list[dict[str, Any]] = [
        {"candidates": [{"content": {"parts": [{"text": text}]}}]} for text in texts
    ]
    events.append({"candidates": [{"finishReason": "STOP"}]})
    return "".join(f"data: {json.dumps(one)}\n\n" for one in events)


@dataclass(frozen=True)
class Dialect:
    """How one adapter and its server talk."""

    module: Any
    says: Callable[..., str]
    options: dict[str, str] = field(default_factory=dict)

    @asynccontextmanager
    async def asking(self, handle: Any) -> AsyncIterator[Any]:
        app = web.Application()
        app.router.add_post("/{path:.*}", handle)
        async with TestServer(app) as server:
            options = {"api_key": "k", "base_url": str(server.make_url("")).rstrip("/")}
            model = self.module.LanguageModel(
                self.module.LanguageModel.Options.model_validate(options | self.options)
            )
            await model.start()
            try:
                yield model
            finally:
                await model.aclose()


OPENAI = Dialect(openai_chat, openai_says, {"model": "m"})
ANTHROPIC = Dialect(anthropic_messages, anthropic_says)
GEMINI = Dialect(gemini, gemini_says)
DIALECTS = [OPENAI, ANTHROPIC, GEMINI]


def error(message: str, **more: object) -> str:
    return json.dumps({"error": {"message": message, **more}})


TOO_LONG: dict[str, tuple[Dialect, int, str]] = {
    "OpenAI": (
        OPENAI,
        400,
        error(
            "This model's maximum context length is 8192 tokens. However, your messages resulted "
            "in 9000 tokens. Please reduce the length of the messages.",
            type="invalid_request_error",
            param="messages",
            code="context_length_exceeded",
        ),
    ),
    "OpenAI, by its code alone": (OPENAI, 400, error("no", code="context_length_exceeded")),
    "Groq": (
        OPENAI,
        400,
        error(
            "Please reduce the length of the messages or completion.",
            type="invalid_request_error",
            code="context_length_exceeded",
        ),
    ),
    "vLLM": (
        OPENAI,
        400,
        json.dumps(
            {
                "object": "error",
                "message": "This model's maximum context length is 4096 tokens. However, you "
                "requested 5300 tokens (5000 in the messages, 300 in the completion).",
                "type": "BadRequestError",
                "code": 400,
            }
        ),
    ),
    "vLLM, newer": (
        OPENAI,
        400,
        error(
            "'max_tokens' or 'max_completion_tokens' is too large: 300. This model's maximum "
            "context length is 4096 tokens and your request has 4000 input tokens.",
            code=400,
        ),
    ),
    "llama.cpp": (
        OPENAI,
        400,
        error(
            "the request exceeds the available context size, try increasing it",
            code=400,
            type="exceed_context_size_error",
            n_prompt_tokens=1407,
            n_ctx=256,
        ),
    ),
    "llama.cpp, older": (
        OPENAI,
        500,
        error("the request exceeds the available context size. try increasing", code=500),
    ),
    "llama.cpp, in the stream": (
        OPENAI,
        200,
        'data: {"error":{"code":400,"message":"the request exceeds the available context size",'
        '"type":"exceed_context_size_error","n_prompt_tokens":14429,"n_ctx":8192}}\n\n',
    ),
    "llama-cpp-python": (
        OPENAI,
        400,
        error("Requested tokens (2285) exceed context window of 2048", code=None),
    ),
    "LM Studio": (
        OPENAI,
        400,
        json.dumps(
            {
                "error": "Trying to keep the first 11490 tokens when context the overflows. "
                "However, the model is loaded with context length of only 4096 tokens, which is "
                "not enough. Try to load the model with a larger context length, or provide a "
                "shorter input."
            }
        ),
    ),
    "Ollama": (OPENAI, 400, error("the input length exceeds the context length")),
    "SGLang": (
        OPENAI,
        400,
        error("The input (5000 tokens) is longer than the model's context length (4096 tokens)."),
    ),
    "TGI": (
        OPENAI,
        422,
        json.dumps(
            {
                "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= "
                "4096. Given: 4000 `inputs` tokens and 300 `max_new_tokens`",
                "error_type": "validation",
            }
        ),
    ),
    "Mistral": (
        OPENAI,
        400,
        json.dumps(
            {
                "object": "error",
                "message": "Prompt contains 40000 tokens and 0 draft tokens, too large for model "
                "with 32768 maximum context length",
                "code": 3051,
            }
        ),
    ),
    "xAI": (
        OPENAI,
        400,
        error("This model's maximum prompt length is 131072 but the request contains 140000"),
    ),
    "Fireworks": (OPENAI, 400, error("The prompt is too long: 9000, model maximum is 8192")),
    "not even JSON": (OPENAI, 400, "prompt is too long"),
    "a proxy that counts bytes": (OPENAI, 413, "<html>Request Entity Too Large</html>"),
    "one that counts messages": (OPENAI, 400, error("too many messages: 41, at most 40")),
    "Anthropic": (
        ANTHROPIC,
        400,
        json.dumps(
            {
                "type": "error",
                "error": {
                    "type": "invalid_request_error",
                    "message": "prompt is too long: 209353 tokens > 199999 maximum",
                },
            }
        ),
    ),
    "Anthropic, with the reply": (
        ANTHROPIC,
        400,
        json.dumps(
            {
                "type": "error",
                "error": {
                    "type": "invalid_request_error",
                    "message": "input length and `max_tokens` exceed context limit: 199759 + 300 "
                    "> 200000, decrease input length or `max_tokens` and try again",
                },
            }
        ),
    ),
    "Anthropic, in bytes": (
        ANTHROPIC,
        413,
        '{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the '
        'maximum size"}}',
    ),
    "Anthropic, no room for a word": (
        ANTHROPIC,
        200,
        'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":'
        '"model_context_window_exceeded"}}\n\nevent: message_stop\ndata: {"type":"message_stop"}'
        "\n\n",
    ),
    "Gemini": (
        GEMINI,
        400,
        error(
            "The input token count (1200293) exceeds the maximum number of tokens allowed "
            "(1048576).",
            code=400,
            status="INVALID_ARGUMENT",
        ),
    ),
    "Gemini, in a list": (
        GEMINI,
        400,
        f"[{error('The input token count exceeds the maximum number of tokens allowed 32768.')}]",
    ),
}

OTHERWISE: dict[str, tuple[Dialect, int, str]] = {
    "a rate limit": (
        OPENAI,
        429,
        error(
            "Rate limit reached for m on tokens per min (TPM): Limit 30000, Used 29000, Requested "
            "2000. The context window is none of it.",
            code="rate_limit_exceeded",
        ),
    ),
    "no such model": (OPENAI, 404, error("The model `m` does not exist", code="model_not_found")),
    "a wrong field": (OPENAI, 400, error("Unsupported parameter: 'max_tokens'")),
    "the key": (OPENAI, 401, error("Incorrect API key provided")),
    "a filter": (OPENAI, 400, error("The response was filtered", code="content_filter")),
    "Anthropic's own fault": (
        ANTHROPIC,
        500,
        '{"type":"error","error":{"type":"api_error","message":"Internal server error"}}',
    ),
    "Gemini's key": (GEMINI, 400, error("API key not valid. Please pass a valid API key.")),
}


async def refusal(dialect: Dialect, status: int, said: str) -> ProviderError:
    """Return what the adapter raises for an answer of the server's."""

    async def handle(_: web.Request) -> web.Response:
        kind = "application/json" if status >= 300 else "text/event-stream"
        return web.Response(status=status, text=said, content_type=kind)

    async with dialect.asking(handle) as model:
        with pytest.raises(ProviderError) as caught:
            await gather(model, Brief(), [Message("user", SECRET)])
    return caught.value


@pytest.mark.parametrize("server", TOO_LONG)
def test_a_conversation_that_is_too_long_is_told_apart(server: str) -> None:
    """By a class of its own, whatever words the server has for it; none of them is quoted."""
    error = asyncio.run(refusal(*TOO_LONG[server]))
    assert isinstance(error, ContextTooLongError)
    assert not any(word in str(error) for word in ("tokens", "context", "8192", "{"))


@pytest.mark.parametrize("server", OTHERWISE)
def test_other_refusals_are_no_matter_of_length(server: str) -> None:
    """They would come again with less."""
    assert not isinstance(asyncio.run(refusal(*OTHERWISE[server])), ContextTooLongError)


def stage(model: Any) -> FailoverLanguageModel:
    pool: ProviderPool[Any] = ProviderPool("llm", [("one", model)])
    return FailoverLanguageModel(pool, Budgets(), Usage(), ModelLimits())


async def said_by(llm: FailoverLanguageModel, conversation: list[Message]) -> list[str | ToolCall]:
    async with aclosing(llm.reply(Brief(prompt="Help."), conversation, DraftCost())) as pieces:
        return [piece async for piece in pieces]


@pytest.mark.parametrize("said", [error("the conversation is too long"), "no", ""])
@pytest.mark.parametrize("dialect", DIALECTS, ids=["openai", "anthropic", "gemini"])
def test_a_call_outlives_the_window_of_its_model(dialect: Dialect, said: str) -> None:
    """Two hundred turns with a server that takes forty messages: each is answered."""
    asked: list[int] = []

    async def handle(request: web.Request) -> web.Response:
        body = await request.json()
        asked.append(len(body.get("messages") or body["contents"]))
        if asked[-1] > 40:
            return web.Response(status=400, text=said)
        return web.Response(text=dialect.says("Yes."), content_type="text/event-stream")

    async def main() -> None:
        async with dialect.asking(handle) as model:
            llm, conversation = stage(model), list[Message]()
            for turn in range(200):
                conversation.append(Message("user", f"And what about the number {turn}?"))
                assert await said_by(llm, conversation) == ["Yes."]
                conversation.append(Message("assistant", "Yes."))

    asyncio.run(main())
    assert len(asked) < 210


@pytest.mark.parametrize("dialect", DIALECTS, ids=["openai", "anthropic", "gemini"])
def test_a_character_in_halves_is_one_character(dialect: Dialect) -> None:
    """Split over two events it is joined; half of one is marked, and the reply is heard."""

    async def handle(_: web.Request) -> web.Response:
        text = dialect.says("We open \ud83d", "\ude00 at nine. ", "Bye \ud83d")
        return web.Response(text=text, content_type="text/event-stream")

    async def main() -> list[str | ToolCall]:
        async with dialect.asking(handle) as model:
            return await said_by(stage(model), [Message("user", "Hi.")])

    assert asyncio.run(main()) == ["We open 😀 at nine.", "Bye \ufffd"]


ASKING = {
    "openai": (
        OPENAI,
        'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a\\ud83d","function":{"name":'
        '"book","arguments":"{\\"name\\": \\"Ann \\\\ud83d\\"}"}}]}}]}\n\n'
        'data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n',
    ),
    "anthropic": (
        ANTHROPIC,
        'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
        '"content_block":{"type":"tool_use","id":"a","name":"book"}}\n\n'
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{'
        '"type":"input_json_delta","partial_json":"{\\"name\\": \\"Ann \\\\ud83d\\"}"}}\n\n'
        'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"tool_use"}}'
        '\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n',
    ),
    "gemini": (
        GEMINI,
        'data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"book","args":'
        '{"name":"Ann \\ud83d"}}}]},"finishReason":"STOP"}]}\n\n',
    ),
}


@pytest.mark.parametrize("adapter", ASKING)
def test_half_a_character_in_an_argument_does_not_lose_the_call(adapter: str) -> None:
    """The tool is asked for, with a mark in its place."""
    dialect, stream = ASKING[adapter]

    async def handle(_: web.Request) -> web.Response:
        return web.Response(text=stream, content_type="text/event-stream")

    async def main() -> list[str | ToolCall]:
        async with dialect.asking(handle) as model:
            return await said_by(stage(model), [Message("user", "Hi.")])

    (call,) = asyncio.run(main())
    assert isinstance(call, ToolCall)
    assert call.arguments == {"name": "Ann \ufffd"}
    json.dumps([call.name, call.id], ensure_ascii=False).encode()


@pytest.mark.parametrize("dialect", DIALECTS, ids=["openai", "anthropic", "gemini"])
@pytest.mark.parametrize("garbage", ["[" * 100_000, '{"a":' * 50_000, '{"a": NaN', '"\\ud83d'])
def test_what_nobody_can_read_is_a_failure_of_the_provider(dialect: Dialect, garbage: str) -> None:
    """Nested beyond all measure, say: never a bug of ours that ends the call."""
    event = "message_start" if dialect is ANTHROPIC else "message"
    error = asyncio.run(refusal(dialect, 200, f"event: {event}\ndata: {garbage}\n\n"))
    assert str(error) == "llm: the server's answer cannot be read"
