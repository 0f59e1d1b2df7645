"""When does the caller speak? From voiced frames to the start, pauses and end of speech.

Time here is audio time, counted from the frames themselves. No clock is read, so a recorded call
played back gives the same result as the live one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from pipelines.audio import BYTES_PER_SAMPLE, Audio
from pipelines.listening.caller_frames import Heard, joined, pcm_of
from pipelines.listening.settings import GateSettings
from pipelines.listening.speech_events import (
    SpeechContinued,
    SpeechEnded,
    SpeechEvent,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)

RESUME_AFTER = 0.04
"""Seconds of voice in a pause before speech has resumed: more than a click."""


class SpeechGate:
    """Turn one call's frames into speech events.

    Events come as one :class:`SpeechStarted`, any number of :class:`SpeechContinued`, with
    :class:`SpeechPaused` and :class:`SpeechResumed` in turn among them, one :class:`SpeechEnded`,
    and over again; their audio, joined, is the call's without a gap.

    Args:
        settings: When speech starts, pauses and ends.
        rate: Of the frames, in hertz.
    """

    def __init__(self, settings: GateSettings, rate: int) -> None:
        self._settings = settings
        self._rate = rate
        self._start_after = self._bytes(settings.start_after)
        self._pause_after = self._bytes(settings.pause_after)
        self._resume_after = self._bytes(RESUME_AFTER)
        self._pre_roll = self._bytes(settings.pre_roll)
        # Bytes throughout: sums of seconds would drift.
        self._recent: deque[tuple[Heard, bool]] = deque()
        self._recent_bytes = self._voiced_bytes = 0
        self._silent_bytes = self._back_bytes = self._spoken_bytes = 0
        self._open = self._paused = False
        self._end_after = self._bytes(settings.end_after)

    @property
    def open(self) -> bool:
        """Whether speech has started and not ended."""
        return self._open

    @property
    def silence(self) -> float:
        """Seconds since the last voiced frame, while open; and as of the end, once it is not."""
        return self._silent_bytes / (BYTES_PER_SAMPLE * self._rate)

    @property
    def spoken(self) -> float:
        """Seconds from the start of speech to its last voiced frame so far."""
        return self._spoken_bytes / (BYTES_PER_SAMPLE * self._rate)

    def end_after(self, seconds: float) -> None:
        """End speech after this silence instead, until it resumes or ends."""
        self._end_after = self._bytes(seconds)

    def close(self) -> None:
        """End speech here and now, without an event."""
        self._open = self._paused = False

    def feed(self, frame: Heard, voiced: bool) -> Iterable[SpeechEvent]:  # noqa: FBT001 - a fact
        """Take the next frame, in order; return what it means, to be gone through before the next.

        What follows an event is worked out once that was taken.
        """
        if not self._open:
            return self._before_speech(frame, voiced)
        return self._in_pause(frame, voiced) if self._paused else self._in_speech(frame, voiced)

    def _in_speech(self, frame: Heard, voiced: bool) -> Iterator[SpeechEvent]:  # noqa: FBT001
        self._silent_bytes = 0 if voiced else self._silent_bytes + len(frame)
        self._spoken_bytes += len(frame)
        yield SpeechContinued(Audio(pcm_of(frame), self._rate))
        if self._silent_bytes >= self._pause_after:
            self._spoken_bytes -= self._silent_bytes
            self._paused, self._back_bytes = True, 0
            yield SpeechPaused()
            yield from self._ended()

    def _in_pause(self, frame: Heard, voiced: bool) -> Iterator[SpeechEvent]:  # noqa: FBT001
        self._back_bytes = self._back_bytes + len(frame) if voiced else 0
        self._silent_bytes += len(frame)
        if self._back_bytes >= self._resume_after:
            self._spoken_bytes += self._silent_bytes
            self._silent_bytes, self._paused = 0, False
            self._end_after = self._bytes(self._settings.end_after)
            yield SpeechResumed()
        yield SpeechContinued(Audio(pcm_of(frame), self._rate))
        if self._paused and not voiced:
            yield from self._ended()

    def _ended(self) -> Iterator[SpeechEvent]:
        if self._open and self._silent_bytes >= self._end_after:
            self.close()
            yield SpeechEnded()

    def _before_speech(self, frame: Heard, voiced: bool) -> Sequence[SpeechEvent]:  # noqa: FBT001
        self._recent.append((frame, voiced))
        self._recent_bytes += len(frame)
        self._voiced_bytes += len(frame) * voiced
        while self._recent_bytes - len(self._recent[0][0]) >= self._pre_roll:
            old, was_voiced = self._recent.popleft()
            self._recent_bytes -= len(old)
            self._voiced_bytes -= len(old) * was_voiced
        if not voiced or self._voiced_bytes < self._start_after:
            return ()
        pcm = joined(old for old, _ in self._recent)
        self._spoken_bytes = self._voiced_bytes
        self._recent.clear()
        self._recent_bytes = self._voiced_bytes = self._silent_bytes = 0
        self._open, self._end_after = True, self._bytes(self._settings.end_after)
        return (SpeechStarted(Audio(pcm, self._rate)),)

    def _bytes(self, seconds: float) -> int:
        return BYTES_PER_SAMPLE * round(seconds * self._rate)
