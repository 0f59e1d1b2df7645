"""Providers that failed are asked for something tiny until they are back; in virtual time."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.conversation import Brief
from pipelines.providers.contracts import ProviderError
from pipelines.providers.scripted import Synthesizer, SynthesizerOptions
from pipelines.stages.lineup import Providers
from pipelines.stages.pool import FIRST_COOLDOWN
from pipelines.stages.probe import probe
from pipelines.stages.usage import DraftCost
from tests.pipelines.stages.scripted import ASKED, SECOND, Model, broken, pool, transcriber
from tests.virtual_time import run


def test_a_provider_that_cools_down_is_probed_and_comes_back() -> None:
    """In the background, without a call."""

    async def main() -> None:
        model = Model([broken()], [broken()], ["Yes."])
        providers = Providers(
            stt=pool(transcriber("Thank you."), stage="stt"),
            llm=pool(model, Model(["Ten."])),
            tts=pool(Synthesizer(SynthesizerOptions()), stage="tts"),
        )
        watching = asyncio.create_task(providers.watch(Audio(SECOND, SPEECH_RATE)))
        lineup = providers.lineup()
        async with aclosing(lineup.llm.reply(Brief(), ASKED, DraftCost())) as reply:
            assert [piece async for piece in reply] == ["Ten."]
        assert providers.llm.candidates[0].status == "cooling down"
        await asyncio.sleep(FIRST_COOLDOWN + 2)
        assert len(model.asked) == 3
        assert providers.llm.first.name == "p1"
        watching.cancel()
        await asyncio.wait([watching])

    run(main())


def test_a_probe_asks_for_something_tiny() -> None:
    """And fails when nothing comes of it."""

    async def main() -> None:
        speech = Audio(SECOND, SPEECH_RATE)
        voice = Synthesizer(SynthesizerOptions(delay=0.5))
        assert await probe("tts", voice, speech) == 0.5
        assert await probe("stt", transcriber("Thank you.", delay=0.25), speech) == 0.25
        with pytest.raises(ProviderError, match="nothing came for 10 s"):
            await probe("llm", Model([60.0]), speech)
        with pytest.raises(ProviderError, match="did not hear"):
            await probe("stt", transcriber(""), speech)

    run(main())
