"""Does a provider work? It is asked for something tiny.

Those that cool down are asked again and again, in the background, until they are back.
"""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

import structlog

from pipelines.audio import SPEECH_RATE, Audio, at_rate
from pipelines.background import BackgroundTasks
from pipelines.clock import now
from pipelines.conversation import Brief, Message
from pipelines.providers.contracts import (
    LanguageModel,
    ProviderError,
    Speech,
    Stage,
    Synthesizer,
    Transcriber,
)
from pipelines.stages import llm, tts
from pipelines.stages.budgets import Budgets
from pipelines.stages.deadlines import ResultPace
from pipelines.stages.pool import Candidate, ProviderPool

log = structlog.get_logger()

T = TypeVar("T")

PROBE_WITHIN = 10.0
"""Seconds for a provider to give something tiny; healthy ones take less than two."""

LOOK_EVERY = 1.0
"""Seconds between two looks at who is to be probed."""

CLOSE_WITHIN = 1.0
"""Seconds for the connection of a probe to be closed."""

PROBED = Brief(prompt="You are asked whether you work. Answer with one short word.")
PROBE_WORDS = "Yes."

_RECORDING = Path(__file__).with_name("probe.wav")
"""16 bits, one channel, 8 kHz. Whose it is: ``probe.LICENSE``."""


def probe_speech() -> Audio:
    """Return two recorded words ("thank you") at SPEECH_RATE, for speech-to-text to hear."""
    with wave.open(str(_RECORDING), "rb") as file:
        recorded = Audio(file.readframes(file.getnframes()), file.getframerate())
    return at_rate([recorded], SPEECH_RATE)


async def watch(pools: Sequence[ProviderPool[Any]], speech: Audio) -> None:
    """Probe the providers of ``pools`` that cool down, each until it is back.

    Each probe runs by itself: what one provider does, or how its probe breaks, holds up no other.
    Runs until it is cancelled, which ends the probes under way.

    Args:
        pools: The stages.
        speech: A word or two, for speech-to-text to hear.
    """
    probes = BackgroundTasks()
    try:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for pool in pools:
                for candidate in pool.to_probe():
                    _start_probe(probes, pool, candidate, speech)
    finally:
        await probes.aclose()


def _start_probe(
    probes: BackgroundTasks, pool: ProviderPool[Any], candidate: Candidate[Any], speech: Audio
) -> None:
    def ended(task: asyncio.Task[None]) -> None:
        candidate.probing = False
        # What it raised is a bug, here or in the adapter, and logged as such by now. The provider
        # has not shown that it works.
        if probes.closing:
            return
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None:
            why = f"the probe broke: {type(error).__name__}"
            pool.failed(candidate, ProviderError(pool.stage, why))

    candidate.probing = True
    name = f"probe of {pool.stage} {candidate.name}"
    probes.start(_probe_one(pool, candidate, speech), name).add_done_callback(ended)


async def _probe_one(pool: ProviderPool[Any], candidate: Candidate[Any], speech: Audio) -> None:
    try:
        await probe(pool.stage, candidate.provider, speech)
    except ProviderError as error:
        pool.failed(candidate, error)
    else:
        pool.worked(candidate)


async def probe(stage: Stage, provider: Any, speech: Audio) -> float:  # noqa: ANN401 - of any stage
    """Ask a provider for something tiny, all of it; return the seconds to its first result.

    One that begins well may be too slow, or not end.

    Args:
        stage: What it does.
        provider: Started.
        speech: A word or two, for speech-to-text to hear.

    Raises:
        ProviderError: If nothing comes, or no end of it.
    """
    began = now()
    asks: dict[str, Callable[[Any, Audio], Awaitable[float]]]
    asks = {"stt": _transcribe, "llm": _reply, "tts": _speak}
    try:
        async with asyncio.timeout(PROBE_WITHIN):
            return await asks[stage](provider, speech) - began
    except TimeoutError:
        raise ProviderError(stage, f"nothing came for {PROBE_WITHIN:g} s", timed_out=True) from None


# Each returns when the first of its result came.


async def _transcribe(provider: Transcriber, speech: Audio) -> float:
    open_session = provider.open_session()
    try:
        if not (await open_session.transcribe(_pieces(speech))).strip():
            raise ProviderError("stt", "it did not hear what was said")
        return now()
    finally:
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await open_session.aclose()
        except TimeoutError:
            log.warning("the connection of a probe was not closed", stage="stt")


async def _pieces(speech: Audio) -> AsyncIterator[Audio]:
    size = 2 * speech.rate // 50
    for at in range(0, len(speech.pcm), size):
        yield Audio(speech.pcm[at : at + size], speech.rate)


async def _reply(provider: LanguageModel, _speech: Audio) -> float:
    return await _whole(
        "llm", provider.reply(PROBED, [Message("user", "Do you work?")]), llm.seconds_of
    )


async def _speak(provider: Synthesizer, _speech: Audio) -> float:
    budgets = Budgets()
    pace = ResultPace[Speech](first=PROBE_WITHIN, behind=budgets.next_audio, seconds=tts.seconds_of)
    source = provider.speak(PROBE_WORDS)
    return await _whole("tts", tts.in_time(source, PROBE_WORDS, pace), tts.seconds_of)


async def _whole(
    stage: Stage, source: AsyncGenerator[T, None], seconds_of: Callable[[T], float]
) -> float:
    first: float | None = None
    async with aclosing(source) as pieces:
        async for piece in pieces:
            if first is None and seconds_of(piece):
                first = now()
    if first is None:
        raise ProviderError(stage, "nothing came")
    return first
