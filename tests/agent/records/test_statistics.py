"""Calls counted, on SQLite and PostgreSQL: each figure by hand, days by the clock of a zone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.records.call_records import CallRecords, RecordFilter
from agent.records.erasing import Erasing
from agent.records.seals import KeySeal, NoSeal, Seal
from agent.records.statistics.call_figures import Failure, Payee
from agent.records.statistics.call_statistics import CallStatistics
from agent.records.statistics.figures import Figures, Spread
from agent.records.statistics.periods import TimeSpan, period
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store import schema
from agent.store.engine import SqlDatabase
from tests.agent.records.made_calls import CALLER, OTHER, made_call, turn, usage
from tests.agent.records.test_seals import NEW

BERLIN = ZoneInfo("Europe/Berlin")


def at(day: int, hour: float = 12.0) -> float:
    """Return the Unix time of an hour of November 2026, in UTC."""
    return datetime(2026, 11, day, tzinfo=UTC).timestamp() + 3600 * hour


ANSWERS_WITHIN = 30.0
"""Seconds for a transaction: figures are right or wrong also on a machine that others use."""

DAY = [TimeSpan(since=at(20, 0), before=at(21, 0))]


@dataclass
class Made:
    """A database with calls in it."""

    database: SqlDatabase
    stored: StoredRecords
    statistics: CallStatistics

    async def total(self, spans: list[TimeSpan] = DAY, **wanted: str) -> Figures:
        """Return the figures of all spans together."""
        return (await self.statistics.of(RecordFilter(**wanted), spans))[-1]  # type: ignore[arg-type]


@asynccontextmanager
async def made(
    url: DatabaseUrl, seal: Seal | None = None, most: int = 20_000
) -> AsyncIterator[Made]:
    """Open a database."""
    seal = seal or NoSeal()
    database = SqlDatabase(url, within=ANSWERS_WITHIN)
    try:
        await schema.upgrade(database)
        yield Made(database, StoredRecords(database, seal), CallStatistics(database, seal, most))
    finally:
        await database.aclose()


async def add_two(stored: StoredRecords) -> None:
    """Store two calls whose figures are known."""
    await stored.add(
        made_call(
            "a",
            at(20),
            [
                ("timing", 1.0, {"turn": 1, "decided": 0.0, "heard": 0.5}),  # a greeting
                *turn(2, 10.0, 0.5),
                *turn(3, 20.0, 2.5),
                ("barge_in", 24.0, {"turn": 3, "by": "words"}),
                ("filler", 31.5, {"turn": 4, "text": "One moment."}),
                *turn(4, 30.0, 5.0),  # silence of 1.5 s, then a filler
                *turn(5, 50.0, 4.5),
                ("timing", 60.0, {"turn": 6, "speech_end": 58.0}),  # nothing was heard
                ("failover", 9.0, {"stage": "llm", "provider": "x", "to": "y", "error": "timeout"}),
                ("failed", 9.5, {"turn": 2, "stage": "llm", "error": "failed"}),
                *usage("llm", "x", 0.5),
                *usage("llm", "y", None),
                *usage("stt", "x", 0.1, "USD"),
                ("platform", 61.0, {"amount": 0.25, "currency": "EUR", "seconds": 60}),
            ],
        )
    )
    await stored.add(
        made_call("b", at(20, 13), turn(1, 5.0, 1.0), ended=30.0, hung_up_by="agent", caller=OTHER)
    )


def check_two(total: Figures) -> None:
    """See to it that these are the figures of both."""
    assert (total.calls, total.read, total.every) == (2, 2, 1)
    assert total.outcomes == {"caller hung up": 1, "agent hung up": 1}
    assert total.answers == Spread(n=5, p50=2.5, p90=5.0, p95=5.0)
    assert (total.long_waits, total.very_long_waits) == (2, 1)
    assert (total.replies, total.barge_ins) == (6, 1)
    assert total.failures == {
        Failure("llm", "x", "timeout", lost=False): 1,
        Failure("llm", "", "failed", lost=True): 1,
    }
    assert {one.payee: (one.amount, one.calls) for one in total.costs} == {
        Payee("llm", "x", "EUR"): (0.5, 1),
        Payee("phone", "platform", "EUR"): (0.25, 1),
        Payee("stt", "x", "USD"): (0.1, 1),
    }
    by_currency = {one.currency: one for one in total.currencies}
    assert (by_currency["EUR"].amount, by_currency["EUR"].seconds) == (0.75, 60.0)
    assert by_currency["EUR"].calls == by_currency["USD"].calls == total.unpriced == 1
    assert total.lengths == Spread(n=2, p50=30.0, p90=60.0, p95=60.0)
    assert total.groups == [0, 0, 1, 1, 0, 0, 0]


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_every_figure_is_what_was_counted_by_hand(database_url: DatabaseUrl, sealed: bool) -> None:
    """The first time, when lines are read, and again, when they are known."""

    async def main() -> None:
        async with made(database_url, KeySeal([NEW]) if sealed else None) as calls:
            await add_two(calls.stored)
            for _ in range(2):
                check_two(await calls.total())
            assert (await calls.total(agent="orders")).calls == 0
            assert (await calls.total(number=CALLER)).calls == 1
            assert (await calls.total(number="+12025550100")).calls == 2  # ours, that was called
            assert (await calls.total(number="+12025550100\0")).calls == 0
            assert (await calls.total(direction="outgoing")).answers == Spread(n=0)
            assert await calls.statistics.agents() == ["reception"]
            if sealed:  # whoever has no key sees how many, and no more
                blind = await CallStatistics(calls.database, NoSeal()).of(RecordFilter(), DAY)
                assert (blind[-1].calls, blind[-1].answers.n) == (2, 0)

    asyncio.run(main())


def test_a_call_in_progress_counts_as_far_as_it_has_come(database_url: DatabaseUrl) -> None:
    """What is added to it counts the next time; it has no length until it is over."""

    async def main() -> None:
        async with made(database_url) as calls:
            whole = made_call("a", at(20), [*turn(1, 5.0, 0.5), *turn(2, 15.0, 0.7)])
            await calls.stored.add(whole[:4])
            total = await calls.total()
            assert (total.outcomes, total.answers.n, total.lengths.n) == ({"in progress": 1}, 1, 0)
            await calls.stored.add(whole[4:])
            total = await calls.total()
            assert total.outcomes == {"caller hung up": 1}
            assert (total.answers.n, total.lengths.n) == (2, 1)

    asyncio.run(main())


def test_an_erased_call_is_in_no_figure(database_url: DatabaseUrl, tmp_path: Path) -> None:
    """Though its figures were kept in memory."""

    async def main() -> None:
        async with made(database_url) as calls:
            await add_two(calls.stored)
            check_two(await calls.total())
            record = await CallRecords(calls.database, NoSeal()).get("a")
            assert record is not None
            await Erasing(calls.database, NoSeal(), tmp_path).erase(record)
            total = await calls.total()
            assert (total.calls, total.answers.n, total.failed, total.costs) == (1, 1, 0, [])

    asyncio.run(main())


def test_of_too_many_calls_a_sample_is_read_and_says_so(database_url: DatabaseUrl) -> None:
    """All are counted by how they ended; every third was read."""

    async def main() -> None:
        async with made(database_url, most=4) as calls:
            for n in range(9):
                await calls.stored.add(made_call(f"c{n}", at(20 + n // 5), turn(1, 5.0, 0.5)))
            spans = [*DAY, TimeSpan(since=at(21, 0), before=at(22, 0))]
            first, second, total = await calls.statistics.of(RecordFilter(), spans)
            assert [one.calls for one in (first, second, total)] == [5, 4, 9]
            assert (total.every, total.read, total.answers.n) == (3, 3, 3)

    asyncio.run(main())


def test_days_are_those_of_a_zone(database_url: DatabaseUrl) -> None:
    """A call at half past midnight is of the day that has begun there."""

    async def main() -> None:
        async with made(database_url) as calls:
            await calls.stored.add(made_call("a", at(20, 22.99)))  # 23:59 in Berlin
            await calls.stored.add(made_call("b", at(20, 23.0)))
            days = period(date(2026, 11, 20), date(2026, 11, 21), BERLIN, at(30)).spans
            counted = await calls.statistics.of(RecordFilter(), days)
            assert [one.calls for one in counted] == [1, 1, 2]

    asyncio.run(main())


def test_days_on_which_clocks_change_have_23_or_25_hours() -> None:
    """Each hour once; the day after begins when it begins there."""
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 10, 26), 24)):
        one = period(day, day, BERLIN, at(30))
        assert len(one.spans) == hours
        assert all(span.before - span.since == 3600 for span in one.spans)
    month = period(date(2026, 10, 1), date(2026, 10, 31), BERLIN, at(30))
    longest = max(month.spans, key=lambda span: span.before - span.since)
    assert longest.before - longest.since == 25 * 3600
    assert datetime.fromtimestamp(longest.since, BERLIN).date() == date(2026, 10, 25)


def test_today_is_compared_with_yesterday_up_to_the_same_time() -> None:
    """Days that are over are compared with as many whole ones."""
    today = period(date(2026, 11, 20), date(2026, 11, 20), BERLIN, at(20, 14))
    assert today.earlier == TimeSpan(since=at(18, 23), before=at(19, 14))
    week = period(date(2026, 11, 10), date(2026, 11, 16), BERLIN, at(20, 14))
    assert week.earlier == TimeSpan(since=at(2, 23), before=at(9, 23))
