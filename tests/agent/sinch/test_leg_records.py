"""What each leg of a call has cost is on its record, once, whenever the platform tells it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from agent.records.events import A_MACHINE
from agent.records.legs import is_settled, with_leg
from agent.sinch.callbacks import IncomingCall, LegEnded, LegIdentity, Version
from agent.sinch.contracts import Party
from agent.sinch.legs.leg_kinds import StreamLeg
from agent.sinch.tokens import Claims
from agent.store.errors import StoreError
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell
from tests.agent.sinch.test_parties import ANN, BEN, CLEO, DORA, Line, both
from tests.agent.sinch.test_transfer_outages import comes_back, goes_away, ringing

PRICES = {"Ann": "0.10", "Ben": "0.02", "Cleo": "0.003"}


async def charged(
    s: Story, name: str, call_id: str, amount: str, seconds: float = 61.0, result: str = "ANSWERED"
) -> None:
    """Have a leg end that has cost so much: in version 2, a minute of it."""
    leg = LegIdentity(
        version=s.version,
        call_id=call_id,
        name=name if s.version == "v2" else "",
        custom=name if s.version == "v1" else "",
    )
    ended = LegEnded(
        leg=leg, result=result, reason="N/A", seconds=seconds, amount=amount, currency="EUR"
    )
    await s.call_control.answer(ended)
    await asyncio.sleep(0.1)


def of_legs(s: Story) -> dict[str, Any]:
    """Return what is on record of each leg that has ended, by our name of it."""
    lines = [line for line in (*s.calls.legs, *s.calls.told) if "result" in line and "leg" in line]
    found = {line["leg"]: line["amount"] for line in lines}
    assert len(found) == len(lines), "a leg is on record twice"
    return found


def expected(line: Line, minutes: int = 2) -> dict[str, float]:
    times = minutes if line.story.version == "v2" else 1
    return {line.legs[title]: round(float(one) * times, 6) for title, one in PRICES.items()}


async def on_line(s: Story) -> Line:
    return await on_line_of(s, *PRICES)


async def on_line_of(s: Story, *titles: str) -> Line:
    line = await Line.dialled(s)
    for title in titles:
        await line.answers(title)
    return line


@both
def test_every_phone_of_a_line_is_charged_once(tmp_path: Path, version: Version) -> None:
    """Also if two processes are told, and if the last two hang up at once."""

    async def story(s: Story) -> None:
        other = Story(tmp_path, version, conference=False)
        line = await on_line(s)
        other.calls = s.calls
        for title, amount in PRICES.items():
            for told in (s, s, other):
                await charged(told, line.legs[title], f"leg of {title}", amount)
        assert of_legs(s) == expected(line)
        (platform,) = s.calls.told
        assert {one["call_id"] for one in s.calls.legs} == {platform["call_id"]} == {"leg of Ann"}
        assert (platform["leg"], platform["seconds"]) == (line.legs["Cleo"], 61.0)
        assert [one["to"] for one in s.calls.legs] == [ANN, BEN]
        assert [leg["to"] for leg in s.calls.known[0]["legs"]] == [ANN, BEN, CLEO]  # type: ignore[attr-defined]
        await other.call_control.aclose()

    tell(tmp_path, version, story)


@both
def test_whose_end_is_told_after_the_record_was_closed_is_added(
    tmp_path: Path, version: Version
) -> None:
    """The operator ends it; Sinch takes its time to tell of each phone."""

    async def story(s: Story) -> None:
        line = await on_line(s)
        await charged(s, line.legs["Ann"], "leg of Ann", PRICES["Ann"])
        await s.call_control.hang_up(line.name, goodbye=False)
        await charged(s, line.legs["Ben"], "leg of Ben", PRICES["Ben"])
        assert of_legs(s).keys() == {line.legs["Ann"], line.legs["Ben"]}
        claims = Claims(call="leg of Ann", agent="reception", rate=8000, expires=0)
        s.call_control.stream_ended(claims, moved=False, hung_up=True)
        await asyncio.sleep(60)
        await charged(s, line.legs["Cleo"], "leg of Cleo", PRICES["Cleo"])
        await asyncio.sleep(10)
        assert of_legs(s) == expected(line)
        assert len(s.calls.told) == 1
        assert {one["call_id"] for one in (*s.calls.legs, *s.calls.told)} == {"leg of Ann"}

    tell(tmp_path, version, story)


@both
def test_who_never_had_an_agent_is_charged(tmp_path: Path, version: Version) -> None:
    """Machines, on whom we hang up, cost as much; there is one record, of all of them."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        for title, amount in PRICES.items():
            await charged(s, line.legs[title], f"leg of {title}", amount, 20.0, "NOANSWER")
        await asyncio.sleep(1)
        assert of_legs(s) == expected(line, minutes=1)
        assert len(s.calls.told) == 1
        assert len({one["call_id"] for one in (*s.calls.legs, *s.calls.told)}) == 1

    tell(tmp_path, version, story)


@both
def test_who_has_left_before_the_agent_came_is_charged(tmp_path: Path, version: Version) -> None:
    """They have no record to be put on then: it is done when the call is over."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        await charged(s, line.legs["Cleo"], "leg of Cleo", PRICES["Cleo"], 61.0, "BUSY")
        assert s.calls.legs == []
        await line.answers("Ann")
        await line.answers("Ben")
        for title in ("Ben", "Ann"):
            await charged(s, line.legs[title], f"leg of {title}", PRICES[title])
        await asyncio.sleep(1)
        assert of_legs(s) == expected(line)

    tell(tmp_path, version, story)


@both
def test_whom_a_caller_is_passed_on_to_is_charged(tmp_path: Path, version: Version) -> None:
    """And so is the agent's own end, where it is a leg; the caller's is the platform's line."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=CLEO))
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        await s.call_control.transfer(claims, MANAGER)
        name = await s.transfer_name("phone")
        assert s.calls.legs == [
            {"call_id": "phone", "leg": name, "what": "transfer", "to": MANAGER}
        ]
        await s.directory.add_leg(StreamLeg(name="s1", of="phone"))
        await charged(s, "s1", "stream", "0.001")
        await charged(s, name, "manager", "0.10", 61.0, "BUSY")
        await charged(s, "" if version == "v1" else "caller", "phone", "0.02")
        times = 2 if version == "v2" else 1
        assert of_legs(s) == {name: 0.1 * times, "s1": 0.001 * times}
        assert [(one["amount"], "leg" in one) for one in s.calls.told] == [(0.02 * times, False)]

    tell(tmp_path, version, story, conference=True)


@both
def test_who_was_added_is_on_record_by_their_number(tmp_path: Path, version: Version) -> None:
    """As soon as they are dialled; whom Sinch refuses was not dialled."""

    async def story(s: Story) -> None:
        line = await on_line(s)
        added = await s.call_control.parties.add(line.name, Party(to=DORA))
        about = {"call_id": "leg of Ann", "leg": added.name, "what": "party"}
        assert s.calls.legs == [about | {"to": DORA}]

    tell(tmp_path, version, story)


@both
@pytest.mark.parametrize("operations", range(26))
def test_no_price_is_lost_while_the_database_fails(
    tmp_path: Path, version: Version, operations: int
) -> None:
    """At whichever of its operations, as one of a line hangs up: before the agent came, or last."""

    async def story(s: Story) -> None:
        line = await Line.dialled(s)
        await charged(s, line.legs["Ann"], "leg of Ann", PRICES["Ann"], 61.0, "BUSY")
        await line.answers("Ben")
        await line.answers("Cleo")
        await charged(s, line.legs["Cleo"], "leg of Cleo", PRICES["Cleo"])
        goes_away(s, operations, 5.0)
        await charged(s, line.legs["Ben"], "leg of Ben", PRICES["Ben"])
        await asyncio.sleep(60)
        comes_back(s)
        assert of_legs(s) == expected(line)
        assert len(s.calls.told) == 1

    tell(tmp_path, version, story)


@both
@pytest.mark.parametrize("operations", range(9))
def test_whoever_was_passed_on_to_is_charged_though_the_database_fails(
    tmp_path: Path, version: Version, operations: int
) -> None:
    """As they hang up."""

    async def story(s: Story) -> None:
        name = await ringing(s, "return")
        await s.answered(name)
        goes_away(s, operations, 5.0)
        await charged(s, name, "manager", "0.10")
        await asyncio.sleep(60)
        comes_back(s)
        assert of_legs(s) == {name: 0.2 if version == "v2" else 0.1}

    tell(tmp_path, version, story, conference=True)


@both
@pytest.mark.parametrize("operations", range(8, 18))
def test_who_rings_is_on_record_though_the_database_fails(
    tmp_path: Path, version: Version, operations: int
) -> None:
    """By a transfer, or added to a line: a call is found and erased by their number."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=CLEO))
        goes_away(s, operations, 5.0)
        with suppress(StoreError):
            await s.call_control.transfer(
                Claims(call="phone", agent="reception", rate=8000, expires=0), MANAGER
            )
            await asyncio.sleep(60)
            assert [one["to"] for one in s.calls.legs] == [MANAGER]
        comes_back(s)

    async def added(s: Story) -> None:
        line = await on_line(s)
        goes_away(s, operations, 5.0)
        with suppress(StoreError):
            await s.call_control.parties.add(line.name, Party(to=DORA))
            await asyncio.sleep(60)
            assert [one["to"] for one in s.calls.legs] == [DORA]
        comes_back(s)

    for number, told in enumerate((story, added)):
        folder = tmp_path / str(number)
        folder.mkdir()
        tell(folder, version, told, conference=told is story)


PRICED = [
    ("v1", "0.0758", None, 0.0758),
    ("v1", "", 30.0, None),
    ("v1", "-1", 30.0, None),
    ("v1", "nan", 30.0, None),
    ("v1", "inf", 30.0, None),
    ("v1", "much", 30.0, None),
    ("v2", "0.006", 0.0, 0.0),
    ("v2", "0.006", 60.0, 0.006),
    ("v2", "0.006", 60.5, 0.012),
    ("v2", "0.006", None, None),
]


@pytest.mark.parametrize(("version", "amount", "seconds", "price"), PRICED)
def test_the_price_of_a_leg_is_all_of_it(
    version: Version, amount: str, seconds: float | None, price: float | None
) -> None:
    """Version 2 tells what a minute costs, and charges each that has begun."""
    leg = LegIdentity(version=version, call_id="x")
    ended = LegEnded(leg=leg, result="ANSWERED", reason="N/A", seconds=seconds, amount=amount)
    assert ended.price == price


@both
def test_nobody_is_waited_for_whom_sinch_did_not_dial(tmp_path: Path, version: Version) -> None:
    """Neither if the record knows that from the first, nor if it was told later."""

    async def story(s: Story) -> None:
        s.platform.fails.add(f"refuse {BEN}")
        line = await on_line_of(s, "Ann", "Cleo")
        for title in ("Ann", "Cleo"):
            await charged(s, line.legs[title], f"leg of {title}", PRICES[title])
        (platform,), (about,) = s.calls.told, s.calls.known
        legs = [dict(one) for one in about["legs"]]  # type: ignore[attr-defined]
        assert [one["to"] for one in legs if "refused" in one] == [BEN]
        known = {"platform": platform, "legs": legs}
        for one in s.calls.legs:
            known["legs"] = with_leg(known, one)
        assert is_settled(known)
        without = [{k: v for k, v in one.items() if k != "refused"} for one in legs]
        known = {"platform": platform, "legs": without}
        for one in s.calls.legs:
            known["legs"] = with_leg(known, one)
        assert is_settled(known)

    tell(tmp_path, version, story)


def test_no_agent_is_waited_for_where_sinch_has_found_a_machine() -> None:
    """It was hung up in its conference, to which no stream was brought."""
    found = {"result": "ANSWERED", "answerer": "machine"}
    ended = {"reason": A_MACHINE, "hung_up_by": "agent"}
    assert is_settled({"conference": "c", "ended": ended, "platform": found})
    talked = {"conference": "c", "ended": {}, "platform": {"result": "ANSWERED"}}
    assert not is_settled(talked)
