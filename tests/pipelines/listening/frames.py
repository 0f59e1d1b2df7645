"""Frames unlike any other, and the speeches that a gate makes of them."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.audio import SPEECH_RATE, frame_bytes
from pipelines.listening.settings import GateSettings
from pipelines.listening.speech_events import (
    SpeechContinued,
    SpeechEnded,
    SpeechEvent,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)

FRAME = bytes(frame_bytes(SPEECH_RATE))
GATE = GateSettings()


def marked(number: int) -> bytes:
    """A frame unlike any other."""
    return number.to_bytes(4, "little") * (len(FRAME) // 4)


def speeches(found: Sequence[SpeechEvent]) -> list[bytes]:
    """The audio of each speech; fails if its events are out of order."""
    whole: list[bytes] = []
    is_open = is_paused = False
    for event in found:
        match event:
            case SpeechStarted(audio):
                assert not is_open
                is_open = True
                whole.append(audio.pcm)
            case SpeechContinued(audio):
                assert is_open
                whole[-1] += audio.pcm
            case SpeechPaused():
                assert is_open
                assert not is_paused
                is_paused = True
            case SpeechResumed():
                assert is_paused
                is_paused = False
            case SpeechEnded():
                assert is_open
                is_open = is_paused = False
    return whole
