"""Speech-to-text for what is cut out of recordings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from agent.records.verification.check import Hear
from agent.settings import Settings, SettingsError
from agent.settings.providers import Chosen
from pipelines.audio import Audio
from pipelines.providers import find
from pipelines.providers.contracts import ProviderError, Transcriber
from pipelines.providers.languages import languages, primary

LOCAL = "moonshine"
"""Who hears if nobody is named: on this machine, so that nothing leaves it unasked."""

START_WITHIN = 60.0
"""Seconds to load a model."""

WITHIN = 30.0
"""Seconds for the text of a sentence, besides the seconds that it lasts."""

CLOSE_WITHIN = 5.0


def chosen(settings: Settings, name: str) -> Chosen:
    """Return who hears, with its options.

    Args:
        settings: The whole tree.
        name: Of a provider of the settings' speech-to-text; ``""`` for the local one.

    Raises:
        SettingsError: If there is none of that name.
    """
    named = {one.name: one for one in settings.providers()["stt"]}
    if (name or LOCAL) in named:
        return named[name or LOCAL]
    if name and name != LOCAL:
        there = ", ".join(sorted({*named, LOCAL}))
        raise SettingsError(f"--stt {name!r}: not in the settings; there are {there}")
    try:
        local = find("stt", LOCAL)
    except LookupError as error:
        raise SettingsError(f"--stt: {error}") from None
    return Chosen(name=LOCAL, provider=local, options=local.Options())


def has_language(who: Chosen, language: str) -> bool:
    """Return whether a provider hears a language, as far as that is known."""
    known = languages("stt", who.name.partition("#")[0], who.options)
    return known is None or primary(language) in known


@asynccontextmanager
async def hearing(who: Chosen) -> AsyncIterator[Hear]:
    """Start a provider, and close it in the end.

    Raises:
        ProviderError: If it cannot work as configured.
    """
    provider: Transcriber = who.provider(who.options)
    try:
        async with asyncio.timeout(START_WITHIN):
            await provider.start()
        session = provider.open_session()

        async def hear(audio: Audio) -> str:
            try:
                async with asyncio.timeout(WITHIN + audio.seconds):
                    return await session.transcribe(_whole(audio))
            except TimeoutError:
                raise ProviderError("stt", "no text in time", timed_out=True) from None

        try:
            yield hear
        finally:
            await _closed(session)
    finally:
        await _closed(provider)


async def _closed(what: Any) -> None:  # noqa: ANN401 - a session or a provider
    async with asyncio.timeout(CLOSE_WITHIN):
        await what.aclose()


async def _whole(audio: Audio) -> AsyncIterator[Audio]:
    yield audio
