"""Machines that our agent hears itself, on loopback: from the request to the record."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent.records.events import A_MACHINE
from agent.simulator.answering_machine import answering_machine, call_screener
from agent.simulator.plan import Turn
from agent.simulator.sinch.phone_network import Phone
from agent.sinch.callbacks import Version
from pipelines.audio import Audio, silence
from tests.agent.conversation import voice
from tests.agent.loopback import until
from tests.agent.sinch.stories import AGENT, CALLER, Story, speech, tell

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


def test_a_machine_that_begins_like_a_person_gets_its_message_after_the_beep(
    tmp_path: Path,
) -> None:
    """It was greeted; once it is known, nothing is said until the beep, and nothing answered."""
    pause = Turn(audio=Audio(silence(0.8, 8000), 8000), label="a pause")
    plan = answering_machine([speech(0.6), pause, speech(2.0), pause, speech(1.0)])

    async def story(s: Story) -> None:
        body = {"to": CALLER, "machine": "message", "message": "Call us.", "screening": "ears"}
        assert (await s.operate("POST", "/calls", body))[0] == 201
        await until(lambda: s.lines("ended"), within=30)
        found = [line["answerer"] for line in s.lines("screened")]
        assert found == ["human", "machine"]
        [beep] = s.lines("beep")
        said = s.lines("agent")
        assert said[-1]["text"] == "Call us."
        assert said[-1]["at"] >= beep["at"]
        assert all(line["until"] <= s.lines("screened")[1]["at"] + 0.3 for line in said[:-1])
        assert s.lines("ended")[0]["reason"] == "the agent hung up"

    machine = Phone(plan=plan, who="machine")
    providers = voice(["Hello?", SAYS, SAYS, SAYS, SAYS])
    tell(tmp_path, "v2", story, phones={CALLER: machine}, providers=providers)


def test_a_call_screener_is_told_who_calls_and_the_person_is_greeted(tmp_path: Path) -> None:
    """Who picks up behind it is talked to, and the call is no machine's."""
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    told = "This is the kitchen, about your table."
    (prompts / "reception.md").write_text(AGENT.replace("---", f"---\nscreener: {told}", 1))
    asks, waits, hello = speech(2.0), speech(1.0), speech(0.6)
    plan = call_screener(asks, waits, [hello, speech(0.8)], rings=2.0)

    async def story(s: Story) -> None:
        body = {"to": CALLER, "machine": "hangup", "screening": "ears"}
        status, call = await s.operate("POST", "/calls", body)
        assert status == 201, call
        await until(lambda: s.lines("ended"), within=30)
        assert [line["answerer"] for line in s.lines("screened")] == ["screener", "human"]
        said = [line["text"] for line in s.lines("agent")]
        assert said[:3] == [told, "Hello, who is this?", "I see."]
        await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))
        _, call = await s.operate("GET", f"/calls/{call['id']}")
        assert call["status"] != "machine"

    words = ["Please record your name and reason for calling.", "Please stay on the line."]
    providers = voice([*words, "Hello?", "It is Ann."], ["I see."])
    tell(tmp_path, "v1", story, phones={CALLER: Phone(plan=plan)}, providers=providers)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_machine_that_the_platform_finds_is_told_as_one(tmp_path: Path, version: Version) -> None:
    """As one that the agent hears: the record does not say that nobody has answered."""

    async def story(s: Story) -> None:
        _, call = await s.operate("POST", "/calls", {"to": CALLER, "machine": "hangup"})

        async def record() -> dict[str, Any]:
            return dict((await s.operate("GET", f"/calls/{call['id']}"))[1].get("record", {}))

        while not (told := await record()):  # noqa: ASYNC110 - the database has it in a second
            await asyncio.sleep(0.1)
        assert s.lines("call") == []
        assert told["outcome"] == "agent hung up"
        assert told["data"]["ended"]["reason"] == A_MACHINE
        assert told["data"]["platform"]["answerer"] == "machine"

    tell(tmp_path, version, story, phones={CALLER: Phone(who="machine")})
