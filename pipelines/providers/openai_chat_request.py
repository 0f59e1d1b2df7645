"""What a chat completions server is asked, and what can be left out if it refuses that."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any, Protocol

from pipelines.conversation import Brief, Message, ToolCall
from pipelines.providers.transport.refused_options import SYSTEM, TOOLS

from .openai_hosts import AZURE, OPENAI, is_at
from .prompt import call_ids, longest, plain_id, system_message, tool_name, turns

LIMITS = ("max_completion_tokens", "max_tokens")
"""Names of the limit on a reply. OpenAI's reasoning models refuse the older; not all other servers
know the newer."""

DISPENSABLE = (
    "stream_options",
    "temperature",
    *LIMITS,
    "reasoning_effort",
    "service_tier",
    "tool_choice",
)
"""What a reply can be had without."""


class Wanted(Protocol):
    """What of the options is sent."""

    @property
    def model(self) -> str:
        """Return the name of the model."""
        ...

    @property
    def base_url(self) -> str:
        """Return whom it is sent to."""
        ...

    @property
    def temperature(self) -> float | None:
        """Return it, if it is given."""
        ...

    @property
    def max_tokens(self) -> int:
        """Return the tokens of the longest reply."""
        ...

    @property
    def reasoning_effort(self) -> str | None:
        """Return it, if it is given."""
        ...

    @property
    def service_tier(self) -> str | None:
        """Return it, if it is given."""
        ...

    @property
    def tools(self) -> bool:
        """Return whether to tell of tools."""
        ...


def request(
    wanted: Wanted, brief: Brief, conversation: Sequence[Message], refused: Collection[str]
) -> dict[str, Any]:
    """Return the body of a request.

    Args:
        wanted: How to ask.
        brief: What the model knows.
        conversation: What was said.
        refused: What the server does not take (:func:`dispensable`).
    """
    tools = _tools(brief) if wanted.tools and TOOLS not in refused else []
    newer = any(is_at(wanted.base_url, host) for host in (OPENAI, AZURE))
    limits = [name for name in (LIMITS if newer else reversed(LIMITS)) if name not in refused]
    body: dict[str, Any] = {
        "model": wanted.model,
        "messages": _messages(
            brief, turns(conversation, tools=bool(tools)), apart=SYSTEM not in refused
        ),
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": wanted.temperature,
        "reasoning_effort": wanted.reasoning_effort,
        "service_tier": wanted.service_tier,
    }
    if limits:
        body[limits[0]] = longest(wanted.max_tokens, brief)
    if tools:
        body["tools"] = tools
        if brief.form:
            body["tool_choice"] = {"type": "function", "function": {"name": brief.form}}
        elif not brief.may_call_tools:
            # Rather than no tools at all: servers refuse results of tools that they are not told
            # of, and what they have cached of the prompt begins with the tools.
            body["tool_choice"] = "none"
    return {
        name: value for name, value in body.items() if value is not None and name not in refused
    }


def dispensable(body: dict[str, Any]) -> list[str]:
    """Return what could be left out of a request, as :func:`request` takes it."""
    names = [name for name in DISPENSABLE if name in body]
    if body["messages"][0]["role"] == "system":
        names.append(SYSTEM)
    if "tools" in body:
        names.append(TOOLS)
    return names


def _messages(brief: Brief, lines: Sequence[Message], *, apart: bool) -> list[dict[str, Any]]:
    """Return the brief and the conversation as the server wants them.

    Args:
        brief: Its prompt comes first.
        lines: The conversation, which the caller begins.
        apart: Whether the prompt is a message of its own; else it begins the caller's first.
    """
    messages: list[dict[str, Any]] = []
    system = system_message(brief)
    if system and apart:
        messages.append({"role": "system", "content": system})
    for line, ids in zip(lines, call_ids(lines, plain_id), strict=True):
        if line.role == "user":
            text = f"{system}\n\n{line.text}" if system and not messages else line.text
            messages.append({"role": "user", "content": text})
        elif not line.results:
            messages.append({"role": "assistant", "content": line.text})
        else:
            calls = [_asked(r.call, id_) for id_, r in zip(ids, line.results, strict=True)]
            said = line.text or None  # as the servers themselves write it
            messages.append({"role": "assistant", "content": said, "tool_calls": calls})
        for id_, result in zip(ids, line.results, strict=True):
            messages.append({"role": "tool", "tool_call_id": id_, "content": result.text})
    return messages


def _asked(call: ToolCall, id_: str) -> dict[str, Any]:
    arguments = json.dumps(dict(call.arguments), ensure_ascii=False)
    function = {"name": tool_name(call), "arguments": arguments}
    return {"id": id_, "type": "function", "function": function}


def _tools(brief: Brief) -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "function": {
                "name": spec.name,
                "description": spec.description,
                "parameters": dict(spec.parameters),
            },
        }
        for spec in brief.tools
    ]
