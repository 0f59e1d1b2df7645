"""Any language model behind OpenAI's chat completions: OpenAI, Azure OpenAI, Groq, vLLM, Ollama...

https://developers.openai.com/api/reference/resources/chat. The official ``openai`` package: it is
async, streams, closes the connection of a request that is cancelled, and its types tell what each
field of the requests may be. Its own retries are off: a caller who waits is better served by the
next provider than by a third attempt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing, suppress
from typing import cast

import httpx2
import openai
import structlog
from openai.types.chat import ChatCompletionChunk
from pydantic import Field, SecretStr

from pipelines.clock import now
from pipelines.conversation import Brief, Message
from pipelines.providers.contracts import Piece, ProviderError
from pipelines.providers.openai_chat_stream import Chunk, StreamedReply
from pipelines.providers.transport.failures import OptionRefusedError, refused_reply
from pipelines.providers.transport.reading import objects
from pipelines.providers.transport.refusals import Refusals
from pipelines.settings import Section

from .openai_chat_request import dispensable, request
from .openai_hosts import API_KEY, KEY_VARIABLE, OPENAI_URL, host_key

log = structlog.get_logger()

NO_KEY = "none"
"""Sent to a server that needs no key: the SDK insists on one."""

IDLE = 55.0
"""Seconds that an unused connection is kept, so that most turns of a call need no new TLS handshake
(the SDK's HTTP client keeps 5). Load balancers commonly drop idle ones after 60."""

THINKING = 2
"""Times the wait for the first token that a model may take in all while it visibly thinks, each
sign of that within the wait: longer silence is no better for being explained."""

READ_OUT_WITHIN = 0.05
"""Seconds for the end of an answer whose last event has come."""


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
        self._client: openai.AsyncOpenAI | None = None
        self._refusals = Refusals()
        self._refusals_of_forms = Refusals()  # which calls are not to suffer from

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
        wait = _Wait(self._options.first_token_timeout, self._options.gap_timeout)
        # The errors that are caught are left out of those that are raised: they quote the server,
        # and it may quote the prompt, the words or the key.
        try:
            async with asyncio.timeout_at(wait.deadline):
                stream = await self._open(brief, conversation)
            # Its bytes, not the SDK's events: it knows no byte order mark, and takes 70 µs an
            # event to build objects of which two fields are wanted.
            async with (
                stream,
                aclosing(stream.response.aiter_bytes()) as received,
                aclosing(objects(received)) as events,
            ):
                while True:
                    async with asyncio.timeout_at(wait.deadline):
                        name, event = await anext(events)
                    if event is None:
                        yield None
                        await _read_out(received)
                        return
                    chunk = Chunk.of(event, name)
                    content = chunk.has_content  # raises ValueError if its words are no text
                    yield chunk
                    wait.came(content=content, thinks=chunk.thinks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise ProviderError(
                "llm", f"nothing came for {wait.seconds:g} s", timed_out=True
            ) from None
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError) as error:
            raise _explained(error) from None
        except (ValueError, RecursionError):  # not JSON, nested too deep, or no text
            raise ProviderError("llm", "the server's answer cannot be read") from None

    async def _open(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> openai.AsyncStream[ChatCompletionChunk]:
        """Send the request; return once the head of the answer is there.

        What the server refuses of it is left out, and it is asked once more. It is told no more of
        that once it has answered without.
        """
        if (client := self._client) is None:
            raise ProviderError("llm", "not started, or closed", retryable=False)
        refusals = self._refusals_of_forms if brief.form else self._refusals
        refused = refusals.known
        while True:
            body = request(self._options, brief, conversation, refused)
            try:
                stream = await client.chat.completions.create(**body)
            except openai.APIStatusError as error:
                failure = _refusal(error, dispensable(body))
                if not isinstance(failure, OptionRefusedError):
                    raise failure from None
                refused |= failure.options
            else:
                refusals.confirm(refused)
                return cast("openai.AsyncStream[ChatCompletionChunk]", stream)


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


async def _read_out(received: AsyncGenerator[bytes, None]) -> None:
    """Read the rest of an answer whose last event has come, so that its connection is kept."""
    with suppress(httpx2.HTTPError, httpx2.StreamError, TimeoutError):
        async with asyncio.timeout(READ_OUT_WITHIN):
            async for _ in received:
                continue


def _refusal(error: openai.APIStatusError, options: Collection[str]) -> ProviderError:
    return refused_reply(error.status_code, f"{error} {error.body}", options)


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


def _explained(error: Exception) -> ProviderError:
    """Return an error that says what went wrong, without the server's own words."""
    match error:
        case openai.APIStatusError():
            return _refusal(error, ())
        case openai.APITimeoutError():
            return ProviderError("llm", "no connection in time", timed_out=True)
        case openai.APIConnectionError() | httpx2.HTTPError() | httpx2.StreamError():
            return ProviderError("llm", "the connection failed")
        case _:
            return ProviderError("llm", "the request failed")
