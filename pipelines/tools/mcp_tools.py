"""What an MCP server offers and answers, as a language model can be told of it."""

from __future__ import annotations

import hashlib
import json
import re

from mcp_types import CallToolResult, EmbeddedResource, TextContent, TextResourceContents
from mcp_types import Tool as ListedTool

from pipelines.tools.tool import ToolError

MAX_DESCRIPTION = 1024
"""Characters of a tool's description, which is what OpenAI allows."""

MAX_NAME = 64
"""Characters of a tool's name, which is what every provider allows."""


def tool_name(server: str, tool: str) -> str:
    """Return a name that every provider allows: ``server_tool``."""
    name = re.sub(r"[^A-Za-z0-9_-]", "_", f"{server}_{tool}")
    return name if len(name) <= MAX_NAME else told_apart(name, tool)


def told_apart(name: str, tool: str) -> str:
    """Return ``name`` made one of its own by a digest of the server's name for the tool."""
    digest = hashlib.sha256(tool.encode()).hexdigest()[:8]
    return f"{name[: MAX_NAME - 9]}_{digest}"


def description(tool: ListedTool) -> str:
    """Return what a model is told of the tool: its description, or what comes nearest."""
    text = tool.description or tool.title or tool.name
    return text.strip()[:MAX_DESCRIPTION]


def result_text(result: CallToolResult) -> str:
    """Return what a model can read of a result.

    Raises:
        ToolError: If it is an error.
    """
    texts: list[str] = []
    for block in result.content:
        match block:
            case TextContent(text=text):
                texts.append(text)
            case EmbeddedResource(resource=TextResourceContents(text=text)):
                texts.append(text)
            case _:
                texts.append(f"[{block.type}]")
    whole = "\n".join(texts).strip()
    if not whole and result.structured_content is not None:
        whole = json.dumps(result.structured_content, ensure_ascii=False)
    if result.is_error:
        raise ToolError(whole or "the server says that it failed")
    return whole or "done"
