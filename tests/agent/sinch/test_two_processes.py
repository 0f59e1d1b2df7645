"""A call whose stream one process holds, and whose callbacks another gets; on both databases."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from agent.settings.database import DatabaseUrl
from agent.simulator.plan import Plan
from agent.simulator.sinch.phone_network import Phone
from agent.simulator.stream_caller import place_call
from agent.sinch.callbacks import Version
from agent.store.live_calls import HOST
from tests.agent.loopback import Running, running, until
from tests.agent.sinch.credentials import V1, V2
from tests.agent.sinch.stories import CALLER, MANAGER, TOKEN, Story, tell

pytestmark = pytest.mark.usefixtures("nothing_left")
both = pytest.mark.parametrize("version", ["v1", "v2"])


@asynccontextmanager
async def second(s: Story, folder: Path, url: DatabaseUrl, **sinch: Any) -> AsyncIterator[Running]:
    """Run another process of the service, which gets the callbacks; streams go to the first."""
    account = {
        "api": s.version,
        "application_key": V1.key_id,
        "application_secret": V1.secret,
        "project_id": "project",
        "service_id": V2.key_id,
        "service_secret": V2.secret,
        "access_key": "access",
        "access_secret": "secret",
        "api_url": s.sinch_url,
        "public_url": s.base,
        "caller_id": "+12025550100",
        "dialling": {"numbers": ("+1555*",)},
        "conference": s.version == "v1",
        **sinch,
    }
    given: dict[str, Any] = {"database": url, "operator": {"token": TOKEN}, "sinch": account}
    async with running(folder, alone=False, **given) as other:
        base = other.url.replace("ws://", "http://").rpartition("/")[0]
        s.sinch._callbacks._url = f"{base}/sinch"
        s.base = base  # the operator asks the other, too
        yield other


def holds(s: Story, other: Running) -> None:
    """The stream is where the callbacks are not."""
    assert len(s.server.registry.in_progress) == 1
    assert not other.registry.in_progress


@both
def test_the_operator_asks_the_other_process(
    tmp_path: Path, version: Version, database_url: DatabaseUrl
) -> None:
    """A call is hung up with a goodbye by the process that holds it, and its record is closed."""

    async def story(s: Story) -> None:
        async with second(s, tmp_path, database_url) as other:
            leg = await s.call_in(Plan(patience=30, linger=60))
            await until(lambda: s.lines("agent") or s.lines("call"))
            await asyncio.sleep(1.5)
            holds(s, other)
            here = {"id": leg.call_id, "agent": "reception", "host": HOST, "pid": os.getpid()}
            status, listed = await s.operate("GET", "/calls")
            assert (status, listed["calls"]) == (200, [here])
            status, _ = await s.operate("POST", f"/calls/{leg.call_id}/hangup")
            assert status == 202
            await until(leg.over.is_set)
            await until(lambda: s.lines("platform"))
            assert s.lines("agent")[-1]["text"] == "Bye now."
            path = f"/calls/{leg.call_id}/hangup"
            async with asyncio.timeout(5):  # its record is closed at the same time
                while (again := await s.operate("POST", path))[0] == 202:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert (again[0], again[1]["detail"]) == (409, "the call is over")

    tell(tmp_path, version, story, database=database_url, sinch={"conference": version == "v1"})


@both
def test_a_caller_is_passed_on_by_way_of_the_other_process(
    tmp_path: Path, version: Version, database_url: DatabaseUrl
) -> None:
    """One is asked to, the other dials; the first hears that somebody answered, and says so."""

    async def story(s: Story) -> None:
        async with second(s, tmp_path, database_url) as other:
            leg = await s.call_in(Plan(patience=30, linger=60))
            await until(lambda: s.lines("call"))
            await asyncio.sleep(1.0)
            holds(s, other)
            status, _ = await s.operate("POST", f"/calls/{leg.call_id}/transfer", {"to": MANAGER})
            assert status == 202
            done = ["started", "done"]
            await until(lambda: [line["status"] for line in s.lines("transfer")] == done)
            manager = next(leg for leg in s.sinch.legs if leg.number == MANAGER)
            await until(lambda: manager.room == leg.room)
            await asyncio.sleep(0.3)
            assert not leg.over.is_set()
            await s.sinch.hang_up(manager)
            await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))
            await until(lambda: s.lines("platform"))

    tell(
        tmp_path,
        version,
        story,
        database=database_url,
        phones={MANAGER: Phone()},
        sinch={"conference": version == "v1"},
    )


@both
def test_a_call_of_ours_is_answered_by_way_of_the_other_process(
    tmp_path: Path, version: Version, database_url: DatabaseUrl
) -> None:
    """One dials, and gets the callbacks; the stream comes to the other, which knows the leg."""

    async def story(s: Story) -> None:
        async with second(s, tmp_path, database_url):
            _, call = await s.operate("POST", "/calls", {"to": CALLER, "variables": {"name": "A"}})
            await until(lambda: s.lines("agent"))
            assert s.lines("call")[0]["dialled"] == call["id"]
            await until(lambda: s.lines("platform"))
            _, call = await s.operate("GET", f"/calls/{call['id']}")
            assert call["status"] == "ended"
            await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))

    phones = {CALLER: Phone(plan=Plan(patience=0.5))}
    sinch = {"conference": version == "v1"}
    tell(tmp_path, version, story, database=database_url, phones=phones, sinch=sinch)


def test_a_stream_that_came_to_the_other_process_is_not_missed(
    tmp_path: Path, database_url: DatabaseUrl
) -> None:
    """It was announced to one; its log does not say that nobody came."""

    async def story(s: Story) -> None:
        async with second(s, tmp_path, database_url) as other:
            with capture_logs() as logs:
                leg = await s.call_in(Plan(patience=30, linger=60))
                await until(lambda: s.server.registry.in_progress)
                [expected] = other.registry._expected.values()
                await other.registry._miss(expected)  # as when its time is over
                assert not other.registry._expected
                await s.sinch.hang_up(leg)
                await until(leg.over.is_set)
            assert "an announced call did not come" not in [line["event"] for line in logs]

    tell(tmp_path, "v1", story, database=database_url)


def test_a_call_routed_by_hand_is_hung_up_by_way_of_the_other_process(
    tmp_path: Path, database_url: DatabaseUrl
) -> None:
    """Without an account, too: it is listed, looked at and ended by whichever is asked."""

    async def main() -> None:
        given: dict[str, Any] = {"database": database_url, "operator": {"token": TOKEN}}
        async with (
            running(tmp_path, alone=False, **given) as holder,
            running(tmp_path, alone=False, **given) as asked,
            aiohttp.ClientSession(headers={"authorization": f"Bearer {TOKEN}"}) as http,
        ):
            base = asked.url.replace("ws://", "http://").rpartition("/")[0]
            call = asyncio.ensure_future(
                place_call(holder.url, Plan(patience=30, linger=60), lambda _at, _line: None, "c1")
            )
            await until(lambda: any(line["kind"] == "agent" for line in holder.lines()))
            (name,) = holder.registry.in_progress
            here = {"id": name, "agent": "reception", "host": HOST, "pid": os.getpid()}
            async with http.get(f"{base}/calls") as answer:
                assert (await answer.json())["calls"] == [here]
            async with http.get(f"{base}/calls/{name}") as answer:
                known = await answer.json()
                assert {field: known[field] for field in here} == here
            async with http.post(f"{base}/calls/{name}/hangup", json={}) as answer:
                assert answer.status == 202
            await call
            async with http.get(f"{base}/calls/nobody") as answer:
                assert answer.status == 404
            async with http.post(f"{base}/calls/nobody/hangup", json={}) as answer:
                assert answer.status == 404

    asyncio.run(main())
