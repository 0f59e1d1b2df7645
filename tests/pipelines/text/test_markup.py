"""Markup goes, and the words that it stands around stay; what only looks like markup stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.text.characters import visible
from pipelines.text.markup import tidied, without_markup


def plain(text: str) -> str:
    return tidied(without_markup(visible(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Markdown
        ("un**believ**able, __bold__, ~~gone~~, ***both***", "unbelievable, bold, gone, both"),
        ("**We open at ten.", "We open at ten."),
        ("We close at six.**", "We close at six."),
        ("*We open*, a *good* day*", "We open, a good day"),
        ("## Hours ##", "Hours"),
        ("> **Note:** call", "Note: call"),
        ("- a", "a"),
        ("  - **b**: c", "b: c"),
        ("* [x] done", "done"),
        ("![A plate](plate.png)", "A plate"),
        ("See [our menu][1].", "See our menu."),
        ("[1]: https://example.com/menu", ""),
        ("We do[^1]", "We do"),
        ("[^1]: On Mondays.", "On Mondays."),
        ("We open at nine[1][2, 3].", "We open at nine."),
        ("Title\n=====", "Title"),
        ("| Day | Hours |\n|:---|---:|\n| Mon | 9 |", "Day, Hours Mon, 9"),
        ("```python\nx\n```", "x"),
        # HTML and SSML
        ("<p>One.</p><p>Two.</p>", "One. Two."),
        ("re<b>serv</b>ed", "reserved"),
        ("A<br/>B<br >C<BR>D", "A B C D"),
        ('<a href="https://example.com/?a=1&b=2" target=_blank>Menu</a>', "Menu"),
        ('<input type="text" disabled> here', "here"),
        ("<table><tr><td>Mon</td><td>nine</td></tr></table>", "Mon, nine"),
        ("<!-- not this --> this", "this"),
        ('<?xml version="1.0"?><speak>Hi</speak>', "Hi"),
        ('Wait <break time="1s"/> here', "Wait here"),
        ('<say-as interpret-as="digits">12</say-as> <sub alias="x">y</sub>', "12 y"),
        ("<mstts:express-as style='calm'>Hi</mstts:express-as>", "Hi"),
        ("Fish &amp; chips&nbsp;&lt; 5 &#39;x&#39; &eacute;", "Fish & chips 5 'x' é"),
        # Formulas
        (r"\( x^2 \), $$\frac{1}{2}$$, \text{per day}, 2 \times 3", "x², 1/2, per day, 2 × 3"),
        # Stage directions
        ("*laughs* Sure (pause) yes. [sighs softly]", "Sure yes."),
        ("*lacht* Gern.", "Gern."),
        # Pictures, and what is not seen
        ("Great 😀👍🏽 day 🇩🇪 ❤️ 1️⃣", "Great day 1"),
        (
            "res\u00ader\u00adva\u00adtion con\u200bfirmed\ufeff at\u2060 ten",
            "reservation confirmed at ten",
        ),
        ("می\u200cخواهم क्\u200dष", "می\u200cخواهم क्\u200dष"),
        ("\u202bשלום\u202c", "שלום"),
    ],
)
def test_markup_goes(text: str, expected: str) -> None:
    """In voice, of every language."""
    assert plain(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Press # to go on, or * to repeat.",
        'The keys "*" and "#", or (*).',
        "Dial *67 or #31# first.",
        "It is 5*3, or 5 * 3, a 4* hotel.",
        "If your total <b and your limit c> d, call us.",
        "Children < 12, a<b, x < y > z, <5 minutes, I <3 you",
        "Dear <your name>, hello <quote>.",
        "AT&T, R&D, Q&A",
        "Press pause (the button) and see [below].",
        "my_name and 2_000",
        "Then press #",
    ],
)
def test_what_only_looks_like_markup_stays(text: str) -> None:
    """For the rules that read signs."""
    assert without_markup(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to <john@example.com> please.", "Write to john@example.com please."),
        ("<mailto:john@example.com>", "john@example.com"),
        ("Call <tel:+1-555-0100>.", "Call +1-555-0100."),
        ("See <https://example.com/a>.", "See https://example.com/a."),
    ],
)
def test_addresses_in_angle_brackets_are_read(text: str, expected: str) -> None:
    """They are links, not tags."""
    assert without_markup(text) == expected


@given(st.text(st.sampled_from("ab <>*#_`|[]()!&;/=\n\"'") | st.characters(categories=["L", "N"])))
def test_no_word_outside_of_tags_and_links_is_lost(text: str) -> None:
    """Letters and figures stay, in their order."""
    text = re.sub(r"[<>\[\]&`|\\]|[(][^)]*[)]", " ", text)
    assert re.findall(r"[^\W_]", without_markup(text)) == re.findall(r"[^\W_]", text)
