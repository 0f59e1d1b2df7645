"""Characters that nobody sees part no word, and stay where a script needs them."""

from __future__ import annotations

import pytest

from pipelines.text.characters import familiar, visible
from pipelines.text.speakable import speakable


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "res\u00ader\u00adva\u00adtion con\u200bfirmed", "reservation confirmed"),
        ("nl", "re\u00adser\u200bve\ufeffren", "reserveren"),
        ("en", "\u202aHello\u202c \u2066there\u2069\u200e.", "Hello there."),
        ("en", "un\u2060broken e\u200dmail e&shy;mail e&#8203;mail", "unbroken email email email"),
        ("en", "cafe\u0301 \uff21\uff22 \ufb01ne", "café AB fine"),
        ("en", "\U0001d401\U0001d428\U0001d425\U0001d41d", "Bold"),
        ("en", "Great \u2764\ufe0f day", "Great day"),
        ("en", "Press 1\ufe0f\u20e3 or #\ufe0f\u20e3 now.", "Press one or pound now."),
        ("de", "\u0661\u0662 Uhr", "zwölf Uhr"),
        ("fa", "می\u200cروم", "می\u200cروم"),
        ("hi", "क्\u200dष", "क्\u200dष"),
        ("ar", "سلام\u200f\u200e", "سلام"),
    ],
)
def test_what_nobody_sees_is_not_heard(language: str, text: str, expected: str) -> None:
    """In any language; letters in disguise are those that they look like in those that we read."""
    assert speakable(text, language) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1\u202f234,56", "1'234,56"),
        ("12\u00a0345\u00a0678", "12'345'678"),
        ("+33\u00a0612\u00a0345\u00a0678", "+33\u00a0612\u00a0345\u00a0678"),
        ("0171\u00a0234\u00a0567", "0171\u00a0234\u00a0567"),
        ("5\u00a0km, 10\u00a0000\u00a0km", "5\u00a0km, 10'000\u00a0km"),
    ],
)
def test_a_space_that_does_not_break_joins_thousands(text: str, expected: str) -> None:
    """Not the groups of a telephone number."""
    assert visible(text) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Your code is 123\u2011456", "Your code is one two three, four five six"),
        ("en", "2026\u201001\u201005", "January fifth, twenty twenty-six"),
        ("de", "Mo\u2011Fr 9\u201117 Uhr", "Montag bis Freitag neun bis siebzehn Uhr"),
        ("en", "–10", "minus ten"),
        ("en", "It is –5 °C: –$3", "It is minus five degrees: minus three dollars"),
        ("en", "Balance: - $45.20", "Balance: minus forty-five dollars and twenty cents"),
        ("en", "- $45.20", "forty-five dollars and twenty cents"),
        ("en", "Soup - $5", "Soup - five dollars"),
        ("en", "pages 3 –5", "pages three to five"),
        ("en", "Tom –3 years old– ran", "Tom – three years old– ran"),
    ],
)
def test_a_hyphen_is_a_hyphen(language: str, text: str, expected: str) -> None:
    """Whatever it looks like, and a minus is a minus; a dash that parts stays one."""
    assert speakable(text, language) == expected


def test_plain_text_is_as_it_was() -> None:
    """Of each character that is typed every day."""
    plain = "".join(map(chr, range(32, 127))) + "äöüßéèñçàì€£°½²…“”’–"
    assert familiar(visible(plain)) == plain
