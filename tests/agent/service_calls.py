"""Calls through all of a service but its sockets, so that they may be held in virtual time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from aiohttp import web

from agent.server.admission import Caller as Who
from agent.server.admission import Ticket
from agent.server.answering import _Visit
from agent.server.app import Service
from agent.server.assembly import service
from agent.settings import Settings
from agent.store.arrivals import Looking
from agent.store.store import store_in
from agent.stream.connect import Connect
from agent.stream.protocol import StreamProtocol
from agent.stream.websocket import WebSocketLine
from pipelines.background import BackgroundTasks
from pipelines.clock import now
from pipelines.stages.lineup import Providers
from tests.agent.conversation import Caller, Loudness
from tests.agent.loopback import AGENT
from tests.agent.personas.inline import InlineThreads
from tests.databases import FILE, InlineDatabase

SCRIPT = "." * 24 + "+" * 4 + "." * 40
"""A greeting is heard, a question asked, and its answer heard."""


class _Line(Caller):
    """A line without a socket."""

    socket = SimpleNamespace(far_end_closed=None)

    def carry(self, rate: int) -> None:
        """It carries whatever comes."""


class ServiceCalls:
    """Calls of one service.

    Args:
        built: Put together; its records are kept.
    """

    def __init__(self, built: Service) -> None:
        self.built = built
        self.count = 0
        """Calls that were begun."""

    @classmethod
    @asynccontextmanager
    async def served(cls, folder: Path, providers: Providers) -> AsyncIterator[ServiceCalls]:
        """Have a service that keeps records, in files and in its database, and no door."""
        prompts = folder / "prompts"
        prompts.mkdir()
        (prompts / "reception.md").write_text(AGENT)
        given: dict[str, Any] = {
            "prompts": prompts,
            "transcripts": folder / "transcripts",
            "database": f"sqlite:///{folder}/voice-agent.db",
        }
        settings, background = Settings(**given), BackgroundTasks()
        store = store_in(InlineDatabase(folder / FILE), Looking())
        built = service(settings, providers, Loudness, store=store)
        # A clock that jumps does so in the middle of what threads of their own do.
        assert built.processes is not None
        assert built.keeping.database is not None
        built.agents._threads = InlineThreads()
        built.keeping.writer._threads = InlineThreads()
        built.keeping.database.loader._threads = cast("Any", InlineThreads())
        await built.agents.start()
        built.registry.carry_orders(built.processes)
        built.keeping.run_in(background)
        try:
            yield cls(built)
        finally:
            await background.aclose()
            await built.registry.aclose()
            await built.keeping.aclose()
            await built.agents.aclose()

    async def knock(self, script: str = SCRIPT) -> int:
        """Have a stream come without a token, `connect` and all; return the code of its end."""
        self.count += 1
        said = {"command": "connect", "callId": f"call-{self.count}", "sampleRate": 8000}
        line = _Line(script, extra=[json.dumps(said)])
        line._due = now()
        streams = self.built.streams
        with ExitStack() as place:
            visit = _Visit(
                request=cast("web.Request", None),
                caller=Who(query={}, path_token="", remote="127.0.0.1", proxied=False),
                ticket=Ticket(trusted=False),
                address="127.0.0.1",
                name=str(self.count),
                claims=None,
                place=place,
                came=now(),
            )
            return await streams._take(visit, cast("WebSocketLine", line))

    async def hold(self, script: str = SCRIPT) -> None:
        """Hold a call, from its `connect` to its record."""
        self.count += 1
        said = {"command": "connect", "callId": f"call-{self.count}", "sampleRate": 8000}
        protocol = StreamProtocol()
        connect = protocol.receive(json.dumps(said))
        assert isinstance(connect, Connect)
        who = Who(query={}, path_token="", remote="127.0.0.1", proxied=False)
        streams = self.built.streams
        admitted = await streams._admission.admit(who, connect)
        protocol.answer()
        line = _Line(script)
        line._due = now()
        with ExitStack() as place:
            await streams._runner.hold(
                admitted, cast("WebSocketLine", line), protocol, connect, now(), place
            )
