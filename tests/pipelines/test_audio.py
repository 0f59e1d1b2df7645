"""Resampling and framing: nothing lost, nothing late, nothing that depends on the pieces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.audio import Audio, Chunker, Resampler, frame_bytes

RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000)
rates = st.sampled_from(RATES)
lengths = st.lists(st.integers(0, 700), max_size=12)
"""Of the pieces, in bytes, odd ones too."""


def noise(samples: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(2 * samples)


def tone(frequency: float, rate: int, seconds: float = 0.5) -> bytes:
    time = np.arange(round(seconds * rate)) / rate
    pcm: bytes = np.rint(16_000 * np.sin(2 * np.pi * frequency * time)).astype("<i2").tobytes()
    return pcm


def resampled(pcm: bytes, source: int, target: int) -> bytes:
    resampler = Resampler(source, target)
    return resampler.feed(pcm) + resampler.flush()


def middle(pcm: bytes) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The samples, without the first and last fifth, where the stream begins and ends."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    return samples[len(samples) // 5 : -len(samples) // 5]


@settings(deadline=None)
@given(rates, rates, lengths)
def test_the_cut_of_a_stream_makes_no_difference(source: int, target: int, cut: list[int]) -> None:
    """Any pieces, odd byte counts too, give the same bytes as the whole stream at once."""
    pcm = noise(sum(cut) // 2 + 50)
    resampler, out, at = Resampler(source, target), b"", 0
    for length in cut:
        out += resampler.feed(pcm[at : at + length])
        at += length
    out += resampler.feed(pcm[at:]) + resampler.flush()
    assert out == resampled(pcm, source, target)


@settings(deadline=None)
@given(rates, rates, st.integers(0, 3000))
def test_as_much_time_comes_out_as_went_in(source: int, target: int, samples: int) -> None:
    """After flush there is a sample for each moment that lies within the input, and no other."""
    out = resampled(noise(samples), source, target)
    assert len(out) // 2 == -(-samples * target // source)


@pytest.mark.parametrize("source", RATES)
@pytest.mark.parametrize("target", RATES)
def test_little_is_held_back(source: int, target: int) -> None:
    """At no time is more inside than fourteen samples of the lower rate, and the next output."""
    resampler, came = Resampler(source, target), 0
    for fed in range(1, 40):
        came += len(resampler.feed(noise(source // 50, fed))) // 2
        held = fed * 0.02 - came / target
        assert held <= 14 / min(source, target) + 1 / source + 1 / target


@pytest.mark.parametrize("target", RATES)
@pytest.mark.parametrize("source", RATES)
def test_a_tone_stays_where_it_is(source: int, target: int) -> None:
    """A tone of the telephone band comes out in phase, as loud as it was, with nothing beside it.

    A tone that is late by one sample, or has an image, misses this by far.
    """
    for frequency in (300.0, 1000.0, 3200.0):
        pcm = tone(frequency, source)
        out, want = resampled(pcm, source, target), tone(frequency, target)
        difference = middle(out[: len(want)]) - middle(want[: len(out)])
        assert np.abs(difference).max() < 16_000 * 10 ** (-55 / 20)


@pytest.mark.parametrize("source", [16_000, 22_050, 24_000, 48_000])
def test_what_the_line_cannot_carry_is_removed(source: int) -> None:
    """A tone above the band of 8 kHz does not come back as another."""
    for frequency in (4_700.0, 5_500.0, 7_500.0):
        assert np.abs(middle(resampled(tone(frequency, source), source, 8_000))).max() < 16


@pytest.mark.parametrize("target", [16_000, 44_100, 48_000])
def test_loud_audio_is_clipped_and_never_wraps(target: int) -> None:
    """A full-scale square wave overshoots in any filter; it stays on its side of zero."""
    square = np.repeat(np.tile((32767, -32768), 10), 200).astype("<i2").tobytes()
    out = np.frombuffer(resampled(square, 8_000, target), "<i2")
    moments = np.arange(len(out)) * 8_000 / target
    inside = np.abs(moments % 200 - 100) < 98  # of a flank; the overshoot is just beside the edges
    side = np.sign(np.frombuffer(square, "<i2"))[moments.astype(int)]
    assert np.all(np.sign(out)[inside] == side[inside])
    assert out.max() == 32767


@pytest.mark.parametrize("target", RATES)
def test_silence_stays_silence_and_a_level_a_level(target: int) -> None:
    """Zeros come out as zeros, and a constant as the same constant at every phase."""
    assert not any(resampled(bytes(2000), 8_000, target))
    level = np.full(2000, 12_345, "<i2").tobytes()
    assert set(middle(resampled(level, 8_000, target))) == {12_345.0}


def test_equal_rates_change_nothing() -> None:
    """The same rate in and out passes whole samples on, bit for bit."""
    resampler, pcm = Resampler(16_000, 16_000), noise(100)
    assert resampler.feed(pcm[:33]) + resampler.feed(pcm[33:]) + resampler.flush() == pcm


@pytest.mark.parametrize(("source", "target"), [(0, 8_000), (8_000, 0), (-8_000, 8_000)])
def test_a_rate_is_positive(source: int, target: int) -> None:
    """A rate that cannot be is refused at once."""
    with pytest.raises(ValueError, match="rates are positive"):
        Resampler(source, target)


@given(st.binary(max_size=500), st.lists(st.integers(0, 90), max_size=12), st.integers(1, 60))
def test_frames_are_the_stream_whatever_its_cut(data: bytes, cut: list[int], size: int) -> None:
    """Frames, joined with what flush returns, are the stream and the silence that fills it up."""
    chunker, at = Chunker(size), 0
    frames: list[bytes] = []
    for length in cut:
        frames += chunker.feed(data[at : at + length])
        at += length
    frames += chunker.feed(data[at:])
    assert all(len(frame) == size for frame in frames)
    rest = chunker.flush()
    assert len(rest) in (0, size)
    assert b"".join(frames) + rest == data + bytes(-len(data) % size)


@pytest.mark.parametrize("rate", RATES)
def test_a_frame_is_twenty_milliseconds(rate: int) -> None:
    """The bytes of a frame play for 20 ms at its rate."""
    assert Audio(bytes(frame_bytes(rate)), rate).seconds == pytest.approx(0.02)


@pytest.mark.parametrize(("source", "target"), [(8000, 16000), (22050, 8000), (44100, 16000)])
def test_it_agrees_with_scipys_polyphase_resampler(source: int, target: int) -> None:
    """On speech-band sound the two differ by less than a hundredth of its strength."""
    from scipy.signal import resample_poly  # noqa: PLC0415 - see `tests.held_things`

    time = np.arange(source) / source
    sound = sum(np.sin(2 * np.pi * f * time + f) for f in (200, 650, 1100, 2300, 3100))
    samples = np.rint(4000 * sound)
    reference = resample_poly(samples, target, source)
    ours = np.frombuffer(resampled(samples.astype("<i2").tobytes(), source, target), "<i2")
    inside = slice(len(ours) // 10, -len(ours) // 10)
    error = np.sqrt(np.mean((ours[inside] - reference[: len(ours)][inside]) ** 2))
    assert error < 0.01 * np.sqrt(np.mean(reference[inside] ** 2))


@settings(deadline=None)
@given(rates, rates, st.lists(st.integers(0, 700), max_size=8), st.integers(0, 8))
def test_what_is_skipped_changes_nothing_of_what_comes_after(
    source: int, target: int, lengths: list[int], skipped: int
) -> None:
    """How much comes out is known before."""
    read, unread = Resampler(source, target), Resampler(source, target)
    fed = made = 0
    for at, length in enumerate(lengths):
        pcm = noise(length)
        whole = read.feed(pcm)
        fed, made = fed + length, made + len(whole) // 2
        assert unread.comes_of(fed) == made
        if at < skipped:
            unread.skip(pcm)
        else:
            assert unread.feed(pcm) == whole
