"""Google's Gemini models, by the Gemini API.

https://ai.google.dev/api/generate-content. Plain aiohttp rather than the ``google-genai`` package:
that brings google-auth, requests, tenacity and websockets, for one POST that streams.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel

from pipelines.conversation import Brief, Message, Tokens, ToolCall, ToolResult, ToolSpec
from pipelines.providers.contracts import Piece, ProviderError
from pipelines.providers.transport.bodies import chunks
from pipelines.providers.transport.failures import is_error, reported
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.keys import find_key
from pipelines.providers.transport.reading import SEVERAL, Count, Words, objects, read
from pipelines.providers.transport.refusals import Refusals
from pipelines.providers.transport.refused_options import SYSTEM, THINKING_LEVEL, TOOLS
from pipelines.settings import Section

from .partial_call import PartialCall, unreadable_call
from .prompt import call_ids, longest, system_message, tool_name, turns

log = structlog.get_logger()

KEY = "GEMINI_API_KEY"

SILENCE = 10.0
"""Seconds without a byte after which a reply fails. The call gives up much earlier; this is for
whoever has no deadline of their own."""

UNSIGNED = ("gemini-1", "gemini-2", "gemma")
"""Models that do not insist on signatures of tool calls."""

NO_SIGNATURE = "skip_thought_signature_validator"
"""In place of the signature of a tool call that another model made; documented for that
(https://ai.google.dev/gemini-api/docs/thought-signatures)."""

_ID = "gemini:"
"""Begins :attr:`ToolCall.id`; behind it the call's signature, a colon, and Google's own id."""

FULL = "MAX_TOKENS"
"""The reason to finish of a reply that grew too long."""

CUT_SHORT = {
    FULL,
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
}
"""Reasons to finish before the reply is whole: its length, and filters. So is one with ``CALL`` in
it, a mistake of the model's. Any other, of a new version or of a gateway's, means that it is."""


NO_THOUGHT = {"none", "null", "false", "0", ""}
"""What says that a part is none, in small letters."""


class _Wire(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)  # as gRPC has them


class _FunctionCall(_Wire):
    id: str = ""
    name: str = ""
    args: Any = None


class _Part(_Wire):
    text: Words = ""
    thought: Any = None
    """Whether the text is no part of the reply; of some gateways a text, or an object."""

    function_call: _FunctionCall | None = None
    thought_signature: str = ""


class _Content(_Part):
    """Some gateways have parts in its place."""

    parts: Annotated[tuple[_Part, ...], SEVERAL] = ()


class _Candidate(_Wire):
    content: Annotated[tuple[_Content, ...], SEVERAL] = ()
    """One; some gateways send a list."""

    finish_reason: Any = None


class _Feedback(_Wire):
    block_reason: Any = None


class _Usage(_Wire):
    prompt_token_count: Count = None
    """Cached ones included."""

    cached_content_token_count: Count = None
    candidates_token_count: Count = None
    thoughts_token_count: Count = None

    def tokens(self) -> Tokens:
        written = (self.candidates_token_count or 0) + (self.thoughts_token_count or 0)
        counts = (self.prompt_token_count or 0, written, self.cached_content_token_count or 0)
        return Tokens(*(max(0, count) for count in counts))


class _Chunk(_Wire):
    candidates: Annotated[tuple[_Candidate, ...], SEVERAL] = ()
    prompt_feedback: _Feedback = Field(default_factory=_Feedback)
    usage_metadata: _Usage | None = None
    error: Any = None
    """What went wrong after the head of the answer was sent."""

    @property
    def parts(self) -> Iterator[_Part]:
        for candidate in self.candidates:
            for content in candidate.content:
                yield from (content, *content.parts)


@dataclass(slots=True)
class _Reply:
    """A reply, as far as it has arrived."""

    said: bool = False
    calls: list[ToolCall] = field(default_factory=list)
    finish_reason: str = ""
    usage: _Usage | None = None

    def take(self, chunk: _Chunk) -> str:
        """Take what has arrived; return the text in it.

        Raises:
            ProviderError: If it is an error, or the prompt is refused.
        """
        if is_error(chunk.error):
            raise reported(chunk.error)
        if str(chunk.prompt_feedback.block_reason or "UNSPECIFIED").endswith("UNSPECIFIED"):
            return self._take(chunk)
        raise ProviderError("llm", "the prompt was blocked by a filter", retryable=False)

    def _take(self, chunk: _Chunk) -> str:
        self.usage = chunk.usage_metadata or self.usage  # sums so far
        texts = []
        for candidate in chunk.candidates:
            self.finish_reason = str(candidate.finish_reason or self.finish_reason).upper()
        for part in chunk.parts:
            if part.function_call:
                self.calls += _calls(part.function_call, part.thought_signature)
            if str(part.thought).lower() in NO_THOUGHT:
                texts.append(part.text)
        text = "".join(texts)
        self.said = self.said or bool(text)
        return text

    def check_whole(self) -> None:
        """Check, now that the stream has ended, that the reply is of use.

        Raises:
            ProviderError: If it is not.
        """
        if not self.finish_reason:
            raise ProviderError("llm", "the reply broke off")
        mistaken = "CALL" in self.finish_reason  # MALFORMED_FUNCTION_CALL and the like
        if self.finish_reason not in CUT_SHORT and not mistaken:
            return
        log.warning("reply cut off", whole=self.finish_reason == FULL)
        if self.calls or mistaken:
            raise unreadable_call()
        if self.finish_reason != FULL and not self.said:
            raise ProviderError("llm", "the reply was blocked by a filter")


class LanguageModel:
    """Ask one of Google's models."""

    class Options(Section):
        """What can be chosen."""

        model: str = Field(
            default="gemini-3.5-flash-lite",
            pattern="^[A-Za-z0-9._-]+$",
            description=(
                "Model name. The default is the fastest of the current ones, and hardly thinks "
                "before it speaks."
            ),
        )
        api_key: SecretStr | None = Field(
            default=None,
            description=(
                "Key. Unset: GEMINI_API_KEY, or the file that GEMINI_API_KEY_FILE has. "
                "GOOGLE_API_KEY is not looked at: it may be for other services of Google's."
            ),
        )
        base_url: str = Field(
            default="https://generativelanguage.googleapis.com",
            pattern="^https?://",
            description="URL, up to and without /v1beta. The key is sent there.",
        )
        max_tokens: int = Field(
            default=300,
            ge=1,
            description=(
                "Tokens in a reply, the model's thinking included; a longer one is cut off. 300 "
                "are a minute and a half of speech, more than a caller listens to."
            ),
        )
        thinking_level: Literal["minimal", "low", "medium", "high"] | None = Field(
            default="minimal",
            description=(
                "How much the model thinks before it speaks, which is silence on the line. Unset "
                "leaves it to the model: those before Gemini 3 do not know the field, and not all "
                "later ones can think as little as minimal."
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
        headers = {"x-goog-api-key": find_key("llm", options.api_key, KEY)}
        await self._http.start(headers)
        log.info("Gemini ready", model=options.model)

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

        A reply cut off by ``max_tokens`` or by a filter ends without an error: what there is of it
        is better heard than thrown away. Closing the generator closes the connection of a reply
        that is not whole.

        Raises:
            ProviderError: If the server fails, breaks off, or blocks all of it; or if a tool call
                cannot be read.
        """
        path = f"/v1beta/models/{self._options.model}:streamGenerateContent"
        refusals = self._refusals_of_forms if brief.form else self._refusals
        asking = refusals.asking(
            self._http,
            path,
            lambda refused: _request(self._options, brief, conversation, refused),
            params={"alt": "sse"},
            head_within=SILENCE,
        )
        reply = _Reply()
        async with (
            asking as answer,
            aclosing(chunks(answer, SILENCE)) as received,
            aclosing(objects(received)) as events,
        ):
            async for _, event in events:
                if event is None:  # Google does not say so; gateways do
                    reply.finish_reason = reply.finish_reason or "STOP"
                    continue
                if isinstance(inner := event.get("response"), dict):  # Code Assist, gateways
                    event = inner  # noqa: PLW2901 - all that is wanted
                if text := reply.take(read(_Chunk, event)):
                    yield text
        reply.check_whole()
        for call in reply.calls:
            yield call
        if reply.usage:
            yield reply.usage.tokens()


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
        refused: What the server does not take, such as a prompt of its own for Gemma.
    """
    signed = not options.model.startswith(UNSIGNED)
    tools = brief.tools if TOOLS not in refused else ()
    lines = turns(conversation, tools=bool(tools))
    config: dict[str, Any] = {"maxOutputTokens": longest(options.max_tokens, brief)}
    dispensable = []
    if options.thinking_level is not None and THINKING_LEVEL not in refused:
        config["thinkingConfig"] = {THINKING_LEVEL: options.thinking_level}
        dispensable.append(THINKING_LEVEL)
    body: dict[str, Any] = {
        "contents": _contents(lines, signed=signed),
        "generationConfig": config,
    }
    if system := system_message(brief):
        if SYSTEM in refused:
            body["contents"][0]["parts"].insert(0, {"text": system})
        else:
            body["systemInstruction"] = {"parts": [{"text": system}]}
            dispensable.append(SYSTEM)
    if tools:
        dispensable.append(TOOLS)
        body["tools"] = [{"functionDeclarations": list(map(_declaration, tools))}]
        if brief.form or not brief.may_call_tools:
            forced = {"mode": "ANY", "allowedFunctionNames": [brief.form]}
            mode = forced if brief.form else {"mode": "NONE"}
            body["toolConfig"] = {"functionCallingConfig": mode}
    return body, dispensable


def _declaration(spec: ToolSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "description": spec.description,
        # Any JSON Schema; `parameters` takes a subset of OpenAPI's alone.
        "parametersJsonSchema": dict(spec.parameters),
    }


def _contents(lines: Sequence[Message], *, signed: bool) -> list[dict[str, Any]]:
    """Return the conversation as the server wants it.

    A call comes right after the caller's words or results, and its results right after it, in a
    content of their own.

    Args:
        lines: The conversation.
        signed: Whether the first call of a message needs a signature.
    """
    contents: list[dict[str, Any]] = []
    for line, ids in zip(lines, call_ids(lines, _own_id), strict=True):
        named = list(zip(ids, line.results, strict=True))
        parts: list[dict[str, Any]] = [{"text": line.text}] if line.text else []
        for first, (id_, result) in zip([True, *[False] * len(named)], named, strict=False):
            parts.append(_called(id_, result.call, must_be_signed=signed and first))
        contents.append({"role": "model" if line.role == "assistant" else "user", "parts": parts})
        if named:
            results = [_responded(id_, result) for id_, result in named]
            contents.append({"role": "user", "parts": results})
    return contents


def _called(id_: str, call: ToolCall, *, must_be_signed: bool) -> dict[str, Any]:
    function = {"id": id_, "name": tool_name(call), "args": dict(call.arguments)}
    part: dict[str, Any] = {"functionCall": function}
    signature = call.id.removeprefix(_ID).partition(":")[0] if call.id.startswith(_ID) else ""
    if signature or must_be_signed:
        part["thoughtSignature"] = signature or NO_SIGNATURE
    return part


def _responded(id_: str, result: ToolResult) -> dict[str, Any]:
    response = {"error" if result.failed else "output": result.text}
    return {"functionResponse": {"id": id_, "name": tool_name(result.call), "response": response}}


def _own_id(call: ToolCall) -> str:
    return call.id.removeprefix(_ID).partition(":")[2] if call.id.startswith(_ID) else ""


def _calls(call: _FunctionCall, signature: str) -> list[ToolCall]:
    """Return a tool call whose name tells all that has to be sent back with it.

    Raises:
        ProviderError: If the tool has no name, or its arguments cannot be read.
    """
    partial = PartialCall(call.name, f"{_ID}{signature}:{call.id}")
    partial.add(call.args)
    return partial.whole()
