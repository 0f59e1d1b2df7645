"""Which utterance the results that come on a connection belong to. Told the time; does no I/O.

Results are late, and say nothing of what they are about. What comes while the provider still owes
the answer to a request to finalize belongs to the utterance of the oldest such request; else it
belongs to the utterance that is being sent.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from pipelines.providers.streaming_stt.protocol import (
    ConnectionEnded,
    Finalized,
    FinalTranscript,
    InterimTranscript,
    TranscriptionEvent,
    TranscriptionLimits,
    TurnBegan,
    TurnEvent,
    TurnOver,
)
from pipelines.providers.streaming_stt.turns import Pace, TurnDetection, UtteranceTranscript


@dataclass(frozen=True, slots=True)
class _Owed:
    """An answer that the provider owes."""

    utterance: UtteranceTranscript
    since: float


class Attribution:
    """What was sent and heard on one connection, by utterance.

    Attributes:
        turns: What the provider says of turns.
        current: The utterance that is sent; None before the first.
        unfinalized: Whether audio was sent since the provider was last asked to finalize.
    """

    def __init__(self, limits: TranscriptionLimits, pace: Pace) -> None:
        self._limits = limits
        self._owed: deque[_Owed] = deque()
        self.turns = TurnDetection(pace)
        self.current: UtteranceTranscript | None = None
        self.unfinalized = False

    def begin(self, utterance: UtteranceTranscript, now: float) -> UtteranceTranscript | None:
        """Note that an utterance begins; return the one before it, of which more may be owed."""
        before, self.current = self.current, utterance
        utterance.go_on(now)
        return before

    def audio_sent(self, now: float) -> None:
        """Note that audio of the current utterance is sent."""
        self.unfinalized = True
        self.turns.spoken_at = now

    def asked_to_finalize(self, utterance: UtteranceTranscript, now: float) -> None:
        """Note that the provider owes the rest of an utterance."""
        self._owed.append(_Owed(utterance, now))

    @property
    def owes(self) -> bool:
        """Whether the provider owes an answer."""
        return bool(self._owed)

    def owes_to(self, utterance: UtteranceTranscript) -> bool:
        """Return whether the provider owes an answer on this utterance."""
        return any(owed.utterance is utterance for owed in self._owed)

    def overdue(self, now: float) -> bool:
        """Return whether it owes one for longer than it ever should."""
        return bool(self._owed) and now - self._owed[0].since > self._limits.answers_within

    def can_begin(self, now: float) -> bool:
        """Return whether nothing that was sent can be taken for another utterance from now on."""
        if self.current is None or not self._limits.detects_turns:
            return True
        return now >= self.turns.done_at(self.current)

    def take(self, event: TranscriptionEvent, now: float) -> None:
        """Note what the provider tells."""
        match event:
            case InterimTranscript() | FinalTranscript():
                self._take_text(event, now)
            case Finalized():
                if self._owed:
                    self._owed.popleft()
            case ConnectionEnded():
                self._owed.clear()
            case _:
                self._take_turn(event, now)

    def _take_text(self, event: InterimTranscript | FinalTranscript, now: float) -> None:
        utterance = self._owed[0].utterance if self._owed else self.current
        if not (self._owed or self.unfinalized):
            return  # late: all that was sent was heard
        if utterance is None:
            return
        utterance.take_text(event, now)
        began = isinstance(event, InterimTranscript) and bool(event.text)
        if began and self._limits.detects_turns and not self.turns.open:
            self._take_turn(TurnBegan(), now)

    def _take_turn(self, event: TurnEvent, now: float) -> None:
        self.turns.open = not isinstance(event, TurnOver)
        if self.current is not None:
            self.current.take_turn(event, now)
