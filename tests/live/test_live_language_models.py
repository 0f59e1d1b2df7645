"""Each language model answers, asks for a tool, and takes its result."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from pipelines.conversation import Brief, Message, Tokens, ToolCall, ToolResult, ToolSpec
from pipelines.providers import anthropic_messages, gemini, openai_chat
from pipelines.providers.contracts import Piece

pytestmark = pytest.mark.live

BRIEF = Brief(
    prompt="You are on the telephone. Answer in one short sentence.",
    tools=(
        ToolSpec(
            name="opening_hours",
            description="Look up when we open on a day of the week. Always use it for that.",
            parameters={
                "type": "object",
                "properties": {"day": {"type": "string", "enum": ["Monday", "Sunday"]}},
                "required": ["day"],
                "additionalProperties": False,
            },
        ),
    ),
)
GREETING = Message("assistant", "Hello, this is the bakery.", cut_off=True)
QUESTION = Message("user", "When do you open on Monday?")
FOREIGN = ToolResult(ToolCall("opening_hours", {"day": "Sunday"}, "call_of|another"), "Closed.")


@pytest.mark.parametrize(
    ("kind", "variable", "options"),
    [
        (openai_chat.LanguageModel, "OPENAI_API_KEY", {}),
        (
            openai_chat.LanguageModel,
            "GROQ_API_KEY",
            {"base_url": "https://api.groq.com/openai/v1", "model": "openai/gpt-oss-20b"},
        ),
        (anthropic_messages.LanguageModel, "ANTHROPIC_API_KEY", {}),
        (gemini.LanguageModel, "GEMINI_API_KEY", {}),
    ],
    ids=["openai", "groq", "anthropic", "gemini"],
)
def test_a_call(kind: type[Any], variable: str, options: dict[str, Any]) -> None:
    """It asks for the tool that it is told of, and answers with what that gave back."""
    if not os.environ.get(variable):
        pytest.skip(f"{variable} is not set")

    async def main() -> None:
        model = kind(kind.Options.model_validate(options))
        await model.start()
        try:
            await model.warm()
            asked = [GREETING, Message("assistant", "", results=(FOREIGN,)), QUESTION]
            pieces = await _reply(model, BRIEF, asked)
            (call,) = [piece for piece in pieces if isinstance(piece, ToolCall)]
            assert call.arguments == {"day": "Monday"}
            assert any(isinstance(piece, Tokens) and piece.input for piece in pieces)
            got = Message("assistant", "", results=(ToolResult(call, "At seven o'clock."),))
            told = await _reply(model, replace(BRIEF, may_call_tools=False), [*asked, got])
            assert "seven" in _text(told).lower() or "7" in _text(told)
        finally:
            await model.aclose()

    asyncio.run(main())


async def _reply(model: Any, brief: Brief, conversation: Sequence[Message]) -> list[Piece]:
    async with aclosing(model.reply(brief, conversation)) as pieces:
        return [piece async for piece in pieces]


def _text(pieces: Sequence[Piece]) -> str:
    return "".join(piece for piece in pieces if isinstance(piece, str))
