"""Versions of agent files, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio

from agent.settings.database import DatabaseUrl
from agent.store.agent_versions import KEPT, AgentVersions
from agent.store.store import opened


def test_a_version_is_kept_once_and_found_again(database_url: DatabaseUrl) -> None:
    """With who saved it; going back to an older one is a change like any other."""

    async def main() -> None:
        async with opened(database_url) as store:
            versions = AgentVersions(store.database)
            assert await versions.add("a", "1", "one")
            assert not await versions.add("a", "1", "one", "ann")
            assert not await versions.add("a", "1", "one", "eve")
            assert await versions.add("a", "2", "<b>zwei</b> \N{GRINNING FACE}", "ann")
            assert await versions.add("a", "1", "one", "bob")
            assert await versions.add("b", "1", "one")
            found = [(one.version, one.who, one.text) for one in await versions.of("a")]
            assert found == [("1", "bob", ""), ("2", "ann", ""), ("1", "ann", "")]
            both = await versions.get("a", "2")
            assert both is not None
            this, before = both
            assert this.text == "<b>zwei</b> \N{GRINNING FACE}"
            assert before is not None
            assert (before.version, before.text) == ("1", "one")
            first = await versions.get("b", "1")
            assert first is not None
            assert first[1] is None
            assert await versions.get("a", "3") is None
            assert await versions.of("nobody") == []

    asyncio.run(main())


def test_processes_that_find_a_change_keep_it_once(database_url: DatabaseUrl) -> None:
    """And a start adds nothing that is known: other machines may have other files."""

    async def main() -> None:
        async with opened(database_url) as one, opened(database_url) as other:
            both = AgentVersions(one.database), AgentVersions(other.database)
            added = await asyncio.gather(*(each.add("a", "1", "x") for each in both for _ in "abc"))
            assert sum(added) == 1
            assert await both[0].add("a", "2", "y")
            assert not await both[1].add("a", "1", "x", anew=False)
            assert await both[1].add("a", "3", "z", anew=False)

    asyncio.run(main())


def test_the_oldest_go(database_url: DatabaseUrl) -> None:
    """Of each agent by itself."""

    async def main() -> None:
        async with opened(database_url) as store:
            versions = AgentVersions(store.database)
            await versions.add("b", "1", "x")
            for number in range(KEPT + 3):
                await versions.add("a", str(number), "x")
            found = [one.version for one in await versions.of("a")]
            assert found == [str(number) for number in range(KEPT + 2, 2, -1)]
            assert await versions.get("a", "2") is None
            assert len(await versions.of("b")) == 1

    asyncio.run(main())
