"""Voices in a channel, letters in a text, words as they sound."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.records.events import RecordedEvent
from agent.records.recordings.stereo import StereoAudio
from agent.records.verification.activity import joined, length, noise, voiced, within, without
from agent.records.verification.alignment import matched
from agent.records.verification.caller import caller_turns, response_times
from agent.records.verification.claims import ClaimedSpeech, sentences
from agent.records.verification.wording import compared, sounding
from pipelines.audio import SPEECH_RATE, Audio
from tests.agent.records.verification.spelled import hear, spoken

STRETCHES = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 9)).map(lambda one: (one[0], one[0] + one[1]))
)


def covered(stretches: list[tuple[float, float]]) -> set[int]:
    return {n for begin, end in stretches for n in range(int(begin), int(end))}


@given(STRETCHES, STRETCHES)
def test_stretches_are_sets_of_moments(
    some: list[tuple[int, int]], others: list[tuple[int, int]]
) -> None:
    """What is joined covers the same, what is left is what the others do not cover."""
    one, other = joined(some), joined(others)
    assert covered(one) == covered([*some])
    assert covered(without(one, other)) == covered(one) - covered(other)
    assert covered(within(one, 10, 30)) == covered(one) & set(range(10, 30))
    assert length(one) == len(covered(one))


def test_a_voice_is_what_is_loud() -> None:
    """A click is none, and a breath of silence within a word is no end of it."""
    rate = 8_000
    samples = np.zeros(4 * rate, np.int16)
    samples[rate : 2 * rate] = 3_000
    samples[round(1.4 * rate) : round(1.45 * rate)] = 0
    samples[3 * rate : round(3.01 * rate)] = 3_000
    assert voiced(Audio(samples.tobytes(), rate)) == [pytest.approx((1.0, 2.0), abs=0.011)]
    assert voiced(Audio(b"", rate)) == []


def test_noise_is_no_voice() -> None:
    """Of a caller's channel the floor is taken from its own quiet parts."""
    rate, draw = 8_000, np.random.default_rng(3)
    samples = draw.normal(0, 150, 4 * rate)
    samples[rate : 2 * rate] += 6_000 * np.sin(np.arange(rate) / 8)
    audio = Audio(samples.astype(np.int16).tobytes(), rate)
    assert len(voiced(audio)) == 1
    assert voiced(audio)[0][1] > 3.9
    assert voiced(audio, noise(audio)) == [pytest.approx((1.0, 2.0), abs=0.02)]


@given(st.text("abc", max_size=12), st.text("abc", max_size=12))
def test_matched_letters_are_the_same_in_their_order(one: str, other: str) -> None:
    """As many on both sides, and all of them if one is the other."""
    here, there = matched(one, other)
    assert [c for c, m in zip(one, here, strict=True) if m] == [
        c for c, m in zip(other, there, strict=True) if m
    ]
    assert matched(one, one)[0].all()


def test_a_long_text_costs_little() -> None:
    """Ten minutes of speech at once: what was put in the middle is all that is found."""
    text = "".join(chr(97 + n * n % 26) for n in range(8_000))
    began = time.process_time()  # however busy the machine is
    here, there = matched(text, text[:4_000] + "#" * 50 + text[4_000:])
    assert time.process_time() - began < 10
    assert here.all()
    assert np.flatnonzero(~there).tolist() == list(range(4_000, 4_050))


@pytest.mark.parametrize(
    ("claimed", "heard"),
    [
        ("Your total is $45.20.", "your total is forty five dollars and twenty cents"),
        ("At 7:30 pm.", "at 7:30 p.m."),
        ("By e-mail", "by email"),
        ("Café", "cafe"),
    ],
)
def test_two_ways_of_writing_are_one_of_speaking(claimed: str, heard: str) -> None:
    """Numbers, abbreviations, hyphens, marks and case."""
    found = compared(sounding(claimed, "en"), sounding(heard, "en"))
    assert (found.missing.letters, found.more.letters) == (0, 0)
    assert found.alike > 0.9


def test_no_language_is_needed_for_words() -> None:
    """Where no spaces are written, a word is a character."""
    found = compared(sounding("明日の九時に開きます", "ja"), sounding("明日の九時に", "ja"))
    assert found.missing.letters == 4


def test_sentences_are_finer_than_replies() -> None:
    """What was written as it was heard counts, and the reply where nothing was."""
    events = [
        RecordedEvent(id=1, kind="heard", at=1.0, fields={"turn": 1, "text": "A.", "until": 1.5}),
        RecordedEvent(id=2, kind="heard", at=1.5, fields={"turn": 1, "text": "B.", "until": 2.0}),
        RecordedEvent(id=3, kind="agent", at=1.0, fields={"turn": 1, "text": "A. B."}),
        RecordedEvent(id=4, kind="agent", at=5.0, fields={"text": "C.", "cut_off": True}),
        RecordedEvent(id=5, kind="caller", at=4.0, fields={"text": "D."}),
    ]
    assert [one.text for one in sentences(events)] == ["A.", "B.", "C."]


def test_the_caller_is_heard_again_and_their_wait_measured() -> None:
    """Another recognizer's words beside the record's; the wait by both voices."""
    rate = SPEECH_RATE
    said = spoken("parking behind the house")
    caller = bytes(2 * rate) + said.pcm + bytes(6 * rate)
    answer = bytes(2 * rate) + bytes(len(said.pcm)) + bytes(2 * round(0.8 * rate))
    agent = (answer + spoken("goodbye").pcm).ljust(len(caller), b"\0")
    recording = StereoAudio(caller=Audio(caller, rate), agent=Audio(agent, rate))
    claim = ClaimedSpeech(text="Parking behind a house?", at=1.0, until=1.0 + said.seconds)
    (turn,) = asyncio.run(caller_turns([claim], recording, hear))
    assert turn.heard == "parking behind the house"
    assert turn.alike > 0.85
    ended = 1.0 + said.seconds
    timing = {"turn": 2, "speech_end": ended, "heard": ended + 0.75}
    events = [RecordedEvent(id=1, kind="timing", at=3.0, fields=timing)]
    (wait,) = response_times(events, recording)
    assert (wait.turn, round(wait.recorded, 2)) == (2, 0.75)
    assert wait.measured == pytest.approx(0.8, abs=0.03)
