"""Whoever is declined, and whoever asks why, is told one reason."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
from structlog.testing import capture_logs

from agent.server.assembly import _summary_model
from agent.server.load.capacity import AS_MANY, BEGUN, CARRIED, Capacity, why_broken
from agent.server.load.loop_load import LoopLoad
from agent.server.load.machine import Room
from agent.server.load.overload import Overload
from agent.server.registry import DRAINING, CallRegistry
from agent.settings import Settings
from pipelines.providers.contracts import Stage
from tests.agent.console.pushed import http, pushed
from tests.agent.conversation import voice
from tests.agent.loopback import Running, command, declined, dialled, running
from tests.agent.server.test_app import CONNECT

LATE = "overload: the event loop is late"
REASONS = (AS_MANY, BEGUN, CARRIED, LATE, why_broken("tts"), DRAINING)


def limit(registry: CallRegistry, reason: str, down: list[Stage]) -> None:
    """Have a process with one call decline others for a reason, and for no other."""
    capacity = registry.capacity
    most = 1 if reason == AS_MANY else 100
    capacity.room = Room(most=most, at_once=1 if reason == BEGUN else most)
    capacity.load.core = 0.001 if reason == CARRIED else 1000.0
    capacity.overload.reason = "the event loop is late" if reason == LATE else ""
    down[:] = ["tts"] if reason == why_broken("tts") else []
    registry.draining = reason == DRAINING


def test_all_who_ask_are_told_the_reason_for_which_calls_are_declined(tmp_path: Path) -> None:
    """The log, `/health`, the metrics, the console and its events: in the same words."""

    async def main() -> None:
        async with running(tmp_path) as server, AsyncExitStack() as stack:
            down: list[Stage] = []
            server.registry.capacity._down = lambda: down
            call = await stack.enter_async_context(dialled(server.url))
            await call.send_json(CONNECT)
            assert await command(call) == "answer"
            session = await stack.enter_async_context(aiohttp.ClientSession())
            page = await stack.enter_async_context(pushed(f"{http(server.url)}/console/events"))
            assert await page.until("refusing") == {"reason": ""}
            for reason in REASONS:
                limit(server.registry, reason, down)
                with capture_logs() as logs:
                    assert await declined(server.url) == 503
                refused = [line for line in logs if line["event"] == "call refused"]
                assert [line["reason"] for line in refused] == [reason]
                assert await told(server, session) == [reason] * 3
                await page.until("refusing", reason=reason)
            assert [server.registry.capacity.declined_for[reason] for reason in REASONS] == [1] * 6
            limit(server.registry, "", down)
            assert await told(server, session) == [""] * 3
            await page.until("refusing", reason="")

    asyncio.run(main())


async def told(server: Running, session: aiohttp.ClientSession) -> list[str]:
    """Return why no call is taken, as three places have it; ``""`` where one is."""

    async def found(path: str, pattern: str) -> str:
        async with session.get(f"{http(server.url)}{path}") as answer:
            one = re.search(pattern, await answer.text())
        return one[1] if one else ""

    return [
        await found("/health", r'"refusing": "([^"]*)"'),
        await found("/metrics", r'voice_agent_refusing{reason="([^"]*)"} 1\.0'),
        await found("/console", r"No more calls are taken: ([^<]*)<"),
    ]


def test_nothing_is_begun_beside_calls_while_they_want_all_of_the_machine() -> None:
    """Summaries wait for a core that is full as for an overload."""
    load, overload = LoopLoad(), Overload(list)
    capacity = Capacity(Room(most=9, at_once=9), overload, load=load)
    model = _summary_model(Settings(), voice(), capacity)
    assert not model.busy()
    load.full = True
    assert model.busy()
    load.full, overload.reason = False, "the event loop is late"
    assert model.busy()


def test_the_room_that_is_told_is_the_room_that_there_is() -> None:
    """One call is taken where none is, whatever is measured; unless nobody could speak with it."""
    down: list[Stage] = []
    capacity = Capacity(Room(most=9, at_once=9), Overload(list), lambda: down, LoopLoad(0.001))
    for reason in ("", "the event loop is late"):
        capacity.overload.reason = reason
        for here in (0, 1):
            taken = not capacity.refusal(taken=here, here=here, young=0, has_place=False)
            assert (capacity.room_left(here) > 0) == taken == (here == 0)
    down.append("tts")
    assert capacity.room_left(0) == 0
