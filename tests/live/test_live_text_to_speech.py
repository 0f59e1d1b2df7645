"""Voices that are reached by the network, live: costs less than a cent each."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest

from pipelines.audio import Audio
from pipelines.providers import find
from pipelines.providers.contracts import Timing

TEXT = "Yes, a table for two."

VARIABLES = {
    "azure": "AZURE_SPEECH_KEY",
    "cartesia": "CARTESIA_API_KEY",
    "deepgram": "DEEPGRAM_API_KEY",
    "elevenlabs": "ELEVENLABS_API_KEY",
    "google": "GOOGLE_API_KEY",
}

KEYS = {name: os.environ.get(variable) for name, variable in VARIABLES.items()}
"""Read here, since no test sees the environment."""

REGION = os.environ.get("AZURE_SPEECH_REGION", "eastus")

pytestmark = pytest.mark.live


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.skipif(not KEYS[name], reason=f"needs {variable}"))
        for name, variable in VARIABLES.items()
    ],
)
def test_it_speaks_at_the_rate_of_a_telephone_line(name: str) -> None:
    """A second or two of something loud; and after a barge-in, the next sentence is whole."""

    async def main() -> None:
        kind = find("tts", name)
        options = {"api_key": KEYS[name]} | ({"region": REGION} if name == "azure" else {})
        tts = kind(kind.Options.model_validate(options))
        await tts.start()
        try:
            await tts.warm()
            async with aclosing(tts.speak(f"{TEXT} {TEXT} {TEXT}", 8_000)) as results:
                await anext(results)
            async with aclosing(tts.speak(TEXT, 8_000)) as results:
                check([result async for result in results])
        finally:
            await tts.aclose()

    asyncio.run(main())


def check(results: list[Any]) -> None:
    audio = [result for result in results if isinstance(result, Audio)]
    assert {each.rate for each in audio} == {8_000}
    samples = np.frombuffer(b"".join(each.pcm for each in audio), "<i2")
    assert 0.8 < len(samples) / 8_000 < 4
    assert np.abs(samples).max() > 1_000
    ends = [end for each in results if isinstance(each, Timing) for end in each.ends]
    assert len(ends) in (0, len(TEXT.split()))
    assert ends == sorted(ends)
