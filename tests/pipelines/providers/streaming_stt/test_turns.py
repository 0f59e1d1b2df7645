"""When a provider's word on turns can be believed."""

from __future__ import annotations

import math

from pipelines.providers.streaming_stt.protocol import TurnMayBeOver, TurnOver, TurnResumed
from pipelines.providers.streaming_stt.turns import (
    Pace,
    TurnDetection,
    TurnState,
    UtteranceTranscript,
)

PACE = Pace()


def spoken(at: float, *, heard: bool = True) -> tuple[TurnDetection, UtteranceTranscript]:
    """Return what is known once speech was last sent at that time."""
    turns, utterance = TurnDetection(PACE), UtteranceTranscript()
    utterance.go_on(0.0)
    turns.spoken_at, turns.open = at, heard
    return turns, utterance


def test_an_end_is_believed_once_it_is_about_all_that_was_sent() -> None:
    """It may have crossed the last words; if nothing takes it back soon, it had not."""
    turns, utterance = spoken(1.0)
    utterance.take_turn(TurnOver(), 1.1)
    assert turns.verdict(utterance, speaking=True) == (1.0 + PACE.lag, True)
    turns.spoken_at = 9.0  # noise that goes on
    assert turns.verdict(utterance, speaking=True) == (1.1 + 2 * PACE.lag, True)


def test_nothing_is_decided_while_the_caller_speaks() -> None:
    """Unless the provider says that the turn is over."""
    turns, utterance = spoken(1.0)
    utterance.take_turn(TurnMayBeOver(), 1.1)
    assert turns.verdict(utterance, speaking=True) == (math.inf, False)
    assert turns.verdict(utterance, speaking=False) == (1.0 + PACE.gives_up, False)


def test_who_was_not_heard_has_nothing_more_to_say() -> None:
    """Noise opens no turn: it is over once the provider would have said so."""
    turns, utterance = spoken(1.0, heard=False)
    assert turns.verdict(utterance, speaking=False) == (1.0 + PACE.settled, True)


def test_silence_is_sent_for_as_long_as_a_turn_is_open() -> None:
    """And a moment longer than speech, to make sure that none is."""
    turns, _ = spoken(1.0)
    assert turns.wants_silence(1.0 + PACE.gives_up - 0.01)
    assert not turns.wants_silence(1.0 + PACE.gives_up)
    turns.open = False
    assert not turns.wants_silence(1.0 + PACE.settled)


def test_who_goes_on_has_not_finished() -> None:
    """Whatever was said of the turn before; that it was resumed is told once."""
    _, utterance = spoken(1.0)
    utterance.take_turn(TurnResumed(), 1.2)
    assert utterance.resumed
    utterance.take_turn(TurnOver(), 1.5)
    assert not utterance.resumed
    utterance.go_on(2.0)
    assert utterance.turn is TurnState.ONGOING
