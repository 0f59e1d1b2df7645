"""Providers that failed are asked for something tiny until they are back; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import pytest
from structlog.testing import capture_logs

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.clock import now
from pipelines.conversation import Brief, Message
from pipelines.providers.contracts import Piece, ProviderError, Stage
from pipelines.providers.scripted import (
    LanguageModel,
    LanguageModelOptions,
    Synthesizer,
    SynthesizerOptions,
)
from pipelines.stages.lineup import Providers
from pipelines.stages.pool import FIRST_COOLDOWN
from pipelines.stages.probe import probe, probe_speech, watch
from pipelines.stages.usage import DraftCost
from tests.pipelines.stages.scripted import ASKED, SECOND, Model, Voice, broken, pool, transcriber
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


class Odd(Model):
    """Fails on its first so many requests with what nobody expects of a provider."""

    def __init__(self, times: int) -> None:
        super().__init__(["Yes."])
        self._times = times
        self.began: list[float] = []

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        self.began.append(now())
        if len(self.began) <= self._times:
            raise KeyError("choices")
        async with aclosing(super().reply(brief, conversation)) as pieces:
            async for piece in pieces:
                yield piece


def test_a_probe_that_breaks_holds_up_nobody() -> None:
    """The provider beside it comes back, and it is tried again itself, later each time."""
    odd, fine = Odd(times=2), Model(["Ten."])

    async def main() -> None:
        group = pool(odd, fine)
        for candidate in group.candidates:
            group.failed(candidate, broken())
        watching = asyncio.create_task(watch([group], Audio(SECOND, SPEECH_RATE)))
        await asyncio.sleep(FIRST_COOLDOWN + 2)
        assert [one.healthy for one in group.candidates] == [False, True]
        assert group.candidates[0].cooldown == 2 * FIRST_COOLDOWN
        await asyncio.sleep(10 * FIRST_COOLDOWN)
        assert odd.began == pytest.approx([10.0, 30.0, 70.0])
        assert group.first is group.candidates[0]
        assert not watching.done()
        watching.cancel()
        await asyncio.wait([watching])

    with capture_logs() as logs:
        run(main())
    bugs = [line for line in logs if line["log_level"] == "error"]
    assert [line["work"] for line in bugs] == ["probe of llm p1"] * 2
    assert all(isinstance(line["exc_info"], KeyError) for line in bugs)


def test_a_probe_that_hangs_holds_up_nobody() -> None:
    """Nor is it begun again while it runs, nor does it outlive the watch."""
    hanging, fine = Model([60.0]), Model([broken()], ["Ten."])

    async def main() -> None:
        group = pool(hanging, fine)
        for candidate in group.candidates:
            group.failed(candidate, broken())
        watching = asyncio.create_task(watch([group], Audio(SECOND, SPEECH_RATE)))
        await asyncio.sleep(FIRST_COOLDOWN + 5)
        assert (len(hanging.asked), len(fine.asked)) == (1, 2)  # the last hope is asked at once
        await asyncio.sleep(4 * FIRST_COOLDOWN)
        assert group.first.provider is fine
        assert (len(hanging.asked), len(fine.asked)) == (2, 2)
        watching.cancel()
        await asyncio.wait([watching])
        assert hanging.closed == 2

    run(main())


class Starting(Synthesizer):
    """Takes a while to start, and tells whether it was left to it."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(SynthesizerOptions())
        self._error = error
        self.started = self.cancelled = False

    async def start(self) -> None:
        try:
            await asyncio.sleep(1.0)
            if self._error is not None:
                raise self._error
            await asyncio.sleep(1.0)
            self.started = True
        finally:
            self.cancelled = not self.started


def test_a_start_that_fails_leaves_no_other_behind() -> None:
    """Those that were still starting have ended when the error is told."""

    async def main() -> None:
        fails, other = Starting(broken()), Starting()
        providers = Providers(
            stt=pool(transcriber("Hi."), stage="stt"),
            llm=pool(LanguageModel(LanguageModelOptions())),
            tts=pool(fails, other, stage="tts"),
        )
        with pytest.raises(ProviderError, match="it broke"):
            await providers.start()
        assert other.cancelled

    run(main())


@pytest.mark.parametrize("stage", ["llm", "tts"])
def test_one_that_begins_well_and_is_too_slow_or_does_not_end_does_not_work(stage: Stage) -> None:
    """Or each probe would bring back what each reply gives up."""
    piece: Any = {"llm": "o", "tts": Audio(bytes(320), SPEECH_RATE)}[stage]
    forever: list[Any] = ["yes " * 9, 0.5] * 40 if stage == "llm" else [1] * 40

    async def main() -> None:
        for steps in ([piece, 0.1] * 400, forever):
            with pytest.raises(ProviderError):
                await probe(stage, Voice(steps), Audio(SECOND, SPEECH_RATE))

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


def test_the_probe_s_recording_can_be_heard() -> None:
    """Two words, a second at the rate of speech-to-text, and not silence."""
    speech = probe_speech()
    assert speech.rate == SPEECH_RATE
    assert 0.5 < speech.seconds < 1.5
    assert max(memoryview(speech.pcm).cast("h")) > 3000
