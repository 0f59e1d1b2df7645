"""Any language model behind OpenAI's chat completions: OpenAI, Azure OpenAI, Groq, vLLM, Ollama...

https://developers.openai.com/api/reference/resources/chat. Over aiohttp, as other adapters, or by
the official ``openai`` package (:mod:`.openai_chat_sdk`): whoever asks knows no difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from typing import Any, Literal, Protocol

import structlog
from pydantic import Field, SecretStr

from pipelines.clock import now
from pipelines.conversation import Brief, Message
from pipelines.providers.contracts import Piece, ProviderError
from pipelines.providers.openai_chat_stream import Chunk, StreamedReply
from pipelines.providers.transport.bodies import pieces, read_out
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.reading import objects
from pipelines.providers.transport.refusals import Refusals, Request
from pipelines.settings import Section

from .openai_chat_request import dispensable, request
from .openai_hosts import API_KEY, KEY_VARIABLE, OPENAI_URL, auth_headers, host_key

log = structlog.get_logger()

THINKING = 2
"""Times the wait for the first token that a model may take in all while it visibly thinks, each
sign of that within the wait: longer silence is no better for being explained."""

Answer = AsyncGenerator[bytes, None]
"""The body of an answer, as it comes."""


class ChatClient(Protocol):
    """How a server is reached."""

    async def start(self) -> None:
        """Be ready; sends nothing."""
        ...

    async def warm(self) -> None:
        """Open a connection for the next request, if none is idle."""
        ...

    async def aclose(self) -> None:
        """Close all connections; what is under way fails with ProviderError."""
        ...

    def ask(self, refusals: Refusals, make: Request) -> AbstractAsyncContextManager[Answer]:
        """Send a request, and once more without what is refused of it; give the body of the answer.

        The deadline is the caller's.

        Args:
            refusals: What is known to be refused; is told more of it.
            make: Makes the request.

        Raises:
            ProviderError: If it is refused, or the connection fails, also while the body is read.
        """
        ...


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
        client: Literal["aiohttp", "sdk"] = Field(
            default="aiohttp",
            description=(
                "What carries the requests: aiohttp, or sdk, OpenAI's own Python package, which "
                "takes more of the CPU. The package also follows redirects and heeds "
                "HTTPS_PROXY, OPENAI_ORG_ID and OPENAI_PROJECT_ID; aiohttp goes by these options "
                "alone."
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
                "of this length for a dead line; healthy servers need 0.2 to 1. Twice as long, in "
                "all, for a model that visibly thinks meanwhile."
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
        self._client: ChatClient | None = None
        self._refusals = Refusals()
        self._refusals_of_forms = Refusals()  # which calls are not to suffer from

    async def start(self) -> None:
        """Prepare the client; sends nothing.

        Raises:
            ProviderError: If the key is missing.
        """
        key = host_key("llm", self._options)
        if self._options.client == "sdk":
            client = await asyncio.to_thread(_sdk, self._options, key)
        else:
            client = _OverAiohttp(self._options)
        await client.start()
        self._client = client
        log.info("chat completions ready", model=self._options.model)

    async def warm(self) -> None:
        """Open a connection, TLS and all; any answer will do."""
        if self._client is not None:
            await self._client.warm()

    async def aclose(self) -> None:
        """Close all connections. Replies under way fail with ProviderError; so do later ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

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
        tools = frozenset(spec.name for spec in brief.tools)
        gathered = StreamedReply(self._options.model, tools)
        async with aclosing(self._chunks(brief, conversation)) as chunks:
            async for chunk in chunks:
                if chunk is None:
                    gathered.done = True
                    continue
                for text in gathered.take(chunk):
                    yield text
        for call in gathered.whole():
            yield call
        if tokens := gathered.tokens():
            yield tokens

    async def _chunks(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Chunk | None, None]:
        """Yield what the server streams, as long as it comes in time; None once that is whole.

        Raises:
            ProviderError: If it does not, or cannot be read.
        """
        if (client := self._client) is None:
            raise ProviderError("llm", "not started, or closed", retryable=False)
        options = self._options
        wait = _Wait(options.first_token_timeout, options.gap_timeout)
        refusals = self._refusals_of_forms if brief.form else self._refusals

        def make(refused: Collection[str]) -> tuple[dict[str, Any], Collection[str]]:
            body = request(options, brief, conversation, refused)
            return body, dispensable(body)

        # The errors that are caught are left out of those that are raised: they quote the server,
        # and it may quote the prompt, the words or the key.
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout_at(wait.deadline):
                    asking = client.ask(refusals, make)
                    received = await stack.enter_async_context(asking)
                events = await stack.enter_async_context(aclosing(objects(received)))
                while True:
                    async with asyncio.timeout_at(wait.deadline):
                        got = await anext(events, None)
                    if got is None:
                        return
                    name, event = got
                    if event is None:
                        yield None
                        await read_out(received)
                        return
                    chunk = Chunk.of(event, name)
                    content = chunk.has_content  # raises ValueError if its words are no text
                    yield chunk
                    wait.came(content=content, thinks=chunk.thinks)
        except TimeoutError:
            raise ProviderError(
                "llm", f"nothing came for {wait.seconds:g} s", timed_out=True
            ) from None
        except (ValueError, RecursionError):  # not JSON, nested too deep, or no text
            raise ProviderError("llm", "the server's answer cannot be read") from None


class _OverAiohttp:
    """Reaches a server by connections of ours, pooled and kept."""

    def __init__(self, options: LanguageModel.Options) -> None:
        self._headers = auth_headers("llm", options)
        self._http = Http("llm", options.base_url, connect_within=options.connect_timeout)

    async def start(self) -> None:
        await self._http.start(self._headers)

    async def warm(self) -> None:
        await self._http.warm()

    async def aclose(self) -> None:
        await self._http.aclose()

    @asynccontextmanager
    async def ask(self, refusals: Refusals, make: Request) -> AsyncIterator[Answer]:
        # Whoever asks has a deadline: with two, the other's words are told after a stall of ours.
        asking = refusals.asking(self._http, "/chat/completions", make, head_within=None)
        async with asking as answer, aclosing(pieces(answer)) as body:
            yield body


def _sdk(options: LanguageModel.Options, key: str | None) -> ChatClient:
    """Return the client of the SDK. Blocks for a second: modules and certificates are read."""
    from .openai_chat_sdk import SdkClient  # noqa: PLC0415 - 40 MB, and seldom chosen

    return SdkClient(
        options.base_url,
        key,
        options.connect_timeout,
        slowest=max(options.first_token_timeout, options.gap_timeout),
    )


class _Wait:
    """How long to wait for the next event of a reply.

    Args:
        first: Seconds to the first text, tool call, or sign that the model thinks.
        gap: Seconds between two events after the first text or tool call.
    """

    def __init__(self, first: float, gap: float) -> None:
        self._first = first
        self._gap = gap
        self._begun = False
        self._latest = now() + first * THINKING
        self.seconds = first
        """Of the wait that :attr:`deadline` ends."""

        self.deadline = now() + first

    def came(self, *, content: bool, thinks: bool) -> None:
        """Note what came, when the next event is wanted.

        Args:
            content: Whether there was text or a tool call in it: a first one often has the role
                alone.
            thinks: Whether there was visible reasoning.
        """
        self._begun = self._begun or content
        if self._begun:
            self.seconds = self._gap
            self.deadline = now() + self._gap
        elif thinks:
            self.deadline = min(now() + self._first, self._latest)
