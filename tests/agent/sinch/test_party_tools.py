"""What a model may do about who is on the line: nobody whom its file does not name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.personas.script import ScriptParty
from agent.sinch.callbacks import IncomingCall
from agent.sinch.dialling.party_tools import party_tools
from pipelines.tools.tool import CallInfo, ToolError
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell

BEN = ScriptParty(
    name="ben", to="+15550000003", title="Ben", when="a repair is wanted", ring_seconds=20
)
FAR = ScriptParty(name="far", to="+4915550000003", title="Far")
ABOUT = CallInfo(call_id="phone")


def test_a_model_adds_and_drops_by_name(tmp_path: Path) -> None:
    """Once, by the rules of whoever dials; it is told what became of it, and no number."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        add, drop = party_tools((BEN, FAR), s.call_control, "phone")
        assert add.spec.parameters["properties"]["who"]["enum"] == ["ben", "far"]
        assert "a repair is wanted" in add.spec.description
        assert BEN.to not in str(add.spec) + str(drop.spec)
        with pytest.raises(ToolError, match="Ben is not on the line"):
            await drop.run({"who": "ben"}, ABOUT)
        told = await add.run({"who": "ben"}, ABOUT)
        again = await add.run({"who": "ben"}, ABOUT)
        assert "is being called" in told
        assert "already" in again
        assert s.platform.of("party") == [(0.0, BEN.to)]
        (leg,) = await s.call_control.parties.of("phone")
        assert (leg.title, leg.ring_seconds) == ("Ben", 20)
        with pytest.raises(ToolError, match="countries has") as refused:
            await add.run({"who": "far"}, ABOUT)
        s.platform.fails.add("party")
        await drop.run({"who": "ben"}, ABOUT)
        await s.ended(leg.name, "leg of Ben")
        with pytest.raises(ToolError, match="Sinch does not dial"):
            await add.run({"who": "ben"}, ABOUT)
        assert "+" not in told + again + str(refused.value)
        s.database_is_away(True)
        with pytest.raises(ToolError, match="database"):
            await add.run({"who": "ben"}, ABOUT)
        s.database_is_away(False)
        await asyncio.sleep(0)

    tell(tmp_path, "v2", story)


def test_a_model_is_offered_nothing_if_its_file_names_nobody(tmp_path: Path) -> None:
    """Then there are no such tools."""

    async def story(s: Story) -> None:
        assert party_tools((), s.call_control, "phone") == ()

    tell(tmp_path, "v2", story)
