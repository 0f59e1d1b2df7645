"""Our own voice that comes back is nobody's; a caller is heard over it, and without it as ever."""

from __future__ import annotations

import tracemalloc
from functools import cache
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.audio import SPEECH_RATE, Resampler, frame_bytes
from pipelines.listening.caller_frames import CallerFrame, LineFrames
from pipelines.listening.detectors import DetectorSettings, NewDetector, detectors
from pipelines.listening.echo import EchoGuard
from pipelines.listening.echo_path import noise as noise_of
from pipelines.listening.listener import Listener, ListenerEvent
from pipelines.listening.settings import GateSettings
from pipelines.listening.speech_events import SpeechContinued, SpeechStarted
from tests.pipelines.listening.echo_paths import (
    RATE,
    EchoOf,
    Wave,
    frames,
    on_the_line,
    speech,
)

GREETING = ("not-at-desk", "which-folder")
LEAD = 15
"""Frames that are sent ahead of what sounds."""


@cache
def new_detector() -> NewDetector:
    return detectors(DetectorSettings())


def hear(sent: Wave, heard: Wave, *, told: bool = True) -> list[tuple[float, ListenerEvent]]:
    """Return what a listener makes of a call, with the seconds at which it does.

    Args:
        sent: What we say.
        heard: What comes in, at the same time.
        told: Whether the guard knows what we say.
    """
    echo = EchoGuard(RATE)
    listener = Listener(RATE, new_detector()(), GateSettings(), echo)
    out = frames(on_the_line(sent, 1))
    found: list[tuple[float, ListenerEvent]] = []
    for number, frame in enumerate(frames(on_the_line(heard, 2))):
        for ahead in out[:LEAD] if number == 0 else out[number + LEAD - 1 : number + LEAD]:
            if told:
                echo.sent(ahead)
        at = (number + 1) / 50
        found += [(at, one) for one in listener.feed(frame) if not isinstance(one, SpeechContinued)]
    return found


def starts(found: list[tuple[float, ListenerEvent]]) -> list[float]:
    return [at for at, event in found if isinstance(event, SpeechStarted)]


def mixed(longer: Wave, other: Wave, at: float) -> Wave:
    """Return both, the other from ``at`` seconds on."""
    whole, start = longer.copy(), int(at * RATE)
    whole[start : start + len(other)] += other[: len(whole) - start]
    return whole


@pytest.mark.parametrize("room", [False, True])
@pytest.mark.parametrize(("down", "delay"), [(10, 0.25), (15, 0.6), (20, 0.05), (30, 0.25)])
def test_our_own_voice_is_nobody(down: float, delay: float, *, room: bool) -> None:
    """However loud it is and whenever it comes back, through a room as well."""
    sent = speech(*GREETING)
    echo = EchoOf(down=down, delay=delay, room=room).of(sent)
    assert starts(hear(sent, echo, told=False)) or down == 30
    assert not starts(hear(sent, echo))


@pytest.mark.parametrize("softer", [0, 6])
def test_a_caller_is_heard_over_our_echo(softer: float) -> None:
    """Ten decibels below us: as soon as on a line without an echo, within 0.1 s."""
    sent = speech(*GREETING)
    caller = speech("no", rms=3000 * 10 ** (-softer / 20))
    alone = starts(hear(sent, mixed(np.zeros(len(sent)), caller, 3.0), told=False))
    echo = EchoOf(down=10, room=True).of(sent)
    over = [at for at in starts(hear(sent, mixed(echo, caller, 3.0))) if at > 3.0]
    assert over[0] <= alone[0] + 0.12


@pytest.mark.parametrize("at", [0.4, 2.0])
@pytest.mark.parametrize("says", ["goodbye", "thank-you", "which-folder"])
def test_without_an_echo_a_caller_is_heard_as_ever(says: str, at: float) -> None:
    """Whether the guard knows what we say or not; our own speaker, in our first words, 80 ms later.

    Two frames of an onset may be like ours somewhere. What comes next is not.
    """
    sent = speech(*GREETING)
    heard = mixed(np.zeros(len(sent)), speech(says), at)
    found, alone = hear(sent, heard), hear(sent, heard, told=False)
    assert [type(event) for _, event in found] == [type(event) for _, event in alone]
    assert starts(found)[0] <= starts(alone)[0] + (0.1 if at < 1 else 0.0)


def test_what_a_clear_has_dropped_does_not_come_back() -> None:
    """Somebody who says the very same afterwards is a caller."""
    echo = EchoGuard(RATE)
    pcm = on_the_line(speech("goodbye"))
    echo.sent(pcm)
    echo.cleared()
    listener = Listener(RATE, new_detector()(), GateSettings(), echo)
    events = [event for frame in frames(bytes(3200) + pcm) for event in listener.feed(frame)]
    assert any(isinstance(event, SpeechStarted) for event in events)


def test_a_tone_is_no_proof() -> None:
    """It is like itself at every delay: who whistles while we do is somebody."""
    at = np.arange(3 * RATE) / RATE
    tone = 3000 * np.sign(np.sin(2 * np.pi * 200 * at))
    heard = np.where(at > 2, tone / 4, 0)
    echo, resampler, own = EchoGuard(RATE), Resampler(RATE, SPEECH_RATE, late=True), 0
    for ours, theirs in zip(frames(on_the_line(tone)), frames(on_the_line(heard)), strict=True):
        echo.sent(ours)
        echo.without_echo(resampler.feed(theirs))
        own += echo.is_own_voice()
    assert own == 0


def test_what_is_heard_while_we_are_silent_is_left_alone() -> None:
    """Bit for bit, and nothing is computed."""
    echo = EchoGuard(RATE)
    frame = bytes(range(256)) * 2 + bytes(128)
    for _ in range(300):
        assert echo.without_echo(frame) is frame
        assert not echo.is_own_voice()
        assert not echo._asked  # from the very first frame of a call


def test_a_look_for_an_echo_is_made_once_it_can_tell_something() -> None:
    """One proves nothing, so the first of a voice is left; half of those that follow are, too."""
    guard, line, heard = EchoGuard(RATE), LineFrames(RATE), list[CallerFrame]()
    guard.sent(on_the_line(speech(*GREETING), 1))
    looked = []
    for pcm in frames(on_the_line(speech("phone-number"), 2))[:50]:
        heard += line.feed(pcm)
        guard.without_echo(heard[-1])
        if len(heard) > 42:
            assert not guard.is_own_voice()
            looked.append(heard[-1].is_resampled)
    assert looked == [False, True] * 4


def test_of_what_was_sent_and_heard_a_few_seconds_are_kept() -> None:
    """However long a call, and however much of it is looked at."""
    noise = np.random.default_rng(3).integers(-9000, 9000, 160, dtype="<i2").tobytes()
    tracemalloc.start()
    try:
        guard, most = EchoGuard(RATE), 0
        line = LineFrames(RATE)
        for _ in range(1_500):
            guard.sent(noise)
            for frame in line.feed(noise):
                guard.without_echo(frame)
                assert len(frame.pcm) == 640
            most = max(most, tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert most < 350_000


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 32767), min_size=1, max_size=120))
def test_the_noise_of_a_line_is_its_tenth_frame_of_a_hundred(loud: list[int]) -> None:
    """By power, between two as numpy has it, bit for bit."""
    samples = np.array(loud, np.float32)
    assert noise_of(samples, 1) == float(np.quantile(samples * samples, 0.1))


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([8_000, 16_000, 24_000, 44_100]),
    st.lists(st.integers(-1, 9), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
)
def test_what_was_sent_is_read_late_or_at_once_and_is_the_same(
    rate: int, steps: list[int], asked: Random
) -> None:
    """It is turned into our rate only when it is asked for; a `clear` (-1) may come before that."""
    late, at_once = EchoGuard(rate), EchoGuard(rate)
    noise = np.random.default_rng(7).integers(-9000, 9000, 10 * rate // 50, dtype="<i2").tobytes()
    for step in steps:
        for guard in (late, at_once):
            if step < 0:
                guard.cleared()
            else:
                guard.sent(noise[: step * frame_bytes(rate)])
            guard.without_echo(noise[:640])
        at_once._sent.read(0)
        if asked.random() < 0.1:
            late._sent.read(0)
    assert late._sent.read(0) == at_once._sent.read(0)
