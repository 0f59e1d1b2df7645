"""What a caller hears, counted by hand: where it breaks off, and what is old."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.bench.heard import PLAYOUT_START, HeardAudio
from agent.simulator.playout_buffer import PlayoutBuffer

FRAME = 320
"""Bytes of 20 ms at 8 kHz."""


def heard() -> HeardAudio:
    return HeardAudio(rate=8000)


def test_a_reply_begins_a_frame_after_it_came_and_lasts_as_long_as_it_is() -> None:
    """Audio that comes meanwhile is heard behind it."""
    caller = heard()
    assert caller.audio(1.0, 5 * FRAME) == pytest.approx(1.02)
    assert caller.audio(1.05, 5 * FRAME) == pytest.approx(1.12)
    assert caller.until == pytest.approx(1.22)
    assert caller.quiet_for(1.5) == pytest.approx(0.28)
    assert caller.gaps == []


def test_what_comes_too_late_leaves_a_hole_of_whole_frames() -> None:
    """100 ms are heard from 1.02 to 1.12; what comes at 1.15 has missed two frames."""
    caller = heard()
    caller.audio(1.0, 5 * FRAME)
    assert caller.audio(1.15, 5 * FRAME) == pytest.approx(1.16)
    assert caller.gaps == [pytest.approx(0.04)]
    assert caller.until == pytest.approx(1.26)


def test_a_frame_a_frame_is_no_hole_while_none_is_a_frame_late() -> None:
    """The one frame of start is what the platform has in hand."""
    caller = heard()
    for number in range(50):
        caller.audio(1.0 + 0.020 * number + (0.019 if number % 2 else 0.0), FRAME)
    assert caller.gaps == []


def test_silence_between_two_replies_is_no_hole() -> None:
    """Not if the caller has spoken in between, nor after so long that it is something new."""
    caller = heard()
    caller.audio(1.0, 5 * FRAME)
    caller.turn()
    assert caller.audio(2.0, 5 * FRAME) == pytest.approx(2.02)
    assert caller.audio(5.0, 5 * FRAME) == pytest.approx(5.02)
    assert caller.gaps == []


def test_what_was_cleared_is_heard_no_more_and_leaves_no_hole() -> None:
    """A second was sent; it was cleared after 0.3 s; what follows a second later is new."""
    caller = heard()
    caller.audio(1.0, 50 * FRAME)
    caller.clear(1.3)
    assert caller.until == 1.3
    assert caller.audio(2.3, 5 * FRAME) == pytest.approx(2.32)
    assert caller.gaps == []
    assert caller.stale == 0.0


def test_audio_right_after_a_clear_is_old() -> None:
    """Two frames within half a second; the one after it is an answer."""
    caller = heard()
    caller.audio(1.0, 50 * FRAME)
    caller.clear(1.3)
    caller.audio(1.31, FRAME)
    caller.audio(1.5, FRAME)
    caller.audio(1.9, FRAME)
    assert caller.stale == pytest.approx(0.04)


@given(
    st.lists(
        st.tuples(st.integers(1, 30), st.integers(1, 6)), min_size=2, max_size=30
    )  # ticks until it comes, frames in it
)
def test_it_runs_dry_when_the_buffer_of_the_platform_does(
    pieces: list[tuple[int, int]],
) -> None:
    """Whatever comes when, in whole frames: as many ticks are silent in a reply by both."""
    caller, buffer = heard(), PlayoutBuffer()
    comes: dict[int, int] = {}
    tick = 0
    for wait, frames in pieces:
        tick += wait
        comes[tick] = frames
    silent, left, begins = 0, sum(comes.values()), min(comes) + 1
    for now in range(tick + left + 2):
        if now in comes:
            caller.audio(now * PLAYOUT_START, comes[now] * FRAME)
            buffer.add(bytes(comes[now] * FRAME))
        if now >= begins and left:
            taken = bool(buffer.take(FRAME))
            left -= taken
            silent += not taken
    assert sum(caller.gaps) == pytest.approx(silent * PLAYOUT_START)
    assert caller.until == pytest.approx((begins + sum(comes.values()) + silent) * PLAYOUT_START)
