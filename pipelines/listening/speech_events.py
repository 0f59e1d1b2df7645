"""What the caller's voice does: starts, goes on, pauses, resumes, ends."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.audio import Audio


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak."""

    audio: Audio
    """Everything from ``pre_roll`` before this was known."""


@dataclass(frozen=True, slots=True)
class SpeechContinued:
    """The caller is still speaking, or has not been silent for long enough."""

    audio: Audio


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """The caller has been silent for a moment."""


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """They go on. What they said in the meantime comes next."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The caller has been silent long enough to be answered."""


SpeechEvent = SpeechStarted | SpeechContinued | SpeechPaused | SpeechResumed | SpeechEnded
