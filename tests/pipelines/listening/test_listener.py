"""The caller's audio, from bytes as they come to what they mean."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.sinch_limits import RATES
from pipelines.audio import frame_bytes
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
