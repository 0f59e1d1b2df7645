"""MCP servers, as the settings have them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from agent.server.mcp_servers import mcp_servers
from agent.settings.mcp import McpServerSettings


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, "either url or command"),
        ({"url": "https://a", "command": "b"}, "either url or command"),
        ({"url": "https://a", "args": ["b"]}, "go with command"),
        ({"command": "a", "headers": {"b": "c"}}, "go with url"),
        ({"url": "file:///a"}, "http:// or https://"),
        ({"url": "https://a", "token": "b"}, "Extra inputs"),
    ],
)
def test_a_server_is_a_url_or_a_command(settings: dict[str, Any], reason: str) -> None:
    """And nothing in between."""
    with pytest.raises(ValidationError, match=reason):
        McpServerSettings.model_validate(settings)


def test_what_a_server_needs_is_looked_for_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program, and variables; a value is never quoted."""
    pytest.importorskip("mcp", reason="an extra")
    monkeypatch.setenv("TOKEN", "hunter2")

    def servers(**settings: Any) -> None:
        mcp_servers({"crm": McpServerSettings.model_validate(settings)})

    servers(url="https://a/mcp", headers={"Authorization": "Bearer ${TOKEN}"})
    with pytest.raises(ValueError, match=r"mcp\.crm\.command: there is no program 'nothing-here'"):
        servers(command="nothing-here")
    with pytest.raises(ValueError, match=r"mcp\.crm\.headers\.A: .*NO_TOKEN_FILE"):
        servers(url="https://a/mcp", headers={"A": "${TOKEN} ${NO_TOKEN}"})
    settings = McpServerSettings.model_validate({"url": "https://a", "headers": {"A": "hunter2"}})
    assert "hunter2" not in repr(settings)
    assert mcp_servers({}) == {}
