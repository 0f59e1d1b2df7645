"""What is on record of those who were told, alone, that a machine talks: no more than is known."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.sinch.callbacks import Version
from agent.sinch.contracts import Party
from agent.sinch.dialling.told_alone import LOOKS
from tests.agent.sinch.scripted import Story, tell
from tests.agent.sinch.test_parties import ANN, BEN, CLEO, Line, both, to_all
from tests.agent.sinch.test_transfer_outages import comes_back, goes_away

TOLD = "I am a machine."
SAID_WITHIN = 10.0
"""Seconds within which all looks for those who have heard a short sentence have been taken."""


def on_record(s: Story, line: Line, title: str) -> list[str]:
    """Return what the record says of whether somebody was told."""
    lines = [one for one in s.calls.legs if one.get("leg") == line.legs[title]]
    return [one["disclosed"] for one in lines if "disclosed" in one]


async def dialled(s: Story) -> Line:
    there = [Party(to=to, title=who, disclosure=TOLD) for to, who in ((ANN, "Ann"), (BEN, "Ben"))]
    return await Line.dialled(s, to_all(parties=(*there, Party(to=CLEO, title="Cleo"))))


@both
@pytest.mark.parametrize("to_its_end", [True, False])
def test_it_was_said_once_the_platform_goes_on(
    tmp_path: Path, version: Version, *, to_its_end: bool
) -> None:
    """Who hangs up before was to be told, and no more; the first hears it of the agent."""

    async def story(s: Story) -> None:
        line = await dialled(s)
        for title in ("Ann", "Ben", "Ben", "Cleo"):  # callbacks may come twice
            told = await line.answers(title)
            assert "webhook" not in told  # nobody is lost if that is not answered
        await asyncio.sleep(1)
        assert on_record(s, line, "Ben") == ["asked"]
        if to_its_end:
            s.platform.joined.add("leg of Ben")  # which comes behind what it has said
        else:
            await line.leaves("Ben")
        await asyncio.sleep(SAID_WITHIN)
        assert on_record(s, line, "Ben") == ["asked", "yes"][: 1 + to_its_end]
        assert on_record(s, line, "Ann") + on_record(s, line, "Cleo") == []

    tell(tmp_path, version, story)


@both
def test_nobody_asks_for_ever_whether_it_was_heard(tmp_path: Path, version: Version) -> None:
    """Where the platform does not say that they are on the line, that ends."""

    async def story(s: Story) -> None:
        line = await dialled(s)
        for title in ("Ann", "Ben", "Ben"):  # callbacks may come twice
            await line.answers(title)
        await asyncio.sleep(120)
        looks = len(s.platform.of("has_joined"))
        assert looks == LOOKS
        await asyncio.sleep(120)
        assert len(s.platform.of("has_joined")) == looks
        assert on_record(s, line, "Ben") == ["asked"]

    tell(tmp_path, version, story)


@pytest.mark.parametrize("operations", range(8))
def test_what_the_database_has_not_taken_is_noted_later(tmp_path: Path, operations: int) -> None:
    """It fails at each step of that: once it is back, the line is on record, once."""

    async def story(s: Story) -> None:
        line = await dialled(s)
        for title in ("Ann", "Ben"):
            await line.answers(title)
        await asyncio.sleep(1)
        ben = await s.directory.leg(line.legs["Ben"])
        goes_away(s, operations, 5.0)
        s.call_control._told_alone.to_its_end(ben)
        await asyncio.sleep(60)
        comes_back(s)
        assert on_record(s, line, "Ben").count("yes") == 1

    tell(tmp_path, "v2", story)
