"""What was dialled, counted for all processes together."""

from __future__ import annotations

import asyncio
import multiprocessing
from pathlib import Path

from agent.settings.database import DatabaseUrl
from agent.store.dials import DialsLimits, UsedUp
from agent.store.store import Store, opened
from agent.store.sweep import KEPT
from tests.databases import make_older

WIDE = DialsLimits(to_a_number=99, at_once=99, amount=99.0)


async def add(
    store: Store, name: str, *, number: str = "+1", amount: float = 1.0, limits: DialsLimits = WIDE
) -> UsedUp | None:
    return await store.dials.add(name, number, amount=amount, open_for=60, limits=limits)


def test_each_limit_is_told_by_name(database_url: DatabaseUrl) -> None:
    """What was refused is not counted; what is over is counted as what it has cost."""

    async def main() -> None:
        async with opened(database_url) as one, opened(database_url) as other:
            limits = DialsLimits(to_a_number=2, at_once=3, amount=10.0)
            assert await add(one, "a", limits=limits) is None
            assert await add(other, "b", limits=limits) is None
            assert await add(one, "c", limits=limits) is UsedUp.NUMBER
            assert await add(one, "c", number="+2", amount=8.1, limits=limits) is UsedUp.AMOUNT
            assert await add(one, "c", number="+2", amount=8.0, limits=limits) is None
            assert await add(other, "d", number="+3", amount=0, limits=limits) is UsedUp.AT_ONCE
            await other.dials.settle("c", amount=0.5, open_for=0)
            assert await add(other, "d", number="+3", amount=7.5, limits=limits) is None
            await one.dials.settle("d", amount=None, open_for=0)
            assert await add(one, "e", number="+4", amount=0.1, limits=limits) is UsedUp.AMOUNT
            await one.dials.forget("d")
            assert await add(one, "e", number="+4", amount=0.1, limits=limits) is None
            await one.dials.settle("no such", amount=1.0, open_for=0)
            await one.dials.forget("no such")

    asyncio.run(main())


def test_a_day_later_it_does_not_count(tmp_path: Path) -> None:
    """The time of a call is that of its beginning."""

    async def main() -> None:
        async with opened(DatabaseUrl(f"sqlite:///{tmp_path}/voice-agent.db")) as store:
            once = DialsLimits(to_a_number=1, at_once=9, amount=1.0)
            assert await add(store, "a", limits=once) is None
            await store.dials.settle("a", amount=1.0, open_for=0)
            make_older(tmp_path, KEPT - 60)
            assert await add(store, "b", limits=once) is UsedUp.NUMBER
            make_older(tmp_path, 120)
            assert await add(store, "b", limits=once) is None

    asyncio.run(main())


def _dial(url: str, who: int, results: multiprocessing.Queue[int]) -> None:
    async def main() -> int:
        limits = DialsLimits(to_a_number=7, at_once=99, amount=99.0)
        async with opened(DatabaseUrl(url)) as store:
            asked = [add(store, f"{who}-{n}", limits=limits) for n in range(8)]
            return sum(one is None for one in await asyncio.gather(*asked))

    results.put(asyncio.run(main()))


def test_processes_that_dial_at_the_same_moment_keep_to_the_limit(
    database_url: DatabaseUrl,
) -> None:
    """Three processes, eight calls each at once: seven are let through, all together."""
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[int] = context.Queue()
    url = database_url.get_secret_value()
    started = [context.Process(target=_dial, args=(url, who, results)) for who in range(3)]
    for process in started:
        process.start()
    admitted = sum(results.get(timeout=60) for _ in started)
    for process in started:
        process.join()
    assert admitted == 7
