"""Whole stories of several phones, by what each of them heard: the stand-in mixes their audio.

Every sentence is a tone of its own (:mod:`tests.agent.tones`), so that what a phone was sent tells
who was heard on it. The service is a real one, on sockets of this machine; it hears tones, too.
Both versions of the API are told at once: a story lasts as long as people talk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from agent.simulator.party.party_phones import PartyCue, PartyTurn, PhoneScript
from agent.simulator.plan import Plan
from agent.simulator.sinch.menus import LISTENS
from agent.simulator.sinch.phone_network import Phone, PhoneLeg
from agent.sinch.callbacks import Version
from tests.agent.conversation import voice
from tests.agent.loopback import until
from tests.agent.sinch.stories import CALLER, MANAGER, Story, told
from tests.agent.tones import OTHER, TableModel, Tones, ToneSynthesizer, ToneTranscriber

pytestmark = pytest.mark.usefixtures("nothing_left")

ANN, BEN, CLEO, DORA = (f"+1555000001{n}" for n in range(4))
BOSS = "+15550000003"
LATELY = 0.2
"""Seconds without a sound after which it is quiet."""

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
LEAVES = "(hangs up)"
AGENT_SAYS = (
    *("Hello.", "I will ask.", "I will call.", BRIEFING, "Here you are.", "I am back."),
    *("Somebody wants you. Press 1 to take the call.", "Here is the boss."),
    *("It failed, declined.", "It failed, no answer.", "At nine.", "Until noon."),
    *("Ben has joined.", "Dora has joined.", "Cleo cannot be reached.", "Ann has left."),
)


@dataclass
class Line:
    """A story, and what was heard in it."""

    story: Story
    tones: Tones

    def leg(self, number: str) -> PhoneLeg:
        """Return the last leg to a phone."""
        return [leg for leg in self.story.sinch.legs if leg.number == number][-1]

    def heard(self, number: str) -> list[str]:
        """Return the sentences that reached a phone until now, in the order of their beginning."""
        there = self.leg(number).person
        return [] if there is None else self.tones.heard(there.recording.heard)

    async def hears(self, number: str, text: str) -> None:
        """Return once a sentence has reached a phone, and nobody sounds there just now."""
        await until(lambda: text in self.heard(number) and self._is_quiet(number))

    def _is_quiet(self, number: str) -> bool:
        there = self.leg(number).person
        assert there is not None
        heard = there.recording.heard
        return not any(heard.pcm[-2 * round(LATELY * heard.rate) :])

    async def is_over(self) -> None:
        """Return when nobody hangs on."""
        await until(lambda: all(leg.over.is_set() for leg in self.story.sinch.legs))


Tell = Callable[[Line], Awaitable[None]]
People = Mapping[str, tuple[Phone, Mapping[str, PartyCue]]]
"""By number: a telephone, and what is said into it, each when."""


def after(text: str, seconds: float = 0.2) -> PartyCue:
    """Begin when somebody with a script has said that."""
    return PartyCue(event="turn", of=text, seconds=seconds)


def once_answered(text: str = "", seconds: float = 0.3) -> PartyCue:
    """Begin when the agent is done, after it has answered that; or has spoken at all."""
    return PartyCue(event="agent", of=text, seconds=seconds, within=30)


def tell(folder: Path, tell_one: Tell, people: People, then: str = "leave") -> None:
    """Run a story in both versions, at once."""

    async def one(version: Version) -> None:
        tones = Tones([*AGENT_SAYS, *(text for _, says in people.values() for text in says)])
        at = folder / version
        (at / "prompts").mkdir(parents=True)
        (at / "prompts" / "reception.md").write_text(AGENT.replace("THEN", then))
        providers = voice(
            stt=ToneTranscriber(tones), llm=TableModel(ANSWERS), tts=ToneSynthesizer(tones)
        )
        phones = {number: _phone(tones, number, *given) for number, given in people.items()}
        sinch = {"conference": version == "v1"}
        given: dict[str, Any] = {"providers": providers, "phones": phones, "sinch": sinch}
        given["alone"] = False  # the other version's is beside it
        given["end_of_turn"] = dict.fromkeys(("shortest", "middle", "long", "longest"), 0.25)
        async with told(at, version, **given) as story, asyncio.timeout(40):
            story.sinch.speak_with(tones.audio)
            line = Line(story, tones)
            try:
                await tell_one(line)
            finally:
                for leg in story.sinch.legs:
                    print(version, leg.title, "heard", line.heard(leg.number))
            assert story.sinch.faults == []

    async def main() -> None:
        async with asyncio.TaskGroup() as versions:
            versions.create_task(one("v1"))
            versions.create_task(one("v2"))

    asyncio.run(main())


def _phone(tones: Tones, number: str, phone: Phone, says: Mapping[str, PartyCue]) -> Phone:
    turns = []
    for text, cue in says.items():
        audio = None if text == LEAVES else tones.audio(text)
        turns.append(PartyTurn(key=text, label=text, cue=cue, audio=audio, leaves=audio is None))
    return replace(phone, script=PhoneScript(name=number, turns=turns))


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
