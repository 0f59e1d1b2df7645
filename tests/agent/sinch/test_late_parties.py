"""Whoever comes late to a line of several, or though nobody thought so: hung up, and on record."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent.sinch.api.rest import SinchError
from agent.sinch.callbacks import LegAnswered, Version
from agent.sinch.contracts import Party
from agent.sinch.legs.leg_kinds import LegFacts, PartyLeg
from agent.sinch.refusals import RefusedError
from agent.sinch.stream_legs import STREAM_WITHIN
from tests.agent.sinch.scripted import Story, tell
from tests.agent.sinch.test_leg_records import charged, of_legs
from tests.agent.sinch.test_parties import ANN, BEN, CLEO, DORA, Line, both, to_all
from tests.databases import InlineDatabase


def dials_all_the_same(s: Story, to: str) -> None:
    """Have Sinch dial somebody, and its answer to our request get lost."""
    dial: Any = s.platform._dial

    async def dialled(session: str, leg: PartyLeg) -> LegFacts | SinchError:
        done: LegFacts | SinchError = await dial(session, leg)
        return SinchError("Sinch did not answer", may_be_done=True) if leg.to == to else done

    s.platform._dial = dialled  # type: ignore[method-assign]


def test_who_rings_after_all_does_not_end_a_call_twice(tmp_path: Path) -> None:
    """The others were busy, and the call is over; what that one cost is on its record, too."""

    async def story(s: Story) -> None:
        dials_all_the_same(s, ANN)
        line = await Line.dialled(s)
        for title in ("Ben", "Cleo"):
            await charged(s, line.legs[title], f"leg of {title}", "0.01", result="BUSY")
        assert await line.is_over()
        assert "hangup" in await line.answers("Ann")
        await charged(s, line.legs["Ann"], "leg of Ann", "0.1")
        await asyncio.sleep(10)
        assert [one["call_id"] for one in s.calls.told] == ["leg of Ben"]
        assert of_legs(s) == {
            line.legs["Ann"]: 0.1,
            line.legs["Ben"]: 0.01,
            line.legs["Cleo"]: 0.01,
        }

    tell(tmp_path, "v1", story)


@both
def test_nobody_comes_to_a_line_for_which_there_was_no_room(
    tmp_path: Path, version: Version
) -> None:
    """They have answered before they were hung up; no agent is on its way to them."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        s.calls.full = "busy"
        assert "Sorry." in await line.answers("Ann")
        assert "hangup" in await line.answers("Ben")
        for title in line.legs:
            await line.leaves(title)
        assert [one["reason"] for one in s.calls.told] == ["there was no room"]

    tell(tmp_path, version, story)


def test_who_is_told_of_twice_at_the_same_moment_is_let_in(tmp_path: Path) -> None:
    """By the answer to a callback, and by what was found out of who it is."""

    async def story(s: Story) -> None:
        parties = tuple(Party(to=to, title=to, machine="hangup") for to in (ANN, BEN))
        line = await Line.dialled(s, to_all(parties=parties))
        database = s.store.database
        assert isinstance(database, InlineDatabase)

        async def slow(work: Any) -> Any:
            await asyncio.sleep(0.01)
            return database._run(work)

        database.read = database.write = slow  # type: ignore[method-assign]
        leg = s.leg(line.legs[ANN], "leg of Ann")
        await s.answered(leg.name, "pending", "leg of Ann")
        notified = LegAnswered(leg=leg, by="human", asks=False)
        _, told = await asyncio.gather(
            s.call_control.answer(notified), s.answered(leg.name, "human", "leg of Ann")
        )
        await asyncio.sleep(1)
        assert "hangup" not in str(told)
        assert line.hung_up() == set()
        assert (await line.standing())[ANN] == "joined"

    tell(tmp_path, "v1", story)


@pytest.mark.parametrize("ends", ["dropped", "call over"])
@both
def test_who_is_not_wanted_any_more_when_sinch_has_dialled_is_hung_up(
    tmp_path: Path, version: Version, ends: str
) -> None:
    """Before that, version 1 has given no id by which it could be asked for."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        await line.answers("Ann")
        dial: Any = s.platform._dial

        async def slow(session: str, leg: PartyLeg) -> LegFacts:
            if ends == "dropped":
                await s.call_control.parties.drop(line.name, leg.name)
            else:
                await line.leaves("Ann")
            done: LegFacts = await dial(session, leg)
            return done

        s.platform._dial = slow  # type: ignore[method-assign]
        await s.call_control.parties.add(line.name, Party(to=DORA, title="Dora"))
        assert f"phone of {DORA}" in line.hung_up()

    tell(tmp_path, version, story)


@both
def test_nobody_waits_for_an_agent_that_another_process_does_not_bring(
    tmp_path: Path, version: Version
) -> None:
    """It was about to, for somebody who answered before, and has died."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        assert await s.directory.first_to_connect(line.name)
        assert "hangup" not in await line.answers("Ben")
        await asyncio.sleep(STREAM_WITHIN + 1)
        assert "leg of Ben" in line.hung_up()

    tell(tmp_path, version, story)


def test_who_is_found_to_be_human_when_the_line_is_over_is_hung_up(tmp_path: Path) -> None:
    """By a request: what a `notify` is answered with is not looked at."""

    async def story(s: Story) -> None:
        dials_all_the_same(s, ANN)
        parties = tuple(Party(to=to, title=to, machine="hangup") for to in (ANN, BEN, CLEO))
        line = await Line.dialled(s, to_all(parties=parties))
        leg = s.leg(line.legs[ANN], "leg of Ann")
        await s.answered(leg.name, "pending", "leg of Ann")
        await s.call_control.hang_up(line.name, goodbye=False)
        s.platform.asked.clear()
        told = await s.call_control.answer(LegAnswered(leg=leg, by="human", asks=False))
        await asyncio.sleep(0.1)
        assert told == {}
        assert line.hung_up() == {"leg of Ann"}

    tell(tmp_path, "v1", story)


@both
def test_a_line_whose_process_has_died_has_its_end_on_record(
    tmp_path: Path, version: Version
) -> None:
    """Once, when the last of its phones has hung up; each of them is charged."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        await line.answers("Ann")
        await line.answers("Ben")
        await s.stream_comes("leg of Ann")
        await s.directory.stream_ended("leg of Ann")
        await s.call_control.let_go(line.name)
        for title in ("Ann", "Ben", "Ben"):
            await charged(s, line.legs[title], f"leg of {title}", "0.01")
        assert s.calls.told == []
        for _ in range(2):
            await charged(s, line.legs["Cleo"], "leg of Cleo", "0.01")
        assert [one["call_id"] for one in s.calls.told] == ["leg of Ann"]
        assert of_legs(s).keys() == set(line.legs.values())

    tell(tmp_path, version, story)


@both
def test_who_was_dropped_is_not_let_in_though_sinch_dialled_all_the_same(
    tmp_path: Path, version: Version
) -> None:
    """They were dropped while its answer to our request was on its way, which then got lost."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        await line.answers("Ann")
        dials_all_the_same(s, DORA)
        dial: Any = s.platform._dial

        async def slow(session: str, leg: PartyLeg) -> LegFacts | SinchError:
            await s.call_control.parties.drop(line.name, leg.name)
            done: LegFacts | SinchError = await dial(session, leg)
            return done

        s.platform._dial = slow  # type: ignore[method-assign]
        with pytest.raises(RefusedError):
            await s.call_control.parties.add(line.name, Party(to=DORA, title="Dora"))
        (dora,) = [one for one in await s.call_control.parties.of(line.name) if one.to == DORA]
        assert "hangup" in str(await s.answered(dora.name, call_id="leg of Dora"))
        assert (await line.standing())["Dora"] != "joined"

    tell(tmp_path, version, story)
