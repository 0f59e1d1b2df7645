"""A real server on a real socket of this machine, with providers of one's choice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from agent.server.assembly import service
from agent.server.connections import HttpConnections
from agent.server.load.overload import Reading
from agent.server.registry import CallRegistry
from agent.server.workers.worker_slot import WorkerSlot
from agent.settings import Settings
from agent.store.store import opened
from pipelines.stages.lineup import Providers
from tests.agent.conversation import Loudness, voice
from tests.databases import FILE, new_file
from tests.journals import lines_of
from tests.patience import PATIENCE

AGENT = """---
greeting: Hello, who is this?
---
Be brief.
"""


@dataclass
class Running:
    """A server that answers calls."""

    url: str
    registry: CallRegistry
    app: web.Application
    transcripts: Path

    def lines(self) -> list[dict[str, Any]]:
        """Return all lines of all transcripts."""
        return lines_of(self.transcripts)


async def until(true: Callable[[], Any], within: float = PATIENCE) -> None:
    """Wait for something to be so; that it takes long is not what a test proves with this."""
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110 - what is waited for is in another's hands
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(
    folder: Path,
    providers: Providers | None = None,
    port: int = 0,
    *,
    alone: bool = True,
    head_within: float = 10.0,
    slot: WorkerSlot | None = None,
    **sections: Any,
) -> AsyncIterator[Running]:
    """Serve calls on a free port; ``sections`` are those of the settings.

    In the end no task is left but the caller's own; unless it is not ``alone``, and others start
    tasks meanwhile.
    """
    prompts = folder / "prompts"
    prompts.mkdir(exist_ok=True)
    if not (prompts / "reception.md").exists():
        (prompts / "reception.md").write_text(AGENT)
    if "database" not in sections and not (folder / FILE).exists():
        (folder / FILE).write_bytes(new_file())
    given: dict[str, Any] = {
        "prompts": prompts,
        "transcripts": folder / "transcripts",
        "database": f"sqlite:///{folder}/{FILE}",
        "records": {"keep_files": True},
        **sections,
    }
    settings = Settings(**given)
    before = asyncio.all_tasks()
    async with opened(settings.database) as store:
        built = service(settings, providers or voice(), Loudness, store=store, slot=slot)
        # No test is turned away because the machine that runs it is busy.
        built.registry.capacity.overload._read = lambda: [
            Reading(what="nothing", value=0.0, limit=1.0)
        ]
        built.registry.capacity.load.core = 1000.0
        app = built.application()
        connections = HttpConnections(
            settings.server, built.registry.capacity.room.most, head_within
        )
        async with connections.served(app, "127.0.0.1", port) as at:
            url = f"ws://{at[0]}:{at[1]}{settings.server.path}"
            yield Running(url, built.registry, app, folder / "transcripts")
    if not alone:
        return
    await asyncio.sleep(0.05)  # closed transports say so on the next turn of the loop
    left = {task for task in asyncio.all_tasks() - before if not task.done()}
    assert not left, f"still running: {left}"


@asynccontextmanager
async def dialled(url: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Connect a raw websocket."""
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        yield socket


async def declined(url: str, **headers: str) -> int:
    """Ask for a websocket that is not connected; return the status of HTTP."""
    async with aiohttp.ClientSession() as session:
        try:
            async with session.ws_connect(url, headers=headers):
                return 101
        except aiohttp.WSServerHandshakeError as error:
            return error.status


async def command(socket: aiohttp.ClientWebSocketResponse) -> str:
    """Return the next text message's command; "closed" once the socket is."""
    while True:
        message = await socket.receive(timeout=PATIENCE)
        if message.type is aiohttp.WSMsgType.TEXT:
            return str(json.loads(message.data)["command"])
        if message.type is not aiohttp.WSMsgType.BINARY:
            return "closed"
