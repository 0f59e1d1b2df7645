"""The providers that the settings name: built, started, warmed, asked whether they work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from agent.personas.errors import PersonaError
from agent.personas.script import Details, Script
from agent.server.admission import script_for
from agent.settings import STAGES, Settings, SettingsError
from agent.simulator.scenarios import DEFAULT as SCENARIOS
from agent.simulator.speech import recorded_turn
from pipelines.audio import SPEECH_RATE, Audio
from pipelines.providers.contracts import ProviderError, Stage
from pipelines.stages.lineup import Providers, probe
from pipelines.stages.pool import ProviderPool

log = structlog.get_logger()

START_WITHIN = 60.0
"""Seconds for the providers to load their models and open their connections."""


def build(settings: Settings) -> Providers:
    """Build what the settings name; start it before use.

    Raises:
        SettingsError: If there is no such provider, or its options are wrong.
    """
    pools: dict[Stage, ProviderPool[Any]] = {}
    for stage in STAGES:
        chosen = settings.providers(stage)
        candidates = [(one.name, one.provider(one.options)) for one in chosen]
        pools[stage] = ProviderPool(stage, candidates)
    return Providers(
        stt=pools["stt"],
        llm=pools["llm"],
        tts=pools["tts"],
        budgets=settings.budgets(),
    )


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Providers]:
    """Build the configured providers, start them side by side, close them in the end.

    Raises:
        SettingsError: If one cannot be built or started.
    """
    providers = build(settings)
    try:
        try:
            async with asyncio.timeout(START_WITHIN):
                await providers.start()
        except ProviderError as error:
            raise SettingsError(f"provider: {error}") from None
        except TimeoutError:
            raise SettingsError(f"providers: not started within {START_WITHIN:g} s") from None
        yield providers
    finally:
        await providers.aclose()


async def warm(providers: Providers, script: Script, rate: int) -> None:
    """Prepare for a call with ``script``: its own sentences, and connections to the providers."""
    await providers.warm()
    try:
        await providers.prepare(script.own_sentences, rate)
    except ProviderError as error:
        log.warning("the greeting is not prepared", error=str(error))


async def warm_usual(settings: Settings, providers: Providers) -> None:
    """Prepare for the usual agent."""
    try:
        script = script_for(settings, settings.agent, Details(now=datetime.now().astimezone()))
    except PersonaError as error:
        log.warning("the greeting is not prepared", error=str(error))
    else:
        await warm(providers, script, settings.server.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What a provider did when it was asked for something tiny."""

    stage: Stage
    name: str
    seconds: float = 0.0
    """To its first result."""

    error: str = ""
    """What went wrong; ``""`` if it works."""


async def probe_all(settings: Settings) -> list[Probed]:
    """Ask every configured provider for something tiny, one after the other.

    Raises:
        SettingsError: If one cannot be built.
    """
    providers = build(settings)
    speech = probe_speech()
    return [
        await _probed(stage, one.name, one.provider, speech) for stage, one in providers.candidates
    ]


async def _probed(stage: Stage, name: str, provider: Any, speech: Audio) -> Probed:  # noqa: ANN401
    try:
        try:
            async with asyncio.timeout(START_WITHIN):
                await provider.start()
            seconds = await probe(stage, provider, speech)
        finally:
            await provider.aclose()
    except ProviderError as error:
        return Probed(stage=stage, name=name, error=str(error).removeprefix(f"{stage}: "))
    except TimeoutError:
        return Probed(stage=stage, name=name, error=f"not started within {START_WITHIN:g} s")
    return Probed(stage=stage, name=name, seconds=seconds)


def probe_speech() -> Audio:
    """Return two recorded words, for speech-to-text to hear."""
    return recorded_turn(SCENARIOS.parent / "recordings" / "thank-you.wav", SPEECH_RATE).audio


def table(probed: list[Probed]) -> str:
    """Return what :func:`probe_all` found, a line for each provider."""
    rows = [("stage", "provider", "reachable", "first result", "what went wrong")]
    for one in probed:
        seconds = "" if one.error else f"{one.seconds:.2f} s"
        rows.append((one.stage, one.name, "no" if one.error else "yes", seconds, one.error))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)
