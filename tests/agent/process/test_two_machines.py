"""Two machines that share a PostgreSQL and nothing else: no disk, no memory, no address."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from agent.call.orders import HangUp, encode
from agent.records.call_records import CallRecords, RecordFilter
from agent.records.events import CallRecord, Outcome
from agent.records.seals import NoSeal
from agent.settings.database import DatabaseUrl
from agent.simulator.sinch.phone_network import Phone
from agent.store.store import Store, opened
from tests.agent.loopback import declined, running, until
from tests.agent.process.serving import ServiceProcess
from tests.agent.process.sinch import LONG, Account, account
from tests.agent.process.test_deaths import in_conversation
from tests.agent.sinch.credentials import V1
from tests.agent.sinch.stories import TOKEN, free_port
from tests.agent.sinch.test_callbacks import ICE, find
from tests.databases import PostgresqlServer
from tests.patience import PATIENCE


@pytest.fixture
def database(postgresql_server: PostgresqlServer) -> DatabaseUrl:
    """The address of an empty PostgreSQL."""
    return DatabaseUrl(postgresql_server.new_database())


@asynccontextmanager
async def two_machines(
    folder: Path,
    database: DatabaseUrl,
    phones: Mapping[str, Phone] | None = None,
    **settings: str,
) -> AsyncIterator[tuple[Account, ServiceProcess, ServiceProcess]]:
    """Start both at once, on an empty database; callbacks and streams come to the first."""
    given = {"SINCH__CONFERENCE": "false", **settings}
    async with account(folder, "v1", database, phones, **given) as us:
        near, far = await asyncio.gather(
            us.start(folder=folder / "near"), us.start(free_port(), folder=folder / "far")
        )
        yield us, near, far
        for one in (near, far):
            bugs = [line for line in one.logged() if "this is a bug" in line["event"]]
            assert not bugs


async def minted(us: Account, service: ServiceProcess, name: str) -> str:
    """Return the token that a machine hands out for the stream of a call."""
    body = json.dumps(ICE | {"callId": name}).encode()
    headers = V1.headers(method="POST", path="/sinch", body=body, now=datetime.now(UTC))
    async with us.http.post(f"{service.base}/sinch", data=body, headers=headers) as response:
        return find(await response.json()).rpartition("/")[2]


@pytest.mark.timeout(300)  # several processes on a machine that may be busy
def test_two_machines_are_one_service(
    tmp_path: Path, database: DatabaseUrl, postgresql_server: PostgresqlServer
) -> None:
    """Tokens, once; calls in progress, to look at and hang up; records; limits of what is dialled.

    They have started at the same moment, on an empty database, which goes away at last, and comes
    back. It is one story, since each of them takes seconds to start.
    """
    phones = {f"+1555000000{n}": Phone(plan=LONG, after=60) for n in range(8)}

    async def main() -> None:
        limits = {"SINCH__DIALLING__AT_ONCE": "3"}
        async with two_machines(tmp_path, database, phones, **limits) as (us, near, far):
            await token_is_redeemed_once(us, near, far)
            await call_is_ended_by_the_other(us, near, far)
            await dialled_together(us, near, far, list(phones))
            await postgresql_restarts(us, near, far, database, postgresql_server)

    asyncio.run(main())


async def token_is_redeemed_once(us: Account, near: ServiceProcess, far: ServiceProcess) -> None:
    """Minted by one, asked for at both by many at the same moment."""
    token = await minted(us, near, "c1")
    urls = [f"{one.url}/{token}" for one in (far, near)]
    statuses = Counter(await asyncio.gather(*(declined(url) for url in urls * 8)))
    assert statuses[101] == 1
    assert sum(statuses.values()) == 16
    assert statuses.keys() <= {101, 401, 403}
    token = await minted(us, near, "c2")
    assert await declined(f"{far.url}/{token}") == 101


async def call_is_ended_by_the_other(
    us: Account, near: ServiceProcess, far: ServiceProcess
) -> None:
    leg = await in_conversation(us, near)
    ids = [{one["id"] for one in await calls_at(us, one)} for one in (near, far)]
    assert leg.call_id in ids[0] & ids[1]
    async with us.http.get(f"{far.base}/metrics") as response:
        assert "\nvoice_agent_calls 0.0\n" in await response.text()  # it is counted where it is
    assert (await us.operate(far, "GET", f"/calls/{leg.call_id}"))[0] == 200
    assert (await us.operate(far, "POST", f"/calls/{leg.call_id}/hangup"))[0] == 202
    await until(leg.over.is_set)
    await until(lambda: near.lines("ended"))
    assert near.lines("agent")[-1]["text"] == "Bye now."
    assert not far.lines()

    async def is_on_record() -> bool:
        status, known = await us.operate(far, "GET", f"/calls/{leg.call_id}")
        return status == 200 and known["record"]["outcome"] == "operator hung up"

    await come_true(is_on_record)


async def calls_at(us: Account, service: ServiceProcess) -> list[dict[str, Any]]:
    status, listed = await us.operate(service, "GET", "/calls")
    assert status == 200
    found: list[dict[str, Any]] = listed["calls"]
    return found


async def dialled_together(
    us: Account, near: ServiceProcess, far: ServiceProcess, numbers: list[str]
) -> None:
    """As many calls as there may be at once, whichever machine is asked."""
    asked = [
        us.operate((near, far)[n % 2], "POST", "/calls", {"to": to}) for n, to in enumerate(numbers)
    ]
    statuses = Counter(status for status, _ in await asyncio.gather(*asked))
    assert statuses == {201: 3, 429: 5}


async def come_true(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something to be so that has to be asked for."""
    async with asyncio.timeout(PATIENCE):
        while not await true():  # noqa: ASYNC110 - it is in another process, or the database
            await asyncio.sleep(0.3)


async def records_with(store: Store, outcome: Outcome) -> list[CallRecord]:
    wanted = RecordFilter(outcome=outcome)
    return await CallRecords(store.database, NoSeal()).find(wanted)


def test_a_machine_that_is_gone_leaves_no_call_in_progress(
    tmp_path: Path, database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed, and its disk with it: the other hangs the phone up, and closes the record."""
    monkeypatch.setattr("agent.server.orphans.RECORD_WITHIN", 0.5)

    async def main() -> None:
        async with account(tmp_path, "v1", database) as us, opened(database) as store:
            gone = await us.start(folder=tmp_path / "gone")
            leg = await in_conversation(us, gone)

            async def is_closed(outcome: Outcome = "interrupted") -> bool:
                return bool(await records_with(store, outcome))

            await come_true(lambda: is_closed("in progress"))
            (tmp_path / "left").mkdir()
            sinch = {
                "application_key": V1.key_id,
                "application_secret": V1.secret,
                "api_url": us.sinch_url,
                "public_url": gone.base,
            }
            sections: dict[str, Any] = {"database": database, "operator": {"token": TOKEN}}
            async with running(tmp_path / "left", alone=False, sinch=sinch, **sections):
                gone.kill()
                await gone.ended()
                shutil.rmtree(gone.folder)
                await until(leg.over.is_set)
                await come_true(is_closed)
                (record,) = await records_with(store, "interrupted")
                assert record.ended is not None
                assert record.data["ended"]["reason"] == "interrupted"
                assert record.ended > record.started

    asyncio.run(main())


async def postgresql_restarts(
    us: Account,
    near: ServiceProcess,
    far: ServiceProcess,
    database: DatabaseUrl,
    server: PostgresqlServer,
) -> None:
    """Calls go on, one ends meanwhile, no line is lost; then each hears of the other at once."""
    ended = len(near.lines("ended"))
    ending, going_on = await in_conversation(us, near), await us.call_in()
    await until(lambda: len(near.lines("call")) == ended + 2)
    await asyncio.to_thread(server.stop)
    try:
        path = f"/calls/{ending.call_id}/hangup"
        assert (await us.operate(near, "POST", path))[0] == 202  # it is here
        await until(ending.over.is_set)
        await until(lambda: len(near.lines("ended")) == ended + 1)
        assert not going_on.over.is_set()
    finally:
        await asyncio.to_thread(server.start)
    await both_listen(database)
    async with opened(database) as store:
        # As the other leaves it, which does not order before all hearts had the time to beat again.
        await store.orders.leave(going_on.call_id, encode(HangUp(goodbye=True)))
        await until(going_on.over.is_set)
        await all_is_stored(store, near)
    assert not near.logged("records cannot be written")


async def both_listen(database: DatabaseUrl) -> None:
    """Wait until both hear what the other tells, instead of looking every few seconds."""
    asking = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = $1"
    name = database.get_secret_value().partition("?")[0].rpartition("/")[2]

    async def they_do() -> bool:
        connection = await asyncpg.connect(database.get_secret_value())
        try:
            return bool(await connection.fetchval(asking, name) == 2)
        finally:
            await connection.close()

    await come_true(they_do)


async def all_is_stored(store: Store, service: ServiceProcess) -> None:
    """Wait until the database has every line that the machine has written."""
    records = CallRecords(store.database, NoSeal())

    async def it_is() -> bool:
        found = await records_with(store, "operator hung up")
        stored = Counter([event.kind for one in found for event in await records.events(one)])
        return stored == Counter(line["kind"] for line in service.lines())

    await come_true(it_is)
