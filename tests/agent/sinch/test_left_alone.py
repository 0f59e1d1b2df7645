"""Nobody is left alone on a line: what was lost, and what Sinch refuses; both versions."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.simulator.sinch.phone_network import Phone
from agent.sinch import line_watch, stream_legs
from agent.sinch.api.rest import SinchError
from agent.sinch.api.svaml import Svaml
from agent.sinch.api.v1 import V1Actions
from agent.sinch.callbacks import IncomingCall, Version
from agent.sinch.contracts import Dial, Party
from agent.sinch.line_watch import OVER_WITHIN
from agent.sinch.stream_legs import STREAM_WITHIN
from agent.sinch.tokens import Claims
from tests.agent.loopback import until
from tests.agent.sinch import scripted, stories
from tests.agent.sinch.scripted import MANAGER, TO
from tests.agent.sinch.stories import Story
from tests.agent.sinch.test_party_stories import (
    ANN,
    BEN,
    STAYS,
    dialled,
    on_record,
    phone,
    phones,
    three,
)

both = pytest.mark.parametrize("version", ["v1", "v2"])
CLAIMS = Claims(call="phone", agent="reception", rate=8000, expires=0)


# An answer of ours is lost, and with it the stream


@pytest.mark.usefixtures("nothing_left")
def test_those_wait_for_no_agent_whose_stream_was_lost_with_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version 2: Sinch hangs the first up, who was to bring it; the others are hung up by us."""
    monkeypatch.setattr(stream_legs, "STREAM_WITHIN", 3.0)

    async def story(s: Story) -> None:
        s.sinch.lose_answer("call.answered")
        call = await dialled(s, three())
        await until(lambda: phone(s, ANN).over.is_set() and phone(s, BEN).room)
        assert not phone(s, BEN).over.is_set()
        await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs), 15)
        async with asyncio.timeout(10):  # the callbacks of these are dealt with meanwhile
            while (await s.operate("GET", f"/calls/{call}"))[1]["status"] != "ended":  # noqa: ASYNC110
                await asyncio.sleep(0.2)

    stories.tell(tmp_path, "v2", story, phones=phones(ann=Phone(plan=STAYS)))


@both
@pytest.mark.parametrize("conference", [False, True])
def test_a_phone_is_looked_for_whose_stream_has_not_come(
    tmp_path: Path, version: Version, conference: bool
) -> None:
    """Whichever way it was to come: by the answer to a callback, or by a request of ours."""

    async def story(s: scripted.Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await asyncio.sleep(STREAM_WITHIN - 1)
        assert s.platform.of("hang_up") == []
        await asyncio.sleep(2)
        assert s.platform.of("hang_up") == [(STREAM_WITHIN, "phone")]

    scripted.tell(tmp_path, version, story, conference=conference)


@both
def test_whose_end_is_not_told_is_hung_up_once_the_agent_has_left(
    tmp_path: Path, version: Version
) -> None:
    """A phone that never was in its conference, say; it is asked for once, and then it is over."""

    async def story(s: scripted.Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        s.call_control.stream_ended(CLAIMS, moved=False)
        await asyncio.sleep(OVER_WITHIN - 1)
        assert s.platform.of("hang_up") == []
        await asyncio.sleep(2)
        assert s.platform.of("hang_up") == [(OVER_WITHIN, "phone")]
        assert s.store.live_calls._calls == {}
        assert s.calls.told == []  # the platform has taken it, and tells of it

    scripted.tell(tmp_path, version, story, conference=True)


@both
def test_who_is_gone_and_was_not_told_of_is_on_record(tmp_path: Path, version: Version) -> None:
    """Asked to hang up, Sinch says that there is no such leg: its end is told by us, once."""

    async def story(s: scripted.Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        s.platform.gone.add("hang_up")
        s.call_control.stream_ended(CLAIMS, moved=False)
        await asyncio.sleep(OVER_WITHIN + 30)
        (last,) = s.calls.told
        assert (last["call_id"], last["reason"]) == ("phone", line_watch.NOT_TOLD)

    scripted.tell(tmp_path, version, story, conference=True)


@both
def test_who_was_on_the_line_of_a_dead_process_is_not_joined(
    tmp_path: Path, version: Version
) -> None:
    """Nobody was told that they have left: whoever inherits the call asks, and notes it."""

    async def story(s: scripted.Story) -> None:
        dial = Dial(to=TO, agent="reception", parties=(Party(to=TO), Party(to=MANAGER)))
        placed = await s.call_control.dial(dial)
        for name, to in zip(placed.parties, (TO, MANAGER), strict=True):
            await s.answered(name, call_id=f"phone of {to}")
        await s.stream_comes(f"phone of {TO}")
        s.platform.gone.add("hang_up")
        await s.directory.stream_ended(f"phone of {TO}")
        await s.call_control.let_go(placed.name)
        await asyncio.sleep(OVER_WITHIN + 1)
        legs = await s.directory.parties(placed.name)
        assert [leg.standing for leg in legs] == ["left", "left"]
        assert len(s.calls.told) == 1

    scripted.tell(tmp_path, version, story, conference=True)


@both
def test_who_is_left_by_a_dead_process_is_hung_up_though_sinch_is_away(
    tmp_path: Path, version: Version
) -> None:
    """As it is found dead, and for a minute: then all go, also whom the caller was passed on to."""

    async def story(s: scripted.Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        await s.directory.stream_ended("phone")
        s.platform.away |= {"hang_up", "clear"}
        await s.call_control.let_go("phone")
        await asyncio.sleep(60)
        before = len(s.platform.asked)
        s.platform.away.clear()
        await asyncio.sleep(30)
        after = [(what, about) for _, what, about in s.platform.asked[before:]]
        assert ("hang_up", "phone") in after
        assert (("clear", "c-phone") in after) is (version == "v1")

    scripted.tell(tmp_path, version, story, conference=True)


# Sinch refuses to hang up, for good


CALLS = ("PATCH", "/calling/v1/calls/id/*")
CONFERENCE = ("DELETE", f"/calling/v1/conferences/id/c-{32 * '?'}")


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("refused", [[CALLS], [CONFERENCE], [CALLS, CONFERENCE]])
def test_what_sinch_refuses_is_asked_in_another_way(
    tmp_path: Path, refused: list[tuple[str, str]]
) -> None:
    """To change a call: it is kicked out of its conference; to end that: so is each."""

    async def story(s: Story) -> None:
        call = await dialled(s, three(ends_with="last"))
        await until(lambda: ("Ben", "joined") in on_record(s))
        s.sinch.refused.update(dict.fromkeys(refused, 403))
        status, _ = await s.operate("POST", f"/calls/{call}/hangup", {})
        assert status == 202
        there = [phone(s, ANN), phone(s, BEN)]
        await until(lambda: all(leg.over.is_set() for leg in there), 20)
        s.sinch.refused.clear()
        await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))

    stories.tell(tmp_path, "v1", story, phones=phones())


@pytest.mark.usefixtures("nothing_left")
def test_what_sinch_refuses_in_every_way_is_made_known(tmp_path: Path) -> None:
    """One line of the log without a number for each who stays, and a metric."""

    async def story(s: Story) -> None:
        leg = await s.call_in(STAYS)
        await until(lambda: s.lines("agent"))
        s.sinch.refused |= {("DELETE", "/calling/*"): 403, ("PATCH", "/calling/*"): 403}
        with capture_logs() as logs:
            await s.operate("POST", f"/calls/{leg.call_id}/hangup", {})
            known = "somebody stays on a line: Sinch refuses to hang up"
            await until(lambda: known in [line["event"] for line in logs], 15)
        lines = [line for line in logs if line["event"] == known]
        assert (lines[0]["log_level"], lines[0]["status"]) == ("error", 403)
        assert "+1555" not in str(lines)
        async with s.http.get(f"{s.base}/metrics") as answer:
            text = await answer.text()
        assert "voice_agent_hang_ups_refused_total 0" not in text
        assert "voice_agent_hang_ups_refused_total" in text
        await s.sinch.hang_up(leg)

    stories.tell(tmp_path, "v1", story, sinch={"conference": True})


@pytest.mark.usefixtures("nothing_left")
def test_a_leg_of_version_2_is_hung_up_by_its_name(tmp_path: Path) -> None:
    """If it cannot be by its id."""

    async def story(s: Story) -> None:
        call = await dialled(s, three(ends_with="last"))
        await until(lambda: ("Ben", "joined") in on_record(s))
        s.sinch.refused[("PATCH", "/v2/projects/project/calls/*")] = 403
        ben = next(
            one
            for one in (await s.operate("GET", f"/calls/{call}"))[1]["parties"]
            if one["title"] == "Ben"
        )
        status, told = await s.operate("DELETE", f"/calls/{call}/parties/{ben['party']}")
        assert status in (200, 202, 204), told
        await until(phone(s, BEN).over.is_set)
        s.sinch.refused.clear()
        assert not phone(s, ANN).over.is_set()
        await s.sinch.hang_up(phone(s, ANN))
        await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))

    stories.tell(tmp_path, "v2", story, phones=phones())


class RefusingApi:
    """A conference of two: kicks of the first fail for now, all else is refused for good."""

    async def get_participants(self, _conference: str) -> list[str]:
        return ["a", "b"]

    async def kick(self, _conference: str, call_id: str) -> None:
        raise SinchError("no", 503 if call_id == "a" else 403)

    async def update_call(self, _call_id: str, _svaml: Svaml, *, urgent: bool) -> None:
        raise SinchError("no", 403 if urgent else 0)


def test_what_may_still_be_done_is_not_given_up_for_what_may_not() -> None:
    """Of several in a conference one is refused for good: the others are asked for again."""
    actions = V1Actions(RefusingApi(), "en-US")  # type: ignore[arg-type]
    with pytest.raises(SinchError) as refused:
        asyncio.run(actions.hang_up_each("c"))
    assert refused.value.passes
