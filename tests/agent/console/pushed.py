"""A browser that is pushed events, and a caller who speaks in real time; both without one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp

from tests.agent.console.visiting import Looker
from tests.agent.conversation import LOUD

Event = tuple[str, dict[str, Any]]
"""Its name, and its data."""


def http(url: str) -> str:
    """Return where the pages of a service are, by the address of its stream endpoint."""
    return url.removesuffix("/stream").replace("ws:", "http:")


def live(url: str, name: str, what: str) -> str:
    """Return the address of something of one call in progress."""
    return f"{http(url)}/console/live/{quote(name, safe='')}/{what}"


class Pushed:
    """A stream of events, as it comes."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.events: list[Event] = []
        self.last_id = ""

    async def next(self, within: float = 15.0) -> Event | None:
        """Return the next event; None at the end of the stream."""
        event, data = "", ""
        async with asyncio.timeout(within):
            async for raw in self.response.content:
                name, _, value = raw.decode().rstrip("\n").partition(": ")
                if name == "event":
                    event = value
                elif name == "data":
                    data = value
                elif name == "id":
                    self.last_id = value
                elif not name and event:
                    self.events.append((event, json.loads(data)))
                    return self.events[-1]
        return None

    async def until(self, event: str, /, **wanted: Any) -> dict[str, Any]:
        """Return the data of the next event of that name, and with these fields."""
        while (came := await self.next()) is not None:
            if came[0] == event and all(came[1].get(k) == one for k, one in wanted.items()):
                return came[1]
        raise AssertionError(f"the stream has ended: {self.events}")

    async def rest(self) -> list[Event]:
        """Return all that comes until the stream ends."""
        came = len(self.events)
        while await self.next() is not None:
            continue
        return self.events[came:]


@asynccontextmanager
async def pushed(address: str, **headers: str) -> AsyncIterator[Pushed]:
    """Open a stream of events."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with aiohttp.ClientSession() as session, session.get(address, headers=given) as response:
        assert response.status == 200, await response.text()
        yield Pushed(response)


async def post(address: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    """Ask for something to be done, as a page of ours does; return status and answer."""
    base = address[: address.index("/console/")]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        browser = Looker(session, base)
        answer = await browser.send("POST", address.removeprefix(base), json=body)
        return answer.status, json.loads(answer.text)


@asynccontextmanager
async def calling(
    url: str, name: str = "c1", **connect: Any
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Call, and be answered. Hangs up in the end."""
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        said = {"command": "connect", "callId": name, "codec": "PCM", "sampleRate": 8000}
        await socket.send_json(said | connect)
        while json.loads((await socket.receive(timeout=10)).data).get("command") != "answer":
            continue
        yield socket


async def say(socket: aiohttp.ClientWebSocketResponse, script: str) -> None:
    """Speak for each ``+``, be silent for each ``.``: 100 ms each."""
    for mark in script:
        for _ in range(5):
            await socket.send_bytes(LOUD if mark == "+" else bytes(len(LOUD)))
            await asyncio.sleep(0.02)
