"""Both sides of a call on its clock: the caller by arrival, the agent as heard."""

from __future__ import annotations

import random
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.records.recordings.sides import MOST_AHEAD, AgentSide, CallerSide, PlacedAudio, joined

RATE = 8000
FRAME = 160


def spoken(first: int, samples: int = FRAME) -> bytes:
    """Audio in which every sample says when it was spoken, loud enough not to be cut as silence."""
    numbers = np.arange(first, first + samples)
    return (10_000 + numbers % 16_384).astype("<i2").tobytes()


def laid(stretches: Iterable[PlacedAudio], end: int) -> np.ndarray:
    track = np.zeros(end, np.int16)
    last = 0
    for one in stretches:
        assert one.start >= last, "they overlap"
        last = one.end
        track[one.start : one.end] = np.frombuffer(one.pcm, "<i2")[: max(0, end - one.start)]
    return track


def recorded(arrivals: Iterable[tuple[int, int]], begin: int = 0) -> np.ndarray:
    """What is recorded of frames: when each was spoken (its first sample), and when it came."""
    side = CallerSide(RATE, begin)
    stretches: list[PlacedAudio] = []
    for first, at in arrivals:
        side.add(spoken(first), at)
        stretches += side.take()
    stretches += side.finish()
    return laid(stretches, 60 * RATE)


def error(track: np.ndarray, first: int) -> float:
    """By how many seconds the frame that was spoken at ``first`` is off its place."""
    near = track[max(0, first - RATE // 2) : first + RATE // 2 + FRAME]
    found = np.flatnonzero(near == np.frombuffer(spoken(first, 1), "<i2")[0])
    assert len(found), f"the frame of {first} is not there"
    return float(min(abs(found - min(first, RATE // 2)))) / RATE


def frames(seconds: float, since: float = 0.0) -> range:
    return range(round(since * RATE), round((since + seconds) * RATE), FRAME)


def test_audio_that_comes_in_time_is_where_it_was_spoken() -> None:
    """Its first sample, a call's first too, by when it came."""
    track = recorded((first, first + FRAME + 320) for first in frames(10.0, since=0.5))
    assert not track[: round(0.5 * RATE) + 320].any()
    assert all(error(track, first) <= 0.045 for first in frames(9.0, since=0.5))


@pytest.mark.parametrize("stall", [0.3, 1.0, 4.0, 14.0])
def test_after_a_stall_and_a_burst_all_of_it_is_in_its_place(stall: float) -> None:
    """What was spoken meanwhile fills the gap that it left."""
    end = round((5.0 + stall) * RATE)
    came = [(f, max(f + FRAME, end) if f >= 5 * RATE else f + FRAME) for f in frames(30.0)]
    track = recorded(came)
    assert max(error(track, first) for first in frames(29.0)) <= 0.001


@pytest.mark.parametrize("lost", [0.2, 1.0, 10.0])
def test_audio_that_is_lost_is_silence_and_moves_nothing(lost: float) -> None:
    """As long as it was."""
    came = [(f, f + FRAME) for f in frames(30.0) if not 5 * RATE <= f < (5 + lost) * RATE]
    track = recorded(came)
    gap = track[5 * RATE : round((5 + lost) * RATE)]
    assert not gap.any()
    assert max(error(track, first) for first, _ in came[:-50]) <= 0.001


def test_a_stall_in_which_some_is_lost_loses_what_is_lost() -> None:
    """The burst has what came last."""
    end = 10 * RATE
    came = [(f, f + FRAME) for f in frames(5.0)]
    came += [(f, max(f + FRAME, end)) for f in frames(20.0, since=7.0)]
    track = recorded(came)
    assert not track[5 * RATE : 7 * RATE].any()
    assert max(error(track, first) for first, _ in came[:-50]) <= 0.001


@pytest.mark.parametrize("drift", [-500e-6, 500e-6])
def test_a_clock_that_goes_wrong_does_not_add_up(drift: float) -> None:
    """Half a millisecond a second, five times what a bad crystal does, over ten minutes."""
    side, worst = CallerSide(RATE, 0), 0.0
    for n in range(30_000):
        at = round((n + 1) * FRAME * (1 + drift))
        side.add(bytes(2 * FRAME) if n % 50 > 25 else b"\x00\x40" * FRAME, at)
        if n > 50 and (placed := side.take()):
            worst = max(worst, abs(placed[-1].end - at) / RATE)
    assert worst <= 0.03


def test_loud_audio_that_runs_ahead_is_kept_until_it_can_be_cut_unheard() -> None:
    """Two seconds at the most: then it was never this call's time."""
    side = CallerSide(RATE, 0)
    placed: list[PlacedAudio] = []
    at = 0
    for n in range(50 * 12):
        at += FRAME if n < 100 else FRAME // 2
        side.add(spoken(n * FRAME), at)
        placed += side.take()
    assert 1.9 * RATE <= placed[-1].end - at <= (MOST_AHEAD + 0.1) * RATE


def test_jitter_leaves_no_gaps() -> None:
    """Frames that come up to 60 ms late, in order, follow each other without a hole."""
    jitter = random.Random(3)
    came, last = [], 0
    for first in frames(20.0):
        last = max(last, first + FRAME + jitter.randrange(round(0.06 * RATE)))
        came.append((first, last))
    track = recorded(came)
    assert track[RATE : 19 * RATE].all()
    assert max(error(track, first) for first in frames(19.0)) <= 0.06


def test_what_was_spoken_before_and_comes_late_is_not_recorded() -> None:
    """A card number that was stuck in a stall does not come in behind a pause."""
    begin = 10 * RATE
    end = round(10.5 * RATE)
    came = [(f, max(f + FRAME, end)) for f in frames(12.0, since=7.0)]
    track = recorded(came, begin)
    assert not track[:begin].any()
    wanted = np.frombuffer(spoken(begin, 8 * RATE), "<i2")
    assert (track[begin : begin + 8 * RATE] == wanted).all()


@given(st.lists(st.integers(0, 700), min_size=1, max_size=60), st.integers(0, 1000))
def test_pieces_of_any_size_are_the_same_recording(cuts: list[int], begin: int) -> None:
    """Half samples too: all of it is there, in order."""
    data = spoken(0, sum(cuts) // 2 + 1)
    side = CallerSide(RATE, 0)
    at, came = 0, b""
    for cut in cuts:
        at += cut
        side.add(data[at - cut : at], begin + at // 2)
        came += b"".join(one.pcm for one in side.take())
    came += b"".join(one.pcm for one in side.finish())
    assert came == data[: at // 2 * 2]


# The agent


def test_what_is_sent_ahead_is_where_it_is_heard() -> None:
    """A second ahead of it, at once."""
    side = AgentSide()
    for n in range(50):
        side.add(spoken(n * FRAME), RATE)
    track = laid(side.take(3 * RATE), 3 * RATE)
    assert (track[RATE : 2 * RATE] == np.frombuffer(spoken(0, RATE), "<i2")).all()
    assert not track[:RATE].any()
    assert not track[2 * RATE :].any()


def test_what_a_clear_dropped_is_not_heard() -> None:
    """To the sample; what follows is heard from when it is sent."""
    side = AgentSide()
    for n in range(50):
        side.add(spoken(n * FRAME), RATE)
    cut = RATE + 1234
    side.clear(cut)
    side.add(spoken(40_000), 2 * RATE)
    track = laid(side.take(4 * RATE), 4 * RATE)
    assert (track[RATE:cut] == np.frombuffer(spoken(0, 1234), "<i2")).all()
    assert not track[cut : 2 * RATE].any()
    assert track[2 * RATE : 2 * RATE + FRAME].all()


@given(st.lists(st.tuples(st.sampled_from("sct"), st.integers(0, 4000)), max_size=40))
def test_it_agrees_with_a_buffer_that_plays_sample_by_sample(steps: list[tuple[str, int]]) -> None:
    """Whatever is sent, cleared and taken, and when."""
    side, now = AgentSide(), 0
    buffer: list[int] = []
    heard, placed, number = [], [], 0
    for what, after in steps:
        heard += [buffer.pop(0) if buffer else 0 for _ in range(after)]
        now += after
        if what == "s":
            pcm = spoken(number, 500)
            number += 500
            side.add(pcm, now)
            buffer += np.frombuffer(pcm, "<i2").tolist()
        elif what == "c":
            side.clear(now)
            buffer.clear()
        else:
            placed += side.take(now)
    placed += side.take(now)
    assert laid(placed, now).tolist() == heard


def test_what_follows_is_one_stretch() -> None:
    """A gap begins another."""
    one, two, three = PlacedAudio(0, b"abcd"), PlacedAudio(2, b"ef"), PlacedAudio(9, b"gh")
    assert list(joined([one, two, three])) == [PlacedAudio(0, b"abcdef"), PlacedAudio(9, b"gh")]
