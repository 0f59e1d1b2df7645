"""The turn model that comes with the install, on recorded speech."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from pipelines.audio import SPEECH_RATE, at_rate
from pipelines.onnx import ORT_ERRORS, load_session, with_outputs
from pipelines.providers.contracts import ProviderError
from pipelines.turn_taking.smart_turn import ATTENTION, MODEL, SmartTurn, log_mel
from tests.recordings import load

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


def test_attention_is_computed_in_floats() -> None:
    """Its outputs can be asked for, so that onnxruntime does not make it one with its rounding."""
    network = MODEL.read_bytes()
    session = load_session(with_outputs(network, ATTENTION))
    assert [one.name for one in session.get_outputs()] == ["logits", *ATTENTION]
    samples = np.frombuffer(speech("first-in-line"), "<i2").astype(np.float32)
    features = log_mel(samples / np.float32(32768))
    given = {"input_features": features[np.newaxis]}
    layers = session.run(list(ATTENTION), given)
    for weights in layers:
        assert weights.dtype == np.float32
        assert np.abs(weights.sum(axis=-1) - 1).max() < 1e-3
    (as_it_is,) = load_session(network).run(None, given)
    assert abs(session.run(["logits"], given)[0][0, 0] - as_it_is[0, 0]) < 0.05
    with pytest.raises(ORT_ERRORS):
        load_session(with_outputs(network, ["there is no such value"]))


def test_smart_turn_tells_whole_sentences_from_halves() -> None:
    """On recorded speech, by a margin that holds on every processor.

    How sure it is of one sentence differs by up to 0.2 between them: see
    :mod:`tests.benchmarks.processors`.
    """
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
        assert whole - half > 0.6, name
        assert half < 0.5 < whole, name


def test_a_model_that_was_not_started_is_a_provider_error() -> None:
    """So that a call goes on without it."""
    model = SmartTurn()
    with pytest.raises(ProviderError, match="not started"):
        asyncio.run(model.complete(b""))
    asyncio.run(model.aclose())
