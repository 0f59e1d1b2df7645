"""What is due on a connection that nobody asked for."""

from __future__ import annotations

import math
from dataclasses import replace

from pipelines.audio import BYTES_PER_SAMPLE
from pipelines.providers.streaming_stt.attribution import Attribution
from pipelines.providers.streaming_stt.protocol import TranscriptionLimits, TurnBegan, TurnOver
from pipelines.providers.streaming_stt.turns import Pace, UtteranceTranscript
from pipelines.providers.streaming_stt.upkeep import Leave, SendKeepAlive, SendSilence, Upkeep

from .parrot import DETECTING, LIMITS

PACE = Pace()


def opened(limits: TranscriptionLimits) -> tuple[Upkeep, Attribution]:
    """Return the upkeep of a connection that was opened at 0."""
    attribution = Attribution(limits, PACE)
    upkeep = Upkeep(limits, PACE, attribution)
    upkeep.sent_at = 0.0
    return upkeep, attribution


def test_nothing_is_due_on_a_connection_without_limits() -> None:
    """It may be as old as it likes, and needs nothing."""
    upkeep, _ = opened(LIMITS)
    assert upkeep.due_at(0.0) == math.inf
    assert upkeep.due(1_000.0) is None


def test_a_quiet_connection_is_kept_alive() -> None:
    """So long after anything was sent, whatever that was."""
    upkeep, _ = opened(replace(LIMITS, keep_alive=5.0))
    upkeep.sent_at = 2.0
    assert upkeep.due_at(2.0) == 7.0
    assert upkeep.due(6.9) is None
    assert upkeep.due(7.0) == SendKeepAlive()


def test_an_old_connection_leaves_when_nothing_is_lost_by_it() -> None:
    """Not while somebody transcribes, an answer is owed, or the utterance could go on."""
    upkeep, attribution = opened(LIMITS)
    upkeep.leaves_at = 10.0
    assert upkeep.due(10.0) == Leave()
    upkeep.attended = True
    assert upkeep.due(10.0) is None
    upkeep.attended = False
    attribution.audio_sent(9.0)
    assert upkeep.due_at(10.0) == 9.0 + PACE.quiet
    attribution.asked_to_finalize(UtteranceTranscript(), 9.0)
    assert upkeep.due(20.0) is None


def test_a_provider_that_detects_turns_is_given_silence_to_decide_on() -> None:
    """As much as was not said meanwhile, until the turn is over; but none while somebody speaks."""
    upkeep, attribution = opened(DETECTING)
    attribution.audio_sent(1.0)
    attribution.take(TurnBegan(), 1.0)
    upkeep.sent_at = 1.0
    upkeep.speaking = True
    assert upkeep.due(1.1) is None
    upkeep.speaking = False
    assert upkeep.due_at(1.0) == 1.0 + PACE.silence
    due = upkeep.due(1.1)
    assert isinstance(due, SendSilence)
    assert len(due.pcm) == BYTES_PER_SAMPLE * round(0.1 * DETECTING.rate)
    attribution.take(TurnOver(), 2.0)
    assert upkeep.due(1.0 + PACE.settled) is None


def test_what_was_held_up_is_not_made_up_for() -> None:
    """After a pause of ours the provider is not told that the caller was silent for all of it."""
    upkeep, attribution = opened(DETECTING)
    attribution.audio_sent(0.0)
    attribution.take(TurnBegan(), 0.0)
    due = upkeep.due(5.0)
    assert isinstance(due, SendSilence)
    assert len(due.pcm) == BYTES_PER_SAMPLE * round(2 * PACE.silence * DETECTING.rate)
