"""What is due on a connection that nobody asked for, and when. Told the time; does no I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipelines.audio import BYTES_PER_SAMPLE
from pipelines.providers.streaming_stt.attribution import Attribution
from pipelines.providers.streaming_stt.protocol import TranscriptionLimits
from pipelines.providers.streaming_stt.turns import Pace


@dataclass(frozen=True, slots=True)
class Leave:
    """End the connection for its age."""


@dataclass(frozen=True, slots=True)
class SendSilence:
    """Send silence, for the provider to decide on whether the turn is over."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class SendKeepAlive:
    """Send what keeps the connection open."""


class Upkeep:
    """The upkeep of one connection.

    Args:
        limits: How the provider wants it to be treated.
        pace: How long to wait for what.
        attribution: What was sent and heard on it.

    Attributes:
        leaves_at: When it is too old.
        attended: Whether somebody transcribes.
        speaking: Whether what they transcribe goes on.
        sent_at: When anything was last sent.
    """

    def __init__(self, limits: TranscriptionLimits, pace: Pace, attribution: Attribution) -> None:
        self._limits = limits
        self._pace = pace
        self._attribution = attribution
        self.leaves_at = math.inf
        self.attended = False
        self.speaking = False
        self.sent_at = -math.inf

    def due_at(self, now: float) -> float:
        """Return when there is something to do, if nothing is sent and nothing comes till then."""
        due = self._may_leave_at()
        if self._limits.keep_alive is not None:
            due = min(due, self.sent_at + self._limits.keep_alive)
        if self._has_to_decide(now):
            due = min(due, self.sent_at + self._pace.silence)
        return due

    def due(self, now: float) -> Leave | SendSilence | SendKeepAlive | None:
        """Return what there is to do once :meth:`due_at` has come; None if it came in vain.

        What is returned to be sent has to be sent, and :attr:`sent_at` set.
        """
        if now >= self._may_leave_at():
            return Leave()
        if self._has_to_decide(now):
            # As much as was not said meanwhile, unless we were held up ourselves.
            seconds = min(now - self.sent_at, 2 * self._pace.silence)
            return SendSilence(bytes(BYTES_PER_SAMPLE * round(seconds * self._limits.rate)))
        if self._limits.keep_alive is not None and now >= self.sent_at + self._limits.keep_alive:
            return SendKeepAlive()
        return None

    def _may_leave_at(self) -> float:
        turns = self._attribution.turns
        if self.attended or self._attribution.owes or turns.open:
            return math.inf
        return max(self.leaves_at, turns.spoken_at + self._pace.quiet)

    def _has_to_decide(self, now: float) -> bool:
        """Return whether the provider has yet to decide whether a turn is over."""
        if not self._limits.detects_turns or self.speaking:
            return False
        return self._attribution.turns.wants_silence(now)
