"""Tools of MCP servers, through the official ``mcp`` package (https://modelcontextprotocol.io).

The SDK, because the protocol has two eras and three transports, and the SDK is async. It is an
extra: nothing but the modules beside this one that are called ``mcp_...`` may import it at its top.
A server has one session, which all calls of the process share. It is opened again when it is lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any

import structlog
from mcp import Client, MCPError
from mcp_types import CONNECTION_CLOSED, INVALID_REQUEST
from mcp_types import Tool as ListedTool
from pydantic import ValidationError

from pipelines.background import BackgroundTasks
from pipelines.backoff import longer
from pipelines.clock import now
from pipelines.conversation import ToolSpec
from pipelines.tools.arguments import check_schema
from pipelines.tools.mcp_tools import description, result_text, told_apart, tool_name
from pipelines.tools.mcp_transport import Command, Remote, transport
from pipelines.tools.tool import MAX_REASON, CallInfo, OnBargeIn, Tool, ToolError

log = structlog.get_logger()

START_WITHIN = 5.0
"""Seconds that the start of the service waits for a server. What comes later is there later."""

CONNECT_WITHIN = 15.0
"""Seconds until the tools are listed. The SDK itself waits 10 for an answer to its first question,
which servers of the older era may ignore."""

LIST_EVERY = 60.0
"""Seconds between two looks at the list of tools. It shows new ones in either era of the protocol,
keeps the session from idling, and finds a connection that died without a word."""

LIST_WITHIN = 10.0

AGAIN_FIRST = 0.5
AGAIN_LONGEST = 30.0
"""Seconds between attempts to connect, doubling from the first; a tool call ends the wait."""

CLOSE_WITHIN = 8.0
"""Seconds to end a session. The SDK gives a child process 2 to leave once its input is closed, then
2 after SIGTERM, and then kills it."""

CUT_OFF_WITHIN = 1.0
"""Seconds to give up a session that has not ended by then."""

MAX_PAGES = 20
"""Pages of the list of tools that are read."""

_REFUSED = "the server of this tool cannot be reached at the moment, nothing was done"


class McpServer:
    """One MCP server, and the session of this process with it.

    Args:
        name: Stands before the names of its tools.
        where: How to reach it.
        list_every: Seconds between two looks at the list of tools.
    """

    def __init__(
        self, name: str, where: Remote | Command, *, list_every: float = LIST_EVERY
    ) -> None:
        self._name = name
        self._where = where
        self._list_every = list_every
        self._listed: tuple[ListedTool, ...] = ()
        self._background: BackgroundTasks | None = None
        self._lost = asyncio.Event()
        self._wanted = asyncio.Event()
        self._opened = False
        self._client: asyncio.Future[Client | None]
        """Of the session, or None if the attempt to open one failed. Another future then."""

    async def start(self, within: float = START_WITHIN) -> None:
        """Open the session; return once it is open, has failed once, or ``within`` seconds.

        A server that is not there does not stop the service: its tools come with the server.
        """
        _quiet()
        self._client = asyncio.get_running_loop().create_future()
        self._background = BackgroundTasks()
        # In a task: the SDK's context managers have to be left in the one that entered them.
        self._background.keep_running(self._keep, "mcp session")
        await asyncio.wait({self._client}, timeout=within)
        if not self._opened:
            log.warning("mcp server is not ready yet", server=self._name)

    async def aclose(self) -> None:
        """End the session, and the process if it is ours. Tool calls under way fail."""
        background, self._background = self._background, None
        if background is None:
            return
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await background.aclose()
        except TimeoutError:  # a server that does not even answer to the goodbye
            with suppress(TimeoutError):
                async with asyncio.timeout(CUT_OFF_WITHIN):
                    await background.aclose()

    def tools(
        self,
        only: Collection[str] | None = None,
        *,
        timeout: float = 5.0,
        on_barge_in: OnBargeIn = "keep",
        filler: str = "",
    ) -> tuple[Tool, ...]:
        """Return what the server offers now. A tool that no model can be told of is left out.

        Args:
            only: Names, as the server has them; None for all.
            timeout: Seconds.
            on_barge_in: As in :class:`Tool`.
            filler: As in :class:`Tool`.
        """
        tools: dict[str, Tool] = {}
        for listed in self._listed:
            if only is not None and listed.name not in only:
                continue
            name = tool_name(self._name, listed.name)
            if name in tools:
                name = told_apart(name, listed.name)
            tools[name] = Tool(
                spec=ToolSpec(
                    name=name, description=description(listed), parameters=listed.input_schema
                ),
                run=partial(self._call, listed.name),
                timeout=timeout,
                on_barge_in=on_barge_in,
                filler=filler,
            )
        if only is not None and (missing := set(only) - {listed.name for listed in self._listed}):
            log.warning("mcp tools are missing", server=self._name, tools=sorted(missing))
        return tuple(tools.values())

    async def _call(self, tool: str, arguments: Mapping[str, Any], _about: CallInfo) -> str:
        """Call a tool. Waits for a session that is being opened; the tool's timeout bounds it.

        Never called a second time, unless the server did not know the session and so did nothing.

        Raises:
            ToolError: If there is no result.
        """
        try:
            return await self._ask(tool, arguments)
        except MCPError as error:
            if error.code == CONNECTION_CLOSED:
                message = "the connection to the server was lost; whether it was done is not known"
                raise ToolError(message) from None
            if error.code != INVALID_REQUEST:
                raise ToolError(error.message[:MAX_REASON]) from None
        try:
            return await self._ask(tool, arguments)
        except MCPError as error:
            raise ToolError(error.message[:MAX_REASON]) from None

    async def _ask(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """Call a tool in the session.

        Raises:
            MCPError: If the server says so, or the SDK does. If it is about the session, that is
                given up.
            ToolError: If there is no session, or the result is an error or cannot be read.
        """
        client = await self._connected()
        try:
            return result_text(await client.call_tool(tool, dict(arguments)))
        except MCPError as error:
            if error.code in (CONNECTION_CLOSED, INVALID_REQUEST):
                self._give_up(client)
            raise
        except (RuntimeError, TimeoutError, ValidationError) as error:
            # It does not fit its own schema, or the server asks for what we do not have.
            log.warning("mcp result refused", server=self._name, error=type(error).__name__)
            message = "the server's answer cannot be used; whether it was done is not known"
            raise ToolError(message) from None

    async def _connected(self) -> Client:
        """Return the session's client, once there is one.

        Raises:
            ToolError: If the attempt to open it fails.
        """
        client = None
        if self._background is not None:
            self._wanted.set()
            client = await asyncio.shield(self._client)
        if client is None:
            raise ToolError(_REFUSED, undone=True)
        return client

    def _give_up(self, client: Client) -> None:
        """End the session of ``client``; those who come next wait for another."""
        if self._client.done() and self._client.result() is client:
            self._client = asyncio.get_running_loop().create_future()
            self._lost.set()

    async def _keep(self) -> None:
        """Keep a session open. Runs until it is cancelled, and closes the session then."""
        if self._client.done():  # it failed of a bug, and is begun again
            self._client = asyncio.get_running_loop().create_future()
        wait = 0.0
        try:
            while True:
                began = now()
                # As a value: the SDK's task groups raise whatever the network, the child process
                # or the server's words make them.
                (error,) = await asyncio.gather(self._serve(), return_exceptions=True)
                log.warning(
                    "mcp session lost" if self._opened else "mcp server not reached",
                    server=self._name,
                    error=_innermost(error),
                )
                self._end_attempt()
                wait = 0.0 if now() - began > AGAIN_LONGEST else wait
                wait = longer(wait, first=AGAIN_FIRST, longest=AGAIN_LONGEST)
                await _within(wait, self._wanted)
        finally:
            self._refuse_all()

    def _refuse_all(self) -> None:
        """Tell those who wait, and those who come, that there is no session."""
        if self._client.done():  # with a client that is of no use any more
            self._client = asyncio.get_running_loop().create_future()
        self._client.set_result(None)

    def _end_attempt(self) -> None:
        """Tell those who wait that there is no session; those who come next wait for another."""
        if not self._client.done():
            if self._opened:  # it was given up, and they wait for the next already
                return
            self._client.set_result(None)
        self._client = asyncio.get_running_loop().create_future()
        self._wanted.clear()

    async def _serve(self) -> None:
        """Open a session and hold it until it is lost. Raises anything."""
        self._lost.clear()
        self._opened = False
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(CONNECT_WITHIN):
                client = Client(transport(self._where, stack, self._lost), cache=None)
                await stack.enter_async_context(client)
                self._listed = await self._list(client)
            self._opened = True
            self._client.set_result(client)
            log.info("mcp server ready", server=self._name, tools=len(self._listed))
            while not await _within(self._list_every, self._lost):
                async with asyncio.timeout(LIST_WITHIN):
                    self._listed = await self._list(client)

    async def _list(self, client: Client) -> tuple[ListedTool, ...]:
        """Return the tools that a model can be told of."""
        tools: list[ListedTool] = []
        cursor: str | None = None
        for _page in range(MAX_PAGES):
            page = await client.list_tools(cursor=cursor)
            tools += page.tools
            cursor = page.next_cursor
            if cursor is None:
                break
        return tuple(tool for tool in tools if self._usable(tool))

    def _usable(self, tool: ListedTool) -> bool:
        try:
            check_schema(tool.input_schema)
        except ValueError:
            log.warning("mcp tool has no usable schema", server=self._name, tool=tool.name)
            return False
        return True


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Wait for ``event``; return whether it came."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _innermost(error: BaseException | None) -> str:
    """Return of what kind an error is, without what it says."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return "ended" if error is None else type(error).__name__


def _quiet() -> None:
    """Keep the SDK from logging: at some levels it quotes arguments, results and prompts."""
    for name in ("mcp", "client"):  # the second is what its session calls itself
        logger = logging.getLogger(name)
        if not logger.propagate:
            continue
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
