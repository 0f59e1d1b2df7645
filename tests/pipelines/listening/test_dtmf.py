"""Keys in a caller's audio, by the limits of ITU-T Q.24 and ETSI ES 201 235-3."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from agent.sinch_limits import RATES
from pipelines.audio import SPEECH_RATE, Chunker, Resampler, frame_bytes
from pipelines.listening.dtmf import HIGH, KEYS, LOW, KeypadDetector, tones
from tests.recordings import TRANSCRIPTS, load

ALL = "0123456789*#ABCD"


def heard(pcm: bytes, rate: int) -> str:
    """Return the keys found in a caller's audio, taken as a call takes it."""
    resampler, frames = Resampler(rate, SPEECH_RATE), Chunker(frame_bytes(SPEECH_RATE))
    detector = KeypadDetector()
    whole = frames.feed(resampler.feed(pcm) + resampler.flush() + bytes(1280))
    return "".join(detector.feed(frame) for frame in whole)


def pressed(
    key: str,
    rate: int = 8000,
    *,
    seconds: float = 0.04,
    pause: float = 0.04,
    times: int = 1,
    twist: float = 0.0,
    offset: float | tuple[float, float] = 0.0,
    snr: float = 15.0,
    start: float = 0.1,
) -> bytes:
    """Return a key's tones: -15 dBFS each, in noise; ``twist`` and ``snr`` in dB.

    ``offset`` is of both frequencies, or of each.
    """
    row = next(n for n, keys in enumerate(KEYS) if key in keys)
    n = np.arange(round(rate * seconds))
    level = 10 ** (-15 / 20) * 32767 / max(1.0, 10 ** (twist / 20))
    frequencies = (LOW[row], HIGH[KEYS[row].index(key)])
    levels = (level, level * 10 ** (twist / 20))
    tone = np.zeros(len(n))
    offsets = offset if isinstance(offset, tuple) else (offset, offset)
    for amplitude, frequency, off in zip(levels, frequencies, offsets, strict=True):
        tone += amplitude * np.sin(2 * np.pi * frequency * (1 + off) * n / rate)
    once = np.concatenate([tone, np.zeros(round(rate * pause))])
    quiet = np.zeros(round(rate * start))
    wave = np.concatenate([quiet, *[once] * times, np.zeros(rate // 10)])
    # The noise of a telephone line, which is 4 kHz wide.
    power = np.mean(tone**2) / 10 ** (snr / 10) * rate / 8000
    noise = np.random.default_rng(7).normal(0, np.sqrt(power), len(wave))
    return np.clip(wave + noise, -32768, 32767).astype("<i2").tobytes()


OFFSETS: tuple[float | tuple[float, float], ...] = (
    -0.015, 0.0, 0.015, (-0.015, 0.015), (0.015, -0.015),
)  # fmt: skip
TWISTS = (-8.0, 0.0, 4.0)
OFF = [
    *((8000, offset, twist) for offset in OFFSETS for twist in TWISTS),
    *(
        (rate, offset, twist)
        for rate in RATES[1:]
        for offset, twist in zip(OFFSETS[::2], TWISTS, strict=True)
    ),
]
"""Rate, offset, twist: all there may be at the phone's rate, the corners at those resampled."""


@pytest.mark.parametrize(("rate", "offset", "twist"), OFF)
def test_every_key_is_found_at_every_rate(
    rate: int, offset: float | tuple[float, float], twist: float
) -> None:
    """Pressed twice for 50 ms, in noise at 15 dB, however off the standard allows it to be."""
    for key in ALL:
        pcm = pressed(key, rate, seconds=0.05, pause=0.05, times=2, offset=offset, twist=twist)
        assert heard(pcm, rate) == key * 2


@pytest.mark.parametrize("start", [0.1 + ms / 1000 for ms in range(0, 20, 3)])
def test_forty_milliseconds_are_enough(start: float) -> None:
    """Of tone and of pause, wherever in a frame they begin."""
    for key in ALL:
        assert heard(pressed(key, times=3, start=start, snr=20), 8000) == key * 3


@pytest.mark.parametrize("start", [0.1 + ms / 1000 for ms in range(0, 20, 3)])
def test_what_is_too_short_or_off_key_is_none(start: float) -> None:
    """Below 23 ms, or 3.5 % beside the frequency, nothing is reported."""
    for key in ALL:
        assert heard(pressed(key, seconds=0.022, start=start, snr=30), 8000) == ""
        for offset in (-0.035, 0.035):
            assert heard(pressed(key, seconds=0.1, offset=offset, snr=30), 8000) == ""


def test_a_key_that_is_held_is_one_and_a_drop_out_does_not_split_it() -> None:
    """Five seconds are one key; so are 200 ms with 5 ms missing."""
    assert heard(pressed("5", seconds=5.0), 8000) == "5"
    broken = np.frombuffer(pressed("5", seconds=0.2, snr=30), "<i2").copy()
    for start in range(1300, 1500, 20):
        samples = broken.copy()
        samples[start : start + 40] = 0
        assert heard(samples.tobytes(), 8000) == "5"


def tone(key: str, seconds: float, rate: int = 8000, offset: float = 0.0) -> NDArray[np.float64]:
    """Return a key's tones at -15 dBFS each, as they come from a telephone."""
    row = next(n for n, keys in enumerate(KEYS) if key in keys)
    n = np.arange(round(rate * seconds))
    frequencies = (LOW[row], HIGH[KEYS[row].index(key)])
    waves = [np.sin(2 * np.pi * f * (1 + offset) * n / rate) for f in frequencies]
    return 5800 * np.asarray(sum(waves))


FILLS: dict[str, Callable[[NDArray[np.float64], int], NDArray[np.float64]]] = {
    "nothing": lambda before, _: 0 * before,
    "comfort noise": lambda before, _: np.random.default_rng(1).normal(0, 30, len(before)),
    "the packet before": lambda before, _: before,
    "the packet before, fading": lambda before, n: before * 0.5 ** (n + 1),
}
"""What a line puts in the place of a lost packet: of the packet before, and its number in a row."""


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.parametrize("lead", range(100, 120, 4))
def test_a_key_with_lost_packets_is_one(fill: str, lost: int, lead: int) -> None:
    """Of 200 ms, one or two packets in a row, wherever in a frame the key begins, in some noise."""
    for key in "159D*0":
        for at in (40, 60, 100, 140):
            wave = tone(key, 0.2)
            before = wave[8 * at - 160 : 8 * at].copy()
            for n in range(lost):
                start = 8 * at + 160 * n
                wave[start : start + 160] = FILLS[fill](before, n)
            whole = np.concatenate([np.zeros(8 * lead), wave, np.zeros(1600)])
            whole += np.random.default_rng(2).normal(0, 60, len(whole))
            assert heard(whole.astype("<i2").tobytes(), 8000) == key


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("offset", [-0.015, 0.0, 0.015])
def test_a_loss_is_none_at_every_rate_and_beside_the_frequency(rate: int, offset: float) -> None:
    """Two packets, of a key that is as far beside its frequency as one may be."""
    for key in "17#":
        wave = tone(key, 0.2, rate, offset)
        wave[rate // 10 : rate // 10 + rate // 25] = 0
        whole = np.concatenate([np.zeros(rate // 9), wave, np.zeros(rate // 5)])
        assert heard(whole.astype("<i2").tobytes(), rate) == key


@pytest.mark.parametrize("lead", range(100, 120, 4))
@pytest.mark.parametrize("at", range(0, 80, 10))
def test_a_short_key_with_a_lost_packet_is_one(at: int, lead: int) -> None:
    """80 ms, wherever 20 of them are missing: there may be too little of it on either side."""
    wave = tone("8", 0.08)
    wave[8 * at : 8 * at + 160] = 0
    whole = np.concatenate([np.zeros(8 * lead), wave, np.zeros(1600)])
    assert heard(whole.astype("<i2").tobytes(), 8000) == "8"


@pytest.mark.parametrize("pause", [0.04, 0.05, 0.06, 0.08])
@pytest.mark.parametrize("seconds", [0.04, 0.05, 0.1])
@pytest.mark.parametrize("snr", [20, 60])
def test_two_presses_are_two(pause: float, seconds: float, snr: int) -> None:
    """With the shortest pause, and those of quick fingers; in noise or in digital silence."""
    for key in ALL:
        for start in (0.1, 0.107, 0.113):
            pcm = pressed(key, seconds=seconds, pause=pause, times=2, snr=snr, start=start)
            assert heard(pcm, 8000) == key * 2


@pytest.mark.parametrize("delay", [0.06, 0.1, 0.2, 0.3, 0.5])
@pytest.mark.parametrize("decibels", [6, 10, 20])
@pytest.mark.parametrize("seconds", [0.08, 0.15, 0.3])
def test_the_echo_of_a_key_is_none(delay: float, decibels: int, seconds: float) -> None:
    """Be it behind the key or still upon it; nor is the echo of an echo. A key after it is one."""
    for key in "19*":
        once = tone(key, seconds)
        whole = np.zeros(len(once) + round(8000 * (2 * delay + 1.2)))
        for n in range(3):
            start = 800 + round(8000 * delay * n)
            whole[start : start + len(once)] += once * 10 ** (-decibels * n / 20)
        whole[-2400 : -2400 + len(once[:1600])] += once[:1600]
        assert heard(whole.astype("<i2").tobytes(), 8000) == key * 2


def test_the_echo_of_one_key_behind_the_next_is_none() -> None:
    """7, then 8, then the echo of both."""
    both = np.concatenate([tone("7", 0.1), np.zeros(400), tone("8", 0.1), np.zeros(6000)])
    both[2400:] += both[:-2400] * 10 ** (-12 / 20)
    assert heard(both.astype("<i2").tobytes(), 8000) == "78"


@pytest.mark.parametrize("pair", [(350, 440), (440, 480), (480, 620), (697, 0), (0, 1336)])
def test_tones_of_the_network_are_no_keys(pair: tuple[int, int]) -> None:
    """Dial tone, ringing, busy, and a single tone."""
    n = np.arange(8000)
    wave = sum(5000 * np.sin(2 * np.pi * frequency * n / 8000) for frequency in pair)
    assert heard(np.asarray(wave).astype("<i2").tobytes(), 8000) == ""


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_nobody_says_a_key(name: str) -> None:
    """No recorded speech has one, alone or in noise; its frames stay speech."""
    audio = load(name)
    samples = np.frombuffer(audio.pcm, "<i2").astype(np.float64)
    noise = np.random.default_rng(3).normal(0, 300, len(samples))
    noisy = np.clip(samples + noise, -32768, 32767).astype("<i2").tobytes()
    assert heard(audio.pcm, audio.rate) == heard(noisy, audio.rate) == ""
    resampler, frames = Resampler(audio.rate, SPEECH_RATE), Chunker(frame_bytes(SPEECH_RATE))
    detector, sounding = KeypadDetector(), 0
    for frame in frames.feed(resampler.feed(audio.pcm)):
        detector.feed(frame)
        sounding += detector.sounding
    assert sounding <= 1


@pytest.mark.parametrize("rate", RATES)
def test_our_own_tones_are_keys(rate: int) -> None:
    """What we press is what is heard, doubles and pauses included."""
    assert heard(tones("0123456789*#ABCDw11", rate), rate) == ALL + "11"


@pytest.mark.parametrize("wrong", ["12x", "d", " ", "1-2"])
def test_there_are_no_other_keys(wrong: str) -> None:
    """Anything else is refused before a sound is made."""
    with pytest.raises(ValueError, match="keys are"):
        tones(wrong, 8000)


def test_a_frame_that_is_filled_by_a_tone_is_known_at_once() -> None:
    """So that it can be kept from speech recognition."""
    detector = KeypadDetector()
    pcm = tones("7", SPEECH_RATE)
    sounding = []
    for at in range(0, len(pcm) - 640, 640):
        detector.feed(pcm[at : at + 640])
        sounding.append(detector.sounding)
    assert sounding[:5] == [True] * 5
    assert not any(sounding[6:])


@given(st.lists(st.binary(min_size=640, max_size=640), max_size=20))
def test_any_sound_is_heard_out(frames: list[bytes]) -> None:
    """Nothing raises, and nothing but keys comes out."""
    detector = KeypadDetector()
    assert set("".join(detector.feed(frame) for frame in frames)) <= set(ALL)
