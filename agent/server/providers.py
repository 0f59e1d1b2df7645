"""The providers that the settings name: built, started, warmed, asked whether they work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from agent.call_headers import of_call
from agent.personas.errors import PersonaError
from agent.personas.folder import AgentFolder
from agent.personas.script import Details, Script
from agent.server.admission import details
from agent.server.phrase_folder import PhraseFolder, voice_identity
from agent.settings import SettingsError
from agent.settings.providers import Chosen
from agent.sinch.contracts import ExpectedCall
from pipelines.audio import Audio
from pipelines.background import BackgroundTasks
from pipelines.providers.contracts import ProviderError, Stage
from pipelines.stages.budgets import Budgets
from pipelines.stages.limits import ModelLimits
from pipelines.stages.lineup import Providers
from pipelines.stages.phrases import PhraseFiles, PhraseStore
from pipelines.stages.pool import ProviderPool
from pipelines.stages.probe import probe, probe_speech

log = structlog.get_logger()

START_WITHIN = 60.0
"""Seconds for the providers to load their models and open their connections."""


def build(
    chosen: Mapping[Stage, Sequence[Chosen]],
    budgets: Budgets,
    limits: ModelLimits,
    phrases: PhraseFiles | None = None,
) -> Providers:
    """Build what the settings name; start it before use."""

    def pool(stage: Stage) -> ProviderPool[Any]:
        return ProviderPool(stage, [(one.name, one.provider(one.options)) for one in chosen[stage]])

    return Providers(
        stt=pool("stt"),
        llm=pool("llm"),
        tts=pool("tts"),
        budgets=budgets,
        limits=limits,
        phrases=PhraseStore(files=phrases),
    )


@asynccontextmanager
async def running(
    chosen: Mapping[Stage, Sequence[Chosen]], budgets: Budgets, limits: ModelLimits, phrases: Path
) -> AsyncIterator[Providers]:
    """Build the configured providers, start them side by side, close them in the end.

    Args:
        chosen: Whom each stage asks, in order.
        budgets: How long they may take.
        limits: How much a model may be shown, and write.
        phrases: Folder of fixed sentences.

    Raises:
        SettingsError: If one cannot be started.
    """
    voice = chosen["tts"][0]
    folder = PhraseFolder(phrases, voice_identity(voice.name, voice.options))
    providers = build(chosen, budgets, limits, folder)
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
        folder.close()


async def warm(providers: Providers, script: Script, rate: int) -> None:
    """Prepare for a call with ``script``: its own sentences, and connections to the providers."""
    await providers.warm()
    try:
        await providers.prepare(script.own_sentences, rate, script.lasting_sentences)
    except ProviderError as error:
        log.warning("the greeting is not prepared", error=str(error))


async def warm_usual(providers: Providers, agents: AgentFolder, agent: str, rate: int) -> None:
    """Prepare for the usual agent."""
    try:
        script = await agents.script(agent, Details(now=datetime.now().astimezone()))
    except PersonaError as error:
        log.warning("the greeting is not prepared", error=str(error))
    else:
        await warm(providers, script, rate)


async def warm_expected(
    providers: Providers, agents: AgentFolder, rate: int, expected: ExpectedCall
) -> None:
    """Prepare for a call whose stream is about to come."""
    headers = of_call(expected.agent, expected.caller, expected.called, expected.headers)
    try:
        about = details(headers, expected.call, expected)
        script = await agents.script(expected.agent, about)
    except PersonaError as error:
        log.warning("the agent of an announced call", error=str(error))
    else:
        await warm(providers, script, rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What a provider did when it was asked for something tiny."""

    stage: Stage
    name: str
    seconds: float = 0.0
    """To its first result."""

    error: str = ""
    """What went wrong; ``""`` if it works."""


async def probe_all(providers: Providers) -> list[Probed]:
    """Ask every provider for something tiny, one after the other.

    Args:
        providers: Built, not started: each is started and closed here.
    """
    speech = probe_speech()
    probes = BackgroundTasks()
    found: list[Probed] = []
    for stage, one in providers.candidates:
        task = probes.start(_probed(stage, one.name, one.provider, speech, found), "a probe")
        await asyncio.wait([task])
        if not task.cancelled() and (bug := task.exception()) is not None:
            why = f"a bug in the provider: {type(bug).__name__}"
            found.append(Probed(stage=stage, name=one.name, error=why))
    return found


async def _probed(
    stage: Stage,
    name: str,
    provider: Any,  # noqa: ANN401 - of any stage
    speech: Audio,
    found: list[Probed],
) -> None:
    seconds, error = 0.0, ""
    try:
        try:
            async with asyncio.timeout(START_WITHIN):
                await provider.start()
            seconds = await probe(stage, provider, speech)
        finally:
            await provider.aclose()
    except ProviderError as failure:
        error = failure.reason
    except TimeoutError:
        error = f"not started within {START_WITHIN:g} s"
    found.append(Probed(stage=stage, name=name, seconds=seconds, error=error))


def table(probed: list[Probed]) -> str:
    """Return what :func:`probe_all` found, a line for each provider."""
    rows = [("stage", "provider", "reachable", "first result", "what went wrong")]
    for one in probed:
        seconds = "" if one.error else f"{one.seconds:.2f} s"
        rows.append((one.stage, one.name, "no" if one.error else "yes", seconds, one.error))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)
