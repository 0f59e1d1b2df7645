"""Does a provider work? Ask it for something tiny, and see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from pipelines.audio import Audio
from pipelines.clock import now
from pipelines.conversation import Brief, Message
from pipelines.providers.contracts import (
    LanguageModel,
    ProviderError,
    Stage,
    Synthesizer,
    Transcriber,
)

PROBE_WITHIN = 10.0
"""Seconds for a provider to give something tiny; healthy ones take less than two."""

PROBED = Brief(prompt="You are asked whether you work. Answer with one short word.")
PROBE_WORDS = "Yes."


async def probe(stage: Stage, provider: Any, speech: Audio) -> float:  # noqa: ANN401 - of any stage
    """Ask a provider for something tiny; return the seconds to its first result.

    Args:
        stage: What it does.
        provider: Started.
        speech: A word or two, for speech-to-text to hear.

    Raises:
        ProviderError: If nothing comes.
    """
    began = now()
    asks: dict[str, Callable[[Any, Audio], Awaitable[None]]]
    asks = {"stt": _transcribe, "llm": _reply, "tts": _speak}
    try:
        async with asyncio.timeout(PROBE_WITHIN):
            await asks[stage](provider, speech)
    except TimeoutError:
        raise ProviderError(stage, f"nothing came for {PROBE_WITHIN:g} s", timed_out=True) from None
    return now() - began


async def _transcribe(provider: Transcriber, speech: Audio) -> None:
    open_session = provider.open_session()
    try:
        if not (await open_session.transcribe(_pieces(speech))).strip():
            raise ProviderError("stt", "it did not hear what was said")
    finally:
        await open_session.aclose()


async def _pieces(speech: Audio) -> AsyncIterator[Audio]:
    size = 2 * speech.rate // 50
    for at in range(0, len(speech.pcm), size):
        yield Audio(speech.pcm[at : at + size], speech.rate)


async def _reply(provider: LanguageModel, _speech: Audio) -> None:
    await _first("llm", provider.reply(PROBED, [Message("user", "Do you work?")]))


async def _speak(provider: Synthesizer, _speech: Audio) -> None:
    await _first("tts", provider.speak(PROBE_WORDS))


async def _first(stage: Stage, source: AsyncGenerator[Any, None]) -> None:
    async with aclosing(source) as pieces:
        async for piece in pieces:
            if isinstance(piece, str | Audio):
                return
    raise ProviderError(stage, "nothing came")
