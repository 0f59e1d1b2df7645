"""A call that is transcribed by the parrot, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from pipelines.providers.contracts import TranscriptionSession
from pipelines.providers.streaming_stt.protocol import TranscriptionLimits
from pipelines.providers.streaming_stt.provider import StreamingStt
from pipelines.providers.streaming_stt.turns import Pace
from tests import virtual_time

from .parrot import (
    LIMITS,
    Dialect,
    Manner,
    Parrot,
)


@asynccontextmanager
async def calling(
    manner: Manner | None = None, limits: TranscriptionLimits = LIMITS, pace: Pace | None = None
) -> AsyncIterator[tuple[TranscriptionSession, Parrot]]:
    """Yield the session of one call, and the provider that it has."""
    parrot = Parrot(manner)
    parrot.manner.turns = limits.detects_turns
    provider = StreamingStt(Dialect(limits=limits), pace)
    await provider.connect_by(parrot, {})
    session = provider.open_session()
    try:
        yield session, parrot
    finally:
        await session.aclose()
        await provider.aclose()


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    virtual_time.run(main())


def lose(parrot: Parrot) -> None:
    parrot.lines[-1].break_off()
