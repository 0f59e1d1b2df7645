"""Records against recordings, with a recognizer that makes no mistakes but those of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.records.recordings.stereo import StereoAudio
from agent.records.verification.check import Verification, check
from agent.records.verification.claims import ClaimedSpeech
from pipelines.audio import Audio
from tests.agent.records.verification.spelled import A_WORD, WORDS, call, hear

HELLO = "hello there this is linden street kitchen"
HELP = "how may we help you today"
TABLE = "our table for four is booked on friday evening"
PARKING = "parking behind the house costs nothing"
GOODBYE = "goodbye thank everybody"
CALL = call((HELLO, 0.5), (HELP, 0.0), (TABLE, 3.0), (PARKING, 2.0), (GOODBYE, 2.0))


def checked(
    claims: Sequence[ClaimedSpeech], recording: StereoAudio = CALL[1], **more: Any
) -> Verification:
    return asyncio.run(check(claims, recording, more.pop("hear", hear), **more))


def found(claims: Sequence[ClaimedSpeech], **more: Any) -> list[list[str]]:
    return [list(one.findings) for one in checked(claims, **more).sentences]


def test_a_right_record_agrees() -> None:
    """Every sentence is heard at its time, and nothing else."""
    verification = checked(CALL[0])
    assert not verification.differs
    assert len(verification.checked) == 5
    assert all(abs(one.offset) < 0.02 for one in verification.sentences)


def test_times_are_those_of_the_call() -> None:
    """A recording begins when consent was given: its first sample is not the answer."""
    claims, recording = call((HELLO, 0.5), (TABLE, 2.0), began=7.25)
    assert not checked(claims, recording).differs
    assert checked(claims, replace(recording, began=0.0)).differs


@pytest.mark.parametrize("place", range(5))
def test_what_is_not_in_the_record_is_found(place: int) -> None:
    """With the words that are heard there."""
    claims = [*CALL[0]]
    gone = claims.pop(place)
    (voice,) = checked(claims).unclaimed
    assert voice.heard == gone.text
    assert abs(voice.at - gone.at) < 0.1


def test_what_nobody_heard_is_found() -> None:
    """A sentence in a pause, and one put to another."""
    claims = [*CALL[0]]
    pause = (claims[1].until or 0.0) + 0.5
    claims.insert(2, ClaimedSpeech(text=GOODBYE, at=pause, until=pause + 1.0))
    assert found(claims) == [[], [], ["there is no voice"], [], [], []]
    claims = [*CALL[0]]
    claims[2] = replace(claims[2], text=f"{TABLE} {PARKING}")
    (what,) = found(claims)[2]
    assert "parking behind the house" in what


@pytest.mark.parametrize("by", [-1.0, -0.3, 0.3, 1.0])
@pytest.mark.parametrize("place", range(5))
def test_what_was_at_another_time_is_found(place: int, by: float) -> None:
    """Also of sentences that follow each other without a pause."""
    claims = [*CALL[0]]
    one = claims[place]
    claims[place] = replace(one, at=one.at + by, until=(one.until or 0.0) + by)
    verification = checked(sorted(claims, key=lambda claim: claim.at))
    near = [x for x in verification.sentences if x.findings and abs(x.claim.at - one.at) < 2.5]
    assert near or verification.unclaimed or one.at + by < 0


def test_how_much_later_it_begins_is_told() -> None:
    """In seconds, with its sign; a pause that a sentence begins with is its own."""
    claims = [*CALL[0]]
    one = claims[3]
    claims[3] = replace(one, at=one.at - 0.4, until=(one.until or 0.0) - 0.4)
    assert found(claims)[3][-1] == "begins 0.40 s later"
    claims[3] = replace(one, at=one.at - 0.2)
    assert found(claims)[3] == []
    claims[3] = replace(one, at=one.at - 0.7)
    assert found(claims)[3] == ["begins 0.70 s later"]
    claims = [replace(one, at=one.at + 0.2) if one.text == PARKING else one for one in CALL[0]]
    assert found(claims)[3][-1] == "begins 0.20 s earlier"


def test_a_cut_off_sentence() -> None:
    """What was heard of it agrees; two words more do not. One word less is sure, and no mistake."""
    claims, recording = call((TABLE, 1.0))
    five = round((1.0 + 5.4 * A_WORD) * recording.agent.rate) * 2
    pcm = recording.agent.pcm[:five].ljust(len(recording.agent.pcm), b"\0")
    cut = replace(recording, agent=Audio(pcm, recording.agent.rate))
    until = 1.0 + 5.4 * A_WORD

    def claimed(words: int) -> Verification:
        text = " ".join(TABLE.split()[:words])
        return checked([replace(claims[0], text=text, until=until, cut_off=True)], cut)

    assert not claimed(5).differs
    assert not claimed(4).differs
    assert claimed(7).sentences[0].findings == ["not heard: booked on"]


def test_a_voice_that_was_interrupted_at_once_may_have_no_words() -> None:
    """Nothing is claimed of half a word; more is not let pass."""
    claims, recording = call((HELLO, 0.5), (TABLE, 2.0))
    rate = recording.agent.rate
    for seconds, differs in ((0.25, False), (1.0, True)):
        at = round((claims[1].at + seconds) * rate) * 2
        pcm = recording.agent.pcm[:at].ljust(len(recording.agent.pcm), b"\0")
        cut = replace(recording, agent=Audio(pcm, rate))
        assert checked(claims[:1], cut).differs is differs


def test_what_was_not_recorded_is_not_judged() -> None:
    """While it was paused, before it began and after it ended."""
    claims, recording = CALL
    table = claims[2]
    silent = bytearray(recording.agent.pcm)
    first, last = (round(at * recording.agent.rate) * 2 for at in (table.at, table.until or 0.0))
    silent[first:last] = bytes(last - first)
    paused = replace(recording, agent=Audio(bytes(silent), recording.agent.rate))
    assert checked(claims, paused).differs
    pause = [(table.at - 0.2, (table.until or 0.0) + 0.2)]
    verification = checked(claims, paused, unrecorded=pause)
    assert not verification.differs
    assert verification.sentences[2].skipped == "the recording was paused"
    later = ClaimedSpeech(text=HELP, at=60.0, until=62.0)
    assert checked([*claims, later]).sentences[-1].skipped == "not in the recording"


def test_without_an_end_a_sentence_lasts_until_the_next() -> None:
    """Records of versions before this had none."""
    claims = [replace(one, until=None) for one in CALL[0]]
    assert not checked(claims).differs
    del claims[3]
    assert "parking" in found(claims)[2][0]


def test_a_word_that_is_misheard_is_let_pass() -> None:
    """One or two in a row, written otherwise; what is left out altogether is not."""

    async def mishears(audio: Audio) -> str:
        return (await hear(audio)).replace("booked", "looked").replace("linden", "london")

    async def drops(audio: Audio) -> str:
        return (await hear(audio)).replace("for four", "")

    assert not checked(CALL[0], hear=mishears).differs
    assert found(CALL[0], hear=drops)[2] == ["not heard: for four"]


def test_what_would_differ_is_heard_again_cut_otherwise() -> None:
    """A recognizer that is wrong once is asked once more."""
    heard: list[int] = []

    async def once(audio: Audio) -> str:
        heard.append(len(audio.pcm))
        return "" if len(heard) == 1 else await hear(audio)

    assert not checked(CALL[0], hear=once).differs
    assert len(heard) == len(CALL[0]) + 1
    assert heard[1] != heard[0]


def test_numbers_are_compared_as_they_are_read_out() -> None:
    """The record has what was written, a recognizer may write either."""
    claims, recording = call(("at seven thirty", 1.0))
    claims = [replace(claims[0], text="At 7:30.")]
    assert not checked(claims, recording).differs


def test_a_text_longer_than_anybody_speaks_costs_nothing() -> None:
    """A corrupt line of a megabyte is not aligned with two seconds of speech."""
    claims = [replace(CALL[0][0], text="hello " * 200_000), *CALL[0][1:]]
    assert found(claims)[0]


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_any_record_of_what_was_said_agrees(data: st.DataObject) -> None:
    """Whatever was said, whenever; and no sentence of it can be left out unseen."""
    some = st.lists(st.sampled_from(WORDS), min_size=3, max_size=8, unique=True).map(" ".join)
    said = data.draw(st.lists(st.tuples(some, st.sampled_from([0.0, 0.7, 3.0])), min_size=1))
    claims, recording = call(*said)
    assert not checked(claims, recording).differs
    del claims[data.draw(st.integers(0, len(claims) - 1))]
    assert checked(claims, recording).differs
