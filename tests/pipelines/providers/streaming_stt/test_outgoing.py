"""Audio on its way to a provider."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipelines.audio import BYTES_PER_SAMPLE, SPEECH_RATE
from pipelines.providers.streaming_stt.outgoing import OutgoingAudio

from .parrot import LIMITS, word


def test_there_is_a_message_once_there_is_enough() -> None:
    """Pieces wait for others until together they are as long as the provider wants."""
    outgoing = OutgoingAudio(replace(LIMITS, group=0.04))
    assert not outgoing.add(word(1).pcm)
    assert outgoing.add(word(2).pcm)
    assert outgoing.take() == word(1).pcm + word(2).pcm
    assert outgoing.take() == b""


def test_what_waits_of_an_utterance_is_not_in_the_next() -> None:
    """Neither samples nor what the resampler holds back."""
    outgoing = OutgoingAudio(replace(LIMITS, rate=8_000))
    outgoing.add(word(9_999).pcm)
    outgoing.restart()
    outgoing.add(bytes(2 * SPEECH_RATE))
    outgoing.end()
    assert not outgoing.take().strip(b"\0")


@given(st.lists(st.integers(1, 40_000), max_size=8), st.sampled_from([8_000, 16_000, 24_000]))
def test_all_that_was_added_is_taken(sizes: list[int], rate: int) -> None:
    """However it was cut, as many seconds go out as came in, and no message is too long."""
    outgoing = OutgoingAudio(replace(LIMITS, rate=rate))
    for samples in sizes:
        outgoing.add(bytes(BYTES_PER_SAMPLE * samples))
    outgoing.end()
    taken = []
    while pcm := outgoing.take():
        taken.append(len(pcm) // BYTES_PER_SAMPLE)
    assert max(taken, default=0) <= LIMITS.longest * rate
    assert abs(sum(taken) - sum(sizes) * rate / SPEECH_RATE) <= 1
