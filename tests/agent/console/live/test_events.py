"""Calls in progress as they are pushed to browsers."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import aiohttp
import pytest

from agent.console.live.lines import call_as_shown, line_as_shown
from agent.console.visitor import Role, Visitor
from agent.server.live.feed import CallFeed, LocalFeed
from agent.server.live.happenings import MOST_QUEUED, CallFacts, LastWords, LiveLine
from tests.agent.console.pushed import calling, http, live, post, pushed, say
from tests.agent.conversation import voice
from tests.agent.loopback import running, until

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
    monkeypatch.setattr("agent.console.live.events.BEGINS_WITHIN", 0.2)

    async def main() -> None:
        async with running(tmp_path) as server:
            async with pushed(live(server.url, "nobody", "events")) as page:
                assert await page.rest() == [("none", {})]
            assert (await post(live(server.url, "nobody", "hang-up")))[0] == 404

    asyncio.run(main())


def test_what_a_slow_browser_misses_is_read_from_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of too many lines the oldest are dropped; they are told all the same, once and in order."""
    monkeypatch.setattr("agent.server.live.happenings.MOST_QUEUED", 2)

    async def main() -> None:
        async with running(tmp_path) as server, pushed(live(server.url, "c1", "events")) as page:
            async with calling(server.url):
                await page.until("line", kind="call")
            await page.rest()
            kept = server.lines()
            assert len(kept) > 4
            assert [data for kind, data in page.events if kind == "line"] == kept
            # A browser that comes again goes on where it was.
            at = page.last_id.rpartition(":")[0] + ":1"
            async with pushed(live(server.url, "c1", "events"), last_event_id=at) as again:
                rest = await again.rest()
            assert [data for kind, data in rest if kind == "line"] == kept[2:]
            # What is of another call, or of no line, is told from the first on.
            for odd in ("0" * 32 + ":3", at.rpartition(":")[0] + ":" + "9" * 30, ":1", "x"):
                async with pushed(live(server.url, "c1", "events"), last_event_id=odd) as other:
                    rest = await other.rest()
                assert [data for kind, data in rest if kind == "line"] == kept

    asyncio.run(main())


def test_who_does_not_read_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call says far more than a browser takes: nothing grows, and the browser is disconnected."""
    monkeypatch.setattr("agent.console.live.event_stream.TAKEN_WITHIN", 0.2)

    async def main() -> None:
        async with running(tmp_path) as server, calling(server.url):
            feed = server.registry.feeds.calls["c1"]
            host, port = http(server.url).removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port), limit=1)
            writer.write(b"GET /console/live/c1/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            await until(lambda: feed.followed)
            long = LiveLine(None, "caller", {"text": "x" * 20_000})
            async with asyncio.timeout(20):
                while feed.followed:
                    feed.tell(*[long] * 100)
                    assert all(len(one._waiting) <= MOST_QUEUED for one in feed._followers)
                    await asyncio.sleep(0.01)
            writer.transport.abort()
            assert await reader.read(1) == b"H"

    asyncio.run(main())


def test_who_leaves_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the next beat; and then a call tells nobody anything any more."""
    monkeypatch.setattr("agent.console.live.event_stream.BEAT_EVERY", 0.1)

    async def main() -> None:
        async with running(tmp_path) as server, calling(server.url):
            feeds = server.registry.feeds
            async with pushed(f"{http(server.url)}/console/events") as page:
                await page.until("calls")
                assert feeds.watched
            await until(lambda: not feeds.watched)
            feed = feeds.calls["c1"]
            assert isinstance(feed, LocalFeed)
            assert feed._record.told is None

    asyncio.run(main())


def test_so_many_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of viewers is told to come again; when one leaves there is room again."""
    monkeypatch.setattr("agent.console.live.event_stream.MOST_VIEWERS", 2)
    monkeypatch.setattr("agent.console.live.event_stream.BEAT_EVERY", 0.1)

    async def main() -> None:
        async with running(tmp_path) as server, aiohttp.ClientSession() as session:
            address = f"{http(server.url)}/console/events"
            async with pushed(address), pushed(address):
                for _ in range(20):
                    async with session.get(address) as full:
                        assert (full.status, full.headers["retry-after"]) == (503, "5")
            async with asyncio.timeout(10):
                while True:
                    async with session.get(address) as response:
                        if response.status == 200:
                            return

    asyncio.run(main())


def test_the_end_of_the_service_is_the_end_of_what_is_pushed(tmp_path: Path) -> None:
    """Nobody who looks holds up a stop."""

    async def main() -> None:
        async with running(tmp_path) as server:
            address = f"{http(server.url)}/console/events"
            page_at_the_end = pushed(address)
            page = await page_at_the_end.__aenter__()
            await page.until("calls")
            began = time.monotonic()
        assert await page.rest() == [("refusing", {"reason": ""})]
        assert time.monotonic() - began < 5
        await page_at_the_end.__aexit__(None, None, None)

    asyncio.run(main())


@pytest.mark.parametrize("name", ["a/b?c#d", "<b>&\"'", "ü ✓ %2F", "x" * 256])
def test_calls_may_be_called_anything(tmp_path: Path, name: str) -> None:
    """The platform names them; in an address the name is encoded."""

    async def main() -> None:
        async with running(tmp_path) as server, pushed(live(server.url, name, "events")) as page:
            async with calling(server.url, name):
                line = await page.until("line", kind="call")
                assert line["call_id"] == name
            assert (await page.rest())[-1][0] == "over"

    asyncio.run(main())


def test_what_is_redacted_is_not_pushed_either(tmp_path: Path) -> None:
    """Neither as a line nor as last words: they are told as they are written."""
    said = "my card number is 4111 1111 1111 1111 thank you"

    async def main() -> None:
        providers, privacy = voice([said]), {"redact": ["card"]}
        async with (
            running(tmp_path, providers, privacy=privacy) as server,
            pushed(f"{http(server.url)}/console/events") as listed,
            pushed(live(server.url, "c1", "events")) as page,
        ):
            async with calling(server.url) as socket:
                await page.until("line", text="Hello, who is this?")
                await say(socket, "+++++" + "." * 12)
                line = await page.until("line", kind="caller")
                assert "thank you" in line["text"]
            await listed.until("gone", name="c1")
            assert "1111" not in str([*page.events, *listed.events])

    asyncio.run(main())


NUMBER, OURS = "+4915112345678", "+15550000001"


@pytest.mark.parametrize(("role", "whole"), [(Role.LOOK, False), (Role.LISTEN, True)])
def test_numbers_are_shown_to_those_who_may(role: Role, whole: bool) -> None:
    """In the list, in the first line, and wherever else the call repeats them."""
    visitor = Visitor(name="ann", role=role)
    facts = CallFacts(name="c1", agent="reception", caller=NUMBER, called=OURS)
    feed = CallFeed(facts)
    feed.said = LastWords("agent", f"You call from {NUMBER}.")
    fields = {"caller": NUMBER, "called": OURS, "headers": {"from": NUMBER, "x": "1"}}
    found = [
        json.dumps(call_as_shown(feed, visitor)),
        line_as_shown("call", fields, facts, visitor),
        line_as_shown("tool", {"arguments": {"who": "4915112345678"}}, facts, visitor),
        line_as_shown("transfer", {"to": "+15550000009"}, facts, visitor),
    ]
    assert [any(d in one for d in (NUMBER[4:], OURS[4:], "5550000009")) for one in found] == [
        whole
    ] * 4
    assert ('"headers"' in found[1]) is whole
