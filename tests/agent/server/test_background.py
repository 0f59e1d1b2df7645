"""What runs beside the calls goes on, whatever goes wrong in it. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web
from structlog.testing import capture_logs

from agent.server.registry import CallRegistry
from agent.server.start import service
from agent.settings import Settings
from agent.sinch.call_control import ExpectedCall
from agent.store.folder import FolderStore
from pipelines.conversation import Brief, Message
from pipelines.providers.contracts import Piece, ProviderError
from pipelines.providers.scripted import LanguageModel, LanguageModelOptions
from tests.agent.conversation import Loudness, voice
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


class Surprising(FolderStore):
    """A folder in which the first look finds what nobody thought of."""

    looks = 0

    def orders(self, calls: Iterable[str]) -> Iterator[tuple[str, Any]]:
        self.looks += 1
        if self.looks == 1:
            raise KeyError("kind")
        return super().orders(calls)


def test_a_bug_in_an_order_does_not_end_the_looking(tmp_path: Path) -> None:
    """Orders of other processes are carried on, a moment later."""
    store = Surprising(tmp_path)

    async def prepare(expected: ExpectedCall) -> None:
        raise AssertionError(expected)

    async def main() -> None:
        registry = CallRegistry(transcripts=tmp_path, prepare=prepare, expected_within=60)
        registry.carry_orders(store)
        await asyncio.sleep(5)
        await registry.aclose()

    with capture_logs() as logs:
        run(main())
    assert store.looks > 10
    assert [entry["work"] for entry in logs] == ["carrying orders of other processes"]
