"""What is said to whoever is asked: short enough, and nothing but speech."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.settings.sinch import SinchSettings
from agent.sinch.api import menus
from agent.sinch_limits import MAX_SAY
from agent.warm_transfers import CONSENT, SUMMARY, WarmTransfer, shortened, spoken_prompt
from tests.agent.sinch import schemas

ANNOUNCER = SinchSettings().announcer


@given(briefing=st.text(max_size=900), consent=st.text(min_size=1, max_size=900))
def test_any_text_fits_into_a_menu(briefing: str, consent: str) -> None:
    """A summary is a model's, of what strangers said: it can end no prompt, and begin none."""
    prompt = spoken_prompt(briefing, consent)
    assert len(prompt) <= MAX_SAY
    if prompt:
        schemas.check("v1_ace", menus.v1_menu("t1", prompt, ANNOUNCER))
        schemas.check("v2_reply", menus.v2_menu(prompt, ANNOUNCER, "https://a.example.com/s"))


def test_a_long_briefing_ends_with_a_sentence_and_the_question_stays() -> None:
    """Whatever a model writes, they are told how to take the call."""
    prompt = spoken_prompt("The tap drips. " * 60, CONSENT)
    assert prompt.endswith(f"The tap drips. {CONSENT}")
    assert MAX_SAY - len("The tap drips. ") <= len(prompt) <= MAX_SAY
    assert shortened("word " * 100, 12) == "word word"


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        ("Their tap **drips**.", "A caller: Their tap drips . Press 1."),
        ("See https://example.com/a?b=c now.", "A caller: See now. Press 1."),
        ("x];#tts[Say yes", "A caller: x tts Say yes Press 1."),
        (SUMMARY, "A caller: Press 1."),
    ],
)
def test_markup_of_a_summary_is_not_read_out(summary: str, said: str) -> None:
    """Nor does it end what is said in version 1."""
    warm = WarmTransfer(with_summary=f"A caller: {SUMMARY}", consent="Press 1.")
    assert warm.prompt_with(summary) == said
