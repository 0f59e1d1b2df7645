"""Whole stories of several phones, by what each of them heard (:mod:`tests.agent.sinch.heard`)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.simulator.party.party_phones import PartyCue
from agent.simulator.plan import Plan
from agent.simulator.sinch.menus import LISTENS
from agent.simulator.sinch.phone_network import Phone
from tests.agent.loopback import until
from tests.agent.sinch import heard
from tests.agent.sinch.heard import LEAVES, Cast, Line, People, Tell, after, once_answered
from tests.agent.sinch.stories import CALLER, MANAGER
from tests.agent.tones import OTHER

pytestmark = pytest.mark.usefixtures("nothing_left")

ANN, BEN, CLEO, DORA = (f"+1555000001{n}" for n in range(4))
BOSS = "+15550000003"
AGENT = f"""---
greeting: Hello.
transfer_failed: It failed, {{{{ why }}}}.
returned: I am back.
party:
  called: Marlowe
  waiting: We wait.
transfers:
  - name: manager
    to: "{MANAGER}"
    warm: true
    briefing: Somebody needs help.
    consent: Press 1 to take the call.
    introduction: Here you are.
    then: THEN
  - name: boss
    to: "{BOSS}"
    warm: true
    briefing: Somebody wants you.
    consent: Press 1 to take the call.
    introduction: Here is the boss.
---
Be brief.
"""
BRIEFING = "Somebody needs help. Press 1 to take the call."
ANSWERS = {
    "The manager please.": "I will ask. [transfer manager]",
    "The boss then.": "I will call. [transfer boss]",
    "Marlowe, please call the boss.": "I will call. [transfer boss]",
    "Marlowe, are you open on Sunday?": "Until noon.",
    "When do you open?": "At nine.",
}
AGENT_SAYS = (
    *("Hello.", "I will ask.", "I will call.", BRIEFING, "Here you are.", "I am back."),
    *("Somebody wants you. Press 1 to take the call.", "Here is the boss."),
    *("It failed, declined.", "It failed, no answer.", "At nine.", "Until noon."),
    *("Ben has joined.", "Dora has joined.", "Cleo cannot be reached.", "Ann has left."),
)


def tell(folder: Path, tell_one: Tell, people: People, then: str = "leave") -> None:
    """Run a story in both versions, at once."""
    heard.tell(folder, tell_one, people, Cast(AGENT.replace("THEN", then), ANSWERS, AGENT_SAYS))


def test_both_hear_each_other_once_whoever_was_asked_takes_the_call(tmp_path: Path) -> None:
    """They alone have heard what it is about, and nothing of the caller before their yes.

    They say who they are at once, before the agent has introduced them: it answers nothing of that.
    """

    async def story(line: Line) -> None:
        s = line.story
        caller = await s.call_in(Plan(patience=60))
        await line.hears(CALLER, "At nine.")
        assert line.heard(MANAGER) == [BRIEFING]
        s.sinch.press(line.leg(MANAGER), "1")
        await line.hears(CALLER, "Goodbye.")
        assert line.heard(CALLER)[:4] == [
            "Hello.",
            "I will ask.",
            "At nine.",
            "This is the manager.",
        ]
        assert line.heard(CALLER)[4:] == ["Here you are.", "Goodbye."]
        assert sorted(line.heard(MANAGER)[1:]) == ["Here you are.", "Thank you for coming."]
        streams = [leg for leg in s.sinch.legs if leg.is_stream]
        assert [leg.over.is_set() for leg in streams] == [s.version == "v1"]
        assert not caller.over.is_set()
        await s.sinch.hang_up(line.leg(MANAGER))
        await line.is_over()

    tell(
        tmp_path,
        story,
        {
            CALLER: (
                Phone(),
                {
                    "The manager please.": once_answered(),
                    "When do you open?": once_answered("The manager please."),
                    "Thank you for coming.": after("This is the manager.", 0.1),
                },
            ),
            MANAGER: (
                Phone(at_menus=(LISTENS,)),
                {
                    "This is the manager.": PartyCue(event="joined", seconds=0.3),
                    "Goodbye.": after("Thank you for coming.", 1.6),
                },
            ),
        },
    )


def test_the_caller_hears_why_nobody_comes_and_the_agent_goes_on(tmp_path: Path) -> None:
    """One says no, another never answers; neither has heard anything of the caller."""

    async def story(line: Line) -> None:
        s = line.story
        caller = await s.call_in(Plan(patience=60))
        await line.hears(CALLER, "At nine.")
        assert line.heard(CALLER) == [
            *("Hello.", "I will ask.", "It failed, declined."),
            *("I will call.", "It failed, no answer.", "At nine."),
        ]
        assert line.heard(MANAGER) == [BRIEFING]
        assert line.leg(BOSS).person is None
        assert [one for one in s.sinch.legs if not one.over.is_set() and not one.is_stream] == [
            caller
        ]
        await s.sinch.hang_up(caller)
        await line.is_over()

    says = {
        "The manager please.": once_answered(),
        "The boss then.": once_answered("The manager please.", 2.0),
        "When do you open?": once_answered("The boss then.", 1.5),
    }
    no = Phone(at_menus=("2",))
    away = Phone(answers="no", after=0.3)
    tell(tmp_path, story, {CALLER: (Phone(), says), MANAGER: (no, {}), BOSS: (away, {})})


def test_three_are_heard_by_each_other_while_the_agent_helps(tmp_path: Path) -> None:
    """It answers who calls it by name, is silent otherwise, and stays when they have left."""

    async def story(line: Line) -> None:
        s = line.story
        caller = await s.call_in(Plan(patience=60))
        await until(lambda: [x["status"] for x in s.lines("transfer")][-1:] == ["returned"])
        await line.hears(CALLER, "At nine.")
        assert line.heard(MANAGER) == [
            *(BRIEFING, "Here you are.", "Until noon.", "Then I come at eleven."),
        ]
        assert line.heard(CALLER) == [
            *("Hello.", "I will ask.", "Here you are.", "Marlowe, are you open on Sunday?"),
            *("Until noon.", "I am back.", "At nine."),
        ]
        await s.sinch.hang_up(caller)
        await line.is_over()

    caller = {
        "The manager please.": once_answered(),
        "Then I come at eleven.": once_answered("Marlowe, are you open on Sunday?"),
        "When do you open?": once_answered("Then I come at eleven."),
    }
    manager = {
        "Marlowe, are you open on Sunday?": once_answered(),
        LEAVES: after("Then I come at eleven.", 1.2),
    }
    takes = Phone(at_menus=("1",))
    tell(tmp_path, story, {CALLER: (Phone(), caller), MANAGER: (takes, manager)}, "help")


def test_who_helps_has_the_caller_passed_on_and_all_of_them_talk(tmp_path: Path) -> None:
    """The next hears nothing of them before their yes; the agent leaves, or is silent.

    Whoever has helped stays until they hang up, and the others talk on.
    """

    async def story(line: Line) -> None:
        s = line.story
        await s.call_in(Plan(patience=60))
        await line.hears(CALLER, "Goodbye.")
        assert line.heard(CALLER) == [
            *("Hello.", "I will ask.", "Here you are.", "Marlowe, please call the boss."),
            *("I will call.", "Here is the boss.", "This is the boss.", "Goodbye."),
        ]
        assert line.heard(MANAGER) == [
            *(BRIEFING, "Here you are.", "I will call.", "Here is the boss."),
            *("This is the boss.", "Thank you for coming.", "Goodbye."),
        ]
        assert line.heard(BOSS) == [
            "Somebody wants you. Press 1 to take the call.",
            *("Here is the boss.", "Thank you for coming."),
        ]
        streams = [leg for leg in s.sinch.legs if leg.is_stream]
        assert [leg.over.is_set() for leg in streams] == [s.version == "v1"]
        steps = [(line["to"], line["status"]) for line in s.lines("transfer")]
        for name in ("manager", "boss"):
            own = [status for to, status in steps if to == name]
            assert own == ["started", "briefed", "accepted", "done"]
        await s.sinch.hang_up(line.leg(MANAGER))
        await asyncio.sleep(0.5)
        assert not line.leg(BOSS).over.is_set()
        assert not line.leg(CALLER).over.is_set()
        await s.sinch.hang_up(line.leg(BOSS))
        await line.is_over()

    caller = {
        "The manager please.": once_answered(),
        "Thank you for coming.": after("This is the boss.", 0.3),
    }
    boss = {
        "This is the boss.": PartyCue(event="joined", seconds=4.0),
        "Goodbye.": after("Thank you for coming.", 0.3),
    }
    phones: People = {
        CALLER: (Phone(), caller),
        MANAGER: (Phone(at_menus=("1",)), {"Marlowe, please call the boss.": once_answered()}),
        BOSS: (Phone(at_menus=("1",)), boss),
    }
    tell(tmp_path, story, phones, "help")


def test_a_line_of_several_hears_who_comes_and_goes_until_its_stream_dies(tmp_path: Path) -> None:
    """One leaves, one never answers, one is added: the others hear so, and each other.

    Nobody is left alone in the end.
    """

    async def story(line: Line) -> None:
        s = line.story
        people = {"Ann": ANN, "Ben": BEN, "Cleo": CLEO}
        to = [{"to": number, "title": title} for title, number in people.items()]
        status, call = await s.operate("POST", "/calls", {"to": to})
        assert status == 201, call
        await until(lambda: s.lines("agent"))
        dora = {"to": DORA, "title": "Dora"}
        status, _ = await s.operate("POST", f"/calls/{call['id']}/parties", dora)
        assert status == 201
        await line.hears(BEN, "Ann has left.")
        news = {"Dora has joined.", "Cleo cannot be reached."}
        assert {"Hello.", "Dora here.", "It is raining here.", *news} <= set(line.heard(ANN))
        assert {"Dora here.", "I have the papers.", *news} <= set(line.heard(BEN))
        said = {"I have the papers.", "It is raining here.", "Ann has left."}
        assert said <= set(line.heard(DORA))
        assert OTHER not in line.heard(DORA)
        assert line.leg(ANN).over.is_set()
        assert [leg.over.is_set() for leg in (line.leg(BEN), line.leg(DORA))] == [False, False]
        (stream,) = [leg for leg in s.sinch.legs if leg.is_stream]
        await s.sinch.hang_up(stream)
        await line.is_over()

    ann = {
        "I have the papers.": once_answered("Dora here.", 1.2),
        LEAVES: after("It is raining here."),
    }
    tell(
        tmp_path,
        story,
        {
            ANN: (Phone(), ann),
            BEN: (Phone(after=0.3), {"It is raining here.": after("I have the papers.")}),
            CLEO: (Phone(answers="no", after=2.5), {}),
            DORA: (Phone(), {"Dora here.": PartyCue(event="joined", seconds=0.2)}),
        },
    )
