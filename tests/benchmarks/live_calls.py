"""``python -m tests.benchmarks.live_calls [CALLS]``: what those who look at calls cost the calls.

Calls of a turn each second or so, lines as a conversation writes them and floors as it changes
them; nobody looks, the list is open, each call is followed by somebody. Microseconds of the event
loop's thread and of the whole process a second of a call; and microseconds within the call's own
stack when the floor changes. Fifty calls, unless ``CALLS`` says other.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from agent.call.turn_record import TurnRecord
from agent.console.live.lines import call_as_shown, line_as_shown
from agent.console.visitor import Role, Visitor
from agent.records.journals.writer import Record, RecordWriter
from agent.server.live.feed import CallFeeds, LocalFeed
from agent.server.live.happenings import CallFacts, Follower, ListWatch, LiveLine
from pipelines.background import BackgroundTasks
from pipelines.turn_taking.turns import State
from tests.benchmarks.records import A_TURN

SECONDS = 5.0
"""Of each call, in real time."""

TURN = 2.0
"""Seconds of one: a caller and an agent who both speak fast."""

FLOORS = (State.HEARING, State.PAUSED, State.REPLYING, State.QUIET)

VISITOR = Visitor(name="somebody", role=Role.LOOK)


class Calls:
    """Calls in progress, without audio."""

    def __init__(self, folder: Path, count: int) -> None:
        self.feeds = CallFeeds()
        self.writer = RecordWriter(folder)
        self.calls: list[tuple[Record, TurnRecord]] = []
        self.in_the_call = 0.0
        self.changes = 0
        for number in range(count):
            record = self.writer.begin(f"c{number}", datetime.now(UTC))
            facts = CallFacts(
                name=f"c{number}",
                agent="reception",
                record=record.id,
                caller="+4915112345678",
            )
            feed, turns = LocalFeed(facts, record, awaited=False), TurnRecord(record)
            turns.on_floor = feed._on_floor
            self.feeds.begin(feed, facts.name)
            self.calls.append((record, turns))

    async def hold(self, seconds: float) -> None:
        """Have all of them go on for so long."""
        steps = [("floor", state) for state in FLOORS]
        steps += [("line", line) for line in A_TURN]  # type: ignore[misc]
        until, each = time.monotonic() + seconds, TURN / len(steps)
        while time.monotonic() < until:
            for kind, what in steps:
                for record, turns in self.calls:
                    if kind == "line":
                        record.add(what[0], at=1.0, **what[1])  # type: ignore[index]
                        continue
                    began = time.perf_counter()
                    turns.on_floor(what)
                    self.in_the_call += time.perf_counter() - began
                    self.changes += 1
                await asyncio.sleep(each)

    async def aclose(self) -> None:
        """End all of them."""
        for record, _ in self.calls:
            await record.aclose()
        await self.writer.aclose()


async def listed(feeds: CallFeeds, watch: ListWatch) -> None:
    """Make what a browser is sent of the list."""
    while True:
        await watch.wait()
        await asyncio.sleep(0.2)
        for name in watch.take():
            str(call_as_shown(feeds.calls[name], VISITOR))


async def followed(feed: LocalFeed, follower: Follower) -> None:
    """Make what a browser is sent of a call."""
    while True:
        await follower.wait()
        for what in follower.take():
            if isinstance(what, LiveLine):
                line_as_shown(what.kind, what.fields, feed.facts, VISITOR)


async def measured(count: int, look: str) -> tuple[float, float, float]:
    """Return microseconds: of the loop's thread, of the process, and of a change of the floor."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as looking:
        calls, background = Calls(Path(folder), count), BackgroundTasks()
        if look == "the list is open":
            watch = looking.enter_context(calls.feeds.watching())
            background.start(listed(calls.feeds, watch), "a browser")
        elif look == "each is followed":
            for feed in calls.feeds.calls.values():
                assert isinstance(feed, LocalFeed)
                follower = looking.enter_context(calls.feeds.following(feed))
                background.start(followed(feed, follower), "a browser")
        thread, process = time.thread_time(), time.process_time()
        await calls.hold(SECONDS)
        thread, process = time.thread_time() - thread, time.process_time() - process
        await background.aclose()
        await calls.aclose()
    each = 1e6 / count / SECONDS
    return thread * each, process * each, calls.in_the_call / calls.changes * 1e6


async def main(count: int) -> None:
    """Print it, thrice: machines are shared."""
    print(f"{count} calls; µs a second of a call: event loop, process; µs a change of the floor")
    for _ in range(3):
        for look in ("nobody looks", "the list is open", "each is followed"):
            thread, process, change = await measured(count, look)
            print(f"{look:18} {thread:7.0f} {process:7.0f} {change:7.2f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50))
