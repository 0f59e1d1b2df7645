"""Any language model behind OpenAI's chat completions: OpenAI, vLLM, Ollama, Groq, OpenRouter.

https://developers.openai.com/api/reference/resources/chat. A reply is one streamed request. The
SDK's own retries are off: a caller who waits is better served by the next provider than by a third
attempt. Only an empty reply, which some servers give now and then
(https://github.com/pipecat-ai/pipecat/issues/4292), is asked for once more.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Iterable, MutableMapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import httpx2
import openai
import structlog
from openai.types.chat import (
    ChatCompletionChunk,
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageParam,
)
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from .base import END_CALL, PRESS_KEYS, TRANSFER_CALL, Brief, Message, ProviderError, ToolCall

log = structlog.get_logger()

OPENAI_URL = "https://api.openai.com/v1"

NO_KEY = "none"
"""Sent to a server that needs no key: the SDK insists on one."""

IDLE = 55.0
"""Seconds that an unused connection is kept, so that most turns of a call need no new TLS handshake
(the SDK's HTTP client keeps 5). Load balancers commonly drop idle ones after 60."""


def _tools(brief: Brief) -> list[ChatCompletionFunctionToolParam]:
    """Return what the model may do in this call."""
    tools = [
        _tool(
            END_CALL,
            "Hang up the phone. Use it once the caller has said goodbye or needs nothing more, and "
            "always write a short goodbye in the same message: the call ends after it was spoken.",
        )
    ]
    if brief.destinations:
        whom = " ".join(f"{d.name}: {d.when}." for d in brief.destinations)
        to = {"type": "string", "enum": [d.name for d in brief.destinations]}
        tools.append(
            _tool(
                TRANSFER_CALL,
                "Pass the caller on to somebody else. Always say so in a short sentence in the "
                f"same message: they are dialled after it was spoken. Whom, and when: {whom}",
                to=to,
            )
        )
    if brief.may_press_keys:
        tools.append(
            _tool(
                PRESS_KEYS,
                "Press keys of the telephone, to choose from a menu that answered the call. They "
                "are pressed after what you write in the same message was spoken; write nothing if "
                "a machine listens.",
                keys={"type": "string", "pattern": "^[0-9*#A-Dw]{1,32}$"},
            )
        )
    return tools


def _tool(name: str, description: str, **parameters: object) -> ChatCompletionFunctionToolParam:
    schema: dict[str, object] = {
        "type": "object",
        "properties": parameters,
        "additionalProperties": False,
    }
    if parameters:  # an empty list is an error by older drafts of JSON Schema
        schema["required"] = list(parameters)
    function = {"name": name, "description": description, "parameters": schema}
    return {"type": "function", "function": function}  # type: ignore[typeddict-item]


class _Wire(BaseModel):
    """What is read of the stream. The SDK does not check what it receives; this does."""

    model_config = ConfigDict(from_attributes=True)


class _Function(_Wire):
    name: str | None = None
    arguments: str | None = None


class _ToolDelta(_Wire):
    index: int | None = None
    function: _Function | None = None


class _Delta(_Wire):
    content: str | None = None
    tool_calls: tuple[_ToolDelta, ...] | None = None


class _Choice(_Wire):
    delta: _Delta
    finish_reason: str | None = None


class _Chunk(_Wire):
    choices: tuple[_Choice, ...]
    """One, or none in the chunk that only counts tokens."""


@dataclass(slots=True)
class _PartialCall:
    """A tool call, as far as it has arrived."""

    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def whole(self) -> ToolCall:
        """Return the call, now that the stream has ended.

        Raises:
            ProviderError: If the arguments are not a JSON object.
        """
        try:
            arguments = json.loads("".join(self.arguments) or "{}") or {}
        except ValueError:
            arguments = None
        if not self.name or not isinstance(arguments, dict):
            raise ProviderError("llm", "a tool call that cannot be read")
        return ToolCall(self.name, arguments)


class LanguageModel:
    """Ask a chat completions server."""

    class Options(BaseModel):
        """What can be chosen."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        model: str = Field(
            default="gpt-5.4-mini",
            min_length=1,
            description=(
                "Model name, as the server knows it. The default is the smallest current one of "
                "OpenAI's that has no shutdown date and answers without reasoning first."
            ),
        )
        base_url: str | None = Field(
            default=None,
            pattern="^https?://",
            description=(
                "URL, up to and without /chat/completions. Unset is OpenAI, whatever the "
                "environment says in OPENAI_BASE_URL."
            ),
        )
        api_key: SecretStr | None = Field(
            default=None,
            description=(
                "Key. Unset: OPENAI_API_KEY from the environment for OpenAI, none for another "
                "base_url, so that OpenAI's key never reaches another server."
            ),
        )
        temperature: float | None = Field(
            default=None,
            ge=0,
            le=2,
            description=(
                "0 is sober, 2 is wild. Unset leaves it to the server, because OpenAI's reasoning "
                "models refuse all values but their own."
            ),
        )
        max_tokens: int = Field(
            default=300,
            ge=1,
            description=(
                "Tokens in a reply, the model's reasoning included; a longer one is cut off. 300 "
                "are a minute and a half of speech, more than a caller listens to. Sent as "
                "max_completion_tokens to OpenAI, whose reasoning models refuse the older "
                "max_tokens, and as max_tokens to any other server, since not all know the newer."
            ),
        )
        tools: bool = Field(
            default=True,
            description=(
                "Whether the model may hang up, pass the caller on and press keys. Turn it off for "
                "a server that refuses tools: the caller then has to hang up."
            ),
        )
        connect_timeout: float = Field(
            default=3.0,
            gt=0,
            description=(
                "Seconds to connect, TLS included: one lost packet is sent again after one second, "
                "a second after three."
            ),
        )
        first_token_timeout: float = Field(
            default=5.0,
            gt=0,
            description=(
                "Seconds from the request to the first piece of the reply. Callers take a silence "
                "of this length for a dead line; healthy servers need 0.2 to 1."
            ),
        )
        gap_timeout: float = Field(
            default=3.0,
            gt=0,
            description=(
                "Seconds between two pieces of a reply: about the sentence that is being heard "
                "meanwhile."
            ),
        )

    def __init__(self, options: Options) -> None:
        self._options = options
        self._client: openai.AsyncOpenAI | None = None

    async def start(self) -> None:
        """Prepare the client; sends nothing.

        Raises:
            ProviderError: If OpenAI is to be asked and there is no key.
        """
        key = self._key()
        self._client = await asyncio.to_thread(self._build, key)
        log.info("chat completions ready", model=self._options.model)

    async def warm(self) -> None:
        """Open a connection, TLS and all, by asking for the list of models; any answer will do."""
        if self._client is None:
            return
        try:
            async with asyncio.timeout(self._options.connect_timeout):
                await self._client.models.list()
        except (openai.OpenAIError, httpx2.HTTPError, TimeoutError, ValueError) as error:
            log.debug("not warmed", error=type(error).__name__)

    async def aclose(self) -> None:
        """Close all connections. Replies under way fail with ProviderError; so do later ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[str | ToolCall, None]:
        """Yield the text as it comes, then what tools are asked for.

        A reply cut off by ``max_tokens`` or by the server's content filter ends without an error:
        what there is of it is better heard than thrown away. Closing the generator closes the
        connection of a reply that is not whole.

        Raises:
            ProviderError: If the server fails, is too slow, breaks off, or says nothing twice.
        """
        messages, tools = _messages(brief, conversation), _tools(brief)
        for _attempt in range(2):
            empty = True
            async with aclosing(self._attempt(messages, tools)) as pieces:
                async for piece in pieces:
                    empty = empty and isinstance(piece, str) and not piece.strip()
                    yield piece
            if not empty:
                return
            log.warning("empty reply", model=self._options.model)
        raise ProviderError("llm", "the reply is empty, twice")

    def _key(self) -> str:
        """Return the key to send.

        Raises:
            ProviderError: If OpenAI is to be asked and there is none.
        """
        options = self._options
        if options.api_key is not None:
            return options.api_key.get_secret_value()
        if options.base_url is not None:
            return NO_KEY
        if key := os.environ.get("OPENAI_API_KEY"):
            return key
        raise ProviderError("llm", "set OPENAI_API_KEY in the environment, or api_key, or base_url")

    def _build(self, key: str) -> openai.AsyncOpenAI:
        """Build the client. Blocks for about 0.1 s: certificates are read, modules imported."""
        options = self._options
        slowest = max(options.first_token_timeout, options.gap_timeout)
        client = openai.AsyncOpenAI(
            api_key=key,
            base_url=options.base_url or OPENAI_URL,
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(
                limits=httpx2.Limits(keepalive_expiry=IDLE),
                timeout=httpx2.Timeout(slowest, connect=options.connect_timeout),
            ),
        )
        _ = client.chat.completions  # imports itself when first used, which would hold up a call
        return client

    async def _attempt(
        self,
        messages: list[ChatCompletionMessageParam],
        tools: list[ChatCompletionFunctionToolParam],
    ) -> AsyncGenerator[str | ToolCall, None]:
        """Make one request. Yields nothing if the reply is empty.

        Raises:
            ProviderError: If it fails.
        """
        calls: dict[int, _PartialCall] = {}
        finish: str | None = None
        async with aclosing(self._choices(messages, tools)) as choices:
            async for choice in choices:
                _gather(choice.delta.tool_calls or (), calls)
                finish = choice.finish_reason or finish
                if choice.delta.content:
                    yield choice.delta.content
        if finish is None:
            raise ProviderError("llm", "the reply broke off")
        if finish in ("length", "content_filter"):
            log.warning("reply cut off", reason=finish, model=self._options.model)
        for call in calls.values():
            yield call.whole()

    async def _choices(
        self,
        messages: list[ChatCompletionMessageParam],
        tools: list[ChatCompletionFunctionToolParam],
    ) -> AsyncGenerator[_Choice, None]:
        """Yield what the server streams, as long as it comes in time.

        Raises:
            ProviderError: If it does not, or cannot be read.
        """
        now = asyncio.get_running_loop().time
        budget = self._options.first_token_timeout
        deadline = now() + budget
        begun = False
        # The errors that are caught are left out of those that are raised: they quote the server,
        # and it may quote the prompt, the words or the key.
        try:
            async with asyncio.timeout_at(deadline):
                stream = await self._open(messages, tools)
            async with stream:
                while True:
                    async with asyncio.timeout_at(deadline):
                        chunk = await anext(stream, None)
                    if chunk is None:
                        return
                    for choice in _Chunk.model_validate(chunk).choices:
                        begun = begun or bool(choice.delta.content or choice.delta.tool_calls)
                        yield choice
                    if begun:  # a first chunk often holds the role alone
                        budget = self._options.gap_timeout
                        deadline = now() + budget  # from when the next piece is wanted
        except TimeoutError:
            raise ProviderError("llm", f"nothing came for {budget:g} s") from None
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError) as error:
            raise ProviderError("llm", _explain(error)) from None
        except ValueError:  # not JSON, or not a chunk
            raise ProviderError("llm", "the server's answer cannot be read") from None

    async def _open(
        self,
        messages: list[ChatCompletionMessageParam],
        tools: list[ChatCompletionFunctionToolParam],
    ) -> openai.AsyncStream[ChatCompletionChunk]:
        """Send the request; return once the head of the answer is there."""
        options, client = self._options, self._client
        if client is None:
            raise ProviderError("llm", "the chat client is not started, or closed")
        ours = options.base_url is None
        return await client.chat.completions.create(
            model=options.model,
            messages=messages,
            stream=True,
            temperature=openai.omit if options.temperature is None else options.temperature,
            max_completion_tokens=options.max_tokens if ours else openai.omit,
            max_tokens=openai.omit if ours else options.max_tokens,
            tools=tools if options.tools else openai.omit,
        )


CUT_OFF = "—"
"""After words that the caller interrupted: a model takes a dash for that, and does not read it out,
as it would a remark in brackets."""


def _messages(brief: Brief, conversation: Sequence[Message]) -> list[ChatCompletionMessageParam]:
    """Return the brief and the conversation as the server wants them."""
    messages: list[ChatCompletionMessageParam] = []
    if system := system_message(brief):
        messages.append({"role": "system", "content": system})
    for message in conversation:
        if message.role == "user":
            messages.append({"role": "user", "content": message.text})
        else:
            text = f"{message.text} {CUT_OFF}" if message.cut_off else message.text
            messages.append({"role": "assistant", "content": text})
    return messages


def system_message(brief: Brief) -> str:
    """Return the prompt, then the facts and the questions as plain lists.

    It is the same all call, so that servers that cache the beginning of a prompt can.
    """
    parts = [brief.prompt.strip()]
    if brief.facts:
        parts.append("\n".join(["Facts:", *(f"- {fact}" for fact in brief.facts)]))
    if brief.questions:
        answers = [f"- {' / '.join(each.asked)}\n  {each.answer}" for each in brief.questions]
        parts.append("\n".join(["Frequent questions, each with its answer:", *answers]))
    return "\n\n".join(part for part in parts if part)


def _gather(deltas: Iterable[_ToolDelta], calls: MutableMapping[int, _PartialCall]) -> None:
    """Add the fragments in ``deltas`` to ``calls``, which are by index."""
    for delta in deltas:
        call = calls.setdefault(delta.index or 0, _PartialCall())
        if delta.function:
            call.name = delta.function.name or call.name  # whole, in the first fragment
            call.arguments.append(delta.function.arguments or "")


_STATUS = {
    401: ": the key is refused",
    403: ": the key is refused",
    404: ": the server does not know the model or the URL",
    429: ": too many requests, or no credit",
}


def _explain(error: Exception) -> str:
    """Say what went wrong, without the server's own words."""
    match error:
        case openai.APIStatusError(status_code=status):
            return f"HTTP {status}{_STATUS.get(status, '')}"
        case openai.APITimeoutError():
            return "no connection in time"
        case openai.APIConnectionError() | httpx2.HTTPError() | httpx2.StreamError():
            return "the connection failed"
        case _:  # an error event in the stream
            return "the server reported an error"
