"""Workers of one service: whose turn a connection is, and limits that are of all together."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import cast

import pytest

from agent.call.call import Call
from agent.cli.supervised import sweep
from agent.records.journals.writer import RecordWriter
from agent.server.load.capacity import Capacity
from agent.server.load.machine import Room
from agent.server.load.overload import Overload
from agent.server.registry import CallRegistry
from agent.server.throttle import SharedTries, Throttle
from agent.server.workers.board import Board
from agent.server.workers.call_places import CallPlaces
from agent.server.workers.shared_port import SharedPort
from agent.server.workers.siblings import REFUSED, Siblings
from agent.server.workers.worker_slot import WorkerSlot
from agent.sinch.contracts import ExpectedCall
from pipelines.background import Work
from tests.agent.loopback import until
from tests.agent.personas.inline import InlineThreads
from tests.virtual_time import run

if sys.platform != "win32":
    import fcntl


def several(folder: Path, number: int) -> list[Siblings]:
    """Return workers that take calls."""
    Board.make(folder)
    found = [
        Siblings(WorkerSlot(number=slot, folder=folder, workers=number)) for slot in range(number)
    ]
    for one in found:
        one.own.serve()
    return found


def test_a_connection_is_for_whoever_has_least(tmp_path: Path) -> None:
    """The others wait the longer, the more they have; who takes no calls waits longest."""
    first, second, third = several(tmp_path, 3)
    assert first.patience(refusing=False) == 0
    first.own.bear(1)
    second.own.bear(2)
    waits = [one.patience(refusing=False) for one in (third, first, second)]
    assert waits[0] == 0 < waits[1] < waits[2] < REFUSED
    assert first.patience(refusing=True) == REFUSED


def test_nobody_waits_for_those_who_take_no_calls(tmp_path: Path) -> None:
    """Where all decline, a caller is told at once."""
    first, second = several(tmp_path, 2)
    first.own.bear(9)
    for flags in ({"draining": True, "refusing": True}, {"draining": False, "refusing": True}):
        second.beat(**flags)
        assert first.patience(refusing=False) == first.patience(refusing=True) == 0
    second.beat(draining=False, refusing=False)
    assert first.patience(refusing=False)
    second.own.empty()  # it has ended
    assert not first.patience(refusing=False)
    assert not first.take_calls


def test_a_burst_comes_out_even(tmp_path: Path) -> None:
    """Forty connections at once to four workers, of which one has twelve calls already."""

    async def main() -> list[int]:
        taken: list[list[socket.socket]] = [[] for _ in range(4)]
        with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
            ports = [
                SharedPort([listening.dup()], one, lambda: False) for one in several(tmp_path, 4)
            ]
            ports[0].siblings.own.bear(12)
            for port, mine in zip(ports, taken, strict=True):

                def take(
                    connection: socket.socket,
                    port: SharedPort = port,
                    mine: list[socket.socket] = mine,
                ) -> Work:
                    mine.append(connection)
                    port.siblings.own.bear(port.siblings.own.load + 1)
                    return asyncio.sleep(0)

                port.begin(take)
            callers = [socket.create_connection(listening.getsockname()) for _ in range(40)]
            await until(lambda: sum(map(len, taken)) == 40, 60.0)
            for port in ports:
                await port.aclose()
            for one in (*callers, *(one for mine in taken for one in mine)):
                one.close()
        return [len(mine) for mine in taken]

    first, *others = asyncio.run(main())
    loads = [12 + first, *others]  # thirteen each, unless this process itself is held meanwhile
    assert max(loads) - min(loads) <= 4


def test_a_place_is_good_at_every_worker(tmp_path: Path) -> None:
    """A call counts once: expected here, coming there, in progress there."""

    async def main() -> None:
        first, second, third = (CallPlaces(one) for one in several(tmp_path, 3))
        first.keep("a", 60.0)
        assert second.look("a").has_place
        assert not second.look("b").has_place
        assert [one.look("b").taken for one in (first, second, third)] == [1] * 3
        assert [one.look("a").taken for one in (first, second, third)] == [0] * 3
        with second.coming("a"):
            assert [one.look("b").taken for one in (first, second, third)] == [1] * 3
            second.hold({"a"}, 1)
        found = [one.look("b") for one in (first, second, third)]
        assert [one.taken for one in found] == [1] * 3
        assert [one.young for one in found] == [1] * 3
        assert not third.look("a").has_place  # it is used up
        second.hold(set(), 0)
        first.give_up("a")
        assert [one.look("b").taken for one in (first, second, third)] == [0] * 3

    asyncio.run(main())


def test_a_worker_that_is_full_takes_calls_for_the_others(tmp_path: Path) -> None:
    """A callback may come to any: its stream is for those that have room, as many as they have."""

    async def main() -> None:
        first, second = several(tmp_path, 2)
        full, other = registry(Room(most=5, at_once=5), first), registry(FREE, second)
        full.capacity.overload.reason = "the event loop is late"
        second.beat(draining=False, refusing=False, room=2)
        assert full.no_room(here=True) == "" == full.no_room()  # it has none: one is always taken
        with full.holding("a", cast("Call", None), "reception"):
            assert full.no_room(here=True) == "overload: the event loop is late"
            for name in "bc":
                assert not full.no_room(name)
                full.places.keep(name, 60.0)
            assert full.no_room("d")  # those two are for the other, which can take no third
            assert not full.no_room("c")
            full.draining = True
            assert not full.no_room("c")
            second.beat(draining=False, refusing=False, room=9)
            assert full.room_left() == 2
            for name in "de":
                assert not full.no_room(name)
                other.places.keep(name, 60.0)
            assert full.no_room("f") == "as many calls as may be"
            assert full.room_left() == 0
            second.beat(draining=True, refusing=False, room=9)
            assert full.no_room("f") == "draining"

    run(main())


FREE = Room(most=1000, at_once=1000)


def registry(room: Room, siblings: Siblings) -> CallRegistry:
    async def prepare(_expected: ExpectedCall) -> None:
        """Do nothing."""

    return CallRegistry(
        capacity=Capacity(room, Overload(list)),
        records=RecordWriter(Path(), InlineThreads()),
        prepare=prepare,
        expected_within=60,
        siblings=siblings,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="no several workers there")
def test_folders_that_killed_supervisors_left_are_swept(tmp_path: Path) -> None:
    """Not those in which a worker still serves, that are locked, or that are no supervisor's."""
    for name in ("left", "served", "locked", "other"):
        (tmp_path / f"voice-agent-{name}").mkdir()
    for name in ("left", "served", "locked"):
        Board.make(tmp_path / f"voice-agent-{name}")
    Board(tmp_path / "voice-agent-served")[0].serve()
    (tmp_path / "voice-agent-other" / "kept").touch()
    locked = os.open(tmp_path / "voice-agent-locked", os.O_RDONLY)
    try:
        fcntl.flock(locked, fcntl.LOCK_SH)
        sweep(tmp_path)
    finally:
        os.close(locked)
    left = {one.name.rpartition("-")[2] for one in tmp_path.iterdir()}
    assert left == {"served", "locked", "other"}


def test_two_at_the_same_moment_see_each_other(tmp_path: Path) -> None:
    """Each tells of its own before it looks: a limit is never passed."""

    async def main() -> None:
        first, second = (CallPlaces(one) for one in several(tmp_path, 2))
        with first.coming("a"), second.coming("b"):
            assert first.look("a").taken == second.look("b").taken == 1

    asyncio.run(main())


def test_a_second_socket_of_a_call_takes_no_place_away(tmp_path: Path) -> None:
    """Whoever brings a token that is used already is turned away; the first is still coming."""

    async def main() -> None:
        first, second = (CallPlaces(one) for one in several(tmp_path, 2))
        with first.coming("a"):
            with first.coming("a"):
                assert first.look("b").taken == second.look("b").taken == 1
            assert first.look("b").taken == second.look("b").taken == 1
        assert first.look("b").taken == second.look("b").taken == 0

    asyncio.run(main())


def test_tries_count_wherever_they_were(tmp_path: Path) -> None:
    """What one worker lets through, the others count; what was forgiven, nobody does."""

    def throttles(slot: int) -> tuple[Throttle, Throttle]:
        tries = SharedTries(WorkerSlot(number=slot, folder=tmp_path, workers=2))
        return Throttle(3, 60.0, tries, "name"), Throttle(3, 60.0, tries, "address")

    (first, addresses), (second, _) = throttles(0), throttles(1)
    assert [one.wait("ann", 100.0) for one in (first, second, second)] == [0, 0, 0]
    assert [one.wait("ann", 110.0) for one in (first, second)] == [51, 51]
    assert addresses.wait("ann", 110.0) == first.wait("bob", 110.0) == 0
    second.forgive("ann")
    assert first.wait("ann", 110.0) == 0
    assert second.wait("ann", 159.0) == 2
    assert [second.wait("ann", 161.0) for _ in range(3)] == [0, 0, 10]


@pytest.mark.parametrize("size", [0, 8 * 9])
def test_files_that_are_truncated_cost_no_worker(tmp_path: Path, size: int) -> None:
    """What stood in them is not known for a moment; then each has told it anew."""
    first, second = several(tmp_path, 2)
    tries = [SharedTries(WorkerSlot(number=slot, folder=tmp_path, workers=2)) for slot in (0, 1)]
    throttles = [Throttle(1, 60.0, one, "name") for one in tries]

    def tell() -> None:
        for number, one in enumerate((first, second)):
            one.hold([f"call {number}"], ["kept"], young=1)
            one.beat(draining=False, refusing=False, room=3)
            one.own.bear(number)

    tell()
    known = first.elsewhere([], [], "kept")
    assert (known.calls, known.room, known.has_place) == (1, 3, True)
    assert throttles[0].wait("ann", 100.0) == 0
    for file in ("board", "tries"):
        os.truncate(tmp_path / file, size)
    assert not first.elsewhere([], [], "kept").has_place
    assert second.patience(refusing=False) == 0
    assert throttles[1].wait("bob", 100.0) == 0
    tell()
    assert first.elsewhere([], [], "kept") == known
    assert second.patience(refusing=False) > 0
    assert throttles[0].wait("bob", 100.0) > 0
