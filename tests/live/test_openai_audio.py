"""OpenAI's speech endpoints, live: costs less than a cent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from pipelines.audio import SPEECH_RATE, Audio, Resampler
from pipelines.providers.openai_speech import Synthesizer
from pipelines.providers.openai_transcribe import Transcriber

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif("OPENAI_API_KEY" not in os.environ, reason="needs OPENAI_API_KEY"),
]

KEY = os.environ.get("OPENAI_API_KEY")
"""Read here, since no test sees the environment."""


def test_what_is_spoken_is_heard() -> None:
    """Its ears understand what its voice says."""

    async def main() -> None:
        tts = Synthesizer(Synthesizer.Options.model_validate({"api_key": KEY}))
        stt = Transcriber(Transcriber.Options.model_validate({"api_key": KEY, "language": "en"}))
        await tts.start()
        await stt.start()
        try:
            async with aclosing(tts.speak("Yes, a table for two.")) as pieces:
                audio = [piece async for piece in pieces if isinstance(piece, Audio)]
            heard = await stt.open_session().transcribe(_as_heard(audio))
        finally:
            await tts.aclose()
            await stt.aclose()
        assert "table" in heard.lower()

    asyncio.run(main())


async def _as_heard(audio: list[Audio]) -> AsyncIterator[Audio]:
    resampler = Resampler(audio[0].rate, SPEECH_RATE)
    for piece in audio:
        yield Audio(resampler.feed(piece.pcm), SPEECH_RATE)
    yield Audio(resampler.flush(), SPEECH_RATE)
