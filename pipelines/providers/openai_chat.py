"""Any language model behind OpenAI's chat completions: OpenAI, Azure OpenAI, Groq, vLLM, Ollama...

https://developers.openai.com/api/reference/resources/chat. The official ``openai`` package: it is
async, streams, closes the connection of a request that is cancelled, and its types tell what each
field of the requests may be. Its own retries are off: a caller who waits is better served by the
next provider than by a third attempt.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import httpx2
import openai
import structlog
from openai.types.chat import (
    ChatCompletionChunk,
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageFunctionToolCallParam,
    ChatCompletionMessageParam,
)
from pydantic import Field, SecretStr

from pipelines.clock import now
from pipelines.conversation import Brief, Message, ToolCall
from pipelines.providers.contracts import Piece, ProviderError
from pipelines.providers.openai_chat_stream import Chunk, StreamedReply
from pipelines.providers.transport.failures import refused_reply
from pipelines.settings import Section

from .openai_hosts import API_KEY, AZURE, KEY_VARIABLE, OPENAI, OPENAI_URL, host_key, is_at
from .prompt import (
    call_ids,
    plain_id,
    system_message,
    tool_name,
    turns,
)

log = structlog.get_logger()

NO_KEY = "none"
"""Sent to a server that needs no key: the SDK insists on one."""

IDLE = 55.0
"""Seconds that an unused connection is kept, so that most turns of a call need no new TLS handshake
(the SDK's HTTP client keeps 5). Load balancers commonly drop idle ones after 60."""


class LanguageModel:
    """Ask a chat completions server."""

    class Options(Section):
        """What can be chosen."""

        model: str = Field(
            default="gpt-5.4-mini",
            min_length=1,
            description=(
                "Model name, as the server knows it. The default is the smallest current one of "
                "OpenAI's that has no shutdown date and answers without reasoning first."
            ),
        )
        base_url: str = Field(
            default=OPENAI_URL,
            pattern="^https?://",
            description=(
                "URL, up to and without /chat/completions; the default is OpenAI, whatever the "
                "environment says in OPENAI_BASE_URL. Others: "
                "https://RESOURCE.openai.azure.com/openai/v1 (the model is then the name of the "
                "deployment), https://api.groq.com/openai/v1, https://api.together.ai/v1, "
                "https://openrouter.ai/api/v1, http://localhost:8000/v1 for vLLM, "
                "http://localhost:11434/v1 for Ollama."
            ),
        )
        api_key: SecretStr | None = Field(default=None, description=API_KEY)
        key_variable: str | None = Field(
            default=None, pattern="^[A-Za-z_][A-Za-z0-9_]*$", description=KEY_VARIABLE
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
                "max_completion_tokens to OpenAI and Azure, whose reasoning models refuse the "
                "older max_tokens, and as max_tokens to any other server, since not all know the "
                "newer."
            ),
        )
        reasoning_effort: str | None = Field(
            default=None,
            min_length=1,
            description=(
                "How long a reasoning model thinks before it speaks, as the server names it: "
                "OpenAI has none, minimal, low... Thinking is silence on the line. Unset leaves it "
                "to the server, because models that do not reason refuse the field; the default "
                "model does not think unless it is told to."
            ),
        )
        thinks_first: bool = Field(
            default=False,
            description=(
                "Whether the server's chat template opens the model's reasoning itself, so that "
                "replies begin within it and have a </think> alone (DeepSeek R1, QwQ, on a server "
                "without a reasoning parser). Nothing is said then before that. Unset, it is "
                "learned from the first such reply, of which the reasoning is heard."
            ),
        )
        service_tier: str | None = Field(
            default=None,
            min_length=1,
            description=(
                "OpenAI's priority answers sooner, at a higher price; Groq has tiers, too. Unset: "
                "the server's usual one; not all know the field."
            ),
        )
        tools: bool = Field(
            default=True,
            description=(
                "Whether the model is told of tools. Turn it off for a server that refuses them: "
                "it then cannot even hang up, and is told in words what others have looked up."
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
            ProviderError: If the key is missing.
        """
        key = host_key("llm", self._options) or NO_KEY
        self._client = await asyncio.to_thread(_client, self._options, key)
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
    ) -> AsyncGenerator[Piece, None]:
        """Yield the text as it comes; once it is whole, what tools are asked for, and its cost.

        A reply cut off by ``max_tokens`` or by the server's content filter ends without an error:
        what there is of it is better heard than thrown away. Closing the generator closes the
        connection of a reply that is not whole.

        Raises:
            ProviderError: If the server fails, is too slow, or breaks off; or if a tool call cannot
                be read, or was cut off.
        """
        if self._options.thinks_first:
            yield "<think>"  # which the template has kept
        gathered = StreamedReply(self._options.model)
        async with aclosing(self._chunks(brief, conversation)) as chunks:
            async for chunk in chunks:
                for text in gathered.take(chunk):
                    yield text
        for call in gathered.whole():
            yield call
        if tokens := gathered.tokens():
            yield tokens

    async def _chunks(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Chunk, None]:
        """Yield what the server streams, as long as it comes in time.

        Raises:
            ProviderError: If it does not, or cannot be read.
        """
        budget = self._options.first_token_timeout
        deadline = now() + budget
        begun = False
        # The errors that are caught are left out of those that are raised: they quote the server,
        # and it may quote the prompt, the words or the key.
        try:
            async with asyncio.timeout_at(deadline):
                stream = await self._open(brief, conversation)
            async with stream:
                while True:
                    async with asyncio.timeout_at(deadline):
                        received = await anext(stream, None)
                    if received is None:
                        return
                    chunk = Chunk.model_validate(received)
                    begun = begun or chunk.has_content
                    yield chunk
                    if begun:  # a first chunk often holds the role alone
                        budget = self._options.gap_timeout
                        deadline = now() + budget  # from when the next piece is wanted
        except TimeoutError:
            raise ProviderError("llm", f"nothing came for {budget:g} s", timed_out=True) from None
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError) as error:
            raise _explained(error) from None
        except (ValueError, RecursionError):  # not JSON, nested too deep, or not a chunk
            raise ProviderError("llm", "the server's answer cannot be read") from None

    async def _open(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> openai.AsyncStream[ChatCompletionChunk]:
        """Send the request; return once the head of the answer is there."""
        options, client = self._options, self._client
        if client is None:
            raise ProviderError("llm", "not started, or closed", retryable=False)
        tools = _tools(brief) if options.tools else []
        newer = any(is_at(options.base_url, host) for host in (OPENAI, AZURE))
        return await client.chat.completions.create(
            model=options.model,
            messages=_messages(brief, turns(conversation, tools=bool(tools))),
            stream=True,
            stream_options={"include_usage": True},
            temperature=_given(options.temperature),
            max_completion_tokens=options.max_tokens if newer else openai.omit,
            max_tokens=openai.omit if newer else options.max_tokens,
            tools=tools or openai.omit,
            # Rather than no tools at all: servers refuse results of tools that they are not told
            # of, and what they have cached of the prompt begins with the tools.
            tool_choice="none" if tools and not brief.may_call_tools else openai.omit,
            extra_body={
                name: value
                for name in ("reasoning_effort", "service_tier")
                if (value := getattr(options, name)) is not None
            },
        )


def _client(options: LanguageModel.Options, key: str) -> openai.AsyncOpenAI:
    """Build the client. Blocks for about 0.1 s: certificates are read, modules imported."""
    slowest = max(options.first_token_timeout, options.gap_timeout)
    client = openai.AsyncOpenAI(
        api_key=key,
        base_url=options.base_url,
        max_retries=0,
        http_client=openai.DefaultAsyncHttpxClient(
            limits=httpx2.Limits(keepalive_expiry=IDLE),
            timeout=httpx2.Timeout(slowest, connect=options.connect_timeout),
        ),
    )
    _ = client.chat.completions  # imports itself when first used, which would hold up a call
    return client


def _messages(brief: Brief, lines: Sequence[Message]) -> list[ChatCompletionMessageParam]:
    """Return the brief and the conversation as the server wants them."""
    messages: list[ChatCompletionMessageParam] = []
    if system := system_message(brief):
        messages.append({"role": "system", "content": system})
    for line, ids in zip(lines, call_ids(lines, plain_id), strict=True):
        if line.role == "user":
            messages.append({"role": "user", "content": line.text})
        elif not line.results:
            messages.append({"role": "assistant", "content": line.text})
        else:
            calls = [_asked(r.call, id_) for id_, r in zip(ids, line.results, strict=True)]
            text = line.text or None  # as the servers themselves write it
            messages.append({"role": "assistant", "content": text, "tool_calls": calls})
        for id_, result in zip(ids, line.results, strict=True):
            messages.append({"role": "tool", "tool_call_id": id_, "content": result.text})
    return messages


def _asked(call: ToolCall, id_: str) -> ChatCompletionMessageFunctionToolCallParam:
    arguments = json.dumps(dict(call.arguments), ensure_ascii=False)
    function = {"name": tool_name(call), "arguments": arguments}
    return {"id": id_, "type": "function", "function": function}  # type: ignore[typeddict-item]


def _tools(brief: Brief) -> list[ChatCompletionFunctionToolParam]:
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


def _explained(error: Exception) -> ProviderError:
    """Return an error that says what went wrong, without the server's own words."""
    match error:
        case openai.APIStatusError(status_code=status):
            return refused_reply(status, f"{error} {error.body}")
        case openai.APITimeoutError():
            return ProviderError("llm", "no connection in time", timed_out=True)
        case openai.APIConnectionError() | httpx2.HTTPError() | httpx2.StreamError():
            return ProviderError("llm", "the connection failed")
        case _:  # an error event in the stream
            return refused_reply(200, f"{error} {getattr(error, 'body', '')}")


def _given(value: float | None) -> float | openai.Omit:
    return openai.omit if value is None else value
