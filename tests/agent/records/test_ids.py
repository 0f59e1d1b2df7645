"""What records are called."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from agent.records.ids import new_id
from agent.store.record_tables import RECORD_ID

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def test_names_of_later_records_come_later_and_none_comes_twice() -> None:
    """In the order of text, as databases and folders have it; each fits its column."""
    later = [new_id(NOON + timedelta(milliseconds=n)) for n in range(0, 100_000, 997)]
    assert later == sorted(later)
    assert len({new_id(NOON) for _ in range(1000)}) == 1000
    assert {len(one) for one in later} == {RECORD_ID}
    assert {UUID(one).version for one in later} == {7}
