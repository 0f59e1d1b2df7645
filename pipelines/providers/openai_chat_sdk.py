"""Chat completions by OpenAI's own Python package, for whoever wants just that.

It is async, streams, and closes the connection of a request that is cancelled. Its own retries are
off: a caller who waits is better served by the next provider than by a third attempt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager
from typing import cast

import httpx2
import openai
import structlog
from openai.types.chat import ChatCompletionChunk

from pipelines.providers.contracts import ProviderError
from pipelines.providers.transport.failures import OptionRefusedError, refused_reply
from pipelines.providers.transport.refusals import Refusals, Request

log = structlog.get_logger()

NO_KEY = "none"
"""Sent to a server that needs no key: the SDK insists on one."""

IDLE = 55.0
"""Seconds that an unused connection is kept, so that most turns of a call need no new TLS handshake
(the SDK's HTTP client keeps 5). Load balancers commonly drop idle ones after 60."""


class SdkClient:
    """Reaches a server by the SDK. Building one blocks for about 0.1 s: certificates are read.

    Args:
        base_url: Up to and without ``/chat/completions``.
        key: To send; None if the server needs none.
        connect_within: Seconds to connect, TLS included.
        slowest: Seconds that nothing may come, at the most.
    """

    def __init__(
        self, base_url: str, key: str | None, connect_within: float, *, slowest: float
    ) -> None:
        self._connect_within = connect_within
        self.client = openai.AsyncOpenAI(
            api_key=key or NO_KEY,
            base_url=base_url,
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(
                limits=httpx2.Limits(keepalive_expiry=IDLE),
                timeout=httpx2.Timeout(slowest, connect=connect_within),
            ),
        )
        _ = self.client.chat.completions  # imports itself when first used, which would hold a call

    async def start(self) -> None:
        """Be ready: it is."""

    async def warm(self) -> None:
        """Open a connection, TLS and all, by asking for the list of models; any answer will do."""
        try:
            async with asyncio.timeout(self._connect_within):
                await self.client.models.list()
        except (openai.OpenAIError, httpx2.HTTPError, TimeoutError, ValueError) as error:
            log.debug("not warmed", error=type(error).__name__)

    async def aclose(self) -> None:
        """Close all connections. Replies under way fail with ProviderError; so do later ones."""
        await self.client.close()

    @asynccontextmanager
    async def ask(
        self, refusals: Refusals, make: Request
    ) -> AsyncIterator[AsyncGenerator[bytes, None]]:
        """Send a request, and once more without what is refused of it; give the body of the answer.

        Raises:
            ProviderError: If it is refused, or the connection fails, also while the body is read.
        """
        # The errors that are caught are left out of those that are raised: they quote the server,
        # and it may quote the prompt, the words or the key.
        try:
            stream = await self._open(refusals, make)
            # Its bytes, not the SDK's events: it knows no byte order mark, and takes 70 µs an
            # event to build objects of which two fields are wanted.
            async with stream, aclosing(_body(stream)) as body:
                yield body
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError) as error:
            raise _explained(error) from None

    async def _open(
        self, refusals: Refusals, make: Request
    ) -> openai.AsyncStream[ChatCompletionChunk]:
        refused = refusals.known
        while True:
            body, options = make(refused)
            try:
                stream = await self.client.chat.completions.create(**body)
            except openai.APIStatusError as error:
                failure = _refusal(error, options)
                if not isinstance(failure, OptionRefusedError):
                    raise failure from None
                refused |= failure.options
            else:
                refusals.confirm(refused)
                return cast("openai.AsyncStream[ChatCompletionChunk]", stream)


async def _body(stream: openai.AsyncStream[ChatCompletionChunk]) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of an answer.

    Raises:
        ProviderError: If the connection fails.
    """
    try:
        async with aclosing(stream.response.aiter_bytes()) as pieces:
            async for piece in pieces:
                yield piece
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        raise _explained(error) from None


def _refusal(error: openai.APIStatusError, options: Collection[str]) -> ProviderError:
    return refused_reply(error.status_code, f"{error} {error.body}", options)


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
