"""When silence becomes speech, and speech silence: on invented verdicts."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.listening.gate import SpeechGate
from pipelines.listening.settings import GateSettings
from pipelines.listening.speech_events import SpeechContinued, SpeechStarted
from tests.pipelines.listening.frames import FRAME, GATE, marked, speeches


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=30))
def test_speech_has_all_its_audio_once(runs: list[tuple[bool, int]]) -> None:
    """Whatever the verdicts, starts and ends alternate, and a speech is one run of the call.

    It is nothing but frames of the call in their order, from up to the pre-roll before speech was
    known to end_after from the last voice, a click not counted; no frame is in two speeches.
    """
    verdicts = [voiced for voiced, count in runs for _ in range(count)]
    frames = [marked(number) for number in range(1, len(verdicts) + 1)]
    gate = SpeechGate(GATE, SPEECH_RATE)
    found = [e for f, v in zip(frames, verdicts, strict=True) for e in gate.feed(f, v)]
    call, end = b"".join(frames), 0
    for speech in speeches(found):
        start = call.index(speech)
        assert start % len(FRAME) == 0
        assert start >= end
        end = start + len(speech)
        heard = verdicts[start // len(FRAME) : end // len(FRAME)]
        if end < len(call):
            assert not any(one and other for one, other in pairwise(heard[-25:]))


@pytest.mark.parametrize(("voiced", "starts"), [(3, False), (4, True)])
def test_speech_starts_after_so_much_voice(voiced: int, starts: bool) -> None:
    """80 ms of voice, not 60, is speech, though silence lies between."""
    gate = SpeechGate(GATE, SPEECH_RATE)
    found = [e for n in range(2 * voiced) for e in gate.feed(FRAME, n % 2 == 1)]
    assert [type(e) for e in found] == [SpeechStarted] * starts


def test_voice_from_before_the_pre_roll_does_not_count() -> None:
    """A click now and then never adds up to speech."""
    gate = SpeechGate(GATE, SPEECH_RATE)
    assert not [e for n in range(500) for e in gate.feed(FRAME, n % 7 == 0)]


def test_speech_begins_with_its_pre_roll() -> None:
    """The audio of SpeechStarted is the 0.4 s up to the frame that decided."""
    gate = SpeechGate(GATE, SPEECH_RATE)
    found = [e for n in range(1, 61) for e in gate.feed(marked(n), n > 56)]
    assert found == [
        SpeechStarted(Audio(b"".join(map(marked, range(41, 61))), SPEECH_RATE)),
    ]


def told(gate: SpeechGate, marks: str) -> list[str]:
    """Feed "+" for a voiced frame and "." for another; return the bounds of speech, with when."""
    return [
        f"{type(event).__name__} {number}"
        for number, mark in enumerate(marks)
        for event in gate.feed(FRAME, mark == "+")
        if not isinstance(event, SpeechContinued)
    ]


def test_a_pause_a_resumption_and_an_end() -> None:
    """Five silent frames are a pause, two voiced ones end it, 25 silent ones end the speech."""
    gate = SpeechGate(GateSettings(), SPEECH_RATE)
    assert told(gate, "++++++" + "." * 6 + "+++" + "." * 25) == [
        "SpeechStarted 3",
        "SpeechPaused 10",
        "SpeechResumed 13",
        "SpeechPaused 19",
        "SpeechEnded 39",
    ]


def test_a_click_does_not_end_a_pause() -> None:
    """One voiced frame in it is counted as silence."""
    gate = SpeechGate(GateSettings(), SPEECH_RATE)
    found = told(gate, "++++++" + "." * 6 + "+" + "." * 18)
    assert found[1:] == ["SpeechPaused 10", "SpeechEnded 30"]


def test_the_silence_that_ends_speech_can_be_set_for_one_pause() -> None:
    """Also when it is already exceeded; after a resumption the default holds again."""
    gate = SpeechGate(GateSettings(), SPEECH_RATE)
    told(gate, "++++++" + "." * 12)
    gate.end_after(0.2)
    assert told(gate, ".") == ["SpeechEnded 0"]
    told(gate, "++++++" + "." * 6)
    gate.end_after(1.0)
    assert told(gate, "." * 43) == []
    assert told(gate, ".") == ["SpeechEnded 0"]
    told(gate, "++++++" + "." * 6)
    gate.end_after(2.0)
    assert told(gate, "++" + "." * 25)[-1] == "SpeechEnded 26"


def test_the_gate_knows_how_long_speech_and_silence_are() -> None:
    """Speech counts to its last voiced frame, the pauses in it included."""
    gate = SpeechGate(GateSettings(), SPEECH_RATE)
    told(gate, "++++++")
    assert gate.spoken == pytest.approx(0.12)
    told(gate, "." * 10)
    assert [gate.spoken, gate.silence] == pytest.approx([0.12, 0.2])
    told(gate, "++")
    assert [gate.spoken, gate.silence] == pytest.approx([0.36, 0.0])


def test_a_closed_gate_starts_afresh() -> None:
    """Without an event; the next voice is a new speech."""
    gate = SpeechGate(GateSettings(), SPEECH_RATE)
    told(gate, "++++++")
    gate.close()
    assert not gate.open
    assert told(gate, "." * 30 + "++++") == ["SpeechStarted 33"]
