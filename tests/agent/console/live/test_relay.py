"""Calls of other processes, as they are pushed to browsers: two services on one database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select, update

from agent.records.journals.writer import RecordWriter
from agent.records.seals import KeySeal, Seal
from agent.server.live.feed import CallFeeds, LocalFeed
from agent.server.live.happenings import CallFacts
from agent.server.live.outlets import Outlets
from agent.settings.database import DatabaseUrl
from agent.settings.sealing_keys import SealingKey
from agent.store.arrivals import Looking
from agent.store.console_tables import live_feed
from agent.store.engine import SqlDatabase
from agent.store.errors import StoreError
from agent.store.store import Store, opened, store_in
from agent.store.tables import processes
from pipelines.background import BackgroundTasks
from pipelines.stages.lineup import Providers
from tests.agent.console.pushed import calling, http, live, post, pushed, say
from tests.agent.conversation import voice
from tests.agent.loopback import Running, running
from tests.agent.personas.inline import InlineThreads
from tests.databases import FILE
from tests.virtual_time import run

pytestmark = pytest.mark.usefixtures("nothing_left")


@asynccontextmanager
async def two(
    folder: Path, database: DatabaseUrl, providers: Providers | None = None, **sections: Any
) -> AsyncIterator[tuple[Running, Running]]:
    """Run two services on one database: one that is looked at, and one that is called."""
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    given = {"database": database, **sections}
    async with (
        running(folder / "a", alone=False, **given) as looked_at,
        running(folder / "b", providers, alone=False, **given) as called,
    ):
        yield looked_at, called


async def waiting(store: Store) -> list[str]:
    """Return what waits in the database for whoever looks."""
    found = select(live_feed.c.data)
    return [*await store.database.read(lambda c: c.execute(found).scalars().all())]


async def nothing_waits(store: Store) -> None:
    """Return once nothing does."""
    async with asyncio.timeout(20):
        while await waiting(store):  # noqa: ASYNC110 - it is in the database
            await asyncio.sleep(0.1)


def test_a_call_of_another_process(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """Is in the list with its floor and last words, followed line by line, heard, and acted on."""

    async def main() -> None:
        said = voice(["what time is it"], ["It is noon."])
        async with (
            two(tmp_path, database_url, said) as (near, far),
            opened(database_url) as store,
            pushed(f"{http(near.url)}/console/events") as listed,
        ):
            assert await listed.until("calls", calls=[])
            async with (
                pushed(live(near.url, "a/b", "events")) as page,
                calling(far.url, "a/b") as socket,
                aiohttp.ClientSession() as session,
            ):
                call = await listed.until("call", name="a/b", floor="agent")
                assert call["agent"] == "reception"
                await page.until("line", text="Hello, who is this?")
                async with session.get(live(near.url, "a/b", "audio")) as audio:
                    await say(socket, "+" * 12 + "." * 8)
                    heard = await audio.content.readexactly(8000)
                    while not any(heard):
                        heard = await audio.content.readexactly(8000)
                await page.until("line", text="It is noon.")
                await listed.until("call", said={"who": "agent", "text": "It is noon."})
                assert await post(live(near.url, "a/b", "hang-up"), {"goodbye": False}) == (202, {})
                rest = await page.rest()
            kept = far.lines()
            assert [data for kind, data in page.events if kind == "line"] == kept
            assert rest[-1] == ("over", {"record": kept[0]["id"]})
            assert "agent" in {d["floor"] for kind, d in page.events if kind == "floor"}
            await listed.until("gone", name="a/b")
            await nothing_waits(store)

    asyncio.run(main())


def test_a_process_that_dies_takes_its_calls_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that tells nothing, as an earlier version does, has its calls listed all the same."""
    monkeypatch.setattr("agent.server.live.relay.HELD_FOR", 0.1)

    async def main() -> None:
        url = DatabaseUrl(f"sqlite:///{tmp_path}/{FILE}")
        async with running(tmp_path) as near, aclosing(SqlDatabase(url)) as database:
            dying = store_in(database, Looking())  # which beats once
            dying.live_calls.began("theirs", "reception")
            await dying.live_calls.beat()
            async with pushed(f"{http(near.url)}/console/events") as listed:
                call = await listed.until("call", name="theirs")
                assert (call["agent"], call["record"], call["floor"]) == ("reception", "", "nobody")
                silent = update(processes).where(processes.c.id == dying.live_calls.process)
                await database.write(lambda c: c.execute(silent.values(at=0.0)))
                await listed.until("gone", name="theirs")

    asyncio.run(main())


class Others:
    """Other processes, who are told, or not."""

    own = "us"

    def __init__(self) -> None:
        self.texts: list[dict[str, str]] = []
        self.fails = False

    async def tell(self, texts: dict[str, str]) -> None:
        if self.fails:
            raise StoreError("out of order")
        self.texts.append(texts)

    def told(self, seal: Seal, viewer: str = "them") -> list[dict[str, Any]]:
        """Return what one of them was told."""
        return [json.loads(seal.show(one[viewer], viewer)) for one in self.texts if viewer in one]


LOOK: dict[str, Any] = {"viewer": "them", "list": True, "follow": ["c1"], "listen": []}


def test_others_are_told_sealed_and_only_as_long_as_they_ask(tmp_path: Path) -> None:
    """Whoever does not ask again is forgotten within ten seconds; what is lost is told anew."""
    seal = KeySeal([SealingKey(name="now", secret=bytes(range(32)))])

    async def main() -> None:
        feeds, others = CallFeeds(), Others()
        outlets = Outlets(feeds, others, seal)  # type: ignore[arg-type]
        writer = RecordWriter(tmp_path / "journals", InlineThreads())
        record = writer.begin("c1", datetime.now(UTC))
        feed = LocalFeed(
            CallFacts(name="c1", agent="reception", record=record.id), record, awaited=False
        )
        background = BackgroundTasks()
        background.keep_running(outlets.run, "telling others")
        feeds.begin(feed, "c1")
        record.add("caller", at=1.0, text="before")
        await asyncio.sleep(5)
        assert others.texts == []  # nobody looks
        outlets.asked({"viewer": "them"})  # no question of ours
        outlets.asked(LOOK)
        await asyncio.sleep(1)
        record.add("caller", at=2.0, text="a secret")
        await asyncio.sleep(1)
        told = others.told(seal)
        assert told[0]["calls"][0]["facts"]["record"] == record.id
        assert told[0]["calls"][0]["said"] == ["caller", "before"]
        (happened,) = told[1]["told"]["c1"]
        assert happened == [1, "caller", {"at": 2.0, "text": "a secret"}]
        assert "secret" not in str(others.texts)
        assert all(text.startswith("sealed:") for one in others.texts for text in one.values())
        others.fails = True
        record.add("caller", at=3.0, text="lost")
        await asyncio.sleep(1)
        others.fails = False
        outlets.asked(LOOK)
        await asyncio.sleep(1)
        assert others.told(seal)[-1]["calls"][0]["said"] == ["caller", "lost"]
        await asyncio.sleep(10)
        assert record.told is None
        feeds.end("c1")
        await asyncio.sleep(1)
        assert not any("gone" in one and one["gone"] for one in others.told(seal))
        await background.aclose()
        await record.aclose()
        await writer.aclose()

    run(main())
