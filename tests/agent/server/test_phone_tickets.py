"""Tickets of the browser phone: each lets one call in, for a minute."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from agent.server.phone_tickets import GOOD_FOR, PhoneTickets
from agent.settings.database import DatabaseUrl
from agent.store.store import opened
from tests.agent.console.visiting import looker
from tests.agent.loopback import command, declined, dialled, running
from tests.databases import FILE

pytestmark = pytest.mark.usefixtures("nothing_left")

TOKEN = "a secret of this service"
CONNECT = {"command": "connect", "callId": "browser-1", "codec": "PCM", "sampleRate": 8000}


def test_a_ticket_lets_one_call_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a second one, nor one that has expired, nor one that was made up."""

    async def say(url: str) -> str:
        async with dialled(url) as socket:
            await socket.send_json(CONNECT)
            return await command(socket)

    async def main() -> None:
        async with running(tmp_path, server={"token": TOKEN}) as server:
            assert await declined(server.url) == 101  # the token may come with `connect`
            async with opened(DatabaseUrl(f"sqlite:///{tmp_path}/{FILE}")) as store:
                tickets = PhoneTickets(store.console)
                good, old = await tickets.issue(), await tickets.issue()
            assert await say(f"{server.url}/{good}") == "answer"
            assert await say(f"{server.url}/{good}") == "reject"
            assert await say(f"{server.url}/phone.made-up") == "reject"
            later = time.time() + GOOD_FOR + 1
            monkeypatch.setattr(time, "time", lambda: later)
            assert await say(f"{server.url}/{old}") == "reject"

    asyncio.run(main())


def test_the_page_hands_out_tickets(tmp_path: Path) -> None:
    """Where every other call needs a token, the call that the page begins is answered."""

    async def main() -> None:
        async with running(tmp_path, server={"token": TOKEN}) as server:
            async with looker(server) as browser:
                begun = json.loads((await browser.send("POST", "/console/phone")).text)
            async with dialled(server.url.removesuffix("/stream") + begun["path"]) as socket:
                await socket.send_json(CONNECT | {"callId": begun["call_id"]})
                assert await command(socket) == "answer"

    asyncio.run(main())
