"""Calls are taken by what they are measured to cost: a rise, a burst, an end, and no flapping."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from agent.server.load.capacity import Capacity
from agent.server.load.loop_load import FULL, LoopLoad, LoopSeconds, LoopTime
from agent.server.load.machine import MEMORY_A_CALL, MOST, Room, bound, cores, memory
from agent.server.load.memory import MemoryReturn, give_back
from agent.server.load.overload import LOOK_EVERY, Overload

pytestmark = pytest.mark.usefixtures("nothing_left")


class Machine:
    """A core on which calls cost something, looked at as a service looks at its own.

    Args:
        cost: Share of the core that a call takes once it is some seconds old.
        first: Share that it takes before, while its greeting is heard.
        noise: How much what is used of the core differs from one look to the next.
        core: What there is of it.
    """

    def __init__(
        self, cost: float, *, first: float | None = None, noise: float = 0.0, core: float = 1.0
    ) -> None:
        self.cost, self.first = cost, cost if first is None else first
        self.noise = noise
        self.overload = Overload(list)
        self.capacity = Capacity(Room(most=1000, at_once=1000), self.overload, load=LoopLoad(core))
        self.calls: list[float] = []
        """Since when each is."""

        self.idle = 0.01
        self.fixed = 0.0
        """Share that having calls takes besides, however many."""

        self.at = self.used = self.lost = 0.0
        self.others = 0.0
        """Share of the core that others have while its loop waits."""

        self.share = 0.0
        """Of the core that is used now: over 1, callers suffer."""

        self.worst = 0.0
        self.declined = 0
        self._random = random.Random(5)

    def ask(self, count: int = 1) -> int:
        """Have calls come in; return how many were taken."""
        before = len(self.calls)
        for _ in range(count):
            if self.capacity.refusal(
                taken=len(self.calls), here=len(self.calls), young=0, has_place=False
            ):
                self.declined += 1
            else:
                self.calls.append(self.at)
        return len(self.calls) - before

    def wait(self, seconds: float) -> None:
        """Let time pass, and be looked at."""
        for _ in range(round(seconds / LOOK_EVERY)):
            self.at += LOOK_EVERY
            young = sum(self.at - since < 4 for since in self.calls)
            share = (
                self.idle
                + self.fixed * bool(self.calls)
                + young * self.first
                + (len(self.calls) - young) * self.cost
            )
            self.share = share * (1 + self._random.uniform(-self.noise, self.noise))
            self.worst = max(self.worst, self.share)
            self.used += min(1.0, self.share) * LOOK_EVERY
            self.lost += self.others * LOOK_EVERY
            self.capacity.load.look(LoopSeconds(self.used, self.lost), len(self.calls), self.at)


@pytest.mark.parametrize("cost", [0.007, 0.02, 0.045])
def test_a_slow_rise_ends_where_the_core_is_full(cost: float) -> None:
    """Whatever a call costs, and nobody has said it; at twice the calls it stays there."""
    machine = Machine(cost, noise=0.1)
    for _ in range(2 * int(1 / cost)):
        machine.ask()
        machine.wait(1)
    assert 0.85 * FULL / cost < len(machine.calls) <= 1.05 * FULL / cost
    assert machine.worst < FULL * 1.15
    assert machine.declined > len(machine.calls) / 2


@pytest.mark.parametrize("cost", [0.007, 0.02, 0.03])
def test_a_burst_is_stopped_before_it_is_measured(cost: float) -> None:
    """Fifty calls in one second on a process that has had none, greetings costing little."""
    machine = Machine(cost, first=cost / 4)
    for _ in range(2):
        machine.ask(25)
        machine.wait(0.5)
    assert 15 <= len(machine.calls) <= 28
    machine.wait(20)
    assert machine.worst < FULL + 0.05


def test_what_calls_cost_is_remembered() -> None:
    """The next burst is taken up to what the core carries, and no further."""
    machine = Machine(0.01, first=0.002)
    for _ in range(20):
        machine.ask(5)
        machine.wait(5)
    carried = len(machine.calls)
    assert 0.85 * FULL / 0.01 <= carried <= FULL / 0.01 + 1
    machine.calls.clear()
    machine.wait(600)
    assert abs(machine.ask(200) - carried) <= 8
    machine.wait(60)
    assert machine.worst < FULL + 0.05


def test_calls_are_taken_again_within_seconds_of_the_end_of_a_load() -> None:
    """Neither what was measured nor what was learned keeps them away for longer."""
    machine = Machine(0.02)
    for _ in range(60):
        machine.ask(2)
        machine.wait(1)
    assert machine.ask() == 0
    assert machine.capacity.busy
    del machine.calls[5:]
    machine.wait(3)
    assert machine.ask(20) == 20
    assert not machine.capacity.busy


@pytest.mark.parametrize("a_second", [4, 10])
def test_a_rise_to_what_the_core_carries_is_measured_in_time(a_second: int) -> None:
    """A hundred calls come to a process that has had one; only ten a second wait for a measure."""
    machine = Machine(0.007, first=0.006)
    machine.fixed = 0.04  # of having calls at all: with one it costs six times what it adds
    machine.ask()
    machine.wait(60)
    for _ in range(0, 200 if a_second == 4 else 100, a_second):
        machine.ask(min(a_second, 100 - len(machine.calls)))
        machine.wait(1)
    assert len(machine.calls) >= {4: 100, 10: 70}[a_second]
    machine.wait(20)
    assert machine.worst < FULL
    assert machine.capacity.load.cost == pytest.approx(0.007, rel=0.1)


def test_what_it_takes_to_have_calls_is_not_what_each_costs() -> None:
    """A minute with one call does not make a process that carries a hundred take a few."""
    machine = Machine(0.007)
    machine.fixed = 0.06
    machine.ask()
    machine.wait(120)
    assert machine.capacity.load.room(1) >= 20
    assert machine.capacity.load.fixed > 0.02


def test_a_neighbour_makes_no_call_cost_more() -> None:
    """It leaves less room while it is there, and all of it once it has gone."""
    machine = Machine(0.01)
    for _ in range(30):
        machine.ask()
        machine.wait(2)
    machine.wait(30)
    cost, room = machine.capacity.load.cost, machine.capacity.load.room(30)
    machine.others = 0.5
    machine.wait(60)
    assert machine.capacity.load.room(30) < 10
    assert machine.capacity.load.cost == pytest.approx(cost, rel=0.02)
    machine.others = 0.0
    machine.wait(3)
    assert machine.capacity.load.room(30) >= room


def test_it_does_not_flap() -> None:
    """At the edge, with noise, and calls that end and come: it is seldom another than before."""
    machine, told = Machine(0.012, noise=0.15), []
    coins = random.Random(3)
    for _ in range(600):
        machine.ask(3)
        if coins.random() < 0.3 and machine.calls:
            machine.calls.pop(0)
        machine.wait(LOOK_EVERY)
        told.append(machine.capacity.load.full)
    turns = sum(a != b for a, b in pairwise(told[100:]))
    assert turns <= 60  # in 250 seconds, with a call that ends each two; 150 without a margin
    assert machine.worst < FULL * 1.25


def test_the_first_call_is_always_taken_and_so_is_one_with_a_place() -> None:
    """Whatever others on the machine do."""
    machine = Machine(0.01)
    machine.idle = 0.99
    machine.wait(30)
    assert machine.ask(5) == 1
    assert not machine.capacity.refusal(taken=1, here=1, young=0, has_place=True)
    assert machine.capacity.room_left(1) == 0


def test_others_on_the_core_leave_less_room() -> None:
    """It is measured as it is used, and given back when it is."""
    machine = Machine(0.01)
    for _ in range(60):
        machine.ask()
        machine.wait(1)
    assert machine.ask()
    machine.idle = 0.4
    machine.wait(3)
    assert not machine.ask()
    del machine.calls[10:]
    machine.idle = 0.01
    machine.wait(20)
    assert machine.ask(30) == 30


def test_a_burst_ends_where_others_leave_off() -> None:
    """What is measured counts with the calls of which nothing is seen yet."""
    machine = Machine(0.01)
    for _ in range(60):
        machine.ask(len(machine.calls) < 10)
        machine.wait(1)
    machine.idle = 0.4  # while there are calls, so that it is not known whose it is
    machine.wait(3)
    assert machine.ask(100) >= 10
    machine.wait(10)
    assert machine.worst < FULL + 0.02


def test_what_is_used_without_calls_is_not_theirs() -> None:
    """It leaves less room, and makes no call cost more."""
    machine = Machine(0.01)
    machine.idle = 0.3
    machine.wait(30)
    for _ in range(120):
        machine.ask()
        machine.wait(1)
    assert 0.85 * (FULL - 0.3) / 0.01 < len(machine.calls) <= 1.05 * (FULL - 0.3) / 0.01


def test_half_a_core_carries_half() -> None:
    """As a container's quota says."""
    carried = []
    for core in (1.0, 0.5):
        machine = Machine(0.02, core=core)
        for _ in range(100):
            machine.ask()
            machine.wait(1)
        carried.append(len(machine.calls))
    assert abs(carried[0] - 2 * carried[1]) <= 3


def test_a_clock_that_says_nothing_lets_no_more_in_than_there_may_be() -> None:
    """The least that a call is reckoned to cost bounds them."""
    load = LoopLoad()
    for n in range(1000):
        load.look(LoopSeconds(), 50, n / 2)
    assert 0 < load.room(50) <= FULL / 0.002


def test_reasons_are_counted_and_there_are_few() -> None:
    """They are fit for a label: no number is in them."""
    machine = Machine(0.02)
    machine.wait(1)
    machine.ask(100)
    reason = machine.capacity.refusal(
        taken=len(machine.calls), here=len(machine.calls), young=0, has_place=False
    )
    assert reason == "as many calls as the machine carries"
    assert (
        machine.capacity.refusal(taken=1000, here=1000, young=0, has_place=True)
        == "as many calls as may be"
    )
    machine.overload.reason = "the event loop is late"
    machine.capacity.decline(reason)
    machine.capacity.decline(machine.capacity.refusal(taken=1, here=1, young=0, has_place=False))
    counted = {why: times for why, times in machine.capacity.declined_for.items() if times}
    assert counted == {reason: 1, "overload: the event loop is late": 1}
    assert machine.capacity.declined == 2


def spin(until: Callable[[], bool]) -> None:
    """Use a core."""
    while not until():
        sum(range(1000))


def test_what_the_thread_of_the_loop_uses_is_measured() -> None:
    """Its own time, and not that of others; on Linux what it waits for, too."""

    async def main() -> None:
        clock = await asyncio.to_thread(LoopTime, threading.get_native_id())
        try:
            began, used = clock.read().own, time.thread_time()
            spin(lambda: time.thread_time() - used > 0.05)
            assert clock.read().own - began >= 0.05
            before = clock.read().own
            done = threading.Event()
            other = asyncio.to_thread(lambda: done.wait(10))
            waiting = asyncio.create_task(other)
            await asyncio.sleep(0.3)
            done.set()
            await waiting
            assert clock.read().own - before < 0.25
        finally:
            clock.close()

    asyncio.run(main())


HOG = """import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
print(flush=True)
n = 0
while 1: n += 1
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only there it is told")
def test_waiting_for_a_core_counts_as_use() -> None:
    """A thread that has half of a core, and would have more, leaves no room at all."""
    core = min(os.sched_getaffinity(0))
    command = [sys.executable, "-c", HOG, str(core)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as hog:
        try:
            assert hog.stdout is not None
            hog.stdout.readline()
            shares = []
            thread = threading.Thread(target=lambda: shares.append(_shares(core)))
            thread.start()
            thread.join()
        finally:
            hog.kill()
    ((ran, own, lost),) = shares
    assert ran < 0.8
    assert own < 0.9  # its own: a neighbour makes no call cost more
    assert own + lost > 0.9


def _shares(core: int) -> tuple[float, float, float]:
    """Return the shares of a core that this thread gets, uses as it is measured, and loses."""
    os.sched_setaffinity(0, {core})  # of this thread alone
    clock = LoopTime(threading.get_native_id())
    began, before, ran = time.monotonic(), clock.read(), time.thread_time()
    spin(lambda: time.thread_time() - ran > 0.2)
    seconds = time.monotonic() - began
    after = clock.read()
    clock.close()
    own, lost = after.own - before.own, after.lost - before.lost
    return 0.2 / seconds, own / seconds, lost / seconds


def test_memory_is_given_back_once_after_calls_when_they_have_gone() -> None:
    """Not while somebody is in a call, nor again while nobody has called since."""
    memory = MemoryReturn()
    calls = [0] * 30 + [1] + [0] * 3 + [2] * 10 + [0] * 40 + [1] * 2 + [0] * 40
    told = [n for n, each in enumerate(calls) if memory.due(each, n / 2)]
    assert told == [44 + 10, 86 + 10]
    assert memory.times == 2


def test_garbage_that_points_at_itself_is_given_back() -> None:
    """Calls leave it, and nobody looks for it while there are no others."""
    gc.disable()
    try:
        circle = Machine(0.01)
        circle.capacity.declined_for["itself"] = circle  # type: ignore[assignment]
        seen = weakref.ref(circle)
        del circle
        assert seen() is not None
        give_back()
        assert seen() is None
    finally:
        gc.enable()


def test_files_and_memory_bound_what_there_may_be(tmp_path: Path) -> None:
    """Whichever ends first, divided by the workers of the machine; of a container its own."""
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(f"MemTotal: 9 kB\nMemAvailable:   {200 * MEMORY_A_CALL // 1024} kB\n")
    nowhere = tmp_path / "nowhere"
    assert bound(1, nowhere, meminfo) == min(200, bound(1, nowhere, nowhere))
    assert bound(4, nowhere, meminfo) == 50
    (tmp_path / "memory.max").write_text(f"{60 * MEMORY_A_CALL}\n")
    assert bound(2, tmp_path, meminfo) == 30
    (tmp_path / "memory.max").write_text("max\n")
    assert bound(4, tmp_path, meminfo) == 50
    assert 1 <= bound(1, nowhere, nowhere) <= MOST


@pytest.mark.skipif(sys.platform != "linux", reason="what keeps memory is glibc")
def test_what_calls_use_over_and_over_is_not_cleared_anew_each_time() -> None:
    """Arrays as large as those of an echo: their pages come from the machine once."""
    uses = (
        "import resource, numpy as np\n"
        "from agent.server.load.memory import keep_some\n"
        "kept = keep_some()\n"
        "def use(): return [np.ones(25_000) for _ in range(8)]\n"
        "use()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(50): use()\n"
        "print(int(kept), resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", uses], capture_output=True, check=True, timeout=60)
    kept, faults = map(int, done.stdout.split())
    if not kept:
        pytest.skip("another C library")
    assert faults < 1000  # they are 50 times 400 pages


def test_what_a_container_may_use_is_what_there_is(tmp_path: Path) -> None:
    """Cores and memory, for the workers as for the calls; a machine without limits has its own."""
    nowhere = tmp_path / "nowhere"
    assert cores(nowhere) >= 1
    assert memory(nowhere) > 2**20
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text("1048576\n")
    assert (cores(tmp_path), memory(tmp_path)) == (0.5, 2**20)
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert (cores(tmp_path), memory(tmp_path)) == (cores(nowhere), memory(nowhere))
