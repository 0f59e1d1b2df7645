"""Nothing that blocks runs on the event loop while calls do: no file, no import, no look-up."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from agent.server import providers
from agent.server.assembly import service
from agent.server.start import running_turn_model
from agent.settings import Settings
from agent.simulator.plan import Plan, Turn
from agent.store.store import opened
from pipelines.listening.detectors import detectors
from pipelines.stages.probe import probe_speech
from tests.agent.loopback import until
from tests.agent.server.test_app import converse
from tests.file_trap import Trap, trapped

AGENT = """---
greeting: Hello.
numbers: ['+12025550100']
---
Be brief.
"""

OURS = "/simulator/"
"""The caller's side, which runs on the same loop here."""

MEMORY = "/proc/self/"
"""What the kernel writes down at once, and no disk: the figures of this process."""


def test_the_trap_catches(tmp_path: Path) -> None:
    """What it is there for."""
    with trapped() as trap:
        (tmp_path / "a").write_text("")
        list(tmp_path.iterdir())
    events = [event for event, *_ in trap.caught]
    assert events == ["open", "os.listdir"]
    with trapped() as trap:
        asyncio.run(asyncio.to_thread((tmp_path / "a").read_text))
    assert not [event for event, *_ in trap.caught if event == "open"]


@pytest.mark.usefixtures("nothing_left")
def test_calls_touch_no_file_on_the_loop(tmp_path: Path) -> None:
    """Of the embedded stack, from the callback to the platform's last word, the first included."""
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    for n in range(70):
        (prompts / f"a{n}.md").write_text(AGENT)
    settings = Settings(
        prompts=prompts,
        agent="a1",
        transcripts=tmp_path / "transcripts",
        database=f"sqlite:///{tmp_path}/voice-agent.db",
        operator={"token": "0123456789abcdef"},
        records={"keep_files": True},
    )

    async def main() -> Trap:
        async with (
            opened(settings.database) as store,
            providers.running(
                settings.providers(), settings.budget, settings.llm, tmp_path / "phrases"
            ) as started,
            running_turn_model(settings.turns) as turn_model,
        ):
            built = service(settings, started, detectors(settings.vad), turn_model, store=store)
            runner = web.AppRunner(built.application(), access_log=None)
            await runner.setup()
            try:
                site = web.TCPSite(runner, "127.0.0.1", 0)
                await site.start()
                host = f"127.0.0.1:{runner.addresses[0][1]}"
                speech = probe_speech()
                async with aiohttp.ClientSession() as session:
                    with trapped() as trap:
                        plan = Plan(turns=[Turn(audio=speech, label="a word or two")])
                        call = await converse(f"ws://{host}/stream", plan)
                        assert call.failure() == ""
                        await until(lambda: not built.registry.in_progress)
                        assert await built.agents.answering("+12025550100") == "a0"
                        built.registry.platform_line("c1", {"result": "ANSWERED"}, {})
                        built.registry.platform_line("unknown", {"result": "BUSY"}, {})
                        for path in ("health", "metrics", "calls"):
                            await session.get(f"http://{host}/{path}")
                        token = {"authorization": "Bearer 0123456789abcdef"}
                        for to in ("+4930123456", "+442079460000"):
                            dial = {"to": to}
                            await session.post(f"http://{host}/calls", json=dial, headers=token)
                        await built.registry.records.written()
            finally:
                await runner.cleanup()
        assert len(list(settings.transcripts.glob("*.jsonl"))) == 3
        return trap

    caught = [
        entry
        for entry in asyncio.run(main()).caught
        if not any(OURS in place or "/tests/" in place for place in entry[2:5])
        and not entry[1].startswith(MEMORY)
    ]
    assert caught == []
