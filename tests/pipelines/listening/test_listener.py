"""The caller's audio, from bytes as they come to what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise, zip_longest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.sinch_limits import RATES
from pipelines.audio import (
    SPEECH_RATE,
    Audio,
    Resampler,
    at_rate,
    frame_bytes,
    frames_behind,
)
from pipelines.listening.caller_frames import Heard, LineFrames
from pipelines.listening.detectors import (
    DetectorSettings,
    GatedDetector,
    NewDetector,
    WebRtcDetector,
    detectors,
)
from pipelines.listening.dtmf import tones
from pipelines.listening.echo import EchoGuard
from pipelines.listening.listener import KeysPressed, Listener, ListenerEvent
from pipelines.listening.settings import GateSettings
from pipelines.listening.speech_events import (
    SpeechContinued,
    SpeechEnded,
    SpeechPaused,
    SpeechStarted,
)
from tests.pipelines.listening.echo_paths import EchoOf, on_the_line, speech
from tests.recordings import TRANSCRIPTS

RATE = 8000
SOUNDS = {"+": b"\x00\x20\x00\xe0" * (RATE // 20), ".": bytes(RATE // 5)}
"""100 ms each of a voice and of silence; anything else is a key."""


class Loud:
    """Takes any loud sound for a voice."""

    def voiced(self, frame: bytes) -> bool:
        return max(memoryview(frame).cast("h")) > 1000


def listener() -> Listener:
    return Listener(RATE, Loud(), GateSettings(), EchoGuard(RATE))


def sound(marks: str) -> bytes:
    return b"".join(SOUNDS[mark] if mark in SOUNDS else tones(mark, RATE) for mark in marks)


def bounds(events: list[ListenerEvent]) -> list[ListenerEvent | type[ListenerEvent]]:
    """What happened, without the audio."""
    return [
        e if isinstance(e, KeysPressed) else type(e)
        for e in events
        if not isinstance(e, SpeechContinued)
    ]


@settings(max_examples=40)
@given(st.text("+.5#", max_size=20), st.lists(st.integers(1, 4000), max_size=20))
def test_the_same_audio_gives_the_same_events_however_it_is_cut(
    marks: str, sizes: list[int]
) -> None:
    """In the middle of a frame, of a sample, of a tone: a network cuts anywhere."""
    pcm, whole, cut = sound(marks), listener(), listener()
    pieces, at = [], 0
    for size in sizes:
        pieces.append(pcm[at : at + size])
        at += size
    pieces.append(pcm[at:])
    assert [e for piece in pieces for e in cut.feed(piece)] == list(whole.feed(pcm))


@pytest.mark.parametrize(
    ("marks", "heard"),
    [
        ("......", []),
        ("..++......", [SpeechStarted, SpeechPaused, SpeechEnded]),
        ("..12#....", [KeysPressed("1"), KeysPressed("2"), KeysPressed("#")]),
        ("..+++5......", [SpeechStarted, KeysPressed("5"), SpeechPaused, SpeechEnded]),
    ],
)
def test_a_voice_is_speech_and_a_tone_is_a_key(marks: str, heard: list[object]) -> None:
    """A tone is as loud as a voice, and no speech for that."""
    assert bounds(list(listener().feed(sound(marks)))) == heard


def test_who_takes_an_event_can_change_what_comes_next() -> None:
    """The events of a frame are worked out one by one, however much audio came at once."""
    ears, found = listener(), []
    for event in ears.feed(sound("..+++.....")):
        found.append(event)
        if isinstance(event, SpeechPaused):
            ears.end_after(0.1)
    assert [type(e) for e in found[-2:]] == [SpeechPaused, SpeechEnded]


@pytest.mark.parametrize("rate", RATES)
def test_what_has_come_is_heard_with_its_own_packet(rate: int) -> None:
    """A frame does not wait for the packet after it, though the resampler looks 1.75 ms ahead."""
    asked: list[bytes] = []

    class Asked:
        def voiced(self, frame: bytes) -> bool:
            asked.append(frame)
            return False

    one = Listener(rate, Asked(), GateSettings(), EchoGuard(rate))
    for packets in range(1, 6):
        assert not list(one.feed(bytes(frame_bytes(rate))))
        assert len(asked) == packets


class Told:
    """A first detector that was told what to answer, whatever it is given."""

    def __init__(self, answers: Sequence[bool]) -> None:
        self._answers = iter(answers)

    def voiced(self, frame: bytes) -> bool:
        return self.voiced_on_line(frame)

    def voiced_on_line(self, frame: Heard) -> bool:
        return next(self._answers)


@cache
def silero() -> NewDetector:
    return detectors(DetectorSettings(gate="none"))


def everything(*names: str) -> tuple[bytes, bytes]:
    """What a caller says, presses and returns of our words, in noise; and what we say; at RATE."""
    rng = np.random.default_rng(4)
    pause, keys = np.zeros(RATE // 4), np.frombuffer(tones("1w#", RATE), "<i2")
    ours = speech("not-at-desk")[: 2 * RATE]
    heard = [EchoOf(down=12, room=True).of(ours), np.zeros(RATE)]
    for name in names:
        heard += [pause, speech(name), pause, rng.normal(0, 1000, RATE // 4)]
    # The softest tones that count have 0.017 of this amplitude.
    heard += [keys * loud for loud in (1, 0.03, 0.018, 0.017, 0.016, 0.01, 0.003)]
    whole = np.concatenate(heard) + rng.normal(0, 8, sum(map(len, heard)))
    return on_the_line(whole), on_the_line(ours)


NAMES = sorted(TRANSCRIPTS)


@pytest.mark.parametrize(
    ("rate", "names"),
    [(RATES[0], NAMES), *((rate, NAMES[n : n + 2]) for n, rate in enumerate(RATES[1:]))],
)
def test_what_is_resampled_when_it_is_asked_for_is_heard_as_if_all_were(
    rate: int, names: list[str]
) -> None:
    """Event for event, with its audio: speech, our echo, keys down to the softest, noise."""
    theirs, ours = (at_rate([Audio(pcm, RATE)], rate).pcm for pcm in everything(*names))
    size = frame_bytes(rate)
    frames, sent = (
        [pcm[at : at + size] for at in range(0, len(pcm), size)] for pcm in (theirs, ours)
    )
    first = WebRtcDetector()
    answers = [first.voiced_on_line(frame) for frame in LineFrames(rate).feed(theirs)]
    resampler, random = Resampler(rate, SPEECH_RATE, late=True), np.random.default_rng(rate)
    guards = EchoGuard(rate), EchoGuard(rate)
    judged = (GatedDetector(Told(answers), silero()) for _ in guards)
    lazy, eager = (
        Listener(of, detector, GateSettings(), guard)
        for of, detector, guard in zip((rate, SPEECH_RATE), judged, guards, strict=True)
    )
    found: list[ListenerEvent] = []
    for frame, said in zip_longest(frames, sent[: len(frames)], fillvalue=b""):
        for guard in guards:
            if said:
                guard.sent(said)
        cuts = [0, *sorted(random.integers(0, size, 2)), size]
        pieces = [frame[start:end] for start, end in pairwise(cuts)]
        events = [event for piece in pieces for event in lazy.feed(piece)]
        assert events == list(eager.feed(resampler.feed(frame)))
        found += events
    assert guards[0].own_voice == guards[1].own_voice > 0.1
    kinds = bounds(found)
    assert kinds.count(SpeechStarted) >= len(names)
    assert KeysPressed("1") in kinds


@pytest.mark.parametrize("rate", [rate for rate in RATES if rate != SPEECH_RATE])
def test_no_frame_is_louder_than_it_is_thought_to_be_before_it_is_resampled(rate: int) -> None:
    """Whatever is in it: the filter's largest gain, of all there can be, is below 1 %."""
    size = frame_bytes(rate) // 2
    rows = []
    for unit in np.eye(2 * size, dtype="<i2")[size // 2 :] * 16384:  # no filter reads more before
        pcm = frames_behind(unit[:size].tobytes(), unit[size:].tobytes(), rate, SPEECH_RATE)
        rows.append(np.frombuffer(pcm, "<i2") / 16384)
    gains = np.array(rows)
    assert np.linalg.eigvalsh(gains.T @ gains)[-1] <= 1.01 * SPEECH_RATE / rate


@pytest.mark.parametrize("rate", RATES)
def test_silence_is_not_resampled(rate: int) -> None:
    """Not until a voice or a tone is heard; nor is it for a detector that hears the line."""

    class Deaf:
        def voiced(self, frame: bytes) -> bool:
            raise AssertionError("it is asked for 16 kHz")

        def voiced_on_line(self, frame: Heard) -> bool:
            heard.append(frame)
            return False

    heard: list[Heard] = []
    one = Listener(rate, Deaf(), GateSettings(), EchoGuard(rate))
    noise = np.random.default_rng(1).normal(0, 25, rate).astype("<i2").tobytes()
    assert not list(one.feed(noise))
    asked = [frame for frame in heard if isinstance(frame, bytes) or frame.is_resampled]
    assert len(heard) == 50
    assert len(asked) == (50 if rate == SPEECH_RATE else 0)


def test_a_detector_of_ones_own_is_given_every_frame_at_16_khz() -> None:
    """Alone or as the first of two: none is left out, silence neither."""
    for both in (False, True):
        heard: list[bytes] = []

        class Own:
            def voiced(self, frame: bytes, heard: list[bytes] = heard) -> bool:
                heard.append(frame)
                return False

        detector = GatedDetector(Own(), Own) if both else Own()
        assert not list(
            Listener(RATE, detector, GateSettings(), EchoGuard(RATE)).feed(sound("..."))
        )
        assert heard == [bytes(frame_bytes(SPEECH_RATE))] * 15
