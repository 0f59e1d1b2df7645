"""Who hears whom when an operator steps in, when callers are passed on, and before a yes.

By what reached each phone (:mod:`tests.agent.sinch.heard`), and what the model was shown.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.simulator.party.party_phones import PartyCue
from agent.simulator.plan import Plan
from agent.simulator.sinch.phone_network import Phone
from tests.agent.sinch import heard
from tests.agent.sinch.heard import LEAVES, Cast, Line, after, once_answered
from tests.agent.sinch.stories import CALLER, Story
from tests.agent.sinch.stories import MANAGER as OFFICE

pytestmark = pytest.mark.usefixtures("nothing_left")

OPERATOR, ANN, BEN = "+15550000003", "+15550000010", "+15550000011"
DISCOUNT = "Offer them a discount."

AGENT = f"""---
greeting: Hello.
transfer_failed: It failed.
returned: I am back.
party:
  called: Marlowe
  announces: none
transfers:
  - name: office
    to: "{OFFICE}"
---
Be brief.
"""
ANSWERS = {
    "When do you open?": "At nine.",
    "Are you open on Sunday?": "Until noon.",
    "Can I have a table?": "You can.",
    "The office please.": "I will connect you. [transfer office]",
}
SAYS = (
    *("Hello.", "At nine.", "Until noon.", "You can.", "I will connect you.", "It failed."),
    *("I am back.", "A colleague comes.", "Ann, this is Bob.", DISCOUNT, "It costs less."),
)
CAST = Cast(AGENT, ANSWERS, SAYS, {DISCOUNT: "It costs less."})
TAKE_OVER = {
    "phone": OPERATOR,
    "announcement": "A colleague comes.",
    "introduction": "Ann, this is Bob.",
}
CALLER_SAYS = {
    "When do you open?": once_answered(),
    "Are you open on Sunday?": after("This is Bob.", 0.3),
    "Can I have a table?": once_answered("Are you open on Sunday?"),
}


def test_an_operator_takes_a_caller_over_and_gives_them_back(tmp_path: Path) -> None:
    """They hear each other, and nothing else of the caller; the agent hears nobody meanwhile."""

    async def story(line: Line) -> None:
        s = line.story
        caller = await s.call_in(Plan(patience=60))
        await line.hears(CALLER, "At nine.")
        await line.order("take-over", TAKE_OVER)
        await line.hears(CALLER, "Yes, we are.")
        await asyncio.sleep(1.0)  # an agent that listened would answer by now
        assert line.heard(CALLER) == [
            *("Hello.", "At nine.", "A colleague comes.", "Ann, this is Bob."),
            *("This is Bob.", "Yes, we are."),
        ]
        await line.order("return", {})
        await line.hears(CALLER, "You can.")
        assert line.heard(CALLER)[6:] == ["I am back.", "You can."]
        assert line.heard(OPERATOR) == ["Ann, this is Bob.", "Are you open on Sunday?"]
        assert line.leg(OPERATOR).over.is_set()
        assert line.understood() == ["When do you open?", "Can I have a table?"]
        assert set(line.model.shown) == {"When do you open?", "Can I have a table?"}
        await s.sinch.hang_up(caller)
        await line.is_over()

    operator = {
        "This is Bob.": once_answered(),
        "Yes, we are.": after("Are you open on Sunday?", 0.3),
    }
    phones = {CALLER: (Phone(), CALLER_SAYS), OPERATOR: (Phone(), operator)}
    heard.tell(tmp_path, story, phones, CAST)


def test_what_is_whispered_nobody_hears_but_the_agent(tmp_path: Path) -> None:
    """While an operator talks to the caller, too, who then hangs up: the agent goes by it."""

    async def story(line: Line) -> None:
        s = line.story
        caller = await s.call_in(Plan(patience=60))
        await line.hears(CALLER, "At nine.")
        await line.order("take-over", TAKE_OVER)
        await line.hears(CALLER, "This is Bob.")
        await line.order("whisper", {"text": DISCOUNT})
        await line.hears(CALLER, "It costs less.")
        assert line.heard(CALLER) == [
            *("Hello.", "At nine.", "A colleague comes.", "Ann, this is Bob."),
            *("This is Bob.", "I am back.", "It costs less."),
        ]
        assert line.heard(OPERATOR) == ["Ann, this is Bob.", "Are you open on Sunday?"]
        (told,) = s.lines("whisper")
        assert told["text"] == DISCOUNT
        await s.sinch.hang_up(caller)
        await line.is_over()

    operator = {"This is Bob.": once_answered(), LEAVES: after("Are you open on Sunday?", 1.2)}
    phones = {CALLER: (Phone(), CALLER_SAYS), OPERATOR: (Phone(), operator)}
    heard.tell(tmp_path, story, phones, CAST)


def test_who_is_passed_on_and_whoever_answers_hear_each_other_alone(tmp_path: Path) -> None:
    """The agent stays with the caller while it rings, and is not heard from the answer on."""

    async def story(line: Line) -> None:
        s = line.story
        caller = await s.call_in(Plan(patience=60))
        await line.hears(CALLER, "Yes, we are.")
        await asyncio.sleep(1.0)  # an agent that listened would answer by now
        assert line.heard(CALLER) == [
            *("Hello.", "I will connect you.", "At nine.", "This is the office.", "Yes, we are."),
        ]
        assert line.heard(OFFICE) == ["Are you open on Sunday?"]
        assert [leg.over.is_set() for leg in line.streams()] == [s.version == "v1"]
        assert line.understood() == ["The office please.", "When do you open?"]
        assert not caller.over.is_set()
        await s.sinch.hang_up(line.leg(OFFICE))
        await line.is_over()
        assert "I am back." not in line.heard(CALLER)

    caller = {
        "The office please.": once_answered(),
        "When do you open?": once_answered("The office please.", 0.5),
        "Are you open on Sunday?": after("This is the office.", 0.3),
    }
    office = {
        "This is the office.": PartyCue(event="joined", seconds=0.3),
        "Yes, we are.": after("Are you open on Sunday?", 0.3),
    }
    phones = {CALLER: (Phone(), caller), OFFICE: (Phone(after=3.5), office)}
    heard.tell(tmp_path, story, phones, CAST)


SCREENED = """---
greeting: Hello.
disclosure: I am a machine.
screener: This is Marlowe about your table.
---
Be brief.
"""
ASKS = "Please say your name, and I will connect you."


def test_a_screener_is_told_who_calls_and_its_person_is_greeted(tmp_path: Path) -> None:
    """Nobody says anything to whoever is silent in between; no model is shown the screener's."""

    async def story(line: Line) -> None:
        s = line.story
        body = {"to": ANN, "machine": "hangup", "screening": "ears"}
        status, placed = await s.operate("POST", "/calls", body)
        assert status == 201, placed
        await line.hears(ANN, "At nine.")
        assert line.heard(ANN) == [
            *("I am a machine.", "This is Marlowe about your table."),
            *("I am a machine.", "Hello.", "At nine."),
        ]
        assert [one["answerer"] for one in s.lines("screened")][-2:] == ["screener", "human"]
        assert not [text for text in line.model.shown if ASKS in text or "Thank" in text]
        await s.sinch.hang_up(line.leg(ANN))
        await line.is_over()

    ann = {
        ASKS: PartyCue(event="joined", seconds=0.3),
        "Thank you, please stay on the line.": once_answered(ASKS, 0.5),
        "Hello?": after("Thank you, please stay on the line.", 2.0),
        "When do you open?": once_answered("Hello?"),
    }
    # With so many before them, what is said into the phone sounds above 2,500 Hz: lower, a steady
    # tone is the beep of a machine.
    says = (*SAYS, "I am a machine.", "This is Marlowe about your table.")
    cast = Cast(SCREENED, ANSWERS, says)
    heard.tell(tmp_path, story, {ANN: (Phone(), ann)}, cast)


CONSENT = f"""---
greeting: Hello.
disclosure: I am a machine.
consent: May I take this call?
opt_out_key: "9"
party:
  called: Marlowe
  announces: none
transfers:
  - name: office
    to: "{OFFICE}"
---
Be brief.
"""


async def dial_both(s: Story) -> None:
    """Have Ann and Ben dialled onto one line."""
    to = [{"to": ANN, "title": "Ann"}, {"to": BEN, "title": "Ben"}]
    status, placed = await s.operate("POST", "/calls", {"to": to})
    assert status == 201, placed


def test_what_is_said_on_a_line_before_a_yes_is_for_no_model(tmp_path: Path) -> None:
    """They hear each other, and the question again; nobody is dialled, and the yes is for all."""

    async def story(line: Line) -> None:
        s = line.story
        await dial_both(s)
        await line.hears(ANN, "At nine.")
        question = "May I take this call?"
        assert line.heard(ANN) == [
            *("I am a machine.", question, question, "Yes.", "Hello.", "At nine."),
        ]
        assert line.heard(BEN)[0] == "I am a machine."
        assert line.heard(BEN)[-5:] == [
            *("The office please.", question, "Hello.", "When do you open?", "At nine."),
        ]
        assert set(line.model.shown) == {"When do you open?"}
        assert line.understood() == ["The office please.", "Yes.", "When do you open?"]
        assert [one["status"] for one in s.lines("consent")] == ["given"]
        assert [one for one in s.sinch.legs if one.number == OFFICE] == []
        for number in (ANN, BEN):
            await s.sinch.hang_up(line.leg(number))
        await line.is_over()

    ann = {
        "The office please.": once_answered("", 0.5),
        "When do you open?": once_answered("Yes."),
    }
    ben = {"Yes.": once_answered("The office please.", 0.9)}  # it is no answer in the first second
    says = (*SAYS[:6], "I am a machine.", "May I take this call?")
    phones = {ANN: (Phone(), ann), BEN: (Phone(after=0.3), ben), OFFICE: (Phone(), {})}
    heard.tell(tmp_path, story, phones, Cast(CONSENT, ANSWERS, says))


OPTS_OUT = """---
greeting: Hello.
opt_out_key: "9"
party:
  called: Marlowe
  announces: none
---
Be brief.
"""


def test_nobody_opts_out_for_others_on_a_line(tmp_path: Path) -> None:
    """A word or a key of one of several puts nobody onto the list: who was it? They talk on."""

    async def story(line: Line) -> None:
        s = line.story
        await dial_both(s)
        await line.hears(BEN, "At nine.")
        await line.hears(ANN, "At nine.")
        assert "Marlowe, never call me again." in line.heard(BEN)
        assert {"When do you open?", "At nine."} <= set(line.heard(ANN))
        assert s.lines("opt_out") == []
        assert (await s.operate("GET", "/opt-outs"))[1] == {"opt_outs": []}
        assert [line.leg(number).over.is_set() for number in (ANN, BEN)] == [False, False]
        for number in (ANN, BEN):
            await s.sinch.hang_up(line.leg(number))
        await line.is_over()

    ann = {"Marlowe, never call me again.": once_answered("", 0.5)}
    ben = {"When do you open?": once_answered("Marlowe, never call me again.", 0.5)}
    answers = ANSWERS | {"never call me again": "As you wish. [no_more_calls]"}
    phones = {ANN: (Phone(), ann), BEN: (Phone(after=0.3), ben)}
    heard.tell(tmp_path, story, phones, Cast(OPTS_OUT, answers, (*SAYS[:2], "As you wish.")))
