"""Who hears an utterance, and what they are given of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.clock import now
from pipelines.listening.utterance import Utterance
from pipelines.providers.contracts import (
    UNTOLD,
    Certainty,
    PlainTranscriptionSession,
    TranscriptionSession,
)
from pipelines.providers.scripted import Transcriber, TranscriberOptions
from pipelines.stages.stt import FailoverTranscriber
from pipelines.stages.usage import Pricing, Usage
from tests.pipelines.stages.scripted import BUDGETS, SECOND, pool, transcriber
from tests.virtual_time import run


def hear(*transcribers: Transcriber, usage: Usage | None = None) -> tuple[str, float]:
    """Return what is heard of a second of speech, and how long after its end."""

    async def main() -> tuple[str, float]:
        failover = FailoverTranscriber(pool(*transcribers, stage="stt"), BUDGETS, usage or Usage())
        utterance = Utterance()
        told = asyncio.create_task(failover.transcribe(utterance))
        for _ in range(10):
            await asyncio.sleep(0.1)
            utterance.add(Audio(SECOND[: len(SECOND) // 10], SPEECH_RATE))
        utterance.close()
        heard = await told
        await failover.aclose()
        return heard.text, asyncio.get_running_loop().time() - 1.0

    return run(main())


@pytest.mark.parametrize("fault", ["fails", "hangs", "breaks off", "stalls"])
def test_the_next_transcriber_is_given_all_that_was_said(fault: Any) -> None:
    """In time, whatever was wrong."""
    text, after = hear(transcriber(fault=fault), transcriber("Hello.", delay=0.2))
    assert text == "Hello."
    assert after <= BUDGETS.patience + 0.2 + 1e-6


def test_what_was_heard_is_on_the_account() -> None:
    """A second by each that heard it."""
    usage = Usage()
    hear(transcriber(fault="breaks off"), transcriber("Hello."), usage=usage)
    assert [line["seconds"] for line in usage.lines(Pricing())] == [2.0, 1.0]


def test_whoever_takes_an_utterance_whole_is_not_woken_before_its_end() -> None:
    """Nor is anything on the account of one that was dropped before."""
    came: list[float] = []

    async def whole(speech: AsyncIterator[Audio]) -> str:
        came.extend([now() async for _ in speech])
        return "Hello."

    class Whole(Transcriber):
        def open_session(self) -> PlainTranscriptionSession:
            return PlainTranscriptionSession(whole)

    usage, hello = Usage(), Whole(Transcriber.Options(lines=("Hello.",)))
    text, after = hear(hello, usage=usage)
    assert text == "Hello."
    assert after == pytest.approx(0.0)
    assert came == pytest.approx([1.0] * 10)

    async def dropped() -> None:
        failover = FailoverTranscriber(pool(hello, stage="stt"), BUDGETS, usage)
        utterance = Utterance()
        asked = asyncio.create_task(failover.transcribe(utterance))
        await asyncio.sleep(0.1)
        utterance.add(Audio(SECOND, SPEECH_RATE))
        await asyncio.sleep(0.1)
        asked.cancel()
        await asyncio.wait([asked])

    run(dropped())
    assert [line["seconds"] for line in usage.lines(Pricing())] == [1.0]


def test_how_sure_it_is_goes_with_the_text_where_a_session_tells() -> None:
    """A session need not."""
    known = Certainty(language="de", confidence=0.5)

    async def main() -> list[Certainty]:
        plain, telling = transcriber("Hallo."), transcriber("Hallo.")
        session = telling.open_session()
        session.certainty = known  # type: ignore[attr-defined]
        telling.open_session = lambda: session  # type: ignore[method-assign]
        found = []
        for one in (plain, telling):
            failover = FailoverTranscriber(pool(one, stage="stt"), BUDGETS, Usage())
            utterance = Utterance([Audio(SECOND, SPEECH_RATE)])
            utterance.close()
            found.append((await failover.transcribe(utterance)).certainty)
        return found

    assert run(main()) == [UNTOLD, known]


@pytest.mark.parametrize("sound", [".", "[BLANK_AUDIO]", "(wind blowing)", "♪ ♪", "<|nospeech|>"])
def test_a_sound_is_not_heard_as_words(sound: str) -> None:
    """Whatever a transcriber calls it, it is neither a turn nor a reason to stop."""
    assert hear(transcriber(sound))[0] == ""
    failover = FailoverTranscriber(pool(transcriber(sound), stage="stt"), BUDGETS, Usage())
    failover._current = type("Session", (), {"so_far": sound})()
    assert failover.so_far == ""


def test_words_beside_a_sound_are_heard() -> None:
    """They are what was said."""
    assert hear(transcriber("[Music] Hello?"))[0] == "Hello?"


class Told(Transcriber):
    """One that can be told names, and keeps them."""

    def __init__(self, options: TranscriberOptions) -> None:
        super().__init__(options)
        self.names: list[str] = []

    def open_session_with(self, names: Sequence[str]) -> TranscriptionSession:
        self.names += names
        return self.open_session()


@pytest.mark.parametrize("names", [("Clara", "Ben"), ()])
def test_names_are_told_to_those_that_can_be_told(names: tuple[str, ...]) -> None:
    """Also to whoever takes over; one that cannot be told hears without."""

    async def main() -> None:
        first = Told(TranscriberOptions(fault="fails"))
        plain = transcriber(fault="fails")
        last = Told(TranscriberOptions(lines=("Hello.",)))
        providers = pool(first, plain, last, stage="stt")
        failover = FailoverTranscriber(providers, BUDGETS, Usage(), names)
        utterance = Utterance([Audio(SECOND, SPEECH_RATE)])
        utterance.close()
        assert (await failover.transcribe(utterance)).text == "Hello."
        await failover.aclose()
        assert first.names == 2 * list(names)  # asked anew, it is told anew
        assert last.names == list(names)

    run(main())
