"""Whose voice it is, by how loud it is."""

from __future__ import annotations

import pytest

from pipelines.audio import FRAME_SECONDS, SPEECH_RATE
from pipelines.listening.levels import FAINT, PATIENCE, VoiceLevels


def frame(dbfs: float) -> bytes:
    """A square wave of 20 ms at this level."""
    sample = round(32768 * 10 ** (dbfs / 20))
    pair = b"".join(n.to_bytes(2, "little", signed=True) for n in (sample, -sample))
    return pair * (SPEECH_RATE // 100)


def speak(levels: VoiceLevels, dbfs: float, seconds: float) -> float:
    """Have a voice speak; return the share of it that counts."""
    frames = round(seconds / FRAME_SECONDS)
    return sum(levels.counts(frame(dbfs), voiced=True) for _ in range(frames)) / frames


def rest(levels: VoiceLevels, seconds: float) -> None:
    for _ in range(round(seconds / FRAME_SECONDS)):
        assert not levels.counts(bytes(640), voiced=False)


def caller_at(*turns: float) -> VoiceLevels:
    """The levels of a caller who had turns as loud as these."""
    levels = VoiceLevels()
    for dbfs in turns:
        levels.counts(frame(dbfs), voiced=True)
        levels._lasts = 99  # whatever it was, it was a turn
        for _ in range(50):
            levels._theirs.append(dbfs)
        levels.turn_ended(theirs=True)
        rest(levels, 3.0)
    return levels


def test_nobody_is_faint_while_the_caller_was_not_heard() -> None:
    """The level is learned from turns; what is shorter than a word has none."""
    levels = VoiceLevels()
    assert speak(levels, -60.0, 1.0) == 1.0
    assert (levels.below, levels.faint) == (None, False)
    rest(levels, 1.0)
    speak(levels, -20.0, 0.1)
    levels.turn_ended(theirs=True)
    assert levels.caller is None


def test_the_first_word_has_a_level_however_short() -> None:
    """A "yes" tells that somebody else is fainter; later on, what is that short teaches nothing."""
    levels = VoiceLevels()
    speak(levels, -20.0, 0.18)
    levels.turn_ended(theirs=True)
    assert levels.caller == pytest.approx(-20.0, abs=0.1)
    rest(levels, 3.0)
    speak(levels, -26.0, 0.18)
    levels.turn_ended(theirs=True)
    assert levels.caller == pytest.approx(-20.0, abs=0.1)


def test_who_is_hardly_heard_is_shunned_until_we_wait_for_the_caller() -> None:
    """While the caller is not known, that may be they: no longer over our words, but after them."""
    levels = VoiceLevels()
    speak(levels, -45.0, 1.0)
    assert levels.soft == pytest.approx(-45.0, abs=0.1)
    levels.shun()
    assert speak(levels, -45.0, 3.0) == 0.0
    levels.wait(waits=True)
    assert speak(levels, -45.0, 1.0) == 1.0
    speak(levels, -30.0, 1.0)
    assert levels.soft is None


@pytest.mark.parametrize(
    ("below", "counts", "faint"),
    [(-12.0, 1.0, False), (0.0, 1.0, False), (5.0, 1.0, False), (7.0, 1.0, True), (9.0, 0.0, True)],
)
def test_a_voice_is_told_by_its_level(below: float, counts: float, faint: bool) -> None:
    """One that is 9 dB below does not count; one 7 dB below does, and is faint once it is over."""
    levels = caller_at(-20.0)
    assert speak(levels, -20.0 - below, 1.0) == counts
    assert levels.below == pytest.approx(below, abs=0.1)
    assert levels.faint is faint is (below > FAINT)


@pytest.mark.parametrize("below", [8.0, 12.0, 20.0])
def test_within_the_first_turn_a_fainter_voice_does_not_go_on_for_the_caller(below: float) -> None:
    """Pauses of the fainter voice make no difference; what is no turn teaches nothing."""
    levels = VoiceLevels()
    for _ in range(60):
        assert levels.counts(frame(-20.0), voiced=True, in_speech=True)
    kept = [
        levels.counts(frame(-20.0 - below), voiced=n % 80 < 40, in_speech=True) for n in range(400)
    ]
    assert sum(kept) * FRAME_SECONDS <= 1.2
    levels.turn_ended(theirs=False)
    assert speak(levels, -20.0 - below, 1.0) == 1.0


def test_a_voice_that_was_shunned_has_to_be_louder_to_count_again() -> None:
    """For two seconds of quiet; so it does not hold us time and again."""
    levels = caller_at(-20.0)
    speak(levels, -27.0, 1.0)
    levels.shun()
    assert speak(levels, -27.0, 3.0) == 0.0
    rest(levels, 1.0)
    assert speak(levels, -27.0, 1.0) == 0.0
    rest(levels, 2.5)
    assert speak(levels, -27.0, 1.0) == 1.0


def test_the_caller_over_a_faint_voice_is_heard_at_once() -> None:
    """Three frames of theirs are enough."""
    levels = caller_at(-20.0)
    assert speak(levels, -32.0, 3.0) == 0.0
    assert [levels.counts(frame(-20.0), voiced=True) for _ in range(3)] == [False, False, True]
    assert not levels.faint or speak(levels, -20.0, 0.3) == 1.0
    assert not levels.faint


def test_when_the_caller_stops_a_faint_voice_counts_for_a_second_at_most() -> None:
    """So it does not keep their turn open, and their own fading words are heard."""
    levels = caller_at(-20.0)
    speak(levels, -20.0, 2.0)
    assert 0.5 <= 8.0 * speak(levels, -36.0, 8.0) <= 1.2


def test_a_shout_does_not_make_the_caller_faint() -> None:
    """Their level is the lower median of their latest turns."""
    assert caller_at(-20.0, -8.0).caller == pytest.approx(-20.0, abs=0.1)
    assert caller_at(-8.0, -20.0).caller == pytest.approx(-20.0, abs=0.1)
    assert caller_at(-20.0, -8.0, -20.0, -21.0).caller == pytest.approx(-20.0, abs=0.1)


@pytest.mark.parametrize("waits", [True, False], ids=["we wait", "we speak"])
def test_a_caller_who_has_moved_away_is_heard(waits: bool) -> None:
    """Once nothing else was heard for long while we waited for them; never while we speak."""
    levels = caller_at(*5 * [-20.0])
    levels.wait(waits=waits)
    assert speak(levels, -32.0, 1.5) == 0.0
    rest(levels, PATIENCE * FRAME_SECONDS)
    assert (speak(levels, -32.0, 1.0) > 0.9) is waits
