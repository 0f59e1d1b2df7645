"""What is heard of an utterance, and when a provider that detects turns can be believed.

Everything here is told the time, in seconds of any clock that never goes back, and does no I/O.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field

from pipelines.providers.contracts import Certainty
from pipelines.providers.streaming_stt.certainty import of_all
from pipelines.providers.streaming_stt.protocol import (
    FinalTranscript,
    InterimTranscript,
    TurnBegan,
    TurnEvent,
    TurnMayBeOver,
    TurnOver,
    TurnResumed,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long to wait for what. Seconds."""

    spare: float = 20.0
    """How long a connection waits for the call that was announced: one that is not answered within
    three rings mostly never is, and some providers are paid by the second."""

    patience: float = 1.0
    """From the end of speech, for a provider that detects turns to say that this is one. Healthy
    ones take 0.25 to 0.5 if the sentence is complete; if it is not, there is a text all the same,
    and our own turn model decides."""

    lag: float = 0.25
    """What a provider says sooner than this after audio was sent is about what came before it."""

    settled: float = 1.0
    """Without speech, after which a provider has said all about what it heard."""

    silence: float = 0.1
    """Between two pieces of the silence that a provider is given to decide on."""

    gives_up: float = 8.0
    """Of silence, after which a provider will not decide any more. All of them have a limit of
    their own, of 5 at most as we set it."""

    quiet: float = 3.0
    """Without speech, after which a connection may be replaced for its age: by then an utterance
    does not go on, and nothing has to be sent twice."""


class TurnState(enum.Enum):
    """Whether a provider that detects turns has heard the end of one."""

    ONGOING = enum.auto()
    MAYBE_OVER = enum.auto()
    OVER = enum.auto()


NOTHING = InterimTranscript("")


@dataclass(slots=True, eq=False)
class UtteranceTranscript:
    """What has been heard of one utterance, and what the provider says of its turn."""

    finals: list[FinalTranscript] = field(default_factory=list)
    interim: InterimTranscript = NOTHING
    heard_at: float = -math.inf
    """When the text changed."""

    went_on_at: float = -math.inf
    """When it began, or went on after it had ended for all we knew."""

    turn: TurnState = TurnState.ONGOING
    turned_at: float = -math.inf
    """When the provider said so."""

    resumed: bool = False
    """Whether it turned out that the turn was not over, and nobody was told yet."""

    @property
    def _parts(self) -> list[FinalTranscript | InterimTranscript]:
        return [*self.finals, self.interim]

    @property
    def text(self) -> str:
        """What was heard by now."""
        return " ".join(" ".join(one.text for one in self._parts).split())

    @property
    def certainty(self) -> Certainty:
        """How sure it is."""
        return of_all([(one.text, one.certainty) for one in self._parts])

    def go_on(self, now: float) -> None:
        """Note that the caller speaks, or speaks on."""
        self.turn, self.resumed, self.went_on_at = TurnState.ONGOING, False, now

    def take_text(self, event: InterimTranscript | FinalTranscript, now: float) -> None:
        """Note what was heard."""
        before = self.text
        if isinstance(event, FinalTranscript):
            self.finals.append(event)
            self.interim = NOTHING
        else:
            self.interim = event
        if self.text != before:
            self.heard_at = now

    def take_turn(self, event: TurnEvent, now: float) -> None:
        """Note what the provider says of the turn."""
        match event:
            case TurnBegan() | TurnResumed():
                self.turn = TurnState.ONGOING
            case TurnMayBeOver():
                self.turn = TurnState.MAYBE_OVER
            case TurnOver():
                self.turn = TurnState.OVER
        self.resumed = isinstance(event, TurnResumed)
        self.turned_at = now


class TurnDetection:
    """When the provider's word on turns can be believed, on one connection.

    Attributes:
        open: Whether it has heard the beginning of a turn, and not its end.
        spoken_at: When speech was last sent.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.open = False
        self.spoken_at = -math.inf

    def end_believed_at(self, utterance: UtteranceTranscript) -> float:
        """Return from when on an end of the turn is about all that was sent."""
        lag = self._pace.lag
        return min(self.spoken_at + lag, utterance.turned_at + 2 * lag)

    def done_at(self, utterance: UtteranceTranscript) -> float:
        """Return from when on nothing that was sent can be taken for the next utterance."""
        if self.open:
            return math.inf
        if utterance.turn is TurnState.OVER:
            return self.end_believed_at(utterance)
        return self.spoken_at + self._pace.settled

    def verdict(self, utterance: UtteranceTranscript, *, speaking: bool) -> tuple[float, bool]:
        """Return when it is decided, if nothing comes; and whether the turn is over then."""
        if utterance.turn is TurnState.OVER:
            return self.end_believed_at(utterance), True
        if speaking:
            return math.inf, False
        if not self.open and utterance.turn is TurnState.ONGOING:
            return self.spoken_at + self._pace.settled, True  # it has heard nobody since
        return self.spoken_at + self._pace.gives_up, False

    def wants_silence(self, now: float) -> bool:
        """Return whether the provider has to be given silence to decide on."""
        for_long = self._pace.gives_up if self.open else self._pace.settled
        return now - self.spoken_at < for_long
