"""The metrics of several workers of one machine, told by any of them."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import mkdtemp

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agent.server.metrics import worker_sockets
from agent.server.metrics.merged_text import merged
from agent.server.metrics.worker_sockets import WorkerMetrics
from agent.server.throttle import SharedTries
from agent.server.workers.board import Board
from agent.server.workers.worker_slot import WorkerSlot
from tests.agent.loopback import running
from tests.agent.server.scraping import samples, scraped

HOSTILE = 'a "quoted" name, with \\ and {braces} = 1\nand a line'


def process(calls: int, *, agent: str = HOSTILE) -> bytes:
    """Return the metrics of a process, with all that the format has."""
    registry = CollectorRegistry()
    counter = Counter("calls", 'Calls, "all"\nof them.', ["agent"], registry=registry)
    counter.labels(agent).inc(calls)
    Counter("plain", "Without labels.", registry=registry).inc(calls)
    histogram = Histogram("late_seconds", "How late.", buckets=(0.1, 1), registry=registry)
    for number in range(calls):
        histogram.observe(number)
    Counter("none_yet", "Without samples.", ["kind"], registry=registry)
    return generate_latest(registry)


def test_each_sample_says_whose_it_is() -> None:
    """Counters and histograms, with labels and without; whatever is escaped stays as it was."""
    text = merged({0: process(2).decode(), 3: process(5).decode()})
    found = samples(text)
    for worker, calls in (("0", 2), ("3", 5)):
        mine = {("worker", worker)}
        assert found["calls_total", frozenset({("agent", HOSTILE), *mine})] == calls
        assert found["plain_total", frozenset(mine)] == calls
        assert found["late_seconds_count", frozenset(mine)] == calls
        assert found["late_seconds_bucket", frozenset({("le", "1.0"), *mine})] == 2
        assert found["late_seconds_bucket", frozenset({("le", "+Inf"), *mine})] == calls
        own = samples(process(calls).decode())
        theirs = {key: value for key, value in found.items() if ("worker", worker) in key[1]}
        bare = {
            (name, labels - {("worker", worker)}): value
            for (name, labels), value in theirs.items()
            if not name.endswith("_created")
        }
        assert bare == {key: v for key, v in own.items() if not key[0].endswith("_created")}


def test_a_family_is_told_once_and_in_one_piece() -> None:
    """As the format demands: its meaning and kind once, then all samples of it."""
    text = merged({0: process(2).decode(), 1: process(5).decode()})
    assert 'agent="a\x85b\x1cc\r"' in merged({0: process(1, agent="a\x85b\x1cc\r").decode()})
    for line in ("# HELP calls_total", "# TYPE calls_total", "# TYPE late_seconds histogram"):
        assert text.count(f"{line} ") + text.count(f"{line}\n") == 1
    families = [family.name for family in text_string_to_metric_families(text)]
    assert len(families) == len(set(families))


def test_two_versions_do_not_spoil_each_others() -> None:
    """While one replaces the other, a family may be of two kinds: the first's is told."""
    old = "# HELP a A.\n# TYPE a gauge\na 1\n# HELP b B.\n# TYPE b gauge\nb 1\n"
    new = "# HELP a A.\n# TYPE a counter\na 2\n# HELP b B.\n# TYPE b gauge\nb 2\n"
    assert merged({0: old, 1: new}).splitlines() == [
        "# HELP a A.", "# TYPE a gauge", 'a{worker="0"} 1',
        "# HELP b B.", "# TYPE b gauge", 'b{worker="0"} 1', 'b{worker="1"} 2',
    ]  # fmt: skip


@pytest.fixture
def folder() -> Path:
    return Path(mkdtemp())  # short: a socket's path has 108 bytes


def modes(folder: Path) -> list[int]:
    """Return who may use each socket there."""
    return [stat.S_IMODE(path.stat().st_mode) for path in folder.glob("*.sock")]


def story(run: Callable[[], Awaitable[None]]) -> None:
    async def within() -> None:
        async with asyncio.timeout(30):
            await run()

    asyncio.run(within())


def worker(folder: Path, number: int, workers: int = 3) -> WorkerMetrics:
    slot = WorkerSlot(number=number, folder=folder, workers=workers)
    return WorkerMetrics(lambda: process(number + 1), slot)


def test_any_worker_tells_of_all(folder: Path) -> None:
    """The same, whoever is asked; nobody but the user gets at the sockets."""

    async def run() -> None:
        async with AsyncExitStack() as stack:
            workers = [worker(folder, slot) for slot in range(3)]
            for one in workers:
                await stack.enter_async_context(one.told())
            told = [samples((await one.text()).decode()) for one in workers]
            for found in told:
                for slot in range(3):
                    key = "plain_total", frozenset({("worker", str(slot))})
                    assert found[key] == slot + 1
                assert found["voice_agent_workers", frozenset()] == 3
                assert found["voice_agent_workers_unreachable", frozenset()] == 0
            assert modes(folder) == [0o600] * 3

    story(run)
    assert not modes(folder)


def test_one_that_hangs_or_has_died_is_left_out_and_told_of(folder: Path) -> None:
    """What the others have is told all the same, within half a second."""

    async def run() -> None:
        silent = asyncio.Event()

        async def says_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await silent.wait()
            writer.close()

        hung = await asyncio.start_unix_server(says_nothing, folder / "metrics-1.sock")
        one = worker(folder, 0)
        async with one.told(), worker(folder, 3).told():
            text = await one.text()  # of slot 2 there is no socket at all
            found = samples(text.decode())
            assert found["voice_agent_workers", frozenset()] == 2
            assert found["voice_agent_workers_unreachable", frozenset()] == 2
            assert found["plain_total", frozenset({("worker", "3")})] == 4
        silent.set()
        hung.close()

    story(run)


@pytest.mark.parametrize(
    "told",
    [b"\xff\xfe garbage\n", b"plain_total 1", b"x" * 200_000, b"x 1\n" * 50_000],
    ids=["no text", "half a line", "no end", "too much"],
)
def test_one_that_tells_nonsense_is_left_out(
    folder: Path, told: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It spoils nothing of what the others have, and takes no memory."""
    monkeypatch.setattr(worker_sockets, "MOST_TOLD", 100_000)

    async def run() -> None:
        async def tells(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(told)
            writer.close()

        odd = await asyncio.start_unix_server(tells, folder / "metrics-1.sock")
        one = worker(folder, 0, workers=2)
        async with one.told():
            found = samples((await one.text()).decode())
            assert found["voice_agent_workers_unreachable", frozenset()] == 1
            assert found["plain_total", frozenset({("worker", "0")})] == 1
        odd.close()

    story(run)


def test_a_socket_that_a_dead_worker_left_is_taken_over(folder: Path) -> None:
    """Of a slot beyond those that there are now, nobody is missed."""

    async def run() -> None:
        for slot in (0, 7):
            with socket.socket(socket.AF_UNIX) as left:
                left.bind(str(folder / f"metrics-{slot}.sock"))
        one = worker(folder, 0, workers=1)
        async with one.told():
            found = samples((await one.text()).decode())
            assert found["plain_total", frozenset()] == 1
            assert found["voice_agent_workers_unreachable", frozenset()] == 0

    story(run)


def test_a_process_that_is_alone_has_no_label(folder: Path) -> None:
    """With a slot or without; a second one, that drains, is told of with it."""

    async def run() -> None:
        alone = WorkerMetrics(lambda: process(1), None)
        async with alone.told():
            assert (await alone.text()).startswith(process(1)[:20])
            assert b"worker=" not in await alone.text()
        one = worker(folder, 0, workers=1)
        async with one.told():
            assert b"worker=" not in await one.text()
            async with worker(folder, 1, workers=1).told():
                assert b'worker="1"' in await one.text()

    story(run)


def test_a_worker_has_one_ring_of_tries_for_all_that_count_them(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two would write over each other's, and other workers count too few."""
    made: list[SharedTries] = []

    class Counted(SharedTries):
        def __init__(self, slot: WorkerSlot) -> None:
            super().__init__(slot)
            made.append(self)

    monkeypatch.setattr("agent.server.assembly.SharedTries", Counted)

    async def run() -> None:
        slot = WorkerSlot(number=0, folder=folder, workers=2)
        Board.make(folder)
        operator = {"token": "0123456789abcdef"}
        async with running(tmp_path, slot=slot, alone=False, operator=operator):
            assert len(made) == 1

    story(run)


def test_a_service_among_workers_tells_of_them(tmp_path: Path, folder: Path) -> None:
    """By its own `/metrics`, over HTTP; its socket is gone when it is."""

    async def run() -> None:
        slot = WorkerSlot(number=0, folder=folder, workers=2)
        Board.make(folder)
        async with worker(folder, 1).told():
            async with running(tmp_path, slot=slot, alone=False) as served:
                found = samples(await scraped(served))
                for number in ("0", "1"):
                    assert any(("worker", number) in labels for _, labels in found)
                assert found["voice_agent_calls", frozenset({("worker", "0")})] == 0
                assert found["voice_agent_workers", frozenset()] == 2
            assert len(modes(folder)) == 1

    story(run)
