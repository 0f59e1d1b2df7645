"""What whoever has answered says, before there is a conversation: its sounds and its words."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from math import inf

from agent.stream.channel import Channel
from pipelines.background import BackgroundTasks
from pipelines.clock import now
from pipelines.listening import speech_events as speech
from pipelines.listening.beep import Beep, BeepDetector
from pipelines.listening.caller_frames import LineFrames
from pipelines.listening.detectors import VoiceDetector
from pipelines.listening.listener import KeysPressed, Listener
from pipelines.listening.settings import GateSettings
from pipelines.listening.utterance import Utterance
from pipelines.providers.contracts import ProviderError
from pipelines.stages.stt import FailoverTranscriber
from pipelines.turn_taking.answerer import A_WORD

Understood = Callable[[str, float, float], None]
"""Told what was said, from when until when, by :func:`pipelines.clock.now`."""


PAUSE = 0.25
"""Seconds of silence after which what was said is transcribed: words, and not syllables."""


class FirstSounds:
    """What is heard on one line from now on: a listener, and for how long nobody has spoken.

    Args:
        channel: Has the rate, and knows our echo.
        detector: Tells voices.
    """

    def __init__(self, channel: Channel, detector: VoiceDetector) -> None:
        gate = GateSettings(pause_after=PAUSE, end_after=5.0)
        self.listener = Listener(channel.rate, detector, gate, channel.echo)
        self.seconds = 0.0
        """Of audio so far."""

        self._spoke_at = 0.0

    def passed(self, seconds: float) -> None:
        """Note that so much audio was heard, now that the listener has taken it."""
        self.seconds += seconds
        if self.listener.in_speech:
            self._spoke_at = self.seconds - self.listener.silent

    @property
    def silent(self) -> float:
        """Seconds since anybody spoke, or since it began."""
        return self.seconds - self._spoke_at

    def spoken(self, text: str) -> float:
        """Return the seconds of what is being said; of ``text`` that was said before, a word's."""
        if self.listener.in_speech:
            return self.listener.spoken
        return A_WORD if text else 0.0


class Beeps:
    """The beeps on one line, of which the last may tell that a machine records now."""

    def __init__(self) -> None:
        self._detector = BeepDetector()
        self._frames: LineFrames | None = None
        self._last_at = -inf
        self.last: Beep | None = None
        self.since = -inf
        """From when one tells of a machine, by :func:`pipelines.clock.now`."""

    def feed(self, pcm: bytes, rate: int) -> bool:
        """Take all that the line carries, in order; return whether there was one in it."""
        self._frames = self._frames or LineFrames(rate)
        found = [beep for frame in self._frames.feed(pcm) if (beep := self._detector.feed(frame))]
        if found:
            self.last, self._last_at = found[-1], now()
        return bool(found)

    @property
    def beeped(self) -> bool:
        """Whether a machine records."""
        return self.last is not None and self._last_at >= self.since

    @property
    def sounding(self) -> bool:
        """Whether there is a tone now that may turn out to be one."""
        return self._detector.sounding


class FirstWords:
    """The words of one call's answerer, transcribed from pause to pause. Close them in the end.

    Args:
        transcriber: Of this alone; it is closed with it.
    """

    def __init__(self, transcriber: FailoverTranscriber) -> None:
        self._transcriber = transcriber
        self._background = BackgroundTasks()
        self._said: list[str] = []
        self._saying: Utterance | None = None
        self._since = 0  # which of what is transcribed counts yet
        self._open = 0

    async def aclose(self) -> None:
        """Stop transcribing."""
        await self._background.aclose()
        await self._transcriber.aclose()

    @property
    def text(self) -> str:
        """What was said since it was forgotten last, as far as it is known."""
        so_far = self._transcriber.so_far if self._saying is not None else ""
        return " ".join([*self._said, so_far]).strip()

    @property
    def to_come(self) -> bool:
        """Whether more of it is to be known."""
        return self._open > 0

    def forget(self) -> None:
        """Begin anew: what is still being transcribed goes on record, and counts for nothing."""
        self._said, self._open = [], 0
        self._since += 1
        self.stop()

    def stop(self) -> None:
        """Hear no more of what is being said; what was heard of it is transcribed."""
        if self._saying is not None:
            self._saying.close()
            self._saying = None

    def follow(
        self, event: speech.SpeechEvent | KeysPressed, listener: Listener, understood: Understood
    ) -> None:
        """Take what the listener has heard; ``understood`` is told of it later, if it is words."""
        match event:
            case speech.SpeechStarted(audio) | speech.SpeechContinued(audio):
                if self._saying is None and isinstance(event, speech.SpeechStarted):
                    self._begin(listener.spoken, understood)
                if self._saying is not None:
                    self._saying.add(audio, listener.silent)
            case speech.SpeechResumed():
                self._begin(0.0, understood)
            case speech.SpeechPaused() | speech.SpeechEnded() if self._saying is not None:
                self.stop()
                if listener.spoken < A_WORD:
                    listener.end_speech()  # a click

    def _begin(self, spoken: float, understood: Understood) -> None:
        self._saying = Utterance(began=now() - spoken)
        self._open += 1
        work = self._transcribe(self._saying, self._since, understood)
        self._background.start(work, "transcribing who has answered")

    async def _transcribe(self, utterance: Utterance, since: int, understood: Understood) -> None:
        text = ""
        with suppress(ProviderError):  # timing decides alone
            text = (await self._transcriber.transcribe(utterance)).text
        if since == self._since:
            self._open -= 1
            self._said.append(text)
        if text:
            understood(text, utterance.began, utterance.until)
