"""What is on a connection, and whether it takes more. Told the time; does no I/O."""

from __future__ import annotations

import enum
from collections import deque

from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_tts.protocol import (
    AudioChunk,
    SynthesisEnded,
    SynthesisLimits,
    WordsTimed,
)
from pipelines.providers.streaming_tts.sentence import Sentence
from pipelines.providers.transport.failures import again


class Suspicion(enum.Enum):
    """What a sentence that was given up says about its connection."""

    NONE = enum.auto()
    DOUBTFUL = enum.auto()
    """The server has not said anything yet: others are better, until it does."""

    UNTRUSTED = enum.auto()
    """It had the sentence wait for long: it is given no more."""

    SILENT = enum.auto()
    """And it said nothing to others either: it is of no use."""


class Occupancy:
    """The sentences of one connection.

    Args:
        limits: What it can be used for.
        now: When it was opened, in seconds of the clock that all times here are of.

    Attributes:
        sentences: Those that are listened to, by context.
        retired: Whether it is given no more.
        heard_at: When the server last said anything.
    """

    def __init__(self, limits: SynthesisLimits, now: float) -> None:
        self._limits = limits
        self._opened_at = now
        self._idle_since = now
        self._cancelled: dict[str, float] = {}  # when, of those that still take up room
        self._begun: deque[float] = deque()  # when the last few sentences were
        self.sentences: dict[str, Sentence] = {}
        self.retired = False
        self.heard_at = now

    def put(self, sentence: Sentence, now: float) -> None:
        """Place a sentence on it."""
        self.sentences[sentence.context] = sentence
        self._begun.append(now)
        while len(self._begun) > (self._limits.a_minute or 0):
            self._begun.popleft()

    def remove(self, context: str, now: float) -> None:
        """Take a sentence off it, if it is on it."""
        self.sentences.pop(context, None)
        if not self.sentences:
            self._idle_since = now

    def cancelled(self, context: str, now: float) -> None:
        """Note that the server is told to stop a sentence, which may take up room till it has."""
        if self._limits.confirms:
            self._cancelled[context] = now

    def has_room(self, now: float) -> bool:
        """Return whether it can take another sentence."""
        limits = self._limits
        exhausted = len(self._begun) == limits.a_minute and now - self._begun[0] < 60
        full = len(self.sentences) + len(self._cancelled) >= limits.contexts
        aged = now - self._opened_at >= limits.age
        return not (self.retired or exhausted or full or aged)

    def over(self, now: float) -> bool:
        """Return whether it should be closed: it is of no use, or soon would not be."""
        if any(now - at >= self._limits.confirmed_within for at in self._cancelled.values()):
            self.retired = True
        if self.sentences:
            return False
        idle = now - self._idle_since >= self._limits.idle
        return self.retired or idle or now - self._opened_at >= self._limits.age

    def look_again_in(self, now: float) -> float:
        """Return in how many seconds :meth:`over` may have changed by itself."""
        if self.sentences:
            return self._limits.idle
        idle = self._idle_since + self._limits.idle
        return max(0.0, min(idle, self._opened_at + self._limits.age) - now)

    def judge(self, sentence: Sentence, now: float) -> Suspicion:
        """Return what a sentence that is given up says about the connection; retire it if need be.

        Args:
            sentence: One that was sent.
            now: The time.
        """
        silent = self.heard_at <= sentence.heard_at  # to others, too
        if now - sentence.heard_at >= self._limits.suspect_after:
            self.retired = True
            return Suspicion.SILENT if silent else Suspicion.UNTRUSTED
        return Suspicion.DOUBTFUL if silent and not sentence.seconds else Suspicion.NONE

    def take(self, event: AudioChunk | WordsTimed | SynthesisEnded, now: float) -> None:
        """Give what the server said to the sentence that it is for, if somebody listens to it.

        Raises:
            ProviderError: If the server says too much.
        """
        sentence = self.sentences.get(event.context)
        if isinstance(event, SynthesisEnded):
            self._cancelled.pop(event.context, None)
            self.remove(event.context, now)
        match event:
            case _ if sentence is None:
                return
            case AudioChunk(_, pcm):
                sentence.add(pcm)
                sentence.heard_at = now
            case WordsTimed(_, ends):
                sentence.time(ends)
            case SynthesisEnded(_, error):
                sentence.end(error)

    def fail_all(self, error: ProviderError) -> None:
        """End all sentences; each raises an error of its own."""
        for sentence in self.sentences.values():
            sentence.end(again(error))
        self.sentences.clear()
