"""What all processes know of legs and calls: read, changed, and broken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent.call.orders import CallerNotMoved, HangUp, TransferCaller
from agent.settings.database import DatabaseUrl
from agent.sinch.follow_ups import AGAIN_LONGEST, TRIED_FOR, FollowUps
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.leg_kinds import LegFacts, TransferLeg
from agent.sinch.legs.leg_tables import CallEvent, CallStatus, LegEvent, LegStatus
from agent.sinch.legs.processes import OtherProcesses
from agent.sinch.tokens import stream_claim
from agent.store.errors import StoreError
from agent.store.store import opened
from tests.agent.sinch import schemas
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell
from tests.agent.sinch.test_legs import CALL_IN, PLACED, TRANSFER
from tests.virtual_time import run


@asynccontextmanager
async def two_processes(url: DatabaseUrl) -> AsyncIterator[tuple[CallDirectory, CallDirectory]]:
    async with opened(url) as one, opened(url) as other:
        yield CallDirectory(one), CallDirectory(other)


def test_another_process_knows_what_happened_to_a_leg(database_url: DatabaseUrl) -> None:
    """And what cannot happen to it changes nothing, there or here."""

    async def main() -> None:
        async with two_processes(database_url) as (directory, other):
            await directory.add_leg(PLACED)
            facts = LegFacts(call_id="p1")
            assert await other.advance(PLACED, LegEvent.ANSWERED, facts) is not None
            answered = await directory.placed("d1")
            assert answered is not None
            assert (answered.status, answered.call_id) == (LegStatus.ANSWERED, "p1")
            # It is read again, however old the look is that somebody has had at it.
            ended = await directory.advance(PLACED, LegEvent.ENDED)
            assert ended is not None
            assert ended.call_id == "p1"
            assert await other.advance(answered, LegEvent.ANSWERED) is None
            assert await other.placed("d1") == ended

    asyncio.run(main())


def test_nothing_happens_to_what_is_not_there(database_url: DatabaseUrl) -> None:
    """Nor does anything come about by it, or change its kind."""

    async def main() -> None:
        async with two_processes(database_url) as (directory, _):
            assert await directory.advance(PLACED, LegEvent.ANSWERED) is None
            assert await directory.leg("d1") is None
            assert await directory.advance_call("phone", CallEvent.ENDED) is None
            await directory.set_transfer("phone", "t1")
            assert await directory.call("phone") is None
            await directory.add_leg(TRANSFER)
            assert await directory.placed("t1") is None
            assert await directory.advance(PLACED, LegEvent.ANSWERED) is None

    asyncio.run(main())


def test_a_call_is_moved_and_ends(database_url: DatabaseUrl) -> None:
    """Once it is over it is not moved any more."""

    async def main() -> None:
        async with two_processes(database_url) as (directory, other):
            await directory.add_call(CALL_IN)
            await directory.set_transfer("phone", "t1")
            moved = await other.advance_call("phone", CallEvent.MOVED)
            assert moved is not None
            assert (moved.status, moved.transfer) == (CallStatus.MOVED, "t1")
            assert await directory.advance_call("phone", CallEvent.ENDED) is not None
            assert await other.advance_call("phone", CallEvent.MOVED) is None
            call = await directory.call("phone")
            assert call is not None
            assert call.status is CallStatus.OVER

    asyncio.run(main())


def test_an_order_that_cannot_be_read_is_lost_alone(database_url: DatabaseUrl) -> None:
    """Those before and after it reach the call, and the log says so without a word of it."""
    first, last = TransferCaller(to=MANAGER, announcement="One moment."), HangUp(goodbye=False)

    async def main() -> None:
        async with opened(database_url) as store:
            processes = OtherProcesses(store)
            await processes.leave_order("phone", first)
            await store.orders.leave("phone", {"kind": "transfer", "to": MANAGER})
            await processes.leave_order("phone", last)
            await processes.leave_order("other", CallerNotMoved())
            with capture_logs() as logs:
                taken = await processes.take_orders(["phone"])
            assert taken == [("phone", first), ("phone", last)]
            assert [line["event"] for line in logs] == ["an order to a call is lost"]
            assert MANAGER not in str(logs)
            taken = await processes.take_orders(["phone", "other"])
            assert taken == [("other", CallerNotMoved())]

    asyncio.run(main())


def test_a_stream_is_there_as_long_as_its_process(database_url: DatabaseUrl) -> None:
    """It is not, once it has ended; nor when its process died without a word."""

    async def main() -> None:
        async with opened(database_url) as one, opened(database_url) as other:
            mine, theirs = CallDirectory(one), CallDirectory(other)
            await other.claims.claim(stream_claim("phone"))
            await other.claims.claim(stream_claim("phone2"))
            assert await mine.stream_is_there("phone")
            await theirs.stream_ended("phone2")
            assert not await mine.stream_is_there("phone2")
            assert await mine.stream_came("phone2")
        async with opened(database_url) as one:
            assert not await CallDirectory(one).stream_is_there("phone")
            assert await CallDirectory(one).stream_came("phone")

    asyncio.run(main())


def test_a_call_is_known_to_be_held_elsewhere(database_url: DatabaseUrl) -> None:
    """Though it was routed by hand, and has no token: until it ends, or its process does."""

    async def main() -> None:
        async with opened(database_url) as one, opened(database_url) as other:
            here, there = OtherProcesses(one), OtherProcesses(other)
            there.began("by hand", "reception")
            await other.live_calls.beat()
            assert await here.hold("by hand")
            assert not await there.hold("by hand")
            there.ended("by hand")
            await other.live_calls.beat()
            assert not await here.hold("by hand")

    asyncio.run(main())


BROKEN: list[dict[str, Any]] = [
    {},
    {"kind": "dial"},
    {"kind": "dial", "status": "asleep", "to": TO},
    {"kind": ["transfer"], "of": "phone"},
    {"kind": "transfer", "of": 7, "status": "dialling"},
    {"kind": "stream"},
    {"kind": "conference", "of": "phone"},
]


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("value", BROKEN)
def test_a_broken_leg_is_one_that_we_did_not_ask_for(
    tmp_path: Path, version: Any, value: dict[str, Any]
) -> None:
    """Its callbacks are answered by the documents, and the log says which fields are wrong."""

    async def story(s: Story) -> None:
        await s.store.legs.put("d1", value)
        with capture_logs() as logs:
            schemas.check(
                "v1_ace" if version == "v1" else "v2_reply", await s.answered("d1", "human")
            )
            schemas.check("v1_nothing" if version == "v1" else "v2_reply", await s.ended("d1"))
            assert await s.call_control.placed("d1") is None
        assert {"a leg in the store cannot be read"} < {line["event"] for line in logs}
        assert TO not in str(logs)

    tell(tmp_path, version, story)


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("value", [{}, {"version": "v3"}, {"call_id": ["phone"]}])
def test_a_broken_call_is_one_that_is_not_there(
    tmp_path: Path, version: Any, value: dict[str, Any]
) -> None:
    """Whoever was to be let into it is hung up; nobody is told that they were moved."""

    async def story(s: Story) -> None:
        await s.store.calls.put("phone", value)
        await s.directory.add_leg(TransferLeg(name="t1", of="phone"))
        assert "hangup" in str(await s.answered("t1"))
        schemas.check("v1_nothing" if version == "v1" else "v2_reply", await s.ended("t1", "other"))
        schemas.check("v1_nothing" if version == "v1" else "v2_reply", await s.ended())
        await asyncio.sleep(1)
        assert [line["call_id"] for line in s.calls.told] == ["phone"]

    tell(tmp_path, version, story)


def test_work_that_nobody_waits_for_says_how_it_failed() -> None:
    """A store that fails is no bug, and does not end the process; all else is one."""

    async def fail(error: Exception) -> None:
        await asyncio.sleep(1)
        raise error

    async def main() -> None:
        follow_ups = FollowUps()
        follow_ups.start(fail(StoreError("the database is away")), "close a record")
        follow_ups.start_later(1.0, lambda: fail(KeyError("x")), "leave a message")
        await asyncio.sleep(3)
        await follow_ups.aclose()

    with capture_logs() as logs:
        run(main())
    assert [(line["log_level"], line["work"]) for line in logs] == [("error", "leave a message")]


def test_what_must_be_done_is_tried_for_a_while() -> None:
    """As long as somebody may wait; then the log says that it was not done."""
    tries = []

    async def fail() -> None:
        tries.append(asyncio.get_running_loop().time())
        raise StoreError("the database is away")

    async def main() -> None:
        follow_ups = FollowUps()
        follow_ups.insist(fail, "end a conference", after=2.0)
        await asyncio.sleep(2 * TRIED_FOR)
        await follow_ups.aclose()

    with capture_logs() as logs:
        run(main())
    assert tries[:4] == [2, 3, 5, 9]
    assert TRIED_FOR - AGAIN_LONGEST < tries[-1] - tries[0] <= TRIED_FOR
    assert [line["work"] for line in logs] == ["end a conference"]
