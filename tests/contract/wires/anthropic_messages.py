"""Messages of Anthropic: https://platform.claude.com/docs/en/api/messages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiohttp import web

from pipelines.providers.anthropic_messages import LanguageModel
from tests.contract.case import Case, Plan
from tests.contract.events import Server, cut, dumped, duplicate

NAME = re.compile("[A-Za-z0-9_-]{1,64}")


def event(name: str, **fields: object) -> bytes:
    """Return a server-sent event."""
    return f"event: {name}\ndata: {dumped({'type': name, **fields})}\n\n".encode()


def start(**usage: int) -> bytes:
    """Return the event that begins a reply."""
    message: dict[str, object] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-5-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 1, **usage},
    }
    return event("message_start", message=message)


def text_start(index: int) -> bytes:
    """Return the event that begins a block of text."""
    return event("content_block_start", index=index, content_block={"type": "text", "text": ""})


def said(text: str, index: int = 0) -> bytes:
    """Return some text."""
    delta = {"type": "text_delta", "text": text}
    return event("content_block_delta", index=index, delta=delta)


def tool_start(index: int, name: str, id_: str) -> bytes:
    """Return the event that begins a tool call."""
    block = {"type": "tool_use", "id": id_, "name": name, "input": {}}
    return event("content_block_start", index=index, content_block=block)


def tool_json(index: int, json: str) -> bytes:
    """Return a fragment of a tool's arguments."""
    delta = {"type": "input_json_delta", "partial_json": json}
    return event("content_block_delta", index=index, delta=delta)


def stop(index: int) -> bytes:
    """Return the event that ends a block."""
    return event("content_block_stop", index=index)


def end(reason: str, **usage: int) -> bytes:
    """Return the events that end a reply."""
    delta = {"stop_reason": reason, "stop_sequence": None}
    counted = {"output_tokens": 7, **usage}
    return event("message_delta", delta=delta, usage=counted) + event("message_stop")


class Messages:
    """Streams blocks, one after the other."""

    path = "/v1/messages"

    def key(self, request: web.Request) -> str:
        """Return the key; a request without a version is refused."""
        assert request.headers["anthropic-version"] == "2023-06-01"
        return request.headers["x-api-key"]

    def mistake(self, body: Mapping[str, Any]) -> str | None:
        """Return what is wrong with a request."""
        return mistake(body)

    def error(self, status: int, text: str) -> object:
        """Return an error as Anthropic words it."""
        kind = {401: "authentication_error", 429: "rate_limit_error"}.get(status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_1"}

    def events(self, plan: Plan, body: Mapping[str, Any]) -> Iterator[bytes]:
        """Yield a reply."""
        tokens = plan.tokens
        written = 3
        fresh = tokens.input - tokens.cached - written
        yield start(
            input_tokens=fresh,
            cache_creation_input_tokens=written,
            cache_read_input_tokens=tokens.cached,
        )
        yield event("ping")
        if plan.fault == "garbage":
            yield b'event: content_block_delta\ndata: {"type": "content_block_delta", \xff\n\n'
            return
        if plan.fault == "error":
            overloaded = {"type": "overloaded_error", "message": " ".join(plan.secrets)}
            yield event("error", error=overloaded)
            return
        if plan.fault != "empty":
            yield from _blocks(plan)
        if plan.fault != "early":
            yield end("tool_use" if plan.calls else "end_turn", output_tokens=tokens.output)


def _blocks(plan: Plan) -> Iterator[bytes]:
    if plan.text:
        yield text_start(0)
        for piece in cut(plan.text):
            yield said(piece)
            if plan.fault == "early":
                return
        yield stop(0)
    for at, call in enumerate(plan.calls, start=bool(plan.text)):
        yield tool_start(at, call.name, f"toolu_0{at}")
        yield tool_json(at, "")
        for piece in cut(dumped(call.arguments), 5):
            yield tool_json(at, piece)
        yield stop(at)


def mistake(body: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a request, by Anthropic's rules."""
    if not body.get("model") or body.get("stream") is not True or body.get("max_tokens", 0) < 1:
        return "no model, no stream or no max_tokens"
    if "temperature" in body:
        return "a sampling parameter"
    if any(not block["text"].strip() for block in body.get("system", ())):
        return "a blank system prompt"
    messages = body["messages"]
    kinds = {block["type"] for each in messages for block in each["content"]}
    if "tool_use" in kinds and not body.get("tools"):
        return "requests which include tool_use blocks must define tools"
    if "tool_choice" in body and "tools" not in body:
        return "tool_choice without tools"
    return _order(messages) or next(filter(None, map(_content, messages)), None) or _tools(messages)


def _order(messages: Sequence[Mapping[str, Any]]) -> str | None:
    roles = [each["role"] for each in messages]
    if roles[::2] != ["user"] * len(roles[::2]) or roles[1::2] != ["assistant"] * len(roles[1::2]):
        return f"roles do not alternate from the user on: {roles}"
    return None if len(roles) % 2 else "prefill is not supported"


def _content(message: Mapping[str, Any]) -> str | None:
    allowed = ("text", "tool_result") if message["role"] == "user" else ("text", "tool_use")
    if not message["content"]:
        return "a message without content"
    for block in message["content"]:
        if block["type"] not in allowed:
            return f"{block['type']} of the {message['role']}"
        if block["type"] == "text" and not block["text"].strip():
            return "text content blocks must contain non-whitespace text"
        if block["type"] == "tool_result" and not block.get("content", "x").strip():
            return "a blank result"
    kinds = [block["type"] for block in message["content"]]
    return (
        "results after text" if kinds != sorted(kinds, reverse=allowed[1] != "tool_use") else None
    )


def _tools(messages: Sequence[Mapping[str, Any]]) -> str | None:
    used: list[str] = []
    wanted: list[str] = []
    for each in messages:
        results = [b["tool_use_id"] for b in each["content"] if b["type"] == "tool_result"]
        if results != wanted:
            return f"results of {results}, not of {wanted}"
        calls = [block for block in each["content"] if block["type"] == "tool_use"]
        wanted = [block["id"] for block in calls]
        used += wanted
        if not all(NAME.fullmatch(b["name"]) and isinstance(b["input"], dict) for b in calls):
            return "a tool call with a bad name or input"
    if wanted or duplicate(used) or not all(map(NAME.fullmatch, used)):
        return f"ids of tool calls: {used}"
    return None


CASE = Case(
    name="anthropic",
    needs=frozenset(["delta", "text", "content_block", "name", "partial_json", "index"]),
    stage="llm",
    provider=LanguageModel,
    options=lambda url: {"base_url": url},
    wire=lambda plan: Server(plan, Messages()),
    variable="ANTHROPIC_API_KEY",
)
