"""The database goes away while there are calls: they go on, and new ones are told so in words."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.settings.database import DatabaseUrl
from agent.simulator.plan import Plan
from agent.simulator.sinch.phone_network import Phone
from agent.sinch.callbacks import Version
from tests.agent.conversation import voice
from tests.agent.loopback import declined, until
from tests.agent.sinch.stories import AGENT, MANAGER, Story, tell
from tests.agent.sinch.test_callbacks import ICE, Poster, find
from tests.databases import FILE, PostgresqlServer

pytestmark = pytest.mark.usefixtures("nothing_left")
Away = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture
def away(database_url: DatabaseUrl, tmp_path: Path, request: pytest.FixtureRequest) -> Away:
    """Has the database of the test away, for as long as a block lasts."""

    @asynccontextmanager
    async def locked() -> AsyncIterator[None]:
        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield

    @asynccontextmanager
    async def stopped() -> AsyncIterator[None]:
        server: PostgresqlServer = request.getfixturevalue("postgresql_server")
        await asyncio.to_thread(server.stop)
        try:
            yield
        finally:
            await asyncio.to_thread(server.start)

    return stopped if database_url.is_postgresql else locked


def test_calls_outlive_the_database(tmp_path: Path, database_url: DatabaseUrl, away: Away) -> None:
    """A call goes on until an operator ends it; others hear an apology, streams are refused."""

    async def story(s: Story) -> None:
        poster = Poster(s)
        _, answer = await poster.post(ICE)
        token = find(answer).rpartition("/")[2]
        talking = await s.call_in(Plan(patience=60, linger=60))
        await until(lambda: s.lines("call"))
        with capture_logs() as logs:
            async with away():
                other = await s.call_in(Plan(patience=0.3))
                await until(other.over.is_set)
                assert len(other.said) == 1
                assert "we cannot take your call right now" in other.said[0]
                assert await declined(f"{s.server.url}/{token}") == 503
                status, problem = await s.operate("POST", "/calls", {"to": "+15550000009"})
                assert (status, "the database fails" in problem["detail"]) == (503, True)
                assert not talking.over.is_set()
                status, _ = await s.operate("POST", f"/calls/{talking.call_id}/hangup")
                assert status == 202  # it is here
                await until(talking.over.is_set)
            assert len([x for x in logs if x["event"].startswith("the database fails")]) == 1
            (refused,) = [line for line in logs if line["event"] == "call refused"]
            assert refused["reason"].startswith("the database fails: ")
        await until(lambda: s.lines("ended"))
        assert s.lines("agent")[-1]["text"] == "Bye now."
        for _ in range(20):  # PostgreSQL may take a moment to recover
            again = await s.call_in(Plan(patience=0.3))
            await until(again.over.is_set)
            if not again.said:
                break
        await until(lambda: len(s.lines("ended")) == 2)

    tell(tmp_path, "v1", story, database=database_url)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_an_operator_leaves_while_the_database_is_away(
    tmp_path: Path, database_url: DatabaseUrl, away: Away, version: Version
) -> None:
    """The agent comes back to the caller at once; the database learns of it when it is there."""

    async def story(s: Story) -> None:
        leg = await s.call_in(Plan(patience=60, linger=60))
        path = f"/calls/{leg.call_id}"
        await until(lambda: s.lines("agent"))
        body = {"phone": MANAGER, "announcement": "Wait."}
        assert (await s.operate("POST", f"{path}/take-over", body))[0] == 202
        await until(lambda: [x["status"] for x in s.lines("transfer")] == ["started", "done"])
        operator = next(one for one in s.sinch.legs if one.number == MANAGER)
        await until(lambda: operator.room == leg.room)
        async with away():
            await s.sinch.hang_up(operator)
            await until(lambda: s.lines("agent")[-1]["text"] == "Back.")
            assert not leg.over.is_set()
        for _ in range(40):  # PostgreSQL may take a moment to recover
            if (await s.operate("POST", f"{path}/take-over", body))[0] == 202:
                break
            await asyncio.sleep(0.5)
        await until(lambda: [x["status"] for x in s.lines("transfer")][-1] == "done")
        assert (await s.operate("POST", f"{path}/hangup", {}))[0] == 202
        await until(lambda: all(one.over.is_set() for one in s.sinch.legs))
        statuses = [line["status"] for line in s.lines("transfer")]
        assert statuses == ["started", "done", "returned", "started", "done"]

    (tmp_path / "prompts").mkdir()
    text = AGENT.replace("Hello, who is this?", "Hi.\nreturned: Back.")
    (tmp_path / "prompts" / "reception.md").write_text(text)
    tell(
        tmp_path,
        version,
        story,
        database=database_url,
        providers=voice(),
        phones={MANAGER: Phone()},
        sinch={"conference": version == "v1"},
    )
