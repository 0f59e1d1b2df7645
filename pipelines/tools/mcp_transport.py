"""How an MCP server is reached: over HTTP, or as a program that we start."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import httpx2
from mcp import StdioServerParameters
from mcp.client import Transport
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

CONNECT_WITHIN = 5.0
"""Seconds to connect, and to write, over HTTP."""

READ_WITHIN = 300.0
"""Seconds between two pieces of an answer: a server may hold a stream open, and the timeout of the
tool bounds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A server that is reached by streamable HTTP."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A server that we start, and talk to through its standard input and output."""

    command: str
    args: tuple[str, ...] = field(default=(), repr=False)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Environment variables, besides the PATH, HOME and a few that it inherits."""

    show_errors: bool = False
    """Whether what it writes to its standard error goes to ours: it may hold what callers said."""


def transport(where: Remote | Command, stack: AsyncExitStack, ended: asyncio.Event) -> Transport:
    """Return the SDK's transport to a server, not yet opened.

    Args:
        where: How to reach it.
        stack: Closes, in the end, what the transport needs and does not close itself.
        ended: Set when a program that we started is gone. A connection over HTTP has no end that
            could be seen.
    """
    match where:
        case Remote(url=url, headers=headers):
            http = httpx2.AsyncClient(
                headers=dict(headers),
                timeout=httpx2.Timeout(CONNECT_WITHIN, read=READ_WITHIN),
                trust_env=False,
            )
            stack.push_async_callback(http.aclose)
            return streamable_http_client(url, http_client=http)
        case Command(command=command, args=args, env=env, show_errors=show):
            server = StdioServerParameters(command=command, args=list(args), env=dict(env))
            errors = sys.stderr if show else stack.enter_context(_nowhere())
            return _watched(stdio_client(server, errlog=errors), ended)


class _Messages:
    """A stream of a server's messages that tells when it has ended.

    The SDK notices that a child process is gone, and tells those that wait for an answer, but not
    those who may ask next.
    """

    def __init__(self, inner: Any, ended: asyncio.Event) -> None:  # noqa: ANN401 - the SDK's stream
        self._inner = inner
        self._ended = ended

    async def receive(self) -> Any:  # noqa: ANN401 - a message
        return await self._inner.receive()

    async def aclose(self) -> None:
        await self._inner.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:  # noqa: ANN401 - a message
        try:
            return await self._inner.__anext__()
        except StopAsyncIteration:
            self._ended.set()
            raise

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        await self._inner.__aexit__(kind, error, trace)
        return None


@asynccontextmanager
async def _watched(
    transport: Transport, ended: asyncio.Event
) -> AsyncGenerator[tuple[Any, Any], None]:
    async with transport as (messages, out):
        yield _Messages(messages, ended), out


@contextmanager
def _nowhere() -> Iterator[TextIO]:
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        yield nowhere
