"""Chat completions of OpenAI: https://developers.openai.com/api/reference/resources/chat."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from aiohttp import web

from pipelines.conversation import Tokens
from pipelines.providers.openai_chat import LanguageModel
from tests.contract.case import Case, Plan
from tests.contract.events import Server, cut, dumped, duplicate

NAME = re.compile("[A-Za-z0-9_-]{1,64}")


def event(payload: object) -> bytes:
    """Return a server-sent event."""
    return f"data: {dumped(payload)}\n\n".encode()


def chunk(delta: object, finish: str | None = None, **more: object) -> bytes:
    """Return a piece of a reply."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return event({**_HEAD, "choices": [choice], "usage": None, **more})


_HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}

DONE = b"data: [DONE]\n\n"


def usage(tokens: Tokens) -> bytes:
    """Return the event that counts tokens."""
    counted = {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached, "audio_tokens": 0},
    }
    return event({**_HEAD, "choices": [], "usage": counted})


class Chat:
    """Streams deltas; the fragments of several tool calls in turn."""

    path = "/v1/chat/completions"

    def key(self, request: web.Request) -> str:
        """Return the bearer token."""
        return request.headers["Authorization"].removeprefix("Bearer ")

    def mistake(self, body: Mapping[str, Any]) -> str | None:
        """Return what is wrong with a request."""
        return mistake(body)

    def error(self, status: int, text: str) -> object:
        """Return an error as OpenAI words it."""
        return {"error": {"message": text, "type": f"status_{status}", "param": None, "code": None}}

    def events(self, plan: Plan, body: Mapping[str, Any]) -> Iterator[bytes]:
        """Yield a reply."""
        yield chunk({"role": "assistant", "content": "", "refusal": None})
        if plan.fault == "garbage":
            yield b'data: {"choices": [{"delta": \xff\n\n'
            return
        if plan.fault == "error":
            yield event(self.error(500, " ".join(plan.secrets)))
            return
        if plan.fault != "empty":
            for piece in cut(plan.text):
                yield chunk({"content": piece})
                if plan.fault == "early":
                    return
            yield from _calls(plan)
        yield chunk({}, "tool_calls" if plan.calls else "stop")
        if body.get("stream_options", {}).get("include_usage"):
            yield usage(plan.tokens)
        yield DONE


def _calls(plan: Plan) -> Iterator[bytes]:
    fragments = []
    for at, call in enumerate(plan.calls):
        function = {"name": call.name, "arguments": ""}
        begun = {"index": at, "id": f"call_of_server_{at}", "type": "function"}
        yield chunk({"tool_calls": [{**begun, "function": function}]})
        fragments += [(row, at, piece) for row, piece in enumerate(cut(dumped(call.arguments), 5))]
    for _, at, piece in sorted(fragments):
        yield chunk({"tool_calls": [{"index": at, "function": {"arguments": piece}}]})


def mistake(body: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a request, by the rules of OpenAI and of strict chat templates."""
    messages = body["messages"]
    if not body.get("model") or body.get("stream") is not True:
        return "no model, or no stream"
    if ("max_tokens" in body) == ("max_completion_tokens" in body):
        return "the limit of the reply is given twice or not at all"
    if "tools" in body and not body["tools"]:
        return "tools are an empty list"
    if "tool_choice" in body and "tools" not in body:
        return "tool_choice without tools"
    if "tools" not in body and any(each["role"] == "tool" for each in messages):
        return "results without tools"
    spoken = messages[1:] if messages[0]["role"] == "system" else messages
    return next(filter(None, map(_content, messages)), None) or _order(spoken) or _results(spoken)


def _content(message: Mapping[str, Any]) -> str | None:
    content, calls = message.get("content"), message.get("tool_calls")
    if message["role"] != "tool" and not (content or "").strip() and not calls:
        return "a blank message"
    if calls is not None and (not calls or message["role"] != "assistant"):
        return "tool_calls are empty, or not the assistant's"
    if content is not None and not isinstance(content, str):
        return "content is no text"
    for call in calls or ():
        if not NAME.fullmatch(call["function"]["name"]) or not 1 <= len(call["id"]) <= 40:
            return "a tool call with a bad name or id"
        if not isinstance(json.loads(call["function"]["arguments"]), dict):
            return "arguments are no object"
    return None


def _order(messages: Sequence[Mapping[str, Any]]) -> str | None:
    roles = [each["role"] for each in messages]
    if not roles or roles[0] != "user":
        return "the conversation does not begin with the user"
    if roles[-1] not in ("user", "tool"):
        return "the conversation ends with the assistant"
    for one, other in pairwise(roles):
        if one == other != "tool" or (other == "system"):
            return f"{other} after {one}"
    return None


def _results(messages: Sequence[Mapping[str, Any]]) -> str | None:
    ids = [call["id"] for each in messages for call in each.get("tool_calls", ())]
    if duplicate(ids):
        return "two tool calls of one id"
    wanted: list[str] = []
    for each in messages:
        if each["role"] == "tool":
            if each["tool_call_id"] not in wanted:
                return "a result without its call"
            wanted.remove(each["tool_call_id"])
        elif wanted:
            return "a call without its result"
        wanted += [call["id"] for call in each.get("tool_calls", ())]
    return "a call without its result" if wanted else None


def _by_the_sdk(url: str) -> dict[str, object]:
    return {**CASE.options(url), "client": "sdk"}


CASE = Case(
    name="openai",
    needs=frozenset(
        ["choices", "delta", "content", "tool_calls", "function", "name", "arguments", "index"]
    ),
    stage="llm",
    provider=LanguageModel,
    options=lambda url: {"base_url": f"{url}/v1", "model": "m", "key_variable": "GROQ_API_KEY"},
    wire=lambda plan: Server(plan, Chat()),
    variable="GROQ_API_KEY",
)

CASES = (CASE, replace(CASE, name="openai, by its SDK", options=_by_the_sdk))
