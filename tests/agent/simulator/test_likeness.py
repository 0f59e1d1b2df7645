"""Whether two sounds are the same words."""

from __future__ import annotations

import numpy as np
import pytest

from agent.simulator.likeness import covered, is_again
from agent.simulator.scenarios import DEFAULT
from agent.simulator.speech import recorded_turn
from pipelines.audio import Audio

FOLDER = DEFAULT.parent / "recordings"
WHOLE = recorded_turn(FOLDER / "not-in-service.wav", 8000).audio
OTHER = recorded_turn(FOLDER / "press-one.wav", 8000).audio


def part(audio: Audio, start: float, end: float) -> Audio:
    return Audio(audio.pcm[2 * int(start * audio.rate) : 2 * int(end * audio.rate)], audio.rate)


def noisy(audio: Audio) -> Audio:
    """Return a sound with noise 20 dB below it, and half as loud."""
    samples = np.frombuffer(audio.pcm, "<i2").astype(float)
    noise = np.random.default_rng(4).normal(0, 0.1 * np.std(samples), len(samples))
    return Audio((0.5 * (samples + noise)).astype("<i2").tobytes(), audio.rate)


@pytest.mark.parametrize(("start", "end"), [(0.4, 1.0), (1.0, 3.0), (2.5, 4.5)])
def test_the_same_words_are_found_whatever_the_level(start: float, end: float) -> None:
    """Wherever they are in the other, and with noise in them."""
    assert is_again(part(noisy(WHOLE), start, end), WHOLE)


def test_other_words_are_not() -> None:
    """Though the voice is the same; half of them is not all."""
    assert is_again(part(OTHER, 0.5, 4.5), WHOLE) is False
    half = Audio(part(WHOLE, 0.2, 2.0).pcm + part(OTHER, 1.0, 4.0).pcm, 8000)
    assert is_again(half, WHOLE) is False


def test_any_rate_will_do() -> None:
    """Both are brought to one."""
    wide = recorded_turn(FOLDER / "not-in-service.wav", 16_000).audio
    assert is_again(part(wide, 1.0, 3.0), WHOLE)


def test_of_too_little_nothing_is_known() -> None:
    """Nor of a tone, which is like any other part of it."""
    assert is_again(part(WHOLE, 1.0, 1.3), WHOLE) is None
    tone = (20 * b"\x00\x10" + 20 * b"\x00\xf0") * 400  # two seconds of the scripted voice
    assert covered(Audio(tone, 8000), WHOLE) is None
    assert covered(WHOLE, Audio(b"", 8000)) == 0.0
