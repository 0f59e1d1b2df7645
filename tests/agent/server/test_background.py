"""What runs beside the calls goes on, whatever goes wrong in it. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from aiohttp import web
from structlog.testing import capture_logs

from agent.call.call import Call
from agent.records.journals.writer import RecordWriter
from agent.server.assembly import service
from agent.server.load.capacity import Capacity
from agent.server.load.machine import Room
from agent.server.load.overload import Overload
from agent.server.registry import CallRegistry
from agent.settings import Settings
from agent.sinch.contracts import ExpectedCall
from agent.sinch.legs.processes import OtherProcesses
from agent.store.arrivals import Looking
from agent.store.engine import T, Work
from agent.store.store import store_in
from pipelines.conversation import Brief, Message
from pipelines.providers.contracts import Piece, ProviderError
from pipelines.providers.scripted import LanguageModel, LanguageModelOptions
from tests.agent.conversation import Loudness, voice
from tests.databases import FILE, InlineDatabase
from tests.virtual_time import run


class Buggy(LanguageModel):
    """Has a bug that the first request meets, and no other."""

    asked = 0

    def reply(self, brief: Brief, conversation: Sequence[Message]) -> AsyncGenerator[Piece, None]:
        self.asked += 1
        if self.asked == 1:
            raise KeyError("what was said")
        return super().reply(brief, conversation)


def test_a_bug_in_a_probe_does_not_end_the_watch() -> None:
    """It is logged as a bug; the provider is probed again, and found to work."""
    buggy = Buggy(LanguageModelOptions())
    providers = voice(llm=[buggy, LanguageModel(LanguageModelOptions())])

    async def main() -> None:
        built = service(Settings(), providers, Loudness)
        watching = built._watching_providers(web.Application())
        await anext(watching)
        candidate = providers.llm.candidates[0]
        providers.llm.failed(candidate, ProviderError("llm", "it broke"))
        await asyncio.sleep(60)
        assert candidate.healthy
        await anext(watching, None)

    with capture_logs() as logs:
        run(main())
    assert buggy.asked == 2
    (bug,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert bug["event"] == "background work failed: this is a bug"
    assert "llm" in bug["work"]


class Surprising(InlineDatabase):
    """A database in which the first look finds what nobody thought of."""

    looks = 0

    async def read(self, work: Work[T]) -> T:
        self.looks += 1
        if self.looks == 1:
            raise KeyError("kind")
        return await super().read(work)


class Obedient(Call):
    """A call that is there."""

    def __init__(self) -> None: ...


def test_a_bug_in_an_order_does_not_end_the_looking(tmp_path: Path) -> None:
    """Orders of other processes are carried on, a moment later."""
    database = Surprising(tmp_path / FILE)

    async def prepare(expected: ExpectedCall) -> None:
        raise AssertionError(expected)

    async def main() -> None:
        registry = CallRegistry(
            capacity=Capacity(Room(most=9, at_once=9), Overload(list)),
            records=RecordWriter(tmp_path),
            prepare=prepare,
            expected_within=60,
        )
        registry.carry_orders(OtherProcesses(store_in(database, Looking())))
        with registry.holding("phone", Obedient(), "reception"):
            await asyncio.sleep(5)
        await registry.aclose()

    with capture_logs() as logs:
        run(main())
    assert database.looks > 10
    assert [entry["work"] for entry in logs] == ["carrying orders of other processes"]
