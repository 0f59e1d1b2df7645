"""Whoever wants no more calls is understood without a language model, in two languages."""

from __future__ import annotations

import pytest

from pipelines.conversation import END_CALL, NO_MORE_CALLS, Message, ToolCall, ToolResult
from pipelines.providers.lookup.no_more_calls import opting_out, wants_no_more_calls


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Please don't call me again."),
        ("en", "Take me off your list!"),
        ("en", "I want you to remove my number from your database."),
        ("en", "Stop calling this number."),
        ("en", "No more calls, please."),
        ("de", "Rufen Sie mich bitte nie wieder an."),
        ("de", "Ich möchte nicht mehr angerufen werden."),
        ("de", "Streichen Sie mich bitte von Ihrer Liste."),
        ("de", "Ich will keine weiteren Anrufe."),
    ],
)
def test_it_is_understood(language: str, said: str) -> None:
    """In words that people use."""
    assert wants_no_more_calls(said, language)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Don't call me at work, call me at home."),
        ("en", "Could you call me back tomorrow?"),
        ("en", "I have not had any calls."),
        ("en", "Please take me to the manager."),
        ("en", "Can you remove the onions from my order?"),
        ("de", "Rufen Sie mich morgen wieder an."),
        ("de", "Ich rufe später noch einmal an."),
        ("de", "Nehmen Sie die Zwiebeln von der Pizza."),
        ("fr", "Take me off your list!"),
    ],
)
def test_what_only_sounds_like_it_is_not(language: str, said: str) -> None:
    """Nor is a language that has no phrases."""
    assert not wants_no_more_calls(said, language)


def test_it_is_kept_then_confirmed() -> None:
    """And not confirmed if it could not be kept."""
    said = Message("user", "Take me off your list!")
    (call,) = opting_out([said], "en")
    assert isinstance(call, ToolCall)
    assert call.name == NO_MORE_CALLS
    done = Message("assistant", "", results=(ToolResult(call, "Done."),))
    text, end = opting_out([said, done], "en")
    assert "we will not call you again" in str(text)
    assert end == ToolCall(END_CALL)
    failed = Message("assistant", "", results=(ToolResult(call, "No.", failed=True),))
    assert len(opting_out([said, failed], "en")) == 1
