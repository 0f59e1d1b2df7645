"""The clock of tests that stands still while others have the core."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests import own_time
from tests.own_time import OwnTimeLoop, now


@pytest.fixture
def scheduled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the system tells, to be written by the test."""
    path = tmp_path / "schedstat"
    path.write_text("7 0 9\n")
    monkeypatch.setattr(own_time, "SCHEDULED", path)
    return path


def test_what_was_waited_for_a_core_does_not_count(scheduled: Path) -> None:
    """Neither by the clock nor by that of a loop."""
    with asyncio.Runner(loop_factory=OwnTimeLoop) as runner:
        loop = runner.get_loop()
        before, began = (now(), loop.time()), time.monotonic()
        scheduled.write_text("7 5000000000 9\n")
        gone = now() - before[0], loop.time() - before[1]
    least = -5.0
    assert all(least <= one <= least + time.monotonic() - began for one in gone)


def test_what_was_slept_does(scheduled: Path) -> None:
    """As much as on any clock."""

    async def main() -> float:
        before = asyncio.get_running_loop().time()
        await asyncio.sleep(0.02)
        return asyncio.get_running_loop().time() - before

    with asyncio.Runner(loop_factory=OwnTimeLoop) as runner:
        assert runner.run(main()) >= 0.019


def test_where_the_system_tells_nothing_it_is_the_usual_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS."""
    monkeypatch.setattr(own_time, "SCHEDULED", tmp_path / "nowhere")
    with asyncio.Runner(loop_factory=OwnTimeLoop) as runner:
        for clock in (now, runner.get_loop().time):
            before = time.monotonic()
            assert before <= clock() <= time.monotonic()
