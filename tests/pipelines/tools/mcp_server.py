"""A real MCP server for the tests: by standard input, or by streamable HTTP on loopback.

``python mcp_server.py`` or ``python mcp_server.py http PORT``.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import EmbeddedResource, ImageContent, TextContent, TextResourceContents

server = MCPServer("tests")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool(name="who.am/i")
def who_am_i() -> str:
    """Say who this is."""
    return f"{os.getpid()} {os.environ.get('WHO', '')} {os.environ.get('NOT_FOR_CHILDREN', '')}"


@server.tool()
def fails() -> str:
    """Fail."""
    raise ToolError("no table is free")


@server.tool(structured_output=False)
def many_things() -> list[TextContent | ImageContent | EmbeddedResource]:
    """Return content of several kinds."""
    return [
        TextContent(type="text", text="one"),
        ImageContent(type="image", data="AAAA", mime_type="image/png"),
        EmbeddedResource(
            type="resource", resource=TextResourceContents(uri="file:///two", text="two")
        ),
    ]


@server.tool()
async def slow(note: str) -> str:
    """Take a minute, and note in a file whether it was cancelled."""
    try:
        await asyncio.sleep(60)
    finally:
        Path(note).write_text("cancelled")  # noqa: ASYNC240 - a test's server
    return "done"


@server.tool()
async def dies() -> str:
    """End the process."""
    os._exit(3)


@server.tool()
async def learns(tool: str) -> str:
    """Add a tool."""

    def learnt() -> str:
        """Say that this was learnt."""
        return "learnt"

    server.add_tool(learnt, name=tool)
    return "learnt"


@server.tool()
def header(ctx: Context) -> str:
    """Return the header that names who asks."""
    headers = ctx.headers or {}
    return headers.get("authorization", "")


@server.tool()
def noisy(word: str) -> str:
    """Break the protocol."""
    print(f"not JSON: {word}", flush=True)
    return "printed"


if __name__ == "__main__":
    if sys.argv[1:2] == ["http"]:
        server.run("streamable-http", port=int(sys.argv[2]), json_response="json" in sys.argv)
    else:
        server.run("stdio")
