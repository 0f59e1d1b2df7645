"""What somebody has answered to a question, and how the platform tells it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sinch.callbacks import MenuAnswered, parse
from agent.yes_and_no import MOST_WORDS, says_yes


@pytest.mark.parametrize(
    ("given", "spoken", "locale", "answer"),
    [
        ("1", False, "en-US", True),
        ("2", False, "en-US", False),
        ("3", False, "en-US", None),
        ("", False, "en-US", None),
        ("yes", False, "en-US", None),  # a value that is none of ours
        ("1", True, "en-US", True),
        ("Yes.", True, "en-US", True),
        ("Yeah, put them through", True, "en-US", True),
        ("No, I can't", True, "en-US", False),
        ("I can\u2019t", True, "en-US", False),
        ("yes, no", True, "en-US", None),
        ("Hello? Who is this?", True, "en-US", None),
        ("Ja, gerne", True, "de-DE", True),
        ("nein", True, "de-DE", False),
        ("yes", True, "de-DE", None),
        ("OUI", True, "fr-FR", True),
        ("yes", True, "xx", None),
        ("No problem.", True, "en-US", None),
        ("I don't mind", True, "en-US", None),
        ("Pas de problème", True, "fr-FR", None),
        ("No, go ahead.", True, "en-US", None),
        ("I can't hear you", True, "en-US", None),
        ("I have no idea", True, "en-US", None),
        ("yes I understand", True, "en-US", True),
        ("Nein, machen Sie nur.", True, "de-DE", None),
        ("Ich verstehe Sie nicht", True, "de-DE", None),
        ("Je n'entends pas", True, "fr-FR", None),
        ("Yes?", True, "en-US", None),
        ("yes this is the mailbox of Ann Smith", True, "en-US", None),
    ],
)
def test_an_answer_is_yes_no_or_neither(
    given: str, spoken: bool, locale: str, answer: bool | None
) -> None:
    """By key, or by a few words in the language of the voice that has asked."""
    assert says_yes(given, spoken=spoken, locale=locale) is answer


@given(st.text(), st.booleans(), st.text(max_size=8))
def test_nothing_long_is_a_yes(given: str, spoken: bool, locale: str) -> None:
    """Whoever talks, or a machine, has not said it."""
    if says_yes(given, spoken=spoken, locale=locale):
        assert len(given.split()) <= MOST_WORDS


def pie(**menu: Any) -> Any:
    return parse(json.dumps({"event": "pie", "callid": "c", "menuResult": menu}).encode())


@pytest.mark.parametrize(
    ("menu", "given", "spoken"),
    [
        ({"type": "return", "value": "1", "inputMethod": "dtmf"}, "1", False),
        ({"type": "Return", "value": 1}, "1", False),
        ({"type": "sequence", "value": "yes please", "inputMethod": "voice"}, "yes please", True),
        ({"type": "timeout", "value": "1", "inputMethod": "dtmf"}, "", False),
        ({"type": "invalidinput", "value": "7", "inputMethod": "dtmf"}, "?", False),
        ({"type": "InvalidInput", "value": "1"}, "?", False),
        ({"type": "hangup"}, "", False),
        ({"type": "error"}, "", False),
    ],
)
def test_the_end_of_a_menu_of_version_1(menu: Any, given: str, spoken: bool) -> None:
    """Only what was chosen or said is an answer, and a wrong key is none that means anything."""
    told = pie(menuId="t1", **menu)
    assert isinstance(told, MenuAnswered)
    assert (told.menu, told.given, told.spoken) == ("t1", given, spoken)


def test_the_end_of_a_menu_of_version_2() -> None:
    """A webhook of a key, or what came of none; of other menus the name is told."""

    def told(event: str, **more: Any) -> Any:
        call = {"callId": "c", "callName": "t1"}
        return parse(json.dumps({"event": event, "call": call} | more).encode())

    yes = told("call.webhook.briefing-1", menu={"menuName": "briefing", "input": "1"})
    assert (yes.menu, yes.given, yes.leg.name) == ("briefing", "1", "t1")
    assert told("call.webhook.briefing-2").given == "2"
    nothing = told("call.menu", menu={"menuName": "briefing", "input": ""})
    assert (nothing.menu, nothing.given) == ("briefing", "")
    assert told("call.menu", menu={"menuName": "lunch", "input": "1"}).menu == "lunch"
    assert not isinstance(told("call.webhook.lunch-1"), MenuAnswered)
