"""Anthropic's language models, by its Messages API.

https://platform.claude.com/docs/en/api/messages. Plain aiohttp rather than the ``anthropic``
package: that brings OpenTelemetry, takes 40 MB of memory besides the ``openai`` package, 0.7 s to
import and twice the time for each event (measured with 2.13), to read six kinds of event.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import structlog
from pydantic import BaseModel, Field, SecretStr

from pipelines.conversation import Brief, Message, Tokens, ToolCall
from pipelines.providers.contracts import ContextTooLongError, Piece, ProviderError
from pipelines.providers.transport.bodies import chunks, read_out
from pipelines.providers.transport.failures import reported
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.keys import find_key
from pipelines.providers.transport.reading import SEVERAL, Count, Words, objects, read
from pipelines.providers.transport.refusals import Refusals
from pipelines.providers.transport.refused_options import EFFORT, TOOLS
from pipelines.settings import Section

from .partial_call import PartialCall, unreadable_call
from .prompt import call_ids, longest, plain_id, system_message, tool_name, turns

log = structlog.get_logger()

KEY = "ANTHROPIC_API_KEY"

VERSION = "2023-06-01"
"""Of the API; there is no newer one."""

SILENCE = 10.0
"""Seconds without a byte after which a reply fails; a server that is at work sends pings. The call
gives up much earlier; this is for whoever has no deadline of their own."""

CUT_SHORT = ("max_tokens", "model_context_window_exceeded", "refusal")
"""Reasons to stop before the reply is whole."""


class _Usage(BaseModel):
    input_tokens: Count = None
    """Those that are neither read from the cache nor written to it."""

    cache_creation_input_tokens: Count = None
    cache_read_input_tokens: Count = None
    output_tokens: Count = None


class _Message(BaseModel):
    usage: _Usage = Field(default_factory=_Usage)


class _Block(BaseModel):
    type: str = ""
    text: Words = ""
    """Of a block of type ``text``; mostly it comes in deltas."""

    id: str = ""
    name: str = ""
    input: Any = None
    """Empty, of Anthropic; some gateways have the arguments here."""


class _Delta(BaseModel):
    type: str = ""
    text: Words = ""
    partial_json: Any = None
    stop_reason: Any = None


class _Event(BaseModel):
    """Any event; each type has a few of the fields."""

    type: str = ""
    index: int | None = None
    message: _Message = Field(default_factory=_Message)
    content_block: _Block = Field(default_factory=_Block)
    delta: _Delta = Field(default_factory=_Delta)
    usage: _Usage = Field(default_factory=_Usage)
    error: Any = None

    content: Annotated[tuple[_Block, ...], SEVERAL] = ()
    """All of it, of a server that does not stream; so is what follows."""

    stop_reason: Any = None


@dataclass(slots=True)
class _Reply:
    """A reply, as far as it has arrived."""

    said: bool = False
    calls: list[PartialCall] = field(default_factory=list)
    blocks: dict[int, PartialCall | None] = field(default_factory=dict)
    """By their index: calls, and None for those that are neither that nor text."""

    block: int = -1
    """The latest that has begun."""

    stop_reason: str | None = None
    usage: _Usage = field(default_factory=_Usage)
    over: bool = False

    def take(self, event: _Event, name: str) -> str:
        """Take an event; return the text in it.

        Args:
            event: Its data. There are types that we do not know, and more may come, says the
                documentation.
            name: Of the event: its type once more.

        Raises:
            ProviderError: If it is an error, or out of place.
        """
        match event.type or name:
            case "message":
                self.usage = event.usage
                self.stop_reason = str(event.stop_reason or "") or self.stop_reason
                return "".join(self._begin(None, block) for block in event.content)
            case "message_start":
                self.usage = event.message.usage
            case "content_block_start":
                return self._begin(event.index, event.content_block)
            case "content_block_delta":
                return self._add(event.index, event.delta)
            case "message_delta":
                self.stop_reason = str(event.delta.stop_reason or "") or self.stop_reason
                known = event.usage.model_dump(exclude_none=True)  # sums so far, not all of them
                self.usage = self.usage.model_copy(update=known)
            case "message_stop":
                self.over = True
            case "error":
                raise reported(event.error)
        return ""

    def _begin(self, index: int | None, block: _Block) -> str:
        self.block = self.block + 1 if index is None else index
        self.blocks.pop(self.block, None)
        if block.type == "tool_use" or (not block.type and block.name):
            self._call(self.block, PartialCall(block.name, block.id)).add(block.input or None)
        elif block.type not in ("text", ""):
            self.blocks[self.block] = None
        return block.text if block.type in ("text", "") else ""

    def _add(self, index: int | None, delta: _Delta) -> str:
        index = self.block if index is None else index
        if index in self.blocks and self.blocks[index] is None:
            return ""
        if delta.partial_json:
            call = self.blocks.get(index) or self._call(index, PartialCall())
            call.add(delta.partial_json)
        return delta.text if delta.type in ("text_delta", "") else ""

    def _call(self, index: int, call: PartialCall) -> PartialCall:
        self.calls.append(call)
        self.blocks[index] = call
        return call

    def whole(self) -> list[ToolCall]:
        """Return the tool calls, now that the stream has ended.

        Raises:
            ProviderError: If the reply is not whole, so far as that matters.
        """
        if self.stop_reason is None and not self.over:
            raise ProviderError("llm", "the reply broke off")
        if self.stop_reason in CUT_SHORT:
            log.warning("reply cut off", reason=self.stop_reason)
            if any(each.begun for each in self.calls):  # half of the last one may look whole
                raise unreadable_call()
            if self.stop_reason == "model_context_window_exceeded" and not self.said:
                raise ContextTooLongError
            if self.stop_reason == "refusal" and not self.said:
                raise ProviderError("llm", "the model refused to answer")
        return [call for each in self.calls for call in each.whole()]

    def tokens(self) -> Tokens:
        """Return what the reply has cost."""
        usage = self.usage
        cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
        read = (usage.input_tokens or 0) + written + cached
        return Tokens(*(max(0, count) for count in (read, usage.output_tokens or 0, cached)))


class LanguageModel:
    """Ask one of Anthropic's models."""

    class Options(Section):
        """What can be chosen."""

        model: str = Field(
            default="claude-haiku-5-5",
            min_length=1,
            description=(
                "Model name. The default is the fastest current one; it caches prompts from 512 "
                "tokens on, and will not be closed before October 2027."
            ),
        )
        api_key: SecretStr | None = Field(
            default=None,
            description="Key. Unset: from ANTHROPIC_API_KEY, or the file ANTHROPIC_API_KEY_FILE.",
        )
        base_url: str = Field(
            default="https://api.anthropic.com",
            pattern="^https?://",
            description="URL, up to and without /v1/messages. The key is sent there.",
        )
        max_tokens: int = Field(
            default=300,
            ge=1,
            description=(
                "Tokens in a reply, the model's thinking included; a longer one is cut off. 300 "
                "are a minute of speech, more than a caller listens to."
            ),
        )
        effort: Literal["low", "medium", "high", "xhigh", "max"] | None = Field(
            default=None,
            description=(
                "How hard the model thinks before it speaks, which is silence on the line. Unset: "
                "it does not think. The largest models always do, and refuse a request to the "
                "contrary: give them low, and more max_tokens."
            ),
        )

    def __init__(self, options: Options) -> None:
        self._options = options
        self._http = Http("llm", options.base_url)
        self._refusals = Refusals()
        self._refusals_of_forms = Refusals()  # which calls are not to suffer from

    async def start(self) -> None:
        """Find the key; sends nothing.

        Raises:
            ProviderError: If there is none.
        """
        options = self._options
        key = find_key("llm", options.api_key, KEY)
        headers = {"x-api-key": key, "anthropic-version": VERSION}
        await self._http.start(headers)
        log.info("Anthropic ready", model=options.model)

    async def warm(self) -> None:
        """Open a connection, if none is idle."""
        await self._http.warm()

    async def aclose(self) -> None:
        """Close all connections. Replies under way fail with ProviderError; so do later ones."""
        await self._http.aclose()

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        """Yield the text as it comes; once it is whole, what tools are asked for, and its cost.

        A reply cut off by ``max_tokens`` ends without an error: what there is of it is better heard
        than thrown away; so does one that the model refuses to go on with. Closing the generator
        closes the connection of a reply that is not whole.

        Raises:
            ProviderError: If the server fails, breaks off, or refuses; or if a tool call cannot be
                read, or was cut off.
        """
        refusals = self._refusals_of_forms if brief.form else self._refusals
        asking = refusals.asking(
            self._http,
            "/v1/messages",
            lambda refused: _request(self._options, brief, conversation, refused),
            head_within=SILENCE,
        )
        reply = _Reply()
        async with (
            asking as answer,
            aclosing(chunks(answer, SILENCE)) as received,
            aclosing(objects(received)) as events,
        ):
            async for name, event in events:
                if event is None:  # Anthropic does not say so; gateways do
                    reply.over = True
                elif text := reply.take(read(_Event, event), name):
                    reply.said = True
                    yield text
                if reply.over:
                    await read_out(received)
                    break
        for call in reply.whole():
            yield call
        yield reply.tokens()


def _request(
    options: LanguageModel.Options,
    brief: Brief,
    conversation: Sequence[Message],
    refused: Collection[str],
) -> tuple[dict[str, Any], Collection[str]]:
    """Return the request, and what it can do without.

    Args:
        options: How to ask.
        brief: What the model knows.
        conversation: What was said.
        refused: What the server does not take.
    """
    tools = [
        {"name": spec.name, "description": spec.description, "input_schema": dict(spec.parameters)}
        for spec in brief.tools
        if TOOLS not in refused
    ]
    body: dict[str, Any] = {
        "model": options.model,
        "max_tokens": longest(options.max_tokens, brief),
        "stream": True,
        "messages": _messages(turns(conversation, tools=bool(tools))),
    }
    if system := system_message(brief):
        # What is cached ends here: the tools, which come first, and the system prompt.
        cache = {"type": "ephemeral"}
        body["system"] = [{"type": "text", "text": system, "cache_control": cache}]
    if tools:
        body["tools"] = tools
        if brief.form:
            body["tool_choice"] = {"type": "tool", "name": brief.form}
        elif not brief.may_call_tools:
            body["tool_choice"] = {"type": "none"}
    thinks = options.effort is not None and not brief.form  # a model that thinks is not forced
    body["thinking"] = {"type": "adaptive" if thinks else "disabled"}
    if thinks:
        body[EFFORT] = {"effort": options.effort}
    body = {name: value for name, value in body.items() if name not in refused}
    dispensable = {"thinking", EFFORT, TOOLS} | ({"tool_choice"} if brief.form else set())
    return body, dispensable & body.keys()


def _messages(lines: Sequence[Message]) -> list[dict[str, Any]]:
    """Return the conversation as the server wants it.

    Roles alternate; results are the caller's, and come before what the caller says next.
    """
    messages: list[dict[str, Any]] = []
    for line, ids in zip(lines, call_ids(lines, plain_id), strict=True):
        named = list(zip(ids, line.results, strict=True))
        blocks: list[dict[str, Any]] = [{"type": "text", "text": line.text}] if line.text else []
        blocks += [_use(id_, result.call) for id_, result in named]
        if messages and messages[-1]["role"] == line.role:  # after results
            messages[-1]["content"] += blocks
        else:
            messages.append({"role": line.role, "content": blocks})
        if named:
            results = [_result(id_, result.text, failed=result.failed) for id_, result in named]
            messages.append({"role": "user", "content": results})
    return messages


def _use(id_: str, call: ToolCall) -> dict[str, Any]:
    return {"type": "tool_use", "id": id_, "name": tool_name(call), "input": dict(call.arguments)}


def _result(id_: str, text: str, *, failed: bool) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": id_}
    if text.strip():  # blank text is refused
        block["content"] = text
    if failed:
        block["is_error"] = True
    return block
