"""The end of a turn: the turn model, the words, and how they are weighed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.audio import SPEECH_RATE, at_rate
from pipelines.providers.contracts import ProviderError
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings, ScriptedTurnModel, silence_needed
from pipelines.turn_taking.end_of_turn_words import Ending, ending
from pipelines.turn_taking.smart_turn import SmartTurn, log_mel
from tests.recordings import load

SETTINGS = EndOfTurnSettings()

REFERENCE = Path(__file__).with_name("data") / "whisper_features.npz"
"""What transformers 5's WhisperFeatureExtractor(chunk_length=8), given ``do_normalize=True`` as
Smart Turn's publisher does, makes of ``first-in-line.wav`` with each sample twice (so at 16 kHz)
and silence before it. In half precision: 5e-4 off at worst."""


def speech(name: str, part: float = 1.0) -> bytes:
    """Return a recording up to a tenth of a second after its last sound, or a part of that."""
    pcm = at_rate([load(name)], SPEECH_RATE).pcm + bytes(SPEECH_RATE // 5)
    samples = np.frombuffer(pcm, "<i2").astype(np.int32)
    last = int(np.flatnonzero(np.abs(samples) > 300)[-1]) + SPEECH_RATE // 10
    return pcm[: 2 * int(last * part)]


def test_the_features_are_those_of_the_reference_implementation() -> None:
    """To the precision that the reference is kept in."""
    samples = np.repeat(np.frombuffer(load("first-in-line").pcm, "<i2"), 2).astype(np.float32)
    expected = np.load(REFERENCE)["features"].astype(np.float32)
    features = log_mel(samples / np.float32(32768))
    assert features.shape == expected.shape == (80, 800)
    assert np.abs(features - expected).max() < 2e-3


@pytest.mark.parametrize("length", [0, 1, 399, SPEECH_RATE, 9 * SPEECH_RATE])
def test_features_of_any_length_have_one_shape(length: int) -> None:
    """Shorter audio is preceded by silence; of longer, the last 8 s count."""
    noise = np.random.default_rng(7).normal(0, 0.1, length).astype(np.float32)
    features = log_mel(noise)
    assert features.shape == (80, 800)
    assert np.isfinite(features).all()
    assert (log_mel(np.concatenate((noise[:1], noise))) == features).all() or length < 8 * 16000


def test_smart_turn_tells_whole_sentences_from_halves() -> None:
    """On recorded speech: sure of whole sentences, and of ones cut at a third that more comes."""
    names = ["did-not-understand", "first-in-line", "press-one", "one-moment", "phone-number"]

    async def ask() -> list[tuple[float, float]]:
        model = SmartTurn()
        await model.start()
        try:
            return [
                (await model.complete(speech(name)), await model.complete(speech(name, 0.3)))
                for name in names
            ]
        finally:
            await model.aclose()

    for name, (whole, half) in zip(names, asyncio.run(ask()), strict=True):
        assert whole >= SETTINGS.finished_from, name
        assert half < SETTINGS.going_on_below, name


def test_a_model_that_was_not_started_is_a_provider_error() -> None:
    """So that a call goes on without it."""
    model = SmartTurn()
    with pytest.raises(ProviderError, match="not started"):
        asyncio.run(model.complete(b""))
    asyncio.run(model.aclose())


def test_a_scripted_model_repeats_its_last_line() -> None:
    """As all doubles do."""

    async def ask() -> list[float]:
        model = ScriptedTurnModel([0.1, 0.9])
        await model.start()
        answers = [await model.complete(b"") for _ in range(3)]
        await model.aclose()
        return answers

    assert asyncio.run(ask()) == [0.1, 0.9, 0.9]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Yes.", Ending.WHOLE),
        ("No, thank you.", Ending.WHOLE),
        ("Hello", Ending.WHOLE),
        ("Thank you very much!", Ending.WHOLE),
        ("That's all, thanks. Goodbye.", Ending.WHOLE),
        ("That’s right.", Ending.WHOLE),
        ("My number is", Ending.OPEN),
        ("Sure, my telephone number is.", Ending.OPEN),
        ("Hi, my name is, um.", Ending.OPEN),
        ("It's 5 5 5", Ending.OPEN),
        ("555-1", Ending.OPEN),
        ("zero seven nine", Ending.OPEN),
        ("That's S M.", Ending.OPEN),
        ("I would like to book a table for", Ending.TRAILING),
        ("I'd like the soup and.", Ending.TRAILING),
        ("Well, on Sunday,", Ending.TRAILING),
        ("So I was...", Ending.TRAILING),
        ("because", Ending.TRAILING),
        ("What time do you open on Sunday?", Ending.UNKNOWN),
        ("555 123 4567", Ending.UNKNOWN),
        ("A table for 4, at 7.", Ending.UNKNOWN),
        ("In 2026", Ending.OPEN),
        ("", Ending.UNKNOWN),
        ("...", Ending.UNKNOWN),
    ],
)
def test_words_tell_how_a_transcript_ends(said: str, expected: Ending) -> None:
    """Whatever the full stop says that a transcriber puts after anything."""
    assert ending(said, "en-GB") is expected


def test_in_an_unknown_language_words_tell_nothing() -> None:
    """Then silence and the turn model decide."""
    assert ending("my number is", "de") is Ending.UNKNOWN


@given(st.text(), st.sampled_from(["en", "de", ""]))
def test_any_transcript_has_an_ending(text: str, language: str) -> None:
    """Nothing is raised."""
    assert ending(text, language) in Ending


@pytest.mark.parametrize(
    ("probability", "said", "expected"),
    [
        (0.99, "What time do you open?", SETTINGS.shortest),
        (0.99, None, SETTINGS.shortest),
        (0.5, "What time do you open?", SETTINGS.middle),
        (0.01, "What time do you open?", SETTINGS.long),
        (0.99, "I would like to", SETTINGS.long),
        (0.01, "I would like to", SETTINGS.longest),
        (0.99, "My number is", SETTINGS.longest),
        (0.01, "Yes.", SETTINGS.shortest),
        (0.99, "Which day should I come on?", SETTINGS.shortest),
        (0.99, "And otherwise.", SETTINGS.long),
        (None, "Yes.", SETTINGS.shortest),
        (None, "I would like to", SETTINGS.long),
        (None, "What time do you open?", None),
        (None, None, None),
    ],
)
def test_the_evidence_is_weighed(
    probability: float | None, said: str | None, expected: float | None
) -> None:
    """Sure that they finished: answer. Sure that they did not: wait. Not sure: in between."""
    assert silence_needed(SETTINGS, probability, said, "en") == expected


@given(st.none() | st.floats(0, 1), st.none() | st.text())
def test_nobody_waits_for_longer_than_the_longest(
    probability: float | None, said: str | None
) -> None:
    """And nobody is answered before the shortest."""
    needed = silence_needed(SETTINGS, probability, said, "en")
    assert needed is None or SETTINGS.shortest <= needed <= SETTINGS.longest
