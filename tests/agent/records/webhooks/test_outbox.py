"""The outbox, on SQLite and PostgreSQL: what is put into it, in which order it comes out."""

from __future__ import annotations

import asyncio
import json
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from agent.records.events import JournalLine
from agent.records.seals import NoSeal
from agent.records.webhooks import outbox
from agent.records.webhooks.outbox import SETTLES_WITHIN, Backlog, Outbox
from agent.records.webhooks.source import MessageSource
from agent.settings.database import DatabaseUrl
from agent.store.engine import Database
from agent.store.outbox_table import webhook_outbox
from agent.store.store import opened
from tests.agent.records.webhooks.receiver import ALL, TOLD, journal, later, process, short_call
from tests.databases import FILE

NOWHERE = "http://127.0.0.1:1/"


@pytest.fixture
def url(tmp_path: Path) -> DatabaseUrl:
    """The address of an SQLite file, for what does not depend on the database."""
    return DatabaseUrl(f"sqlite:///{tmp_path}/{FILE}")


class BrokenError(Exception):
    """What a test raises."""


def test_a_message_is_there_with_its_line_or_neither_is(database_url: DatabaseUrl) -> None:
    """A process that dies in the transaction has done nothing."""

    async def main() -> None:
        async with opened(database_url) as store:
            one = process(store.database, {"crm": NOWHERE})

            def broken(connection: Connection) -> None:
                one.stored._add(connection, {"a": short_call("a")})
                raise BrokenError

            with pytest.raises(BrokenError):
                await store.database.write(broken)
            assert await one.outbox.backlog() == {}
            await one.stored.add(short_call("a")[:5])
            await one.stored.add(short_call("a"))
            await one.stored.add(short_call("a"))
            assert await one.outbox.backlog() == {"crm": Backlog(waiting=len(TOLD), given_up=0)}
            listed = await one.outbox.list(limit=99)
            assert [message.event for message in listed] == TOLD

    asyncio.run(main())


def test_lines_are_told_once_also_when_the_message_was_taken_long_ago(
    database_url: DatabaseUrl,
) -> None:
    """A journal may be loaded again after a crash: its lines are known."""

    async def main() -> None:
        async with opened(database_url) as store:
            one = process(store.database, {"crm": NOWHERE})
            await one.stored.add(short_call("a"))
            while message := await one.outbox.take("crm"):
                await one.outbox.taken(message)
            await one.stored.add(short_call("a"))
            assert await one.outbox.backlog() == {}

    asyncio.run(main())


def several_legs(name: str) -> list[JournalLine]:
    """Return the lines of a call in a conference that was passed on, in which two legs go on."""
    first, *rest = journal(
        name,
        ("leg", 1.0, {"leg": "t1", "what": "transfer", "to": "+12025550123"}),
        ("ended", 5.5, {"reason": "the caller hung up", "hung_up_by": "caller"}),
        ("platform", 7.0, {"result": "ANSWERED", "seconds": 6, "amount": 0.02, "currency": "EUR"}),
        ("summary", 8.0, {"text": "Asked for a desk."}),
    )
    return [replace(first, fields={**first.fields, "conference": "c1"}), *rest]


def ends(name: str, leg: str, what: str, currency: str = "EUR") -> JournalLine:
    """Return a line of its own that tells of the end of a leg."""
    cost = {"result": "ANSWERED", "seconds": 61, "amount": 0.3, "currency": currency}
    fields = {"id": name, "leg": leg, "what": what, **cost}
    return JournalLine(journal=f"{name}-{leg}", line=0, kind="leg", at=None, fields=fields)


async def told_next(database: Database, outbox: Outbox) -> dict[str, Any] | None:
    """Take the next message, as its endpoint has it; None if none is due."""
    if (waiting := await outbox.take("crm")) is None:
        return None
    body = await MessageSource(database, NoSeal()).body(waiting, conversation=False)
    await outbox.taken(waiting)
    assert body is not None
    read: dict[str, Any] = json.loads(body)
    return read


def test_the_price_of_a_call_is_told_once_all_its_legs_have_one(database_url: DatabaseUrl) -> None:
    """Their sum, whichever is the last; and no two currencies are added."""

    async def main() -> None:
        async with opened(database_url) as store:
            one = process(store.database, {"crm": NOWHERE})
            for name, currency, amount in (("a", "EUR", 0.62), ("b", "USD", None)):
                await one.stored.add(several_legs(name))
                for event in ("call.started", "call.ended"):
                    told = await told_next(store.database, one.outbox)
                    assert told is not None
                    assert told["type"] == event
                await one.stored.add([ends(name, "s1", "stream", currency)])
                assert await told_next(store.database, one.outbox) is None
                await one.stored.add([ends(name, "t1", "transfer")])
                told = await told_next(store.database, one.outbox)
                assert told is not None
                assert (told["type"], told["data"]["amount"]) == ("call.settled", amount)
                assert told["data"]["currency"] == ("EUR" if amount else "")
                assert (told["data"]["complete"], told["data"]["seconds"]) == (True, 6)
                prices = [leg["amount"] for leg in told["data"]["legs"]]
                assert prices == [0.02, 0.3, 0.3]
                told = await told_next(store.database, one.outbox)
                assert told is not None
                assert told["type"] == "call.summarized"

    asyncio.run(main())


def test_no_leg_is_waited_for_for_ever(database_url: DatabaseUrl) -> None:
    """What is known is told after a minute, and what comes later is told anew, with all of it."""

    async def main() -> None:
        async with opened(database_url) as store:
            one = process(store.database, {"crm": NOWHERE})
            await one.stored.add(several_legs("a"))
            while await told_next(store.database, one.outbox):
                pass
            await later(store.database, SETTLES_WITHIN + 1)
            told = await told_next(store.database, one.outbox)
            assert told is not None
            assert (told["data"]["amount"], told["data"]["complete"]) == (0.02, False)
            assert await told_next(store.database, one.outbox)  # its summary
            for leg, what, amount in (("s1", "stream", 0.32), ("t1", "transfer", 0.62)):
                await one.stored.add([ends("a", leg, what)])
                told = await told_next(store.database, one.outbox)
                assert told is not None
                assert told["type"] == "call.settled"
                assert told["data"]["amount"] == amount
                assert told["data"]["complete"] == (amount == 0.62)
            await one.stored.add([ends("a", "t1", "transfer")])
            assert await told_next(store.database, one.outbox) is None

    asyncio.run(main())


ROUNDS = int(os.environ.get("OUTBOX_ROUNDS", "1"))
"""Walks by chance; each is another one."""


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_whatever_happens_a_call_is_told_in_order(database_url: DatabaseUrl, seed: int) -> None:
    """Failures, deaths, time and late lines, by chance: none overtakes one before it."""
    chance = random.Random(seed)

    async def main() -> None:
        async with opened(database_url) as store:
            one = process(store.database, {"crm": NOWHERE, "other": NOWHERE})
            told: dict[tuple[str, int], list[int]] = {}
            parts = dict.fromkeys("abc", 1)
            for _ in range(90):
                name = chance.choice("abc")
                parts[name] = min(len(short_call(name)), parts[name] + chance.randrange(2))
                await one.stored.add(short_call(name)[: parts[name]])
                endpoint = chance.choice(["crm", "other"])
                message = await one.outbox.take(endpoint)
                match message, chance.randrange(4):
                    case None, _:
                        await later(store.database, chance.choice([1, 61]))
                    case _, 0:  # it dies while it sends
                        pass
                    case _, 1:
                        await one.outbox.postpone(message, chance.choice([5, 300]), "HTTP 500")
                    case _:
                        told.setdefault((endpoint, message.record), []).append(message.id)
                        await one.outbox.taken(message)
            assert len(told) == 6
            assert sum(map(len, told.values())) > 12
            for ids in told.values():
                assert ids == sorted(set(ids))

    asyncio.run(main())


def test_what_comes_behind_one_that_waits_is_not_looked_at(url: DatabaseUrl) -> None:
    """It is due when that one is; an endpoint that is away costs no search through its messages."""

    async def main() -> None:
        async with opened(url) as store:
            one = process(store.database, {"crm": NOWHERE})
            await one.stored.add(short_call("a")[:2])
            message = await one.outbox.take("crm")
            assert message is not None
            await one.outbox.postpone(message, 1000, "HTTP 500")
            await one.stored.add(short_call("a"))
            dues = {listed.due for listed in await one.outbox.list(limit=99)}
            assert len(dues) == 1
            await later(store.database, 1001)
            message = await one.outbox.take("crm")
            assert message is not None
            assert (message.event, message.attempts) == ("call.started", 2)
            await one.outbox.give_up(message, "HTTP 500")
            message = await one.outbox.take("crm")
            assert message is not None
            assert message.event == "call.transferred"

    asyncio.run(main())


def rows(count: int, endpoint: str = "crm") -> list[dict[str, object]]:
    return [
        {
            "endpoint": endpoint, "record": n, "journal": f"j{n}", "line": 0, "event": "call.ended",
            "made": 0.0, "due": 1.0, "attempts": 0, "problem": "",
        }
        for n in range(count)
    ]  # fmt: skip


def test_messages_are_bounded_in_time_and_number(
    database_url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old ones are given up, older ones forgotten; of too many the oldest, which is told."""
    monkeypatch.setattr(outbox, "MOST", 4)
    monkeypatch.setattr(outbox, "AT_ONCE", 2)

    async def main() -> None:
        async with opened(database_url) as store:
            one = process(store.database, {"crm": NOWHERE}, ["call.ended"])
            for name in "abcdefg":
                await one.stored.add(short_call(name))
            await one.webhooks.prune()
            assert one.webhooks.lost == 3
            assert [listed.call for listed in await one.outbox.list(limit=9)] == list("defg")
            (state,) = one.webhooks.endpoints
            assert (state.waiting, state.kept) == (4, 0)
            await later(store.database, outbox.GIVEN_UP_AFTER + 1)
            await one.webhooks.prune()
            assert (state.waiting, state.kept, one.webhooks.lost) == (0, 4, 3)
            assert state.given_up == 4
            assert {listed.problem for listed in await one.outbox.list(limit=9)} == {
                "its endpoint was away for days"
            }
            await later(store.database, outbox.KEPT)
            await one.webhooks.prune()
            assert await one.outbox.list(limit=9) == []

    asyncio.run(main())


def test_of_an_endpoint_that_was_away_the_next_is_found_at_once(url: DatabaseUrl) -> None:
    """The search goes by an index: ten thousand that are not due are not looked at."""

    async def main() -> None:
        async with opened(url) as store:
            await store.database.write(lambda c: c.execute(insert(webhook_outbox), rows(100)))

            def plan(connection: Connection) -> str:
                found = connection.exec_driver_sql(
                    "EXPLAIN QUERY PLAN SELECT id FROM webhook_outbox"
                    " WHERE endpoint = 'crm' AND due <= 5 ORDER BY due, id LIMIT 1"
                )
                return " ".join(str(row) for row in found)

            told = await store.database.read(plan)
            assert "ix_webhook_outbox_due (endpoint=? AND due<?)" in told

    asyncio.run(main())


def test_without_endpoints_nothing_is_kept(url: DatabaseUrl) -> None:
    """Whoever has no webhooks pays nothing for them."""

    async def main() -> None:
        async with opened(url) as store:
            one = process(store.database, {}, ALL)
            await one.stored.add(short_call("a"))
            assert await one.outbox.backlog() == {}
            assert await Outbox(store.database).take("crm") is None

    asyncio.run(main())
