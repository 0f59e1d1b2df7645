"""Results of an MCP server, as a model reads them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from mcp_types import CallToolResult, TextContent

from pipelines.tools.mcp_tools import result_text
from pipelines.tools.tool import ToolError

block = st.sampled_from(
    [
        {"type": "text", "text": "words"},
        {"type": "image", "data": "AAAA", "mimeType": "image/png"},
        {"type": "resource_link", "uri": "file:///a", "name": "a"},
        {"type": "resource", "resource": {"uri": "file:///b", "blob": "AAAA"}},
        {"type": "resource", "resource": {"uri": "file:///b", "text": "text"}},
    ]
)


@given(
    st.lists(block, max_size=4),
    st.none() | st.dictionaries(st.text(), st.integers(), max_size=3),
    st.booleans(),
)
@settings(max_examples=50)
def test_every_result_has_words(
    content: list[dict[str, Any]], structured: dict[str, int] | None, failed: bool
) -> None:
    """Whatever kinds of content it has."""
    result = CallToolResult.model_validate(
        {"content": content, "structuredContent": structured, "isError": failed}
    )
    try:
        text = result_text(result)
        assert not failed
    except ToolError as error:
        text = str(error)
        assert failed
    assert text
    if any(isinstance(one, TextContent) for one in result.content):
        assert "words" in text
    elif not content and structured is not None:
        assert json.loads(text) == structured
