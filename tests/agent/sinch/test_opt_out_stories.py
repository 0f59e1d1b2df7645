"""Whole calls of ours to somebody who wants no more of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.simulator.phone_network import Phone
from agent.simulator.plan import Plan
from tests.agent.conversation import voice
from tests.agent.loopback import until
from tests.agent.sinch.stories import CALLER, Story, speech, tell

pytestmark = pytest.mark.usefixtures("nothing_left")


def test_whoever_says_so_is_not_called_again(tmp_path: Path) -> None:
    """The agent says that it is a machine, keeps what they want, and is refused the next time."""

    async def story(s: Story) -> None:
        (tmp_path / "prompts" / "reminder.md").write_text(
            "---\ngreeting: Your table is booked.\ndisclosure: I am a machine.\n---\nRemind."
        )
        body = {"to": CALLER, "agent": "reminder"}
        status, _ = await s.operate("POST", "/calls", body)
        assert status == 201
        await until(lambda: s.lines("ended"))
        assert [line["text"] for line in s.lines("disclosed")] == ["I am a machine."]
        assert [(line["by"], "known" in line) for line in s.lines("opt_out")] == [("model", False)]
        _, listed = await s.operate("GET", "/opt-outs")
        (one,) = listed["opt_outs"]
        assert (one["number"], one["how"], one["agent"]) == (CALLER, "model", "reminder")
        status, refused = await s.operate("POST", "/calls", body)
        assert status == 422
        assert "wants no more calls" in refused["detail"]
        await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))

    heard = voice(["Never call me again."], ["[no_more_calls]", "As you wish, goodbye."])
    phone = Phone(plan=Plan(turns=[speech()], patience=0.5))
    tell(tmp_path, "v1", story, providers=heard, phones={CALLER: phone})


def test_a_caller_is_offered_no_such_tool(tmp_path: Path) -> None:
    """They called us: what a model asks for then is no tool of this call."""

    async def story(s: Story) -> None:
        leg = await s.call_in(Plan(turns=[speech()], patience=0.5))
        await until(leg.over.is_set)
        await until(lambda: s.lines("ended"))
        assert s.lines("opt_out") == []
        assert (await s.operate("GET", "/opt-outs"))[1] == {"opt_outs": []}

    heard = voice(["Never call me again."], ["[no_more_calls]", "As you wish, goodbye."])
    tell(tmp_path, "v1", story, providers=heard)
