"""What is on a connection, and whether it takes more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.providers.streaming_tts.occupancy import Occupancy, Suspicion
from pipelines.providers.streaming_tts.protocol import AudioChunk, SynthesisEnded, SynthesisLimits
from pipelines.providers.streaming_tts.sentence import Sentence

LIMITS = SynthesisLimits(contexts=2, confirms=True, idle=60.0, age=600.0)


def sent(occupancy: Occupancy, at: float) -> Sentence:
    """Place a sentence that is sent at once."""
    sentence = Sentence("One two.", 8_000)
    sentence.sent_at = sentence.heard_at = at
    occupancy.put(sentence, at)
    return sentence


def test_a_connection_has_room_for_so_many_sentences() -> None:
    """One that has ended makes room; one that was cancelled only once that is confirmed."""
    occupancy = Occupancy(LIMITS, 0.0)
    first, second = sent(occupancy, 1.0), sent(occupancy, 1.0)
    assert not occupancy.has_room(1.0)
    occupancy.take(SynthesisEnded(first.context), 2.0)
    assert occupancy.has_room(2.0)
    sent(occupancy, 2.0)
    occupancy.remove(second.context, 2.0)
    occupancy.cancelled(second.context, 2.0)
    assert not occupancy.has_room(2.0)
    occupancy.take(SynthesisEnded(second.context), 3.0)
    assert occupancy.has_room(3.0)


def test_a_cancelled_sentence_takes_no_room_where_nobody_confirms() -> None:
    """Its name is never used again, so what comes late is told apart."""
    occupancy = Occupancy(replace(LIMITS, contexts=1, confirms=False), 0.0)
    sentence = sent(occupancy, 1.0)
    occupancy.remove(sentence.context, 2.0)
    occupancy.cancelled(sentence.context, 2.0)
    assert occupancy.has_room(2.0)
    occupancy.take(AudioChunk(sentence.context, b"\0\0"), 2.1)
    assert not sentence.seconds


def test_a_cancellation_that_is_never_confirmed_ends_the_connection() -> None:
    """It would have no room for ever."""
    occupancy = Occupancy(LIMITS, 0.0)
    sentence = sent(occupancy, 1.0)
    occupancy.remove(sentence.context, 2.0)
    occupancy.cancelled(sentence.context, 2.0)
    assert not occupancy.over(6.9)
    assert occupancy.over(2.0 + LIMITS.confirmed_within)


def test_so_many_sentences_a_minute_are_begun() -> None:
    """Whether or not they have ended."""
    occupancy = Occupancy(replace(LIMITS, a_minute=2), 0.0)
    for at in (1.0, 11.0):
        occupancy.take(SynthesisEnded(sent(occupancy, at).context), at + 1.0)
    assert not occupancy.has_room(60.9)
    assert occupancy.has_room(61.0)


@pytest.mark.parametrize(("now", "over"), [(59.9, False), (60.0, True)])
def test_a_connection_without_a_sentence_is_closed_for_idling(now: float, over: bool) -> None:
    """And is looked at again just when that may be."""
    occupancy = Occupancy(LIMITS, 0.0)
    assert occupancy.over(now) is over
    assert occupancy.look_again_in(now) == pytest.approx(60.0 - now)


def test_an_old_connection_takes_no_more_and_is_closed_once_it_is_empty() -> None:
    """What is on it is heard to its end."""
    occupancy = Occupancy(LIMITS, 0.0)
    sentence = sent(occupancy, 599.0)
    assert not occupancy.has_room(600.0)
    assert not occupancy.over(700.0)
    occupancy.take(SynthesisEnded(sentence.context), 700.0)
    assert occupancy.over(700.0)


@pytest.mark.parametrize(
    ("given_up", "server_said", "suspicion"),
    [
        (1.5, None, Suspicion.DOUBTFUL),
        (1.5, 1.2, Suspicion.NONE),
        (2.0, None, Suspicion.SILENT),
        (2.0, 1.2, Suspicion.UNTRUSTED),
    ],
)
def test_a_sentence_that_is_given_up_tells_of_its_connection(
    given_up: float, server_said: float | None, suspicion: Suspicion
) -> None:
    """By how long it had waited, and whether the server said anything else meanwhile."""
    occupancy = Occupancy(LIMITS, 0.0)
    sentence = sent(occupancy, 1.0)
    if server_said is not None:
        occupancy.heard_at = server_said
    assert occupancy.judge(sentence, given_up) is suspicion
    assert occupancy.retired is (given_up >= 2.0)
