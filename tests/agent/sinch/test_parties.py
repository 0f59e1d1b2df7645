"""Several phones on one line: dialled at once, let in, added, dropped, and never left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.call.orders import PartyExpected, PartyJoined, PartyLeft
from agent.sinch.callbacks import IncomingCall, LegAnswered, Version
from agent.sinch.contracts import Dial, Party
from agent.sinch.dialling.line_endings import NOBODY_REACHED
from agent.sinch.legs.leg_kinds import EndsWith, PartyLeg, PlacedLeg
from agent.sinch.legs.leg_tables import LegStatus
from agent.sinch.refusals import (
    AllowanceUsedUpError,
    CallOverError,
    CannotAddError,
    DestinationRefusedError,
    NoSuchCallError,
    NoSuchPartyError,
    RefusedError,
)
from agent.sinch.stream_legs import STREAM_WITHIN
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell

both = pytest.mark.parametrize("version", ["v1", "v2"])
ANN, BEN, CLEO = "+15550000001", "+15550000002", "+15550000003"
DORA = "+15550000004"
OTHERS = [f"+1555000001{last}" for last in range(9)]
THREE = (
    Party(to=ANN, title="Ann"),
    Party(to=BEN, title="Ben", ring_seconds=20, host=True),
    Party(to=CLEO, title="Cleo"),
)


def to_all(ends_with: EndsWith = "last", parties: tuple[Party, ...] = THREE) -> Dial:
    return Dial(to=parties[0].to, agent="reception", parties=parties, ends_with=ends_with)


class Line:
    """A call to several, in a story."""

    def __init__(self, story: Story, name: str, legs: list[PartyLeg]) -> None:
        self.story, self.name = story, name
        self.legs = {leg.title: leg.name for leg in legs}

    @classmethod
    async def dialled(cls, story: Story, dial: Dial | None = None) -> Line:
        placed = await story.call_control.dial(dial or to_all())
        return cls(story, placed.name, await story.call_control.parties.of(placed.name))

    async def answers(self, title: str, **how: str) -> str:
        told = await self.story.answered(self.legs[title], call_id=f"leg of {title}", **how)  # type: ignore[arg-type]
        return str(told)

    async def leaves(self, title: str, result: str = "ANSWERED") -> str:
        told = await self.story.ended(self.legs[title], f"leg of {title}", result)
        await asyncio.sleep(0.1)
        return str(told)

    async def standing(self) -> dict[str, str]:
        legs = await self.story.call_control.parties.of(self.name)
        return {leg.title: leg.standing for leg in legs}

    async def is_over(self) -> bool:
        placed = await self.story.call_control.placed(self.name)
        assert placed is not None
        return placed.status is LegStatus.ENDED

    def hung_up(self) -> set[str]:
        return {about for _, about in self.story.platform.of("hang_up")}


def brings_stream(s: Story, told: str) -> bool:
    """Return whether the agent came with that answer, or by a request."""
    return "STREAM" in told if s.version == "v2" else bool(s.platform.of("bring_stream"))


@both
def test_the_agent_comes_with_the_first_who_answers(tmp_path: Path, version: Version) -> None:
    """Whoever of them that is; the others join, and there is one stream, by whatever process."""

    async def story(s: Story) -> None:
        other = Story(tmp_path, version, conference=False)
        line = await Line.dialled(s)
        assert [to for _, to in s.platform.of("party")] == [ANN, BEN, CLEO]
        assert await line.standing() == dict.fromkeys(("Ann", "Ben", "Cleo"), "expected")
        told = await line.answers("Ben")
        await asyncio.sleep(0.1)
        assert brings_stream(s, told)
        call = await s.directory.call(line.name)
        assert call is not None
        assert (call.phone, call.call_id) == (line.legs["Ben"], "leg of Ben")
        assert call.headers["called"] == BEN
        leg = s.leg(line.legs["Ann"], "leg of Ann")
        late = await other.call_control.answer(LegAnswered(leg=leg))
        again = await line.answers("Ben")
        assert "STREAM" not in str(late) + again
        assert "hangup" not in str(late) + again
        assert len(s.platform.of("bring_stream") + other.platform.of("bring_stream")) == (
            version == "v1"
        )
        assert await line.standing() == {"Ben": "joined", "Ann": "joined", "Cleo": "expected"}
        await other.call_control.aclose()

    tell(tmp_path, version, story)


@both
def test_all_who_answer_at_once_are_on_one_line(tmp_path: Path, version: Version) -> None:
    """Over two processes: one brings the stream, and nobody is hung up on."""

    async def story(s: Story) -> None:
        other = Story(tmp_path, version, conference=False)
        line = await Line.dialled(s)
        there = Line(other, line.name, await s.call_control.parties.of(line.name))
        told = await asyncio.gather(
            line.answers("Ann"), there.answers("Ben"), line.answers("Cleo"), there.answers("Ann")
        )
        await asyncio.sleep(0.1)
        assert "hangup" not in str([one for one in told if "STREAM" not in one])
        brought = (
            str(told).count("'STREAM'")
            if version == "v2"
            else len(s.platform.of("bring_stream") + other.platform.of("bring_stream"))
        )
        assert brought == 1
        assert set((await line.standing()).values()) == {"joined"}
        await other.call_control.aclose()

    tell(tmp_path, version, story)


@both
def test_the_agent_is_told_who_joins_and_leaves(tmp_path: Path, version: Version) -> None:
    """By their titles; why somebody has not come; nobody's number."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        await line.answers("Ann")
        s.calls.holds.add(line.name)
        await line.answers("Ben")
        await line.leaves("Cleo", "BUSY")
        await line.leaves("Cleo", "BUSY")
        await line.leaves("Ben")
        ben, cleo = line.legs["Ben"], line.legs["Cleo"]
        assert s.calls.ordered == [
            PartyJoined(party=ben, title="Ben"),
            PartyLeft(party=cleo, title="Cleo", why="busy"),
            PartyLeft(party=ben, title="Ben", why="left"),
        ]
        assert not await line.is_over()

    tell(tmp_path, version, story)


@both
@pytest.mark.parametrize(
    ("ends_with", "leave", "over"),
    [
        ("last", ["Ann", "Ben"], False),
        ("last", ["Ann", "Ben", "Cleo"], True),
        ("phone", ["Ben"], False),
        ("phone", ["Ann"], True),
        ("host", ["Ann", "Cleo"], False),
        ("host", ["Ben"], True),
    ],
)
def test_a_line_ends_by_its_rule_and_takes_all_along(
    tmp_path: Path, version: Version, ends_with: EndsWith, leave: list[str], over: bool
) -> None:
    """Ann was the first; Ben is the host. The record is closed once, under the first's leg."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s, to_all(ends_with))
        for title in ("Ann", "Ben", "Cleo"):
            await line.answers(title)
        for title in leave:
            told = await line.leaves(title)
        assert await line.is_over() is over
        left = {f"leg of {title}" for title in line.legs} - {f"leg of {one}" for one in leave}
        assert line.hung_up() == (left if over else set())
        assert [one["call_id"] for one in s.calls.told] == ["leg of Ann"] * over
        assert (s.platform.of("clear") != []) == (over and version == "v1")
        if version == "v2":
            assert ("'stream'" in told) == over

    tell(tmp_path, version, story)


@both
def test_who_still_rings_when_all_have_left_is_hung_up(tmp_path: Path, version: Version) -> None:
    """And who answers all the same is hung up on."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        await line.answers("Ann")
        await line.leaves("Ann")
        assert await line.is_over()
        assert {f"phone of {BEN}", f"phone of {CLEO}"} <= line.hung_up()
        assert "hangup" in await line.answers("Cleo")

    tell(tmp_path, version, story)


@both
def test_a_line_to_which_nobody_comes_ends_with_a_reason(tmp_path: Path, version: Version) -> None:
    """All are busy, or do not answer: no stream, one record, no place kept."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        for title, result in (("Ben", "BUSY"), ("Cleo", "NOANSWER"), ("Ann", "NO_ANSWER")):
            assert not await line.is_over()
            await line.leaves(title, result)
        placed = await s.call_control.placed(line.name)
        assert placed is not None
        assert (placed.status, placed.reason) == (LegStatus.ENDED, NOBODY_REACHED)
        assert [one["call_id"] for one in s.calls.told] == ["leg of Ann"] == [placed.call_id]
        assert s.calls.told[0]["reason"] == NOBODY_REACHED
        assert s.calls.forgotten == [line.name]
        assert s.platform.of("bring_stream") == []
        assert set((await line.standing()).values()) == {"not reached"}

    tell(tmp_path, version, story)


@both
def test_whom_sinch_refuses_is_not_reached(tmp_path: Path, version: Version) -> None:
    """The others are dialled; if it refuses all, whoever asked is told why."""

    async def story(s: Story) -> None:
        s.platform.fails.add(f"refuse {BEN}")
        line = await Line.dialled(s)
        assert await line.standing() == {
            "Ann": "expected",
            "Ben": "not reached",
            "Cleo": "expected",
        }
        s.platform.fails.add("party")
        with pytest.raises(RefusedError, match="Sinch refused"):
            await Line.dialled(s)
        # What was not dialled does not count: there is room for three besides the two.
        s.platform.fails.clear()
        await Line.dialled(s)

    tell(tmp_path, version, story, dialling={"at_once": 5})


def test_a_line_all_of_whom_are_busy_or_refused_is_over(tmp_path: Path) -> None:
    """Whatever comes last: a callback may be faster than the answer to our request."""

    async def story(s: Story) -> None:
        s.platform.fails |= {f"refuse {BEN}", f"refuse {CLEO}"}
        line = await Line.dialled(s)
        assert not await line.is_over()
        await line.leaves("Ann", "BUSY")
        assert await line.is_over()

    tell(tmp_path, "v1", story)


def test_rules_are_looked_at_for_all_before_anybody_is_dialled(tmp_path: Path) -> None:
    """One number that may not be called, one more than may be called at once: nobody rings."""

    async def story(s: Story) -> None:
        wrong = (*THREE[:2], Party(to="+4915550000003"))
        with pytest.raises(DestinationRefusedError):
            await s.call_control.dial(to_all(parties=wrong))
        with pytest.raises(AllowanceUsedUpError):
            await s.call_control.dial(to_all())
        s.platform.fails.add(CLEO)
        with pytest.raises(CannotAddError):
            await s.call_control.dial(to_all())
        assert s.platform.of("party") == []
        # What was counted of the three was taken back: two have room.
        await s.call_control.dial(to_all(parties=THREE[:2]))
        assert [to for _, to in s.platform.of("party")] == [ANN, BEN]

    tell(tmp_path, "v1", story, dialling={"at_once": 2})


@both
def test_each_rings_for_its_own_time(tmp_path: Path, version: Version) -> None:
    """A conferenceCallout of version 1 rings without end, so it is hung up by us."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        await line.answers("Ann")
        await asyncio.sleep(60)
        rung_out = {f"phone of {BEN}": 21.0, f"phone of {CLEO}": 31.0}
        late = {about: at for at, about in s.platform.of("hang_up") if about in rung_out}
        assert late == rung_out

    tell(tmp_path, version, story)


@both
def test_a_machine_is_not_let_onto_the_line(tmp_path: Path, version: Version) -> None:
    """It is hung up, and the others are told of one who was not reached; a human is let in."""

    async def story(s: Story) -> None:
        parties = tuple(Party(to=one.to, title=one.title, machine="hangup") for one in THREE)
        line = await Line.dialled(s, to_all(parties=parties))
        for title in ("Ann", "Ben") if version == "v2" else ():  # version 1 tells it at once
            assert "amd" in await line.answers(title)
        await line.answers("Ann", by="human")
        assert await line.standing() == {"Ann": "joined", "Ben": "expected", "Cleo": "expected"}
        s.calls.holds.add(line.name)
        assert "hangup" in await line.answers("Cleo", by="machine")
        await asyncio.sleep(0.1)
        assert "leg of Cleo" in line.hung_up()
        await line.leaves("Cleo")
        assert s.calls.ordered[-1] == PartyLeft(
            party=line.legs["Cleo"], title="Cleo", why="machine"
        )

    tell(tmp_path, version, story)


@both
def test_an_announcement_is_heard_before_the_line(tmp_path: Path, version: Version) -> None:
    """By that party alone; the agent comes, and is told of them, once it was spoken."""

    async def story(s: Story) -> None:
        text = "This is a conference of Linden Street. "
        parties = tuple(Party(to=one.to, title=one.title, announcement=text) for one in THREE)
        line = await Line.dialled(s, to_all(parties=parties))
        told = await line.answers("Ann")
        assert text in told
        await asyncio.sleep(0.1)
        if version == "v1":
            assert s.platform.of("bring_stream") == []
            await asyncio.sleep(3)
            assert [round(at) for at, _ in s.platform.of("bring_stream")] == [3]
        else:
            assert told.index(text) < told.index("STREAM")
        s.calls.holds.add(line.name)
        assert text in await line.answers("Ben")
        await asyncio.sleep(1)
        assert s.calls.ordered == []
        await asyncio.sleep(3)
        assert s.calls.ordered == [PartyJoined(party=line.legs["Ben"], title="Ben")]
        await line.answers("Cleo")
        await line.leaves("Cleo")
        await asyncio.sleep(4)
        assert PartyJoined(party=line.legs["Cleo"], title="Cleo") not in s.calls.ordered

    tell(tmp_path, version, story)


@both
def test_the_first_hangs_up_before_there_is_an_agent(tmp_path: Path, version: Version) -> None:
    """The line is over then, and nobody waits in it for a stream."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        add_call = s.directory.add_call

        async def slow(call: object) -> None:
            await line.leaves("Ann")  # while it is put on record
            await add_call(call)  # type: ignore[arg-type]

        s.directory.add_call = slow  # type: ignore[method-assign]
        s.call_control._directory.add_call = slow  # type: ignore[method-assign]
        await line.answers("Ann")
        await asyncio.sleep(0.1)
        assert await line.is_over()
        assert s.platform.of("bring_stream") == []
        assert {f"phone of {BEN}", f"phone of {CLEO}"} <= line.hung_up()

    tell(tmp_path, version, story)


@both
def test_there_is_no_room_when_the_first_answers(tmp_path: Path, version: Version) -> None:
    """They are told so; the others do not ring for nothing."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        s.calls.full = "busy"
        assert "Sorry." in await line.answers("Ann")
        await asyncio.sleep(0.1)
        assert line.hung_up() == {f"phone of {BEN}", f"phone of {CLEO}"}
        for title in line.legs:
            await line.leaves(title)
        assert await line.is_over()

    tell(tmp_path, version, story)


@both
def test_no_phone_is_left_when_the_stream_dies(tmp_path: Path, version: Version) -> None:
    """Neither those on the line nor those who ring: by the process that held it, or by another."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        await line.answers("Ann")
        await line.answers("Ben")
        await s.stream_comes("leg of Ann")
        await s.directory.stream_ended("leg of Ann")
        await s.call_control.let_go(line.name)
        phones = {"leg of Ann", "leg of Ben", f"phone of {CLEO}"}
        assert phones <= line.hung_up()
        assert "hangup" in await line.answers("Cleo")

    tell(tmp_path, version, story)


def test_the_stream_of_a_line_does_not_come(tmp_path: Path) -> None:
    """All are hung up who wait for it, or ring."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        await line.answers("Ann")
        await line.answers("Ben")
        await asyncio.sleep(STREAM_WITHIN + 1)
        assert {"leg of Ann", "leg of Ben", f"phone of {CLEO}"} <= line.hung_up()

    tell(tmp_path, "v1", story)


@both
def test_an_operator_ends_a_line_that_rings(tmp_path: Path, version: Version) -> None:
    """Each phone is hung up; the record says by whom."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        await s.call_control.hang_up(line.name, goodbye=False)
        assert line.hung_up() >= {f"phone of {to}" for to in (ANN, BEN, CLEO)}
        for title in line.legs:
            await line.leaves(title, "NOANSWER")
        assert [one["reason"] for one in s.calls.told] == ["hung up by the operator"]
        assert s.calls.forgotten == [line.name]

    tell(tmp_path, version, story)


@both
def test_one_process_brings_the_agent(tmp_path: Path, version: Version) -> None:
    """Another is about to, for somebody who answered at the same moment."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        assert await s.directory.first_to_connect(line.name)
        told = await line.answers("Ann")
        await asyncio.sleep(0.1)
        assert not brings_stream(s, told)
        assert "hangup" not in told

    tell(tmp_path, version, story)


def test_the_last_is_refused_after_the_first_was_busy(tmp_path: Path) -> None:
    """Its callback was faster than the answer to our request: the line is over all the same."""

    async def story(s: Story) -> None:
        s.platform.fails |= {f"refuse {BEN}", f"refuse {CLEO}"}
        place_line = s.platform.place_line

        async def slow(placed: PlacedLeg, legs: Sequence[PartyLeg]) -> Mapping[str, Any]:
            answers = await place_line(placed, legs)
            await s.ended(legs[0].name, "leg of Ann", "BUSY")
            return answers

        s.platform.place_line = slow  # type: ignore[method-assign]
        line = await Line.dialled(s)
        assert await line.is_over()

    tell(tmp_path, "v1", story)


# Adding and dropping


@pytest.mark.parametrize(("version", "conference"), [("v1", True), ("v2", False)])
def test_somebody_is_added_to_a_call_that_came_in(
    tmp_path: Path, version: Version, conference: bool
) -> None:
    """They join, are dropped, and the call goes on; the caller's hang-up takes all along."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        s.calls.holds.add("phone")
        ben = await s.call_control.parties.add("phone", THREE[1])
        cleo = await s.call_control.parties.add("phone", THREE[2])
        assert s.platform.of("beside") == [(0.0, "phone")] * 2
        told = str(await s.answered(ben.name, call_id="leg of Ben"))
        assert ("bridgeCall" if version == "v2" else "continue") in told
        await s.call_control.parties.drop("phone", ben.name)
        assert s.platform.of("hang_up") == [(0.0, "leg of Ben")]
        await s.ended(ben.name, "leg of Ben")
        assert s.calls.ordered == [
            PartyExpected(party=ben.name, title="Ben"),
            PartyExpected(party=cleo.name, title="Cleo"),
            PartyJoined(party=ben.name, title="Ben"),
            PartyLeft(party=ben.name, title="Ben", why="dropped"),
        ]
        call = await s.directory.call("phone")
        assert call is not None
        assert call.parties == (ben.name, cleo.name)
        await s.ended()
        await asyncio.sleep(0.1)
        assert f"phone of {CLEO}" in [about for _, about in s.platform.of("hang_up")]
        with pytest.raises(CallOverError):
            await s.call_control.parties.add("phone", THREE[0])
        assert "hangup" in str(await s.answered(cleo.name, call_id="leg of Cleo"))

    tell(tmp_path, version, story, conference=conference)


@both
def test_who_is_dropped_while_it_rings_is_not_let_in(tmp_path: Path, version: Version) -> None:
    """Though they answer before the hang-up has come through."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        await line.answers("Ann")
        await s.call_control.parties.drop(line.name, line.legs["Ben"])
        assert "hangup" in await line.answers("Ben")
        assert "bridgeCall" not in await line.answers("Ben")
        await line.leaves("Ben")
        assert (await line.standing())["Ben"] == "dropped"
        with pytest.raises(NoSuchPartyError):
            await s.call_control.parties.drop(line.name, line.legs["Ben"])
        with pytest.raises(NoSuchPartyError):
            await s.call_control.parties.drop("another", line.legs["Cleo"])
        with pytest.raises(NoSuchPartyError):
            await s.call_control.parties.drop(line.name, line.name)

    tell(tmp_path, version, story)


@both
def test_one_is_added_where_the_first_has_left(tmp_path: Path, version: Version) -> None:
    """Beside somebody who is still there; one that Sinch refuses is nobody."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        await line.answers("Ann")
        await line.answers("Ben")
        await line.leaves("Ann")
        s.platform.fails.add(f"refuse {DORA}")
        with pytest.raises(RefusedError):
            await s.call_control.parties.add(line.name, Party(to=DORA, title="Dora"))
        assert s.platform.of("beside")[-1][1] == "leg of Ben"
        assert (await line.standing())["Dora"] == "not reached"

    tell(tmp_path, version, story)


def test_a_caller_is_not_added_to_their_own_call(tmp_path: Path) -> None:
    """They talk already, so that their phone would be busy; somebody else is added."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        add = s.call_control.parties.add
        with pytest.raises(CannotAddError, match="on this line already"):
            await add("phone", Party(to=TO))
        await add("phone", Party(to=DORA, title="Dora"))

    tell(tmp_path, "v2", story)


def test_why_nobody_can_be_added(tmp_path: Path) -> None:
    """There is no such call, nobody has answered it, it is no conference, it is full."""

    async def story(s: Story) -> None:
        with pytest.raises(NoSuchCallError):
            await s.call_control.parties.add("nothing", THREE[0])
        line = await Line.dialled(s)
        with pytest.raises(CannotAddError, match="nobody has answered"):
            await s.call_control.parties.add(line.name, THREE[0])
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        with pytest.raises(CannotAddError, match="conference"):
            await s.call_control.parties.add("phone", THREE[0])
        with pytest.raises(DestinationRefusedError):
            await s.call_control.parties.add("phone", Party(to="+4915550000003"))
        await line.answers("Ann")
        for to in OTHERS[:7]:
            await s.call_control.parties.add(line.name, Party(to=to))
        with pytest.raises(CannotAddError, match="10 phones"):
            await s.call_control.parties.add(line.name, THREE[0])

    tell(tmp_path, "v1", story)


@both
def test_nobody_is_on_a_line_twice(tmp_path: Path, version: Version) -> None:
    """Who is there, or rings, is not dialled once more, however they are written; who left may."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        await line.answers("Ann")
        await line.answers("Ben")
        for to in (ANN, CLEO):
            with pytest.raises(CannotAddError, match="already"):
                await s.call_control.parties.add(line.name, Party(to=to))
        await line.leaves("Ben")
        await s.call_control.parties.add(line.name, Party(to=BEN))

    tell(tmp_path, version, story)


def test_the_caller_is_one_of_the_phones_on_a_line(tmp_path: Path) -> None:
    """Of a call that came in, nine more are taken."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        for to in OTHERS:
            await s.call_control.parties.add("phone", Party(to=to))
        with pytest.raises(CannotAddError, match="10 phones"):
            await s.call_control.parties.add("phone", THREE[2])

    tell(tmp_path, "v2", story)
