"""Names that were pasted with more than can be seen are refused at start, each by its setting."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from agent.server.mcp_servers import mcp_servers
from agent.settings.errors import SettingsError
from agent.settings.mcp import McpServerSettings
from agent.settings.origins import Origins
from agent.settings.placeholders import refuse_placeholders
from agent.settings.providers import FallbackSettings, LlmSettings, chosen
from agent.settings.tree import Settings


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("model", "gpt-5\u200b"),
        ("model", " gpt-5"),
        ("base_url", "https://api.openai.com/v1\u00a0"),
        ("base_url", "https://api.openai.com/v1\n"),
    ],
)
def test_options_of_a_provider(option: str, value: str) -> None:
    """Of the first one, and of whoever takes over."""
    options: dict[str, Any] = {option: value}
    for settings, place in (
        (LlmSettings(provider="openai", options=options), "llm.options"),
        (
            LlmSettings(
                provider="lookup", fallback=(FallbackSettings(provider="openai", options=options),)
            ),
            "llm.fallback.0.options",
        ),
    ):
        with pytest.raises(SettingsError, match=rf"{place}\.{option}: .*U\+"):
            chosen("llm", settings, Origins())


def test_credentials_and_tokens() -> None:
    """All of them at once, none quoted."""
    settings = Settings.model_construct()
    token = SecretStr("0123456789abcdef\u200bghijk")
    settings = settings.model_copy(
        update={
            "sinch": settings.sinch.model_copy(update={"application_key": "\ufeffabc"}),
            "server": settings.server.model_copy(update={"token": token}),
        }
    )
    with pytest.raises(SettingsError) as caught:
        refuse_placeholders(settings)
    told = str(caught.value)
    assert "sinch.application_key: there is a character in it that no key has (U+FEFF" in told
    assert "server.token: there is a character in it that is not seen or not meant (U+200B" in told
    assert "ghijk" not in told


def test_headers_of_tools() -> None:
    """A header with a line's end in it would be another header."""
    headers = {"Authorization": SecretStr("Bearer abc\u200b")}
    settings = McpServerSettings(url="https://tools.example.com/mcp", headers=headers)
    with pytest.raises(ValueError, match=r"mcp\.a\.headers\.Authorization: .*U\+200B") as caught:
        mcp_servers({"a": settings})
    assert "abc" not in str(caught.value)
