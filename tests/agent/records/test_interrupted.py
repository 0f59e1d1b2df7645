"""Records of processes that died with their disk, closed in the database by those that live."""

from __future__ import annotations

import asyncio

from agent.records.call_records import CallRecords
from agent.records.interrupted import InterruptedRecords
from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store.store import opened
from tests.agent.records.made_calls import made_call, turn


def test_a_record_is_closed_once_and_its_journal_counts(database_url: DatabaseUrl) -> None:
    """With the last that is known; whoever closes it too adds nothing, nor to one that has ended.

    Its journal may come to light after all: what that says is what became of the call.
    """

    async def main() -> None:
        async with opened(database_url) as store:
            records = CallRecords(store.database, NoSeal())
            stored = StoredRecords(store.database, NoSeal())
            interrupted = InterruptedRecords(store.database, stored)
            await stored.add(made_call("over", 1000.0))
            whole = made_call("open", 2000.0, turn(1, 3.0, 0.5), ended=60.0)
            await stored.add(whole[:-1])
            known = max(line.at or 0.0 for line in whole[:-1])
            closing = [interrupted.close(f"sinch-{name}") for name in ("open", "open", "over", "x")]
            await asyncio.gather(*closing)
            found = await records.get("open")
            assert found is not None
            assert (found.outcome, found.ended) == ("interrupted", 2000.0 + known)
            kinds = [event.kind for event in await records.events(found)]
            assert kinds == [*(line.kind for line in whole[:-1]), "ended"]
            over = await records.get("over")
            assert over is not None
            assert over.outcome == "caller hung up"
            assert len(await records.events(over)) == 2
            await stored.add(whole)
            found = await records.get("open")
            assert found is not None
            assert (found.outcome, found.ended) == ("caller hung up", 2060.0)

    asyncio.run(main())


def test_a_call_that_somebody_holds_is_let_be(database_url: DatabaseUrl) -> None:
    """Its stream may have come to another process meanwhile."""

    async def main() -> None:
        async with opened(database_url) as store:
            stored = StoredRecords(store.database, NoSeal())
            await stored.add(made_call("a", 1000.0, ended=None))
            store.live_calls.began("sinch-a", "reception")
            await store.live_calls.beat()
            await InterruptedRecords(store.database, stored).close("sinch-a")
            record = await CallRecords(store.database, NoSeal()).get("a")
            assert record is not None
            assert record.outcome == "in progress"

    asyncio.run(main())
