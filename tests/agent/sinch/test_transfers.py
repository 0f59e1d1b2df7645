"""Callers who are passed on, and whoever does not answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.call.orders import TransferCaller
from agent.sinch.api import v2
from agent.sinch.callbacks import (
    IncomingCall,
    Version,
)
from agent.sinch.refusals import CannotMoveError, NoAgentError, RefusedError
from agent.sinch.tokens import Claims
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell

ON = TransferCaller(to=MANAGER, announcement="One moment.")


def test_a_transfer_that_rings_out_is_hung_up(tmp_path: Path) -> None:
    """A conferenceCallout would ring without end; one that was answered is let be."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        await s.call_control.transfer(claims, MANAGER)
        name = await s.transfer_name("phone")
        await asyncio.sleep(32)
        assert s.platform.of("hang_up") == [(31.0, f"phone of {name}")]
        await s.ended(name, "other", "NOANSWER")
        await s.call_control.transfer(claims, MANAGER)
        await s.answered(await s.transfer_name("phone"))
        await asyncio.sleep(32)
        assert len(s.platform.of("hang_up")) == 1

    tell(tmp_path, "v1", story, conference=True)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_caller_who_has_gone_is_connected_with_nobody(tmp_path: Path, version: Version) -> None:
    """The phone that still rings is hung up, and so is one that is answered too late."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        await s.call_control.transfer(claims, MANAGER)
        name = await s.transfer_name("phone")
        told = await s.ended()
        await asyncio.sleep(0.1)
        if version == "v1":
            assert s.platform.of("hang_up")[0][1] == f"phone of {name}"
        else:
            assert told == v2.hang_up("stream", name)
        assert "hangup" in str(await s.answered(name))

    tell(tmp_path, version, story, conference=True)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_caller_who_was_passed_on_can_be_hung_up(tmp_path: Path, version: Version) -> None:
    """By Sinch, since no agent talks to them any more; they cannot be passed on once more."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        await s.call_control.transfer(claims, MANAGER)
        await s.answered(await s.transfer_name("phone"))
        with pytest.raises(NoAgentError, match="no agent now"):
            await s.call_control.request_transfer("phone", ON)
        await s.call_control.hang_up("phone", goodbye=True)
        assert [about for _, about in s.platform.of("hang_up")] == ["phone"]

    tell(tmp_path, version, story, conference=True)


def test_a_transfer_that_cannot_be_dialled_says_why(tmp_path: Path) -> None:
    """To the agent, which tells the caller."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        s.platform.fails.add("transfer")
        with pytest.raises(RefusedError, match="Sinch refused"):
            await s.call_control.transfer(claims, MANAGER)
        other = Claims(call="unknown", agent="reception", rate=8000, expires=0)
        with pytest.raises(CannotMoveError, match="cannot be passed on"):
            await s.call_control.transfer(other, MANAGER)

    tell(tmp_path, "v2", story)
