"""Calls of other processes, as they are pushed to browsers: two services on one database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select

from agent.settings.database import DatabaseUrl
from agent.store.console_tables import live_feed
from agent.store.store import Store, opened
from pipelines.stages.lineup import Providers
from tests.agent.console.pushed import calling, http, live, post, pushed, say
from tests.agent.conversation import voice
from tests.agent.loopback import Running, running

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
