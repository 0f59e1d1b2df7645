"""Calls in progress as they are pushed to browsers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.agent.console.pushed import calling, http, live, post, pushed, say
from tests.agent.conversation import voice
from tests.agent.loopback import running

pytestmark = pytest.mark.usefixtures("nothing_left")


def test_a_call_is_followed_from_before_it_begins_to_its_end(tmp_path: Path) -> None:
    """Each line of its record, once and in order; who has the floor; and what its record is."""

    async def main() -> None:
        async with running(tmp_path, voice(["what time is it"], ["It is noon."])) as server:
            async with pushed(live(server.url, "c1", "events")) as page:
                async with calling(server.url) as socket:
                    await page.until("line", text="Hello, who is this?")
                    await say(socket, "+++++" + "." * 15)
                    await page.until("line", text="It is noon.")
                rest = await page.rest()
            record = rest[-1][1]["record"]
            assert rest[-1][0] == "over"
            assert [one["name"] for kind, one in page.events if kind == "none"] == []
            kept = server.lines()
            assert [data for kind, data in page.events if kind == "line"] == kept
            assert kept[0]["id"] == record
            floors = [data["floor"] for kind, data in page.events if kind == "floor"]
            assert floors == ["agent", "nobody", "caller", "agent", "nobody"]
            async with pushed(live(server.url, record, "events")) as again:
                assert await again.rest() == [*(("line", one) for one in kept), rest[-1]]

    asyncio.run(main())


def test_the_list_is_pushed(tmp_path: Path) -> None:
    """A call that is there, its floor and last words as they change, and that it is gone."""

    async def main() -> None:
        async with running(tmp_path, voice(["what time is it"], ["It is noon."])) as server:
            address = f"{http(server.url)}/console/events"
            async with calling(server.url, "one"), pushed(address) as page:
                (call,) = (await page.until("calls"))["calls"]
                assert (call["name"], call["agent"]) == ("one", "reception")
                assert call["direction"] == "incoming"
                assert call["started"] > 1e9
                said = {"who": "agent", "text": "Hello, who is this?"}
                await page.until("call", said=said)
                async with calling(server.url, "two") as socket:
                    await page.until("call", name="two")
                    await say(socket, "+++")
                    await page.until("call", floor="caller")
                await page.until("gone", name="two")

    asyncio.run(main())


def test_no_such_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for one is told so after a while, and what cannot be done says why."""
    monkeypatch.setattr("agent.console.live_events.BEGINS_WITHIN", 0.2)

    async def main() -> None:
        async with running(tmp_path) as server:
            async with pushed(live(server.url, "nobody", "events")) as page:
                assert await page.rest() == [("none", {})]
            assert (await post(live(server.url, "nobody", "hang-up")))[0] == 404

    asyncio.run(main())
