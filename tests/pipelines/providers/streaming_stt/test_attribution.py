"""Which utterance a result belongs to."""

from __future__ import annotations

from pipelines.providers.streaming_stt.attribution import Attribution
from pipelines.providers.streaming_stt.protocol import (
    ConnectionEnded,
    Finalized,
    FinalTranscript,
    InterimTranscript,
    TranscriptionLimits,
    TurnBegan,
    TurnOver,
)
from pipelines.providers.streaming_stt.turns import Pace, TurnState, UtteranceTranscript

from .parrot import DETECTING, LIMITS


def begun(limits: TranscriptionLimits = LIMITS) -> tuple[Attribution, UtteranceTranscript]:
    """Return a connection on which an utterance was begun, and some of it sent."""
    attribution, utterance = Attribution(limits, Pace()), UtteranceTranscript()
    attribution.begin(utterance, 0.0)
    attribution.audio_sent(0.0)
    return attribution, utterance


def test_a_result_belongs_to_what_is_being_sent() -> None:
    """An interim result is replaced by the next; a final one stays."""
    attribution, utterance = begun()
    attribution.take(InterimTranscript("one to"), 0.1)
    attribution.take(FinalTranscript("one"), 0.2)
    attribution.take(InterimTranscript("two"), 0.3)
    assert utterance.text == "one two"
    assert utterance.heard_at == 0.3


def test_what_is_owed_belongs_to_the_utterance_before() -> None:
    """Until the provider has answered, though another is being sent."""
    attribution, first = begun()
    second = UtteranceTranscript()
    assert attribution.begin(second, 1.0) is first
    attribution.asked_to_finalize(first, 1.0)
    attribution.audio_sent(1.1)
    attribution.take(FinalTranscript("first"), 1.2)
    assert attribution.owes_to(first)
    assert not attribution.owes_to(second)
    attribution.take(Finalized(), 1.2)
    attribution.take(FinalTranscript("second"), 1.3)
    assert (first.text, second.text) == ("first", "second")
    assert not attribution.owes


def test_what_comes_when_all_is_final_belongs_to_nothing() -> None:
    """Or a late text would be added to an utterance that was answered."""
    attribution, utterance = begun()
    attribution.unfinalized = False
    attribution.take(FinalTranscript("Thank you for watching."), 1.0)
    assert utterance.text == ""


def test_an_answer_is_overdue_after_what_the_provider_takes() -> None:
    """By the oldest that is owed; none is once the connection has ended."""
    attribution, utterance = begun()
    assert not attribution.overdue(100.0)
    attribution.asked_to_finalize(utterance, 1.0)
    assert not attribution.overdue(1.0 + LIMITS.answers_within)
    assert attribution.overdue(1.1 + LIMITS.answers_within)
    attribution.take(ConnectionEnded(), 5.0)
    assert not attribution.owes


def test_words_begin_a_turn_that_nobody_said_began() -> None:
    """Where the provider detects turns, and only there."""
    attribution, utterance = begun(DETECTING)
    attribution.take(InterimTranscript(""), 0.1)
    assert not attribution.turns.open
    attribution.take(InterimTranscript("Hello"), 0.2)
    assert attribution.turns.open
    assert utterance.turned_at == 0.2
    plain, _ = begun()
    plain.take(InterimTranscript("Hello"), 0.2)
    assert not plain.turns.open


def test_no_utterance_begins_amid_a_turn() -> None:
    """What was sent last could be taken for its beginning."""
    attribution, utterance = begun(DETECTING)
    attribution.take(TurnBegan(), 0.1)
    assert not attribution.can_begin(100.0)
    attribution.take(TurnOver(), 1.0)
    assert utterance.turn is TurnState.OVER
    assert attribution.can_begin(1.0)
    asked, _ = begun()
    assert asked.can_begin(0.0), "a provider that is asked to finalize needs no time"
