"""Lines of several through the stand-in of Sinch: whole stories, in both versions."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent.simulator.plan import Plan
from agent.simulator.sinch.phone_network import Phone, PhoneLeg
from agent.sinch.callbacks import Version
from tests.agent.conversation import voice
from tests.agent.loopback import until
from tests.agent.sinch.stories import Story, speech, tell

pytestmark = pytest.mark.usefixtures("nothing_left")
both = pytest.mark.parametrize("version", ["v1", "v2"])

ANN, BEN, CLEO, DORA = (f"+1555000001{n}" for n in range(4))
MORE = [f"+1555000002{n}" for n in range(9)]
STAYS = Plan(patience=60)
"""Of whoever says nothing, and hangs up when the story says so."""


def phones(**others: Phone) -> dict[str, Phone]:
    """Return the telephones of all four: Ann answers first, the others as is given, or soon."""
    known = {"ann": Phone(plan=STAYS), "ben": Phone(plan=STAYS, after=0.3)}
    known |= {"cleo": Phone(plan=STAYS, after=0.3), "dora": Phone(plan=STAYS)}
    numbers = {"ann": ANN, "ben": BEN, "cleo": CLEO, "dora": DORA}
    return {numbers[name]: phone for name, phone in (known | others).items()}


def three(**fields: Any) -> dict[str, Any]:
    named = ((ANN, "Ann"), (BEN, "Ben"), (CLEO, "Cleo"))
    return {"to": [{"to": to, "title": title} for to, title in named], **fields}


async def standing(s: Story, call: str) -> dict[str, str]:
    _, known = await s.operate("GET", f"/calls/{call}")
    return {one["title"]: one["status"] for one in known.get("parties", [])}


def phone(s: Story, number: str) -> PhoneLeg:
    return next(leg for leg in s.sinch.legs if leg.number == number)


def streams(s: Story) -> list[PhoneLeg]:
    return [leg for leg in s.sinch.legs if leg.is_stream]


def on_record(s: Story) -> list[tuple[str, str]]:
    return [(line["title"], line["status"]) for line in s.lines("party")]


async def dialled(s: Story, body: dict[str, Any]) -> str:
    status, call = await s.operate("POST", "/calls", body)
    assert status == 201, call
    return str(call["id"])


async def is_over(s: Story) -> None:
    """Return when nobody hangs on, and the one record has the platform's word."""
    await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))
    await until(lambda: s.lines("platform"))
    assert len(s.lines("platform")) == 1


@both
def test_three_are_on_a_line_and_leave_it_one_by_one(tmp_path: Path, version: Version) -> None:
    """One of them never answers; the last who leaves ends it, with one stream and one record."""

    async def story(s: Story) -> None:
        call = await dialled(s, three())
        await until(lambda: ("Ben", "joined") in on_record(s))
        await s.sinch.hang_up(phone(s, CLEO), "TIMEOUT")
        await until(lambda: ("Cleo", "not reached") in on_record(s))
        await until(lambda: len(s.sinch.in_room(phone(s, ANN).room)) == 3)
        assert all(leg.room or leg.over.is_set() for leg in s.sinch.legs)
        await s.sinch.hang_up(phone(s, ANN))
        await until(lambda: ("Ann", "left") in on_record(s))
        assert not phone(s, BEN).over.is_set()
        assert not streams(s)[0].over.is_set()
        expected = {"Ann": "left", "Ben": "joined", "Cleo": "not reached"}
        assert await standing(s, call) == expected
        await s.sinch.hang_up(phone(s, BEN))
        await is_over(s)
        assert len(streams(s)) == 1
        # The record begins with the stream: whoever is on the line by then was never expected.
        told = {title: [what for who, what in on_record(s) if who == title] for title in expected}
        assert told["Ann"] == ["joined", "left"]
        assert told["Ben"] in (["expected", "joined", "left"], ["joined", "left"])
        assert told["Cleo"] == ["expected", "not reached"]
        assert on_record(s)[-2:] == [("Ann", "left"), ("Ben", "left")]
        assert [one["why"] for one in s.lines("party") if "why" in one] == ["no answer"]
        assert (await s.operate("GET", f"/calls/{call}"))[1]["status"] == "ended"
        assert "+1555" not in str(s.lines("party"))

    tell(tmp_path, version, story, phones=phones(cleo=Phone(answers="no", after=60)))


@both
def test_nobody_comes_to_a_line(tmp_path: Path, version: Version) -> None:
    """All are busy: there is no stream, and a record that says so."""

    async def story(s: Story) -> None:
        call = await dialled(s, three())
        await is_over(s)
        _, known = await s.operate("GET", f"/calls/{call}")
        assert (known["status"], known["reason"]) == ("ended", "nobody was reached")
        assert {one["why"] for one in known["parties"]} == {"busy"}
        assert streams(s) == []
        assert s.lines("platform")[0]["reason"] == "nobody was reached"

    busy = {name: Phone(answers="busy") for name in ("ann", "ben", "cleo")}
    tell(tmp_path, version, story, phones=phones(**busy))


@both
def test_a_host_leaves_or_the_stream_dies(tmp_path: Path, version: Version) -> None:
    """Whoever is on the line goes, and who still rings is hung up; nobody waits in silence."""

    async def story(s: Story) -> None:
        body = three()
        body["to"][1]["host"] = True
        await dialled(s, body)
        await until(lambda: ("Ben", "joined") in on_record(s))
        await s.sinch.hang_up(phone(s, BEN))
        await is_over(s)
        assert phone(s, CLEO).reason != ""
        assert not phone(s, CLEO).answered

    tell(tmp_path, version, story, phones=phones(cleo=Phone(after=30)))

    async def dies(s: Story) -> None:
        await dialled(s, three())
        await until(lambda: len([x for x in on_record(s) if x[1] == "joined"]) == 2)
        await s.sinch.hang_up(streams(s)[0])
        await is_over(s)

    (tmp_path / "again").mkdir()
    tell(tmp_path / "again", version, dies, phones=phones(cleo=Phone(after=30)))


@both
def test_one_is_added_and_another_dropped(tmp_path: Path, version: Version) -> None:
    """By REST; with what they hear alone before; to a call that we placed to one phone."""

    async def story(s: Story) -> None:
        call = await dialled(s, {"to": ANN})
        await until(lambda: s.lines("call"))
        asked = {"to": BEN, "title": "Ben", "announcement": "Hi."}
        status, ben = await s.operate("POST", f"/calls/{call}/parties", asked)
        assert (status, ben["status"], ben["to"]) == (201, "expected", BEN)
        await until(lambda: on_record(s) == [("Ben", "expected"), ("Ben", "joined")])
        assert phone(s, BEN).said == ["Hi."]
        await until(lambda: phone(s, BEN).room == phone(s, ANN).room)
        path = f"/calls/{call}/parties/{ben['party']}"
        assert (await s.operate("DELETE", path))[0] == 202
        await until(phone(s, BEN).over.is_set)
        await until(lambda: on_record(s)[-1] == ("Ben", "dropped"))
        assert not phone(s, ANN).over.is_set()
        assert (await s.operate("DELETE", path))[0] == 404
        status, _ = await s.operate("POST", f"/calls/{call}/parties", {"to": DORA, "title": "Dora"})
        assert status == 201
        await until(lambda: ("Dora", "joined") in on_record(s))
        assert await standing(s, call) == {"Ben": "dropped", "Dora": "joined"}
        await s.sinch.hang_up(phone(s, ANN))
        await is_over(s)
        twice = {"to": [ANN, BEN, {"to": "+1 (555) 000-0010"}]}
        status, answer = await s.operate("POST", "/calls", twice)
        assert (status, answer["detail"][:6]) == (400, "to.2: ")
        status, answer = await s.operate("POST", f"/calls/{call}/parties", {"to": BEN})
        assert (status, answer["detail"]) == (409, "the call is over")

    tell(tmp_path, version, story, phones=phones())


@both
def test_who_is_added_many_times_at_once_is_dialled_once(tmp_path: Path, version: Version) -> None:
    """Nor does a line take more phones than it may, however many are asked for at once."""

    async def story(s: Story) -> None:
        call = await dialled(s, three())
        await until(lambda: ("Cleo", "joined") in on_record(s))

        async def added(*numbers: str) -> list[int]:
            asked = [s.operate("POST", f"/calls/{call}/parties", {"to": to}) for to in numbers]
            return sorted(status for status, _ in await asyncio.gather(*asked))

        assert await added(*[DORA] * 5) == [201, 409, 409, 409, 409]
        assert await added(*MORE) == [201] * 6 + [409] * 3
        assert len(s.sinch.legs) == 11  # ten phones, and the agent
        for leg in [leg for leg in s.sinch.legs if not leg.is_stream]:
            await s.sinch.hang_up(leg)
        await is_over(s)

    every = phones() | {to: Phone(plan=STAYS) for to in MORE}
    tell(tmp_path, version, story, phones=every)


@pytest.mark.parametrize(("version", "conference"), [("v1", True), ("v2", False)])
def test_the_agent_brings_somebody_in(tmp_path: Path, version: Version, conference: bool) -> None:
    """By its tool, with somebody whom its file names; the caller's hang-up takes them along."""

    async def story(s: Story) -> None:
        leg = await s.call_in(Plan(turns=[speech()], patience=0.3, linger=60))
        await until(lambda: on_record(s) == [("Ben", "expected"), ("Ben", "joined")])
        (tool,) = s.lines("tool")
        assert (tool["name"], tool["arguments"]) == ("add_party", {"who": "ben"})
        lines = [line for line in s.server.lines() if line["kind"] != "leg"]
        assert BEN not in str(lines)
        assert [line["to"] for line in s.lines("leg")] == [BEN]
        await until(lambda: phone(s, BEN).room == leg.room)
        await until(lambda: "He is being called." in s.lines("agent")[-1]["text"])
        await s.sinch.hang_up(leg)
        await is_over(s)
        known: dict[str, Any] = {}
        while "record" not in known:  # it is in the database a moment later
            _, known = await s.operate("GET", f"/calls/{leg.call_id}")
        assert [(one["title"], one["status"]) for one in known["parties"]] == [("Ben", "left")]

    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "reception.md").write_text(
        f"---\ngreeting: Hello.\nparties:\n  - {{name: ben, to: '{BEN}', title: Ben}}\n---\nHelp."
    )
    tell(
        tmp_path,
        version,
        story,
        providers=voice(["Ben please."], ["Sure. [add_party who=ben]", "He is being called."]),
        phones=phones(),
        sinch={"conference": conference},
    )


def test_who_is_refused_is_told_at_the_request(tmp_path: Path) -> None:
    """Whatever cannot be done is said before anybody is dialled, with its place."""

    async def story(s: Story) -> None:
        for body, status, words in (
            ({"to": []}, 400, "to: "),
            ({"to": [ANN] * 11}, 400, "to: "),
            ({"to": [ANN, "nobody"]}, 400, "to.1: not a telephone number"),
            ({"to": [ANN, {"to": BEN, "title": "x" * 65}]}, 400, "to.1.title: "),
            ({"to": [ANN, {"to": BEN, "sing": True}]}, 400, "to.1.sing: "),
            ({"to": [ANN, {"to": BEN, "announcement": "x" * 601}]}, 400, "to.1.announcement: "),
            ({"to": [ANN, BEN], "keys": "12"}, 400, "keys: "),
            ({"to": [ANN, BEN], "ends_with": "host"}, 400, "ends_with: say who the host is"),
            ({"to": ANN, "ends_with": "last"}, 400, "ends_with: is of several"),
            ({"to": [ANN, BEN], "machine": "message", "message": "Hi."}, 400, "machine: "),
            ({"to": [ANN, "+4930123456"]}, 422, "in DE"),
            ({"to": [ANN, "sip:a@example.com"], "machine": "hangup"}, 409, "telephone numbers"),
        ):
            found, answer = await s.operate("POST", "/calls", body)
            assert (found, words in answer["detail"]) == (status, True), answer
        await asyncio.sleep(0)
        assert s.sinch.requests == []
        assert (await s.operate("POST", "/calls/x/parties", {"to": ANN}))[0] == 404
        assert (await s.operate("DELETE", "/calls/x/parties/y"))[0] == 404

    tell(tmp_path, "v1", story)


def test_nobody_is_added_outside_a_conference_in_version_1(tmp_path: Path) -> None:
    """Whoever asks is told which setting it takes."""

    async def story(s: Story) -> None:
        leg = await s.call_in(Plan(patience=1.0))
        await until(lambda: s.lines("call"))
        status, answer = await s.operate("POST", f"/calls/{leg.call_id}/parties", {"to": ANN})
        assert (status, "sinch.conference" in answer["detail"]) == (409, True)
        await until(leg.over.is_set)

    tell(tmp_path, "v1", story)


@both
def test_a_call_whose_last_phone_was_dropped_was_hung_up_by_the_operator(
    tmp_path: Path, version: Version
) -> None:
    """The record does not say that whoever was on the line has hung up."""

    async def story(s: Story) -> None:
        call = await dialled(s, {"to": [{"to": ANN, "title": "Ann"}, {"to": BEN, "title": "Ben"}]})
        await until(lambda: ("Ben", "joined") in on_record(s))
        await s.sinch.hang_up(phone(s, ANN))
        await until(lambda: ("Ann", "left") in on_record(s))
        path = f"/calls/{call}/parties/{phone(s, BEN).name}"
        assert (await s.operate("DELETE", path))[0] == 202
        await is_over(s)
        (ended,) = s.lines("ended")
        assert (ended["reason"], ended["hung_up_by"]) == ("the operator hung up", "operator")

    tell(tmp_path, version, story, providers=voice(), phones=phones())
