"""Three on a line with a real service: caller, manager and agent hear each other, or do not.

Conferences and bridges are mixed, and what each heard tells who was there. What a service makes of
several phones that it dials at once has stories of its own.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent.simulator.party.party_phones import PartyCue, PartyTurn, PhoneScript
from agent.simulator.sinch.phone_network import Phone, PhoneLeg
from agent.sinch.callbacks import Version
from tests.agent.conversation import voice
from tests.agent.loopback import until
from tests.agent.simulator.platform import levels
from tests.agent.simulator.platform import tone as level
from tests.agent.sinch.stories import CALLER, MANAGER, Story, speech, tell

pytestmark = pytest.mark.usefixtures("nothing_left")
both = pytest.mark.parametrize("version", ["v1", "v2"])

MOVES = ["I will connect you. [transfer manager]", "You are welcome."]


def asks() -> PartyTurn:
    """What the tests' detector takes for speech, once the agent has greeted."""
    cue = PartyCue(event="agent", seconds=0.1)
    return PartyTurn(key="asks", cue=cue, audio=speech().audio)


def says(key: str, value: int, cue: PartyCue, **more: Any) -> PartyTurn:
    return PartyTurn(key=key, cue=cue, audio=level(value), **more)


def caller(*turns: PartyTurn) -> Phone:
    return Phone(script=PhoneScript(name="caller", turns=[asks(), *turns]))


def heard(leg: PhoneLeg) -> set[int]:
    assert leg.person is not None
    return levels(leg.person.recording.heard.pcm)


@both
def test_a_caller_and_whom_they_are_passed_on_to_hear_each_other(
    tmp_path: Path, version: Version
) -> None:
    """Until one of them leaves: then nobody is left on the line, whichever side the agent is on."""
    greeted = PartyCue(event="joined", seconds=0.3)
    manager = says("manager", 5000, greeted)
    leaves = PartyCue(event="turn", of="manager", seconds=0.2)
    phones = {
        CALLER: caller(says("caller", 6000, leaves, leaves=True)),
        MANAGER: Phone(script=PhoneScript(name="manager", turns=[manager])),
    }

    async def story(s: Story) -> None:
        leg = await s.call_in()
        await until(leg.over.is_set)
        (moved,) = [one for one in s.sinch.legs if one.number == MANAGER]
        assert 5000 in heard(leg)
        assert 6000 in heard(moved)
        await until(lambda: all(one.over.is_set() for one in s.sinch.legs))
        assert [line["status"] for line in s.lines("transfer")] == ["started", "done"]

    conference = {"conference": True} if version == "v1" else {}
    tell(tmp_path, version, story, providers=voice(["The manager."], MOVES), phones=phones,
         sinch=conference)  # fmt: skip


def test_the_agent_is_there_again_when_the_human_is_not(tmp_path: Path) -> None:
    """The caller hears that nobody is there, and hangs up; the agent's leg goes with them."""
    after = PartyCue(event="agent", of="asks", seconds=0.8)
    phones = {
        CALLER: caller(says("leaves", 6000, after, leaves=True)),
        MANAGER: Phone(answers="busy", after=0.2),
    }

    async def story(s: Story) -> None:
        leg = await s.call_in()
        await until(leg.over.is_set)
        assert [line["status"] for line in s.lines("transfer")] == ["started", "failed"]
        assert "Nobody is there." in [line["text"] for line in s.lines("agent")]
        await until(lambda: all(one.over.is_set() for one in s.sinch.legs))

    tell(tmp_path, "v2", story, providers=voice(["The manager."], MOVES), phones=phones)


@both
def test_a_phone_is_not_left_alone_when_the_stream_dies(tmp_path: Path, version: Version) -> None:
    """The agent's end is cut; whoever is on the line is hung up, and not left in a conference."""
    phones = {CALLER: Phone(script=PhoneScript(name="caller"))}

    async def story(s: Story) -> None:
        leg = await s.call_in()
        await until(lambda: any(one.is_stream for one in s.sinch.legs))
        (stream,) = [one for one in s.sinch.legs if one.is_stream]
        await until(lambda: leg.person is not None and heard(leg))
        await s.sinch.hang_up(stream, "GENERALERROR")
        async with asyncio.timeout(10):
            await leg.over.wait()
        await until(lambda: s.lines("ended"))

    conference = {"conference": True} if version == "v1" else {}
    tell(tmp_path, version, story, phones=phones, sinch=conference)
