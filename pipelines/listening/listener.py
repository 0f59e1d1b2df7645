"""The caller's audio, from bytes as they come to what they mean. No clock, no I/O, no task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.audio import SPEECH_RATE
from pipelines.listening.caller_frames import LineFrames
from pipelines.listening.detectors import VoiceDetector, on_the_line
from pipelines.listening.dtmf import KeypadDetector
from pipelines.listening.echo import EchoGuard
from pipelines.listening.gate import SpeechGate
from pipelines.listening.levels import VoiceLevels
from pipelines.listening.settings import GateSettings
from pipelines.listening.speech_events import SpeechEvent


@dataclass(frozen=True, slots=True)
class KeysPressed:
    """The caller pressed keys of the telephone."""

    keys: str
    """Of ``0-9*#A-D``, in order."""


ListenerEvent = SpeechEvent | KeysPressed


class Listener:
    """What one caller says and presses.

    Args:
        rate: Hertz on the line.
        detector: Of this call; tells voice from noise.
        settings: When that becomes speech.
        echo: Told of what the caller hears, which is no speech of theirs.
    """

    def __init__(
        self, rate: int, detector: VoiceDetector, settings: GateSettings, echo: EchoGuard
    ) -> None:
        self._echo = echo
        self._frames = LineFrames(rate)
        self._keypad = KeypadDetector()
        self._voiced = on_the_line(detector)
        self._gate = SpeechGate(settings, SPEECH_RATE)
        self.levels = VoiceLevels()

    @property
    def in_speech(self) -> bool:
        """Whether speech has started and not ended."""
        return self._gate.open

    @property
    def spoken(self) -> float:
        """Seconds from the start of speech to its last voiced frame so far."""
        return self._gate.spoken

    @property
    def silent(self) -> float:
        """Seconds since the last voiced frame of speech, as of its last event."""
        return self._gate.silence

    def end_after(self, seconds: float) -> None:
        """End speech after this silence instead of the usual, until it resumes or ends."""
        self._gate.end_after(seconds)

    def end_speech(self) -> None:
        """End speech here and now, without an event."""
        self._gate.close()

    def feed(self, pcm: bytes) -> Iterator[ListenerEvent]:
        """Take the next audio, of any length; yield what it means, in order.

        The events of a frame are worked out when the one before has been taken: speech may be
        ended, or given more silence, in between. Stop pulling, and the rest is not heard.
        """
        for heard in self._frames.feed(pcm):
            frame = self._echo.without_echo(heard)
            after_tone = self._keypad.sounding
            if keys := self._keypad.feed(frame):
                yield KeysPressed(keys)
            # A tone is no speech; nor is its end, in the frame after.
            sound = self._frames.silence if after_tone or self._keypad.sounding else frame
            voiced = self._voiced(sound) and not self._echo.is_own_voice()
            counts = self.levels.counts(sound, voiced=voiced, in_speech=self._gate.open)
            yield from self._gate.feed(sound, counts)
