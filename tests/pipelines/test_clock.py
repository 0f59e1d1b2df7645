"""The clock by which a call counts is that of the loop that runs."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.clock import now
from tests.virtual_time import run


async def _now() -> float:
    await asyncio.sleep(1.0)
    return now()


def test_each_loop_has_its_own_time() -> None:
    """One after the other in a thread, and beside one another in two."""
    virtual = run(_now())

    async def both() -> tuple[float, float, float]:
        before = now()
        with ThreadPoolExecutor(1) as pool:
            beside = await asyncio.get_running_loop().run_in_executor(pool, run, _now())
        return before, beside, asyncio.get_running_loop().time()

    before, beside, after = asyncio.run(both())
    assert beside == virtual
    assert before <= after < before + 60.0
    assert run(_now()) == virtual


def test_where_no_loop_runs_there_is_no_time() -> None:
    """Though one did, and was asked."""
    run(_now())
    with pytest.raises(RuntimeError):
        now()
