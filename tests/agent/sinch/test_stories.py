"""Whole calls through the stand-in of Sinch: in, out, moved, refused; both versions."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.simulator.plan import Plan
from agent.simulator.sinch.phone_network import Phone
from agent.sinch.callbacks import Version
from agent.store.live_calls import HOST
from tests.agent.conversation import voice
from tests.agent.loopback import running, until
from tests.agent.sinch.credentials import V1
from tests.agent.sinch.stories import (
    CALLED,
    CALLER,
    MANAGER,
    TOKEN,
    Story,
    speech,
    tell,
)

pytestmark = pytest.mark.usefixtures("nothing_left")
both = pytest.mark.parametrize("version", ["v1", "v2"])


@both
def test_a_call_comes_in(tmp_path: Path, version: Version) -> None:
    """It is announced, streamed, answered and talked with; its record ends with the price."""

    async def story(s: Story) -> None:
        leg = await s.call_in(Plan(turns=[speech()], patience=0.3))
        await until(leg.over.is_set)
        await until(lambda: s.lines("platform"))
        assert s.lines("call")[0]["call_id"] == leg.call_id
        assert [line["text"] for line in s.lines("caller")] == ["Good day."]
        assert [line["text"] for line in s.lines("agent")] == ["Hello, who is this?", "Good bye."]
        kinds = [line["kind"] for line in s.server.lines()]
        assert kinds.index("ended") < kinds.index("platform") == len(kinds) - 1
        platform = s.lines("platform")[0]
        assert platform["seconds"] > 2
        assert platform["currency"] == "EUR"
        if version == "v1":
            await until(lambda: s.events() == ["ice", "dice"])
            assert (platform["result"], platform["reason"]) == ("ANSWERED", "CALLERHANGUP")
        else:
            await until(lambda: s.events() == ["call.incoming", "call.webhook.ended"])
            assert (platform["result"], platform["reason"]) == ("COMPLETED", "CALLER_HANGUP")

    tell(tmp_path, version, story, providers=voice(["Good day."], ["Good bye."]))


@both
def test_we_call_out(tmp_path: Path, version: Version) -> None:
    """The agent comes once the phone is answered, with the variables given; the record closes."""

    async def story(s: Story) -> None:
        (tmp_path / "prompts" / "reminder.md").write_text(
            "---\ngreeting: Hello {{name}}, this is {% if outgoing %}the bakery{% endif %}.\n"
            "variables: {name: you}\n---\nRemind."
        )
        body = {"to": "+1 555 000 0001", "agent": "reminder", "variables": {"name": "Ann"}}
        status, call = await s.operate("POST", "/calls", body)
        assert (status, call["to"], call["agent"]) == (201, CALLER, "reminder")
        await until(lambda: s.lines("platform"))
        _, call = await s.operate("GET", f"/calls/{call['id']}")
        assert call["status"] == "ended"
        assert call["result"] == {"v1": "ANSWERED", "v2": "COMPLETED"}[version]
        first = s.lines("call")[0]
        assert (first["dialled"], first["call_id"]) == (call["id"], call["call_id"])
        assert [line["text"] for line in s.lines("agent")] == ["Hello Ann, this is the bakery."]
        assert len([leg for leg in s.sinch.legs if not leg.is_stream]) == 1
        await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))

    tell(tmp_path, version, story, phones={CALLER: Phone(plan=Plan(patience=0.5))})


@both
@pytest.mark.parametrize(("answers", "result"), [("no", "NO"), ("busy", "BUSY")])
def test_nobody_answers_our_call(
    tmp_path: Path, version: Version, answers: str, result: str
) -> None:
    """There is no stream, and a record that says so."""

    async def story(s: Story) -> None:
        _, call = await s.operate("POST", "/calls", {"to": CALLER})
        await until(lambda: s.lines("platform"))
        _, call = await s.operate("GET", f"/calls/{call['id']}")
        assert (call["status"], call["result"][: len(result)]) == ("ended", result)
        assert len(s.sinch.legs) == 1
        assert s.lines("agent") == []

    tell(tmp_path, version, story, phones={CALLER: Phone(answers=answers)})  # type: ignore[arg-type]


@both
@pytest.mark.parametrize(
    ("who", "beeps", "machine", "heard"),
    [
        ("human", True, "hangup", "Hello, who is this?"),
        ("human", True, "message", "Hello, who is this?"),
        ("machine", True, "hangup", None),
        ("machine", True, "message", "Please call us back."),
        ("machine", True, "talk", "Hello, who is this?"),
    ],
)
def test_a_machine_answers_or_a_human(
    tmp_path: Path, version: Version, who: str, beeps: bool, machine: str, heard: str | None
) -> None:
    """A human is talked to; on a machine we hang up, or leave the message after the beep."""

    async def story(s: Story) -> None:
        body = {"to": CALLER, "machine": machine, "message": "Please call us back."}
        status, _ = await s.operate("POST", "/calls", body)
        assert status == 201
        await until(lambda: s.lines("platform"))
        await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))
        assert [line["text"] for line in s.lines("agent")] == ([heard] if heard else [])
        if heard == "Please call us back.":
            assert s.lines("ended")[0]["reason"] == "the agent hung up"

    phone = Phone(plan=Plan(patience=1.0), who=who, beeps=beeps)  # type: ignore[arg-type]
    tell(tmp_path, version, story, phones={CALLER: phone})


@pytest.mark.parametrize(("version", "conference"), [("v1", True), ("v2", False)])
def test_a_caller_is_passed_on(tmp_path: Path, version: Version, conference: bool) -> None:
    """The agent says so, dials, leaves when it is answered; the last to hang up frees the rest."""

    async def story(s: Story) -> None:
        leg = await s.call_in(Plan(turns=[speech()], patience=0.3, linger=60))
        await until(lambda: [line["status"] for line in s.lines("transfer")] == ["started", "done"])
        manager = next(leg for leg in s.sinch.legs if leg.number == MANAGER)
        assert leg.room
        await until(lambda: manager.room == leg.room)
        heard = [line["text"] for line in s.lines("agent")]
        assert heard == ["Hello, who is this?", "I will connect you."]
        if version == "v1":
            await until(lambda: s.lines("ended"))
            assert s.lines("ended")[0]["reason"] == "the caller was passed on"
            await until(lambda: [x for x in s.sinch.legs if x.is_stream and x.over.is_set()])
        await asyncio.sleep(0.5)
        assert not leg.over.is_set()
        assert not manager.over.is_set()
        await s.sinch.hang_up(manager)
        await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))
        await until(lambda: s.lines("platform"))

    tell(
        tmp_path,
        version,
        story,
        providers=voice(["The manager please."], ["I will connect you. [transfer manager]"]),
        phones={MANAGER: Phone()},
        sinch={"conference": conference},
    )


@pytest.mark.parametrize(("version", "conference"), [("v1", True), ("v2", False)])
def test_a_caller_comes_back_when_nobody_answers(
    tmp_path: Path, version: Version, conference: bool
) -> None:
    """The agent bridges the ringing, says that nobody is there, and goes on talking."""

    async def story(s: Story) -> None:
        plan = Plan(turns=[speech(), speech()], patience=1.5)
        leg = await s.call_in(plan)
        await until(leg.over.is_set, 30)
        await until(lambda: s.lines("ended"))
        assert [line["status"] for line in s.lines("transfer")] == ["started", "failed"]
        heard = [line["text"] for line in s.lines("agent")]
        assert heard[:3] == ["Hello, who is this?", "I will connect you.", "Nobody is there."]
        assert heard[-1] == "You are welcome."
        await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))

    tell(
        tmp_path,
        version,
        story,
        providers=voice(
            ["The manager please.", "Never mind."],
            ["I will connect you. [transfer manager]", "You are welcome."],
        ),
        phones={MANAGER: Phone(answers="no", after=0.3)},
        sinch={"conference": conference},
    )


def test_version_1_cannot_move_a_caller_outside_a_conference(tmp_path: Path) -> None:
    """The model is not offered it, and the operator is told why."""

    async def story(s: Story) -> None:
        leg = await s.call_in(Plan(patience=1.0))
        await until(lambda: s.lines("agent") or s.lines("call"))
        status, answer = await s.operate("POST", f"/calls/{leg.call_id}/transfer", {"to": MANAGER})
        assert (status, "conference" in answer["detail"]) == (409, True)
        await until(leg.over.is_set)

    tell(tmp_path, "v1", story)


@both
def test_the_operator_moves_and_ends_calls(tmp_path: Path, version: Version) -> None:
    """They are listed, passed on with an announcement, and hung up after a goodbye, or at once."""

    async def story(s: Story) -> None:
        leg = await s.call_in(Plan(patience=30))
        await until(lambda: s.lines("call"))
        await asyncio.sleep(1.5)
        _, listed = await s.operate("GET", "/calls")
        here = {"id": leg.call_id, "agent": "reception", "host": HOST, "pid": os.getpid()}
        assert listed["calls"] == [here]
        status, _ = await s.operate("POST", f"/calls/{leg.call_id}/hangup")
        assert status == 202
        await until(leg.over.is_set)
        await until(lambda: s.lines("platform"))
        assert s.lines("agent")[-1]["text"] == "Bye now."
        status, answer = await s.operate("POST", f"/calls/{leg.call_id}/hangup")
        assert (status, answer["detail"]) == (409, "the call is over")

        other = await s.call_in(Plan(patience=30))
        await until(lambda: len(s.lines("call")) == 2)
        path = f"/calls/{other.call_id}"
        await asyncio.sleep(0.2)
        status, _ = await s.operate("POST", f"{path}/hangup", {"goodbye": False})
        assert status == 202
        await until(other.over.is_set)
        await until(lambda: len(s.lines("ended")) == 2)
        assert s.lines("ended")[-1]["reason"] == "the operator hung up"

        ringing = (await s.operate("POST", "/calls", {"to": MANAGER}))[1]
        await until(lambda: "session" in str(ringing) or s.sinch.legs[-1].number == MANAGER)
        status, _ = await s.operate("POST", f"/calls/{ringing['id']}/hangup")
        assert status == 202
        await until(s.sinch.legs[-1].over.is_set)

    tell(tmp_path, version, story, phones={MANAGER: Phone(after=20)})


@both
def test_a_call_that_cannot_be_placed_says_why(tmp_path: Path, version: Version) -> None:
    """Sinch's own reason, in one line; the same key tries again, and then it is one call."""

    async def story(s: Story) -> None:
        refusal = {"errorCode": 40200, "message": "Not enough credit", "reference": "r1"}
        s.sinch.failures.append(("POST", 402, refusal, {}))
        key = {"idempotency-key": "the-very-same-key"}
        with capture_logs() as logs:
            status, answer = await s.operate("POST", "/calls", {"to": CALLER}, key)
        assert (status, "Not enough credit" in answer["detail"]) == (409, True)
        assert CALLER not in str(logs)
        first = await s.operate("POST", "/calls", {"to": CALLER}, key)
        again = await s.operate("POST", "/calls", {"to": CALLER}, key)
        assert first[0] == again[0] == 201
        assert first[1]["id"] == again[1]["id"]
        await until(lambda: s.lines("platform"))
        assert len([leg for leg in s.sinch.legs if not leg.is_stream]) == 1

    tell(tmp_path, version, story, phones={CALLER: Phone(plan=Plan(patience=0.3))})


def test_a_phone_without_an_agent_is_hung_up(tmp_path: Path) -> None:
    """When version 1 refuses the stream's leg, nobody waits in an empty conference."""

    async def story(s: Story) -> None:
        _, call = await s.operate("POST", "/calls", {"to": CALLER})
        s.sinch.failures.append(("POST", 400, {"errorCode": 40001, "message": "No"}, {}))
        await until(lambda: s.lines("platform"))
        assert s.sinch.legs[0].over.is_set()
        _, call = await s.operate("GET", f"/calls/{call['id']}")
        assert call["status"] == "ended"
        assert s.sinch.in_room(s.sinch.legs[0].room) == []

    tell(tmp_path, "v1", story, phones={CALLER: Phone(after=1.0)})


def test_a_caller_for_whom_there_is_no_room_is_not_left_waiting(tmp_path: Path) -> None:
    """The platform says so at once: no conference, no stream, and the call before goes on."""

    async def story(s: Story) -> None:
        first = await s.call_in(Plan(patience=30))
        await until(lambda: s.lines("call"))
        second = await s.call_in(Plan(patience=30))
        await until(second.over.is_set, 5)
        assert "we cannot take your call right now" in second.said[0]
        assert not second.room
        assert not first.over.is_set()
        await s.sinch.hang_up(first)

    given = {"sinch": {"conference": True}, "server": {"max_calls": 1}}
    tell(tmp_path, "v1", story, **given)


@both
def test_the_platforms_server_is_slow_for_a_moment(tmp_path: Path, version: Version) -> None:
    """What was turned away is sent again after `Retry-After`; the caller of `dial` only waits."""

    async def story(s: Story) -> None:
        s.sinch.failures.append(("POST", 429, {}, {"retry-after": "1"}))
        status, _ = await s.operate("POST", "/calls", {"to": CALLER})
        assert status == 201
        assert [method for method, _ in s.sinch.requests[:2]] == ["POST", "POST"]
        await until(lambda: s.lines("platform"))

    tell(tmp_path, version, story, phones={CALLER: Phone(plan=Plan(patience=0.3))})


def test_nobody_answers_for_this_number(tmp_path: Path) -> None:
    """Both versions say so and hang up; rules and agent files decide who else answers."""

    async def story(s: Story) -> None:
        (tmp_path / "prompts" / "sales.md").write_text(
            "---\ngreeting: Sales here.\nnumbers: ['+1 202 555 01 99']\n---\nSell."
        )
        for calls, version in enumerate(("v1", "v2"), 1):
            s.version = version  # type: ignore[assignment]
            leg = await s.sinch.call_in(CALLER, "+15559999999", Plan(), s.version)
            await until(leg.over.is_set)
            assert leg.said == ["Sorry, this number is not in service. Goodbye."]
            leg = await s.call_in()
            await until(leg.over.is_set)
            await until(lambda: s.lines("ended")[calls - 1 :])  # noqa: B023 - asked at once
            assert [line["text"] for line in s.lines("agent")] == ["Sales here."] * calls
        vip = await s.sinch.call_in("+442079460000", CALLED, Plan(patience=0.3), "v1")
        await until(vip.over.is_set)
        await until(lambda: len(s.lines("ended")) == 3)
        assert s.lines("agent")[-1]["text"] == "Hello, who is this?"

    tell(
        tmp_path,
        "v1",
        story,
        sinch={
            "refuse_unrouted": True,
            "routes": [{"caller": "+44*", "called": CALLED, "agent": "reception"}],
        },
    )


@both
def test_another_process_has_the_call(tmp_path: Path, version: Version) -> None:
    """What is asked of one process is done by the one that holds the stream."""

    async def story(s: Story) -> None:
        other = {"token": TOKEN}
        given = {"application_key": V1.key_id, "application_secret": V1.secret}
        account = given | {"public_url": s.base, "api_url": s.sinch_url, "caller_id": MANAGER}
        async with running(tmp_path, alone=False, operator=other, sinch=account) as second:
            base = second.url.replace("ws://", "http://").rpartition("/")[0]
            leg = await s.call_in(Plan(linger=60))
            await until(lambda: s.lines("call"))
            headers = {"authorization": f"Bearer {TOKEN}"}
            url = f"{base}/calls/{leg.call_id}/hangup"
            async with s.http.post(url, json={}, headers=headers) as response:
                assert response.status == 202
            await until(leg.over.is_set)
        await until(lambda: s.lines("ended"))
        assert s.lines("agent")[-1]["text"] == "Bye now."

    tell(tmp_path, version, story)
