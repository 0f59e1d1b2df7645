"""The stream that has to come to a call, and what becomes of a phone if it does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.settings.sinch import SinchSettings
from agent.sinch.api.versions import ANSWERS
from agent.sinch.callbacks import IncomingCall, Version
from agent.sinch.follow_ups import AGAIN_LONGEST
from agent.sinch.stream_legs import STREAM_WITHIN
from agent.sinch.tokens import Claims
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell


def test_a_stream_that_does_not_come_hangs_the_phone_up(tmp_path: Path) -> None:
    """Nobody waits in an empty conference for longer than that."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await asyncio.sleep(STREAM_WITHIN + 1)
        assert s.platform.of("hang_up") == [(STREAM_WITHIN, "phone")]

    tell(tmp_path, "v1", story, conference=True)


def test_a_stream_that_came_lets_the_phone_be(tmp_path: Path) -> None:
    """Nor is a phone hung up that has gone."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        await s.call_control.answer(
            IncomingCall(leg=s.leg(call_id="gone"), caller=TO, called=MANAGER)
        )
        await s.ended(call_id="gone")
        await asyncio.sleep(STREAM_WITHIN + 1)
        assert s.platform.of("hang_up") == []

    tell(tmp_path, "v1", story, conference=True)


def test_a_phone_that_cannot_be_hung_up_is_hung_up_later(tmp_path: Path) -> None:
    """Sinch refuses the stream, and the hang-up, too; nobody is left waiting for good."""

    async def story(s: Story) -> None:
        s.platform.fails |= {"bring_stream", "hang_up"}
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await asyncio.sleep(1)
        s.platform.fails.clear()
        await asyncio.sleep(STREAM_WITHIN)
        assert s.platform.of("hang_up") == [(0.0, "phone"), (STREAM_WITHIN, "phone")]

    tell(tmp_path, "v1", story, conference=True)


def test_a_stream_that_was_turned_away_leaves_nobody_waiting(tmp_path: Path) -> None:
    """The token is used up, so no other will come: the conference is ended."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        await s.stream_comes()
        s.call_control.stream_ended(claims, moved=False)
        await asyncio.sleep(0)
        assert s.platform.of("clear") == [(0.0, "c-phone")]

    tell(tmp_path, "v1", story, conference=True)


def test_a_call_that_ends_while_the_database_is_away_leaves_nobody_waiting(tmp_path: Path) -> None:
    """The conference is ended once the database is back; nobody else would do it."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        await s.stream_comes()
        s.database_is_away(True)
        s.call_control.stream_ended(claims, moved=False)
        await asyncio.sleep(60)
        assert s.platform.of("clear") == []
        s.database_is_away(False)
        await asyncio.sleep(AGAIN_LONGEST)
        assert [about for _, about in s.platform.of("clear")] == ["c-phone"]

    tell(tmp_path, "v1", story, conference=True)


@pytest.mark.parametrize("moved", [False, True])
def test_who_is_hung_up_without_a_database_is_not_left_alone(
    tmp_path: Path, *, moved: bool
) -> None:
    """Also if it never comes back: a conference is ended by its name, unless others talk in it."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        await s.stream_comes()
        s.database_is_away(True)
        s.call_control.stream_ended(claims, moved=moved, hung_up=True)
        await asyncio.sleep(60)
        assert {about for _, about in s.platform.of("clear")} == (set() if moved else {"c-phone"})
        s.database_is_away(False)

    tell(tmp_path, "v1", story, conference=True)


def test_a_stream_that_cannot_be_noted_hangs_the_phone_up(tmp_path: Path) -> None:
    """The database fails just behind the callback, and is away when it is looked for the stream."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        s.database_is_away(True)
        await asyncio.sleep(STREAM_WITHIN + 30)
        assert s.platform.asked == []
        s.database_is_away(False)
        await asyncio.sleep(AGAIN_LONGEST)
        assert [about for _, about in s.platform.of("hang_up")] == ["phone"]

    tell(tmp_path, "v1", story, conference=True)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_call_that_cannot_be_held_is_declined_before_its_stream(
    tmp_path: Path, version: Version
) -> None:
    """The platform says that we are sorry; nothing is prepared, and nobody waits for a stream."""

    async def story(s: Story) -> None:
        s.calls.full = "no voice works"
        told = await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        assert told == ANSWERS[version].say_and_hang_up(
            "Sorry.", SinchSettings().announcer, answer=True
        )
        assert s.calls.expected == []
        assert await s.directory.call("phone") is None

    tell(tmp_path, version, story)
