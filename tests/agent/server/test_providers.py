"""The configured providers: built, probed, and how they are told of."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agent.personas.loader import parse
from agent.personas.script import SAMPLE, Details
from agent.server.load.capacity import NOBODY
from agent.server.phrase_folder import PhraseFolder
from agent.server.providers import build, probe_all, running, table, warm
from agent.settings import Settings, SettingsError
from agent.simulator.plan import Plan
from agent.simulator.stream_caller import place_call
from pipelines.audio import SPEECH_RATE
from pipelines.providers.contracts import ProviderError, Speech
from pipelines.providers.scripted import (
    LanguageModel,
    LanguageModelOptions,
    Synthesizer,
    SynthesizerOptions,
    Transcriber,
    TranscriberOptions,
)
from pipelines.stages.lineup import Providers
from pipelines.stages.phrases import PhraseStore
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


def test_a_key_that_is_missing_stops_the_start_by_its_name(tmp_path: Path) -> None:
    """Those of providers that are not used are not asked for."""

    async def start(given: Settings) -> None:
        async with running(given.providers(), given.budget, given.llm, tmp_path):
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


@pytest.mark.parametrize("stage", ["stt", "llm", "tts"])
def test_while_nobody_of_a_stage_works_the_service_is_not_well(stage: str, tmp_path: Path) -> None:
    """It says so with 503, and is well again by itself: those who failed are probed."""
    makes: dict[str, Callable[[], Any]] = {
        "stt": lambda: Transcriber(TranscriberOptions(fault="fails", faults=2)),
        "llm": lambda: LanguageModel(LanguageModelOptions(fault="fails", faults=2)),
        "tts": lambda: Synthesizer(SynthesizerOptions(fault="fails", faults=2)),
    }

    async def main() -> None:
        providers = voice(**{stage: makes[stage]()})
        async with serving(tmp_path, providers) as server, aiohttp.ClientSession() as http:
            base = server.url.replace("ws://", "http://").removesuffix("/stream")
            (pool,) = (one for one in providers.pools if one.stage == stage)

            async def health() -> tuple[int, dict[str, str]]:
                async with http.get(f"{base}/health") as answer:
                    return answer.status, (await answer.json())["failures"]

            assert await health() == (200, {})
            for _ in range(2):
                pool.failed(pool.candidates[0], ProviderError(pool.stage, "it broke"))
            assert await health() == (503, {pool.stage: f"no {NOBODY[pool.stage]} works"})
            assert server.registry.no_room()
            while not pool.candidates[0].healthy:
                pool.candidates[0].cooldown_until = 0.0
                await asyncio.sleep(0.1)
            assert await health() == (200, {})

    asyncio.run(main())


def test_check_live_tells_a_script_by_its_status(tmp_path: Path) -> None:
    """1 if one does not work."""
    (tmp_path / "voice-agent.toml").write_text(
        """
        stt = { provider = "scripted" }
        llm = { provider = "scripted", options = { fault = "empty" } }
        tts = { provider = "scripted" }
        server = { port = 0 }
        """
    )
    command = [sys.executable, "-m", "agent.cli", "check", "--live"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "nothing came" in done.stdout
    assert done.stderr == ""


class Refusing(Synthesizer):
    """A voice that may be refused, and counts what it was asked for."""

    def __init__(self, *, refused: bool) -> None:
        super().__init__(SynthesizerOptions())
        self.refused = refused
        self.spoken: list[str] = []

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        self.spoken.append(text)
        if self.refused:
            raise ProviderError("tts", "refused")
        async with aclosing(super().speak(text, rate)) as pieces:
            async for piece in pieces:
                yield piece


def with_folder(tts: Synthesizer, folder: Path) -> Providers:
    """Scripted providers that keep fixed sentences in a folder, as the service does."""
    return replace(voice(tts=tts), phrases=PhraseStore(files=PhraseFolder(folder, "mine")))


AGENT = """---
greeting: "Hello {{ caller }}. Welcome to Linden Street."
apology: Sorry?
goodbye: Bye.
---
Be brief.
"""


def test_what_an_agent_always_says_outlives_the_process_and_no_caller_s_name_does(
    tmp_path: Path,
) -> None:
    """It is spoken once; after a restart without a voice it is there all the same."""
    persona = parse(AGENT)
    script = persona.render(Details(now=SAMPLE.now, caller="Zoe"))
    again = persona.render(Details(now=SAMPLE.now, caller="Adam"))

    async def main() -> None:
        first, second = Refusing(refused=False), Refusing(refused=True)
        await warm(with_folder(first, tmp_path), script, 8000)
        assert {"Hello Zoe.", "Welcome to Linden Street.", "Sorry?", "Bye."} <= set(first.spoken)
        restarted = with_folder(second, tmp_path)
        await warm(restarted, again, 8000)
        assert set(second.spoken) == {"Hello Adam.", "Welcome to Linden Street."}
        tts = restarted.lineup().tts
        assert {"Sorry?", "Bye."} <= again.lasting_sentences
        assert all(tts.kept(one, 8000) for one in again.lasting_sentences)
        assert tts.kept("Hello Adam.", 8000) == ()

    asyncio.run(main())


def test_another_voice_s_sentences_are_not_kept_for_the_first(tmp_path: Path) -> None:
    """Or the one that took over for an hour would greet callers for good."""
    script = parse(AGENT).render(SAMPLE)
    first, second = Refusing(refused=True), Refusing(refused=False)
    files = PhraseStore(files=PhraseFolder(tmp_path, "mine"))
    asyncio.run(warm(replace(voice(tts=[first, second]), phrases=files), script, 8000))
    assert second.spoken
    assert list(tmp_path.iterdir()) == []
