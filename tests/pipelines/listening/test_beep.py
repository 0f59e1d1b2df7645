"""The beep of an answering machine: found whatever its pitch and level, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.audio import at_rate
from pipelines.listening.beep import Beep, BeepDetector
from pipelines.listening.caller_frames import LineFrames
from pipelines.listening.dtmf import KEYS, tones
from tests.recordings import TRANSCRIPTS, load

RATE = 8000
Sound = npt.NDArray[np.float64]

KNOWN_WITHIN = 0.12
"""Seconds from the end of a beep until it is known."""


def tone(hertz: Sequence[float], seconds: float, dbfs: float = -15.0) -> Sound:
    """Tones of that RMS together, with edges of 4 ms."""
    at = np.arange(round(RATE * seconds))
    wave = sum(np.sin(2 * np.pi * one * at / RATE) for one in hertz) / len(hertz) ** 0.5
    ramp = np.minimum(1.0, np.minimum(at + 1, len(at) - at) / (RATE * 0.004))
    sound: Sound = wave * ramp * 2**0.5 * 10 ** (dbfs / 20)
    return sound


def quiet(seconds: float) -> Sound:
    return np.zeros(round(RATE * seconds))


def found(*parts: Sound, noise: float = -65.0, seed: int = 1) -> list[tuple[float, Beep]]:
    """Return the beeps in a line's audio, with when each was known."""
    line = np.concatenate([*parts, quiet(0.6)])
    line = line + np.random.default_rng(seed).normal(0, 10 ** (noise / 20), len(line))
    pcm = np.clip(line * 32767, -32768, 32767).astype("<i2").tobytes()
    detector, beeps = BeepDetector(), []
    for number, frame in enumerate(LineFrames(RATE).feed(pcm), 1):
        if (beep := detector.feed(frame)) is not None:
            beeps.append((number * 0.02, beep))
    return beeps


@settings(max_examples=40)
@given(
    hertz=st.floats(650, 2480),
    seconds=st.floats(0.12, 2.0),
    dbfs=st.floats(-32, -6),
    below=st.floats(15, 40),
    lead=st.floats(0.1, 0.2),
    seed=st.integers(0, 1000),
)
def test_a_beep_is_found(
    hertz: float, seconds: float, dbfs: float, below: float, lead: float, seed: int
) -> None:
    """Once, with its pitch and length, just after its end; 15 dB above the noise are enough."""
    beeps = found(quiet(lead), tone([hertz], seconds, dbfs), noise=dbfs - below, seed=seed)
    [(known, beep)] = beeps
    assert beep.hertz == pytest.approx(hertz, rel=0.01)
    assert beep.seconds == pytest.approx(seconds, abs=0.07)
    assert 0 < known - (lead + seconds) <= KNOWN_WITHIN


@settings(max_examples=30)
@given(hertz=st.floats(310, 640), seconds=st.floats(0.22, 0.3), dbfs=st.floats(-30, -6))
def test_low_ones_take_longer(hertz: float, seconds: float, dbfs: float) -> None:
    """A voice hums for less than 0.2 s."""
    assert len(found(quiet(0.2), tone([hertz], seconds, dbfs))) == 1


@pytest.mark.parametrize("hertz", [(850, 1400), (1000, 2000), (620, 1780), (1400, 2060)])
def test_two_tones_at_once_are_one_beep(hertz: tuple[float, float]) -> None:
    """Whichever of them is the stronger at the moment."""
    assert len(found(quiet(0.2), tone(hertz, 0.4))) == 1


def test_two_tones_one_after_the_other_are_one_beep() -> None:
    """Known after the second."""
    [(known, beep)] = found(quiet(0.2), tone([900], 0.2), tone([1400], 0.3))
    assert beep.hertz == pytest.approx(1400, rel=0.01)
    assert known > 0.7


@pytest.mark.parametrize("left", [0.0, 0.5], ids=["silence", "the packet before, more softly"])
def test_a_lost_packet_does_not_end_a_beep(left: float) -> None:
    """It is one beep, as long as it was."""
    beep = tone([1200], 0.5)
    beep[1600:1760] = left * beep[1440:1600]
    [(known, one)] = found(quiet(0.2), beep)
    assert one.seconds == pytest.approx(0.5, abs=0.07)
    assert known > 0.7


@pytest.mark.parametrize(
    "hertz", [(425,), (440, 480), (400, 450), (480, 620)], ids=["EU", "US", "UK", "engaged"]
)
@pytest.mark.parametrize("seconds", [0.4, 1.0, 2.0])
def test_ringback_is_no_beep(hertz: tuple[float, ...], seconds: float) -> None:
    """Nor is an engaged tone."""
    assert found(quiet(0.2), tone(hertz, seconds), quiet(0.4), tone(hertz, seconds)) == []


def test_special_information_tones_are_no_beep() -> None:
    """Before "the number you have dialled is not in service"."""
    parts = [tone([hertz], 0.33) for hertz in (950, 1400, 1800)]
    assert found(quiet(0.2), *parts) == []


@pytest.mark.parametrize("key", [key for row in KEYS for key in row])
def test_keys_are_no_beeps(key: str) -> None:
    """They are told from them by both their tones."""
    pressed = np.frombuffer(tones(key, RATE), "<i2") / 32767
    assert found(quiet(0.2), pressed, pressed) == []


@pytest.mark.parametrize("dbfs", [-40, -20, -6])
def test_noise_is_no_beep(dbfs: float) -> None:
    """At any level."""
    assert found(quiet(5.0), noise=dbfs) == []


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_speech_is_no_beep(name: str) -> None:
    """Of none of our recordings."""
    pcm = at_rate([load(name)], RATE).pcm
    assert found(np.frombuffer(pcm, "<i2") / 32767) == []


def test_music_is_no_beep() -> None:
    """Notes that follow one another."""
    notes = [tone([440 * 2 ** (step / 12)], 0.25) for step in (12, 14, 16, 17, 19, 17, 16, 14)]
    assert found(quiet(0.2), *notes) == []


def test_what_does_not_end_is_no_beep() -> None:
    """A tone of more than 2.5 s, such as a fax has."""
    assert found(quiet(0.2), tone([2100], 3.3)) == []
