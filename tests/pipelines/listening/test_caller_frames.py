"""Frames as the line carries them, and what is made of them."""

from __future__ import annotations

import numpy as np
import pytest

from agent.sinch_limits import RATES
from pipelines.audio import SPEECH_RATE, Resampler, frame_bytes
from pipelines.listening.caller_frames import CallerFrame, Heard, LineFrames, joined, pcm_of

FRAMES = 12


def stream(rate: int) -> bytes:
    """Return loud noise."""
    noise = np.random.default_rng(rate).normal(0, 12_000, FRAMES * rate // 50)
    return np.clip(noise, -32768, 32767).astype("<i2").tobytes()


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("size", [1, 333, 4000])
def test_a_frame_is_what_a_resampler_makes_of_the_stream(rate: int, size: int) -> None:
    """However it comes, and in whatever order frames are asked for."""
    pcm, cutter = stream(rate), LineFrames(rate)
    frames = [f for at in range(0, len(pcm), size) for f in cutter.feed(pcm[at : at + size])]
    last_first = [frame.pcm for frame in reversed(frames)]
    whole = Resampler(rate, SPEECH_RATE, late=True).feed(pcm)
    assert b"".join(reversed(last_first)) == whole
    assert {len(one) for one in last_first} == {len(frames[0])} == {frame_bytes(SPEECH_RATE)}


@pytest.mark.parametrize("rate", RATES)
def test_many_frames_are_the_same_as_each(rate: int) -> None:
    """Some of them known, some not of the line, one left out, silence in between."""
    cutter = LineFrames(rate)
    frames = list(cutter.feed(stream(rate)))
    other = bytes(range(256)) * 2 + bytes(128)
    some: list[Heard] = [
        *frames[1:4],
        cutter.silence,
        *frames[5:7],
        other,
        frames[8],
        frames[10],
        frames[11],
    ]
    alone = [
        one if isinstance(one, bytes) else CallerFrame(one.line, rate, one.before) for one in some
    ]
    assert frames[2].pcm
    assert joined(some) == b"".join(pcm_of(one) for one in alone)
    assert joined([]) == b""
