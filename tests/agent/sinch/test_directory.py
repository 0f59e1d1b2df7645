"""What all processes know of legs and calls: read, changed, and broken."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent.call.orders import CallerNotMoved, HangUp, TransferCaller
from agent.sinch.directory import CallDirectory
from agent.sinch.follow_ups import FollowUps
from agent.sinch.legs import CallEvent, CallStatus, LegEvent, LegFacts, LegStatus, TransferLeg
from agent.store.folder import FolderStore
from tests.agent.sinch import schemas
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell
from tests.agent.sinch.test_legs import CALL_IN, PLACED, TRANSFER
from tests.virtual_time import run


@pytest.fixture
def directory(tmp_path: Path) -> CallDirectory:
    return CallDirectory(FolderStore(tmp_path))


def test_another_process_knows_what_happened_to_a_leg(
    directory: CallDirectory, tmp_path: Path
) -> None:
    """And what cannot happen to it changes nothing, there or here."""
    directory.add_leg(PLACED)
    other = CallDirectory(FolderStore(tmp_path))
    assert other.advance(PLACED, LegEvent.ANSWERED, LegFacts(call_id="p1")) is not None
    answered = directory.placed("d1")
    assert answered is not None
    assert (answered.status, answered.call_id) == (LegStatus.ANSWERED, "p1")
    # It is read again, however old the look is that somebody has had at it.
    ended = directory.advance(PLACED, LegEvent.ENDED)
    assert ended is not None
    assert ended.call_id == "p1"
    assert other.advance(answered, LegEvent.ANSWERED) is None
    assert other.placed("d1") == ended


def test_nothing_happens_to_what_is_not_there(directory: CallDirectory) -> None:
    """Nor does anything come about by it, or change its kind."""
    assert directory.advance(PLACED, LegEvent.ANSWERED) is None
    assert directory.leg("d1") is None
    assert directory.advance_call("phone", CallEvent.ENDED) is None
    directory.set_transfer("phone", "t1")
    assert directory.call("phone") is None
    directory.add_leg(TRANSFER)
    assert directory.placed("t1") is None
    assert directory.advance(PLACED, LegEvent.ANSWERED) is None


def test_a_call_is_moved_and_ends(directory: CallDirectory) -> None:
    """Once it is over it is not moved any more."""
    directory.add_call(CALL_IN)
    directory.set_transfer("phone", "t1")
    moved = directory.advance_call("phone", CallEvent.MOVED)
    assert moved is not None
    assert (moved.status, moved.transfer) == (CallStatus.MOVED, "t1")
    assert directory.advance_call("phone", CallEvent.ENDED) is not None
    assert directory.advance_call("phone", CallEvent.MOVED) is None
    call = directory.call("phone")
    assert call is not None
    assert call.status is CallStatus.OVER


def test_an_order_that_cannot_be_read_is_lost_alone(
    directory: CallDirectory, tmp_path: Path
) -> None:
    """Those before and after it reach the call, and the log says so without a word of it."""
    first, last = TransferCaller(to=MANAGER, announcement="One moment."), HangUp(goodbye=False)
    directory.leave_order("phone", first)
    FolderStore(tmp_path).order("phone", {"kind": "transfer", "to": MANAGER})
    directory.leave_order("phone", last)
    directory.leave_order("other", CallerNotMoved())
    with capture_logs() as logs:
        assert directory.take_orders(["phone"]) == [("phone", first), ("phone", last)]
    assert [line["event"] for line in logs] == ["an order to a call is lost"]
    assert MANAGER not in str(logs)
    assert directory.take_orders(["phone", "other"]) == [("other", CallerNotMoved())]


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
        s.store.note("leg d1", value)
        with capture_logs() as logs:
            schemas.check("v1_ace" if version == "v1" else "v2_reply", s.answered("d1", "human"))
            schemas.check("v1_nothing" if version == "v1" else "v2_reply", s.ended("d1"))
            assert s.call_control.placed("d1") is None
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
        s.store.note("call phone", value)
        s.directory.add_leg(TransferLeg(name="t1", of="phone"))
        assert "hangup" in str(s.answered("t1"))
        schemas.check("v1_nothing" if version == "v1" else "v2_reply", s.ended("t1", "other"))
        schemas.check("v1_nothing" if version == "v1" else "v2_reply", s.ended())
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
        follow_ups.start(fail(OSError(28, "No space left on device")), "close a record")
        follow_ups.start_later(1.0, lambda: fail(KeyError("x")), "leave a message")
        await asyncio.sleep(3)
        await follow_ups.aclose()

    with capture_logs() as logs:
        run(main())
    assert [(line["log_level"], line.get("error"), line.get("work")) for line in logs] == [
        ("warning", "No space left on device", None),
        ("error", None, "leave a message"),
    ]
