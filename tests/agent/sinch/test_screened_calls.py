"""Calls of ours whose agent hears itself whether a machine has answered; in virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent.call.orders import AnswererFound
from agent.sinch.api.v1 import V1Actions
from agent.sinch.api.v1_requests import VoiceV1
from agent.sinch.callbacks import LegAnswered, Version
from agent.sinch.contracts import Dial
from agent.sinch.legs.leg_kinds import Screening
from agent.sinch.legs.leg_tables import LegStatus
from agent.sinch.tokens import Claims
from tests.agent.sinch.scripted import TO, Story, tell

VERSIONS = pytest.mark.parametrize("version", ["v1", "v2"])


def dial(screening: Screening, to: str = TO) -> Dial:
    return Dial(to=to, agent="reception", machine="hangup", screening=screening)


def is_connected(s: Story, answer: Any) -> bool:
    """Whether the agent comes: by a callout in version 1, by the answer in version 2."""
    return bool(s.platform.of("bring_stream")) or "STREAM" in str(answer)


@VERSIONS
def test_the_agent_comes_as_soon_as_somebody_answers(tmp_path: Path, version: Version) -> None:
    """And the platform is not asked who it is."""

    async def story(s: Story) -> None:
        name = (await s.call_control.dial(dial("ears"))).name
        answer = await s.answered(name)
        await asyncio.sleep(0.1)
        assert is_connected(s, answer)
        assert "amd" not in str(answer)

    tell(tmp_path, version, story)


@VERSIONS
def test_where_both_listen_the_platform_is_asked_and_nobody_waits(
    tmp_path: Path, version: Version
) -> None:
    """What it finds out is told to the agent, and hangs up on nobody."""

    async def story(s: Story) -> None:
        name = (await s.call_control.dial(dial("both"))).name
        answer = await s.answered(name, "pending" if version == "v1" else "")
        await asyncio.sleep(0.1)
        assert is_connected(s, answer)
        if version == "v2":
            assert [one["command"] for one in answer["commands"]] == ["amd", "bridgeCall", "dial"]
        told: list[tuple[str, object]] = []

        def deliver(name: str, order: object) -> bool:
            told.append((name, order))
            return True

        s.calls.deliver = deliver  # type: ignore[assignment, method-assign]
        found = LegAnswered(leg=s.leg(name), by="machine", asks=version == "v2")
        for _ in range(2):
            again = await s.call_control.answer(found)
            assert "angup" not in str(again)
            assert "STREAM" not in str(again)
        assert told == [(name, AnswererFound(answerer="machine"))] * 2
        await asyncio.sleep(0.1)
        assert s.platform.of("hang_up") == []
        assert len(s.platform.of("bring_stream")) == (1 if version == "v1" else 0)

    tell(tmp_path, version, story)


@VERSIONS
def test_whoever_asks_is_told_that_it_was_a_machine(tmp_path: Path, version: Version) -> None:
    """Once the agent has heard it, also if the platform says more, and when the call is over."""

    async def story(s: Story) -> None:
        name = (await s.call_control.dial(dial("both"))).name
        await s.answered(name)
        await s.call_control.machine_answered(
            Claims(call="phone", agent="reception", rate=8000, expires=0, dialled=name)
        )
        beep = LegAnswered(leg=s.leg(name), by="beep", asks=version == "v2")
        assert "STREAM" not in str(await s.call_control.answer(beep))
        leg = await s.call_control.placed(name)
        assert leg is not None
        assert leg.status is LegStatus.MACHINE
        await s.ended(name)
        leg = await s.call_control.placed(name)
        assert leg is not None
        assert (leg.status, leg.result) == (LegStatus.MACHINE, "ANSWERED")

    tell(tmp_path, version, story)


class Callouts(VoiceV1):
    """An API that keeps what it is asked."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    async def callout(self, body: dict[str, Any]) -> str:
        self.bodies.append(body)
        return "phone"


@pytest.mark.parametrize(
    ("screening", "method", "later"),
    [("ears", "conferenceCallout", None), ("both", "customCallout", True)],
)
def test_how_version_1_dials(screening: Screening, method: str, later: bool | None) -> None:
    """By ears, into the conference at once, SIP addresses too; with both, asked in the meantime."""
    api = Callouts()
    asyncio.run(V1Actions(api, "en-US").place("d1", dial(screening), "+12025550100"))
    [body] = api.bodies
    assert body["method"] == method
    if later:
        assert '"async": true' in body["customCallout"]["ice"]
    else:
        asyncio.run(V1Actions(api, "en-US").place("d2", dial(screening, "sip:a@b.example"), ""))
        assert api.bodies[1]["conferenceCallout"]["destination"]["type"] == "sip"
