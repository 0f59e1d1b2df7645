"""The configured providers: built, probed, and how they are told of."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from agent.server.providers import build, probe_all, running, table
from agent.settings import Settings, SettingsError
from agent.simulator.plan import Plan
from agent.simulator.stream_caller import place_call
from pipelines.providers.contracts import ProviderError
from pipelines.providers.scripted import LanguageModel, LanguageModelOptions
from tests.agent.conversation import voice
from tests.agent.loopback import Running
from tests.agent.loopback import running as serving

SCRIPTED = {
    "stt": {"provider": "scripted"},
    "llm": {"provider": "scripted"},
    "tts": {"provider": "scripted"},
}


def settings(**sections: object) -> Settings:
    return Settings.model_validate({**SCRIPTED, **sections})


def test_each_is_asked_for_something_tiny() -> None:
    """And the table says which work, how fast, and what is wrong with the others."""
    broken = {"provider": "scripted", "options": {"fault": "fails"}}
    given = settings(llm={"provider": "scripted", "fallback": [broken]})
    lines = table(
        asyncio.run(probe_all(build(given.providers(), given.budget, given.llm)))
    ).splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        ["stt", "scripted", "yes"],
        ["llm", "scripted", "yes"],
        ["llm", "scripted#2", "no"],
        ["tts", "scripted", "yes"],
    ]
    assert lines[3].endswith("a fault, as told")


def test_a_key_that_is_missing_stops_the_start_by_its_name() -> None:
    """Those of providers that are not used are not asked for."""

    async def start(given: Settings) -> None:
        async with running(given.providers(), given.budget, given.llm):
            await asyncio.sleep(0)

    asyncio.run(start(settings()))
    fallback = {"provider": "scripted", "fallback": [{"provider": "deepgram"}]}
    with pytest.raises(SettingsError, match="set DEEPGRAM_API_KEY"):
        asyncio.run(start(settings(stt=fallback)))


def test_budgets_come_from_the_settings() -> None:
    """Patience among them."""
    given = settings(budget={"patience": 0.7})
    assert build(given.providers(), given.budget, given.llm).budgets.patience == 0.7


def test_the_state_of_providers_is_to_be_seen(tmp_path: Path) -> None:
    """In `/health` for people, in `/metrics` for Prometheus."""

    async def story(server: Running) -> None:
        base = server.url.replace("ws://", "http://").removesuffix("/stream")
        await place_call(server.url, Plan(), lambda _at, _line: None, "c1")
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{base}/health") as answer:
                told = (await answer.json())["providers"]
            async with http.get(f"{base}/metrics") as answer:
                assert answer.headers["Content-Type"].startswith("text/plain")
                measured = await answer.text()
        assert told == [
            {"stage": "stt", "provider": "1", "status": "unused"},
            {"stage": "llm", "provider": "1", "status": "cooling down"},
            {"stage": "llm", "provider": "2", "status": "unused"},
            {"stage": "tts", "provider": "1", "status": "ok"},
        ]
        lines = measured.splitlines()
        assert "voice_agent_calls_answered_total 1.0" in lines
        assert 'voice_agent_provider_up{provider="1",stage="llm"} 0.0' in lines
        assert 'voice_agent_provider_up{provider="2",stage="llm"} 1.0' in lines
        assert 'voice_agent_provider_failures_total{provider="1",stage="llm"} 1.0' in lines
        first = 'voice_agent_provider_first_result_seconds_count{provider="1",stage="tts"}'
        assert any(line.startswith(first) for line in lines)

    async def main() -> None:
        models = [LanguageModel(LanguageModelOptions()) for _ in range(2)]
        providers = voice(llm=models)
        async with serving(tmp_path, providers, alone=False) as server:
            pool = providers.llm
            pool.failed(pool.candidates[0], ProviderError("llm", "it broke"))
            await story(server)

    asyncio.run(main())


def test_check_live_tells_a_script_by_its_status(tmp_path: Path) -> None:
    """1 if one does not work."""
    (tmp_path / "voice-agent.toml").write_text(
        """
        stt = { provider = "scripted" }
        llm = { provider = "scripted", options = { fault = "empty" } }
        tts = { provider = "scripted" }
        """
    )
    command = [sys.executable, "-m", "agent.cli", "check", "--live"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "nothing came" in done.stdout
    assert done.stderr == ""
