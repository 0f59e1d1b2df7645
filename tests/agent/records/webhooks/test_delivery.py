"""Webhooks, sent to real receivers on loopback: verified, in order, and until they are taken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import delete, update
from structlog.testing import capture_logs

from agent.records.webhooks import delivery, outbox
from agent.records.webhooks.delivery import SCHEDULE, next_wait, wished
from agent.records.webhooks.outbox import Backlog
from agent.settings.database import DatabaseUrl
from agent.settings.webhooks import WebhookEvent
from agent.store.record_tables import call_events, call_records
from agent.store.store import opened
from pipelines.background import BackgroundTasks
from tests.agent.records.webhooks.receiver import (
    SECRET,
    TOLD,
    Receiver,
    later,
    process,
    receiving,
    short_call,
)
from tests.databases import FILE


@pytest.fixture
def url(tmp_path: Path) -> DatabaseUrl:
    """The address of an SQLite file, for what does not depend on the database."""
    return DatabaseUrl(f"sqlite:///{tmp_path}/{FILE}")


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that is away is tried at once, where a test does not say other."""
    monkeypatch.setattr(delivery, "PAUSE_FIRST", 0.0)


def test_a_receiver_verifies_all_that_is_told_of_a_call_in_its_order(
    database_url: DatabaseUrl,
) -> None:
    """With the specification's library; nothing that was said is in it, and nothing is left."""

    async def main() -> None:
        async with opened(database_url) as store, receiving() as receiver:
            one = process(store.database, {"crm": receiver.url})
            await one.stored.add(short_call("a"))
            await one.send_all()
            assert receiver.events() == TOLD
            assert len({name for name, _, _ in receiver.came}) == len(TOLD)
            assert json.loads(receiver.bodies[2]) == {
                "type": "call.ended",
                "timestamp": "2026-11-26T10:00:05.500Z",
                "data": {
                    "id": "a", "call_id": "sinch-a", "direction": "outgoing", "agent": "reception",
                    "caller": "+15550000001", "called": "+15550000002", "dialled": "d1",
                    "started": "2026-11-26T10:00:00.000Z", "ended": "2026-11-26T10:00:05.500Z",
                    "seconds": 5.5, "outcome": "caller hung up", "reason": "the caller hung up",
                    "hung_up_by": "caller",
                },
            }  # fmt: skip
            said = b"".join(receiver.bodies)
            assert b"4242" not in said
            assert b"Asked for a desk" not in said
            assert await one.outbox.backlog() == {}
            await one.stored.add(short_call("a"))  # as after a crash of the loader
            await one.send_all()
            assert receiver.events() == TOLD

    asyncio.run(main())


def test_what_was_said_is_told_to_whom_asks_for_it(url: DatabaseUrl) -> None:
    """And nothing else than what an endpoint asks for; half a character is mended."""

    async def main() -> None:
        async with opened(url) as store, receiving() as receiver:
            events: list[WebhookEvent] = ["call.ended", "call.summarized"]
            headers = {"Authorization": "Bearer x"}
            one = process(
                store.database, {"crm": receiver.url}, events, conversation=True, headers=headers
            )
            await one.stored.add(short_call("a"))
            await one.send_all()
            ended, summarized = (json.loads(body)["data"] for body in receiver.bodies)
            assert ended["conversation"] == [
                {"who": "caller", "text": "My card is 4242 \ufffd", "at": 1.0, "until": 2.0}
            ]
            assert (summarized["text"], summarized["fields"]) == ("Asked for a desk.", {"n": 1})
            assert summarized["missing"] == ["day"]
            assert {one["Authorization"] for one in receiver.headers} == {"Bearer x"}

    asyncio.run(main())


def test_order_is_kept_of_a_call_that_fails_and_nobody_waits_for_it(
    database_url: DatabaseUrl,
) -> None:
    """Nor does another endpoint. Each attempt has the same id and the same body."""
    refused = 0

    def refuse(message: Mapping[str, Any]) -> int:
        nonlocal refused
        if message["data"]["id"] == "a" and refused < 3:
            refused += 1
            return 500
        return 200

    async def main() -> None:
        async with (
            opened(database_url) as store,
            receiving(Receiver(answer=refuse)) as crm,
            receiving() as billing,
        ):
            one = process(store.database, {"crm": crm.url, "billing": billing.url})
            await one.stored.add(short_call("a")[:4])
            for name in "bc":
                await one.stored.add(short_call(name))
            await one.send_all()
            await one.stored.add(short_call("a"))  # the rest of it comes while it waits
            await one.send_all()
            assert [crm.events(name) for name in "abc"] == [["call.started"], TOLD, TOLD]
            assert [billing.events(name) for name in "abc"] == [TOLD] * 3
            for wait in SCHEDULE[:3]:
                await later(store.database, wait * 1.11)
                await one.send_all()
            assert crm.events("a") == ["call.started"] * 3 + TOLD
            ours = [
                n
                for n, (_, event, name) in enumerate(crm.came)
                if (event, name) == ("call.started", "a")
            ]
            assert len({crm.came[n][0] for n in ours}) == 1
            assert len({crm.bodies[n] for n in ours}) == 1
            assert not {name for name, _, _ in crm.came} & {name for name, _, _ in billing.came}

    asyncio.run(main())


def test_what_a_dead_process_was_sending_is_sent_by_another(database_url: DatabaseUrl) -> None:
    """With the same id, whether it had been taken or not; until then nobody else sends it."""

    async def main() -> None:
        async with opened(database_url) as store, opened(database_url) as there, receiving() as to:
            dying = process(store.database, {"crm": to.url})
            await dying.stored.add(short_call("a"))
            taken = await dying.outbox.take("crm")  # killed here, before it was sent
            assert taken is not None
            other = process(there.database, {"crm": to.url})
            await other.send_all()
            assert to.came == []
            await later(store.database, outbox.LEASE + 1)
            await other.send_all()
            assert to.events() == TOLD
            await dying.outbox.postpone(taken, 5, "late")  # what it says now is of no matter
            assert await other.outbox.backlog() == {}

    asyncio.run(main())


def test_two_processes_send_each_message_once(database_url: DatabaseUrl) -> None:
    """Side by side, several at once from each; those of one call in order all the same."""

    async def main() -> None:
        async with opened(database_url) as store, opened(database_url) as there, receiving() as to:
            both = [process(db, {"crm": to.url}) for db in (store.database, there.database)]
            names = [f"call-{n}" for n in range(5)]
            for n, name in enumerate(names):
                await both[n % 2].stored.add(short_call(name))
            for _ in range(20):  # somebody may see nothing due while the head of a call is sent
                await asyncio.gather(*(one.send_all() for one in both for _ in range(2)))
                if await both[0].outbox.backlog() == {}:
                    break
            assert len(to.came) == len(names) * len(TOLD)
            assert [to.events(name) for name in names] == [TOLD] * len(names)

    asyncio.run(main())


def test_an_endpoint_says_when_to_come_again(url: DatabaseUrl) -> None:
    """Later than we would have, never earlier."""

    def busy(_message: object) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "1000"})

    async def main() -> None:
        async with opened(url) as store, receiving(Receiver(answer=busy)) as receiver:
            one = process(store.database, {"crm": receiver.url}, ["call.ended"])
            await one.stored.add(short_call("a"))
            await one.send_all()
            for seconds, tried in ((990, 1), (11, 2)):
                await later(store.database, seconds)
                await one.send_all()
                assert len(receiver.came) == tried

    asyncio.run(main())


def test_an_endpoint_that_is_gone_is_told_nothing_more(url: DatabaseUrl) -> None:
    """410: what waits is given up, what comes as well; the next process tries it again."""

    async def main() -> None:
        async with opened(url) as store, receiving(Receiver(answer=lambda _: 410)) as receiver:
            one = process(store.database, {"crm": receiver.url})
            await one.stored.add(short_call("a"))
            await one.send_all()
            await one.stored.add(short_call("b"))
            await one.send_all()
            await one.webhooks.prune()
            assert len(receiver.came) == 1
            assert await one.outbox.backlog() == {"crm": Backlog(waiting=0, given_up=2 * len(TOLD))}
            (state,) = one.webhooks.endpoints
            assert (state.given_up, state.kept) == (2 * len(TOLD), 2 * len(TOLD))
            receiver.answer = lambda _: 200
            again = process(store.database, {"crm": receiver.url})
            assert await again.outbox.send_again() == 2 * len(TOLD)
            await again.send_all()
            assert [receiver.events(name)[-6:] for name in "ab"] == [TOLD, TOLD]

    asyncio.run(main())


def test_redirects_are_failures(url: DatabaseUrl) -> None:
    """Whoever is asked to go elsewhere may be sent anywhere."""

    async def main() -> None:
        async with opened(url) as store, receiving() as receiver:

            def elsewhere(_message: object) -> web.Response:
                return web.Response(status=307, headers={"Location": receiver.url})

            receiver.answer = elsewhere
            one = process(store.database, {"crm": receiver.url}, ["call.ended"])
            await one.stored.add(short_call("a"))
            await one.send_all()
            assert len(receiver.came) == 1
            (listed,) = await one.outbox.list(limit=10)
            assert (listed.problem, listed.call) == ("HTTP 307: redirects are not followed", "a")

    asyncio.run(main())


def test_an_answer_is_its_status_and_no_more_of_it_is_waited_for(
    url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that never ends is not read; an answer that never begins has its deadline."""
    ended = asyncio.Event()

    class Endless(web.StreamResponse):
        async def prepare(self, request: Any) -> Any:
            writer = await super().prepare(request)
            await ended.wait()
            return writer

    async def main() -> None:
        async with opened(url) as store, receiving() as receiver:
            receiver.answer = lambda _: Endless(status=200)
            one = process(store.database, {"crm": receiver.url}, ["call.ended"])
            await one.stored.add(short_call("a"))
            await one.send_all()
            assert await one.outbox.backlog() == {}
            monkeypatch.setattr(delivery, "ANSWERED_WITHIN", 0.05)
            loop = asyncio.get_running_loop()
            silent = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
            port = silent.sockets[0].getsockname()[1]
            other = process(store.database, {"crm": f"http://127.0.0.1:{port}/"}, ["call.ended"])
            await other.stored.add(short_call("b"))
            await other.send_all()
            (listed,) = await other.outbox.list(limit=10)
            assert listed.problem == "no answer within 0.05 s"
            silent.close()

    asyncio.run(main())


def test_a_message_is_given_up_after_the_schedule_and_the_next_follows(url: DatabaseUrl) -> None:
    """It is kept, counted, told in the log without a secret, and can be sent again."""

    def refuse_the_first(message: Mapping[str, Any]) -> int:
        return 400 if message["type"] == "call.started" else 200

    async def main() -> None:
        async with opened(url) as store, receiving(Receiver(answer=refuse_the_first)) as receiver:
            one = process(store.database, {"crm": receiver.url}, ["call.started", "call.ended"])
            with capture_logs() as logs:
                await one.stored.add(short_call("a"))
                await one.send_all()
                for wait in SCHEDULE:
                    assert "call.ended" not in receiver.events()
                    await later(store.database, wait * 1.11)
                    await one.send_all()
            assert receiver.events() == ["call.started"] * (len(SCHEDULE) + 1) + ["call.ended"]
            (state,) = one.webhooks.endpoints
            assert (state.sent, state.failures, state.given_up) == (1, len(SCHEDULE) + 1, 1)
            (dead,) = await one.outbox.list(given_up=True, limit=10)
            assert (dead.due, dead.attempts, dead.problem) == (None, 10, "HTTP 400")
            told = repr(logs)
            assert "a webhook is given up" in told
            for secret in (SECRET, SECRET[6:], "hidden-in-the-url", "+1555", "4242"):
                assert secret not in told
            receiver.answer = lambda _: 200
            assert await one.outbox.send_again([dead.id]) == 1
            await one.send_all()
            assert await one.outbox.backlog() == {}

    asyncio.run(main())


def test_an_endpoint_that_is_away_costs_other_messages_no_attempts(
    url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three failures in a row it is left alone for a moment; the log says so twice."""
    monkeypatch.setattr(delivery, "PAUSE_FIRST", 30.0)

    async def main() -> None:
        async with opened(url) as store:
            async with receiving() as receiver:
                address = receiver.url
            one = process(store.database, {"crm": address}, ["call.ended"])
            for n in range(9):
                await one.stored.add(short_call(f"c{n}"))
            with capture_logs() as logs:
                await one.send_all()
            tried = [listed.attempts for listed in await one.outbox.list(limit=99)]
            assert sorted(tried) == [0] * 6 + [1] * 3
            assert [log["event"] for log in logs] == ["an endpoint takes no webhooks; they wait"]

    asyncio.run(main())


def test_of_an_erased_call_nobody_is_told(url: DatabaseUrl) -> None:
    """Nor of one that cannot be read, which is kept to be looked at."""

    async def main() -> None:
        async with opened(url) as store, receiving() as receiver:
            one = process(store.database, {"crm": receiver.url}, ["call.ended"])
            for name in "abc":
                await one.stored.add(short_call(name))
            gone = delete(call_records).where(call_records.c.id == "a")
            await store.database.write(lambda c: c.execute(gone))
            broken = update(call_events).where(call_events.c.journal == "b").values(data="{")
            await store.database.write(lambda c: c.execute(broken))
            await one.send_all()
            assert receiver.events() == ["call.ended"]
            assert receiver.came[0][2] == "c"
            (dead,) = await one.outbox.list(limit=10)
            assert (dead.call, dead.due) == ("b", None)
            assert dead.problem.startswith("its record cannot be read")

    asyncio.run(main())


def test_it_runs_by_itself(url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the background of the service: what is stored is sent."""
    monkeypatch.setattr(delivery, "LOOK_EVERY", 0.01)

    async def main() -> None:
        async with opened(url) as store, receiving() as receiver:
            one = process(store.database, {"crm": receiver.url}, ["call.ended"])
            background = BackgroundTasks()
            one.webhooks.run_in(background)
            await one.stored.add(short_call("a"))
            await asyncio.wait_for(receiver.another.wait(), 10)
            await background.aclose(1.0)
            assert receiver.events() == ["call.ended"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("", 0), ("120", 120), (" 7 ", 7), ("-1", 0), ("soon", 0), ("9" * 5000, 86_400),
        ("Thu, 26 Nov 2026 10:01:00 GMT", 60), ("Thu, 26 Nov 2026 09:00:00 GMT", 0),
        ("Thu, 26 Nov 2099 10:01:00 GMT", 86_400), ("Thu, 26 Nov 2026 10:01:00 -0000", 60),
        ("1e9", 0), ("²", 0), ("Thu, 99 Nov 2026 10:01:00 GMT", 0),
    ],
)  # fmt: skip
def test_a_wish_is_understood_within_bounds(given: str, seconds: float) -> None:
    """Seconds or a date; anything else is no wish."""
    assert wished(given, datetime(2026, 11, 26, 10, tzinfo=UTC)) == seconds


def test_waits_are_those_of_the_specification() -> None:
    """Somewhat longer by chance; a wish may be longer still."""
    for attempts, seconds in enumerate((5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400), 1):
        wait = next_wait(attempts, 0.0)
        assert wait is not None
        assert seconds <= wait <= 1.1 * seconds
        assert next_wait(attempts, 10**6) == 10**6
    assert next_wait(10, 0.0) is None
