"""How long callers hear nothing while a stage does not do its job; in virtual time.

``python -m tests.chaos`` asks the same of real adapters over real sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import groupby
from typing import Any, get_args

import pytest

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.providers.contracts import Speech, Stage
from pipelines.providers.scripted import (
    Fault,
    LanguageModel,
    LanguageModelOptions,
    Synthesizer,
    SynthesizerOptions,
    Transcriber,
    TranscriberOptions,
)
from pipelines.stages.budgets import Budgets
from pipelines.stages.phrases import Key, PhraseStore
from pipelines.stages.pool import FIRST_COOLDOWN
from pipelines.stages.recorded import recorded_sorry
from tests.agent.conversation import SCRIPT, Caller, Talk, talk, voice

BUDGETS = Budgets()
SORRY = recorded_sorry("en").text
ASKS = "." * 25 + "+" * 10 + "." * 185
"""A caller who waits for the greeting, asks, and waits: longer than any stage is asked twice."""

MAKES: dict[Stage, tuple[Any, Any]] = {
    "stt": (Transcriber, TranscriberOptions),
    "llm": (LanguageModel, LanguageModelOptions),
    "tts": (Synthesizer, SynthesizerOptions),
}
ALONE: dict[Stage, float] = {
    "stt": BUDGETS.transcript,
    "llm": BUDGETS.first_token,
    "tts": BUDGETS.first_audio,
}


FRAME = 0.02


def sounds(done: Talk) -> tuple[list[bool], list[bool]]:
    """Return whether we were heard in each 20 ms until the end of the call, and the caller."""
    last, ends = round(done.notes.of("ended")[0]["at"] / FRAME), 0.0
    heard: set[int] = set()
    for at, message in done.caller.received:
        if isinstance(message, str):
            ends = at if "clear" in message else ends
            continue
        begins, ends = max(at, ends), max(at, ends) + FRAME
        heard.add(round(begins / FRAME))
    said = [mark == "+" for mark in done.caller.script for _ in range(5)]
    return [n in heard for n in range(last)], said[:last]


def longest_silence(done: Talk) -> float:
    """Return the seconds in which neither side made a sound, before the end of the call."""
    runs = groupby(ours or theirs for ours, theirs in zip(*sounds(done), strict=False))
    return max(len(list(run)) for sound, run in runs if not sound) * FRAME


def longest_wait(done: Talk) -> float:
    """Return the seconds that the caller waited for us, to be greeted or answered."""
    ours, theirs = sounds(done)
    waits, since = [0], 0
    for at, (we, they) in enumerate(zip(ours, theirs, strict=False)):
        if we and since >= 0:
            waits.append(at - since)
            since = -1
        if they:
            since = at + 1
    if done.ending == "the agent hung up":  # at once after our last word
        waits.append(len(ours) - (since if since >= 0 else last_of(ours)))
    return max(waits) * FRAME


def last_of(ours: list[bool]) -> int:
    return max(at for at, we in enumerate(ours) if we)


def call_with(stage: Stage, *providers: Any, asks: str = ASKS * 4) -> Talk:
    works = {name: make(options()) for name, (make, options) in MAKES.items()}
    return talk(Caller(asks), voice(**{**works, stage: list(providers)}))


@pytest.mark.parametrize(
    ("stage", "fault"),
    [
        (stage, fault)
        for stage in MAKES
        for fault in get_args(Fault)
        if (stage, fault) != ("stt", "empty")  # nobody spoke
    ],
)
def test_no_stage_that_fails_leaves_the_caller_in_silence(stage: Stage, fault: Fault) -> None:
    """With another to take over, and without: then the caller is told, and the call is ended."""
    make, options = MAKES[stage]
    done = call_with(stage, make(options(fault=fault)), make(options()))
    assert longest_wait(done) <= BUDGETS.patience + 0.5
    assert done.ending == "the caller hung up"
    done = call_with(stage, make(options(fault=fault)))
    assert longest_wait(done) <= min(6.0, ALONE[stage] + 0.5)
    assert done.ending == "the agent hung up"


class Odd(Synthesizer):
    """Speaks in small pieces, one each so many seconds, ``most`` of them."""

    def __init__(self, every: float, most: int) -> None:
        super().__init__(SynthesizerOptions())
        self._every, self._most = every, most

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        async with aclosing(super().speak(text, rate)) as words:
            pcm = (await anext(words)).pcm[:320]  # type: ignore[union-attr]
        for _ in range(self._most):
            yield Audio(pcm, SPEECH_RATE)
            await self._wait()

    async def _wait(self) -> None:
        await asyncio.sleep(self._every)


def said_last(done: Talk) -> str:
    """Return what the agent said last; the caller's words over it may come after that."""
    return [text for role, text in done.lines if role == "assistant"][-1]


def test_a_voice_slower_than_real_time_is_replaced_or_given_up() -> None:
    """It breaks a reply up twice or three times, not fifty times, and no sentence is lost."""
    done = call_with("tts", Odd(0.1, 200), Synthesizer(SynthesizerOptions()))
    assert longest_wait(done) <= BUDGETS.patience + 0.5
    assert done.ending == "the caller hung up"
    done = call_with("tts", Odd(0.1, 200))
    assert longest_silence(done) <= BUDGETS.next_audio + 0.5
    assert said_last(done) == SORRY


def test_a_voice_that_never_ends_is_cut() -> None:
    """And what it said is said: nobody is told that it was lost."""
    done = call_with("tts", Odd(0.01, 10**7), asks="." * 110)
    assert done.notes.of("failed") == []
    assert done.lines[0] == ("assistant", SCRIPT.greeting)


def test_a_caller_who_says_hello_to_a_voice_that_hangs_is_told_in_time() -> None:
    """Their words begin another reply, which does not wait all over again."""
    hangs = Synthesizer(SynthesizerOptions(fault="hangs"))
    done = call_with("tts", hangs, asks="." * 30 + "+" * 6 + "." * 100)
    ours, _ = sounds(done)
    assert ours.index(True) * FRAME <= 6.0
    assert done.lines[-1] == ("assistant", SORRY)
    assert done.ending == "the agent hung up"


def test_nothing_said_over_the_last_words_keeps_the_call() -> None:
    """Nobody could answer it."""
    refused = Synthesizer(SynthesizerOptions(fault="fails"))
    done = call_with("tts", refused, asks="." * 10 + "+" * 20 + "." * 100)
    assert said_last(done) == SORRY
    assert done.notes.of("ended")[0]["at"] <= recorded_sorry("en").audio.seconds + 1.0


class Counts(Transcriber):
    """Takes a first sound for something, late; then tells how long the caller was loud."""

    def __init__(self, takes_for: str) -> None:
        super().__init__(TranscriberOptions())
        self._takes_for = [takes_for]

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        pcm = b"".join([audio.pcm async for audio in speech])
        loud = sum(max(pcm[at : at + 640]) > 8 for at in range(0, len(pcm), 640)) * FRAME
        if self._takes_for:
            await asyncio.sleep(2.0)
            return self._takes_for.pop()
        return f"{loud:.0f} seconds"


@pytest.mark.parametrize("first", ["Mm-hm.", "Yes, please."])
def test_what_is_said_over_the_last_words_is_kept_whole(first: str) -> None:
    """Also where the sound before them is understood only in the midst of it."""
    hangs = Synthesizer(SynthesizerOptions(fault="hangs"))
    asks = "." * 40 + "+" * 3 + "." * 10 + "+" * 25 + "." * 100
    done = talk(Caller(asks), voice(stt=Counts(first), replies=["Fine."], tts=hangs))
    assert [line["text"] for line in done.notes.of("caller")] == ["3 seconds"]
    assert done.lines[0] == ("assistant", SORRY)
    assert done.ending == "the agent hung up"


class Files:
    """What is kept between two processes."""

    def __init__(self) -> None:
        self.audio: dict[Key, Audio] = {}

    async def load(self, keys: Sequence[Key]) -> Mapping[Key, Audio]:
        await asyncio.sleep(0.01)
        return {key: self.audio[key] for key in keys if key in self.audio}

    async def save(self, key: Key, audio: Audio) -> None:
        self.audio[key] = audio


LASTING = replace(
    SCRIPT,
    lasting=frozenset(
        (SCRIPT.greeting, SCRIPT.apology, SCRIPT.still_there, SCRIPT.brief.goodbye, *SCRIPT.fillers)
    ),
)


@pytest.mark.parametrize("fault", ["fails", "hangs"])
def test_what_was_kept_is_said_after_a_restart_without_a_voice(fault: Fault) -> None:
    """The agent greets and apologises in its own voice, and says goodbye."""
    files = Files()
    for given in ({}, {"fault": fault}):
        providers = voice(["When?"], ["At nine."], tts=Synthesizer(SynthesizerOptions(**given)))
        kept = replace(providers, phrases=PhraseStore(files=files))
        done = talk(Caller(ASKS * 4), kept, script=LASTING)
    said = [text for role, text in done.lines if role == "assistant"]
    assert said[0] == SCRIPT.greeting
    assert said[-1].endswith(f"{SCRIPT.apology} {SCRIPT.brief.goodbye}")
    assert SORRY not in said
    assert longest_wait(done) <= BUDGETS.first_audio + 0.5
    assert done.ending == "the agent hung up"


@pytest.mark.parametrize("stage", ["stt", "llm"])
def test_a_stage_that_is_known_to_be_down_is_told_once(stage: Stage) -> None:
    """The caller is not asked to say it again to nobody."""
    make, options = MAKES[stage]
    providers = voice(["When?"], ["No."], **{stage: make(options(fault="fails"))})
    pool = next(one for one in providers.pools if one.stage == stage)
    pool.candidates[0].cooldown = 2 * FIRST_COOLDOWN
    done = talk(Caller(ASKS * 4), providers)
    assert done.lines[-1] == ("assistant", f"{SCRIPT.apology} {SCRIPT.brief.goodbye}")
    assert len(done.notes.of("failed")) == 1
    assert done.ending == "the agent hung up"
