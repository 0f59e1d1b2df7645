"""Machines that our agent hears itself, on loopback: from the request to the record."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.simulator.answering_machine import answering_machine
from agent.simulator.phone_network import Phone
from tests.agent.conversation import voice
from tests.agent.loopback import until
from tests.agent.sinch.stories import CALLER, Story, speech, tell

SAYS = "Leave a message after the tone."
MACHINE = Phone(plan=answering_machine([speech(1.2)]), who="machine")


def test_on_a_machine_we_hang_up(tmp_path: Path) -> None:
    """Nothing is said to it; the call's status is that of a machine, and stays so."""

    async def story(s: Story) -> None:
        body = {"to": CALLER, "machine": "hangup", "screening": "both"}
        status, call = await s.operate("POST", "/calls", body)
        assert status == 201, call
        await until(lambda: s.lines("platform"))
        await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))
        _, call = await s.operate("GET", f"/calls/{call['id']}")
        assert call["status"] == "machine"
        assert s.lines("agent") == []
        assert "machine" in [line["answerer"] for line in s.lines("screened")]

    tell(tmp_path, "v2", story, phones={CALLER: MACHINE}, providers=voice([SAYS] * 3))


def test_it_gets_the_message_after_its_beep(tmp_path: Path) -> None:
    """In the agent's voice; then we hang up."""

    async def story(s: Story) -> None:
        body = {"to": CALLER, "machine": "message", "message": "Call us."}
        body["screening"] = "ears"
        assert (await s.operate("POST", "/calls", body))[0] == 201
        await until(lambda: s.lines("ended"))
        assert [line["text"] for line in s.lines("agent")] == ["Call us."]
        assert s.lines("ended")[0]["reason"] == "the agent hung up"
        [beep] = s.lines("beep")
        assert beep["hertz"] == pytest.approx(1000, abs=10)
        assert s.lines("agent")[0]["at"] >= beep["at"]
        await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))

    tell(tmp_path, "v1", story, phones={CALLER: MACHINE}, providers=voice([SAYS] * 3))
