"""The ledger of a reply: pacing, and what was heard."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.playout import Playout

FRAME = 0.020


def send(playout: Playout, seconds: float, now: float) -> float:
    """Send audio as fast as the ledger allows; return when that was done."""
    for _ in range(round(seconds / FRAME)):
        now += playout.wait(now)
        playout.add(FRAME, now)
    return now


def test_never_more_than_the_lead_is_sent_ahead() -> None:
    """Ten seconds of audio take nine to send with a lead of one."""
    playout = Playout(lead=1.0)
    assert abs(send(playout, 10.0, 100.0) - (109.0 - FRAME)) < FRAME
    assert abs(playout.left(109.0) - 1.0) < FRAME


def test_after_a_stall_shorter_than_the_lead_nothing_was_missed() -> None:
    """The lead covers it, and is built up again at once."""
    playout = Playout(lead=1.0)
    now = send(playout, 5.0, 0.0) + 0.9
    playout.begin("the rest")
    assert send(playout, 0.8, now) == now
    assert playout.gaps == 0


def test_a_gap_within_a_sentence_is_counted() -> None:
    """A piece that comes after the one before has been heard was late."""
    playout = Playout(lead=1.0)
    playout.begin("one two")
    playout.add(0.1, 0.0)
    playout.add(0.1, 0.5)
    playout.begin("three")
    playout.add(0.1, 2.0)
    assert playout.gaps == 1


def test_a_sentence_is_credited_by_its_share_once_its_audio_is_known() -> None:
    """Halfway through four words, two were heard."""
    playout = Playout(lead=9.0)
    playout.begin("one two three four")
    send(playout, 2.0, 0.0)
    playout.finish()
    assert playout.heard(1.0) == "one two"
    assert playout.heard(2.0) == "one two three four"


def test_a_sentence_still_coming_is_credited_no_faster_than_slow_speech() -> None:
    """The first half second of a long sentence is not all of it, though it is all that was sent."""
    playout = Playout(lead=9.0)
    playout.begin("one two three four five six seven eight")
    send(playout, 0.5, 0.0)
    assert playout.heard(5.0) == "one"


@given(
    st.lists(
        st.tuples(
            st.integers(1, 12),  # words
            st.floats(0.18, 0.45),  # seconds a word
            st.lists(st.floats(0, 0.7), min_size=1, max_size=4),  # waits for the provider
        ),
        min_size=1,
        max_size=6,
    ),
    st.floats(0, 30),
    st.floats(0.1, 2.0),
)
def test_words_are_never_credited_before_they_were_spoken(
    sentences: list[tuple[int, float, list[float]]], interrupted_at: float, lead: float
) -> None:
    """Whenever it is interrupted, the credit is at most what an even speaker had finished."""
    playout = Playout(lead)
    now, sounds_until = 0.0, 0.0
    spoken: list[float] = []  # when each word has been heard in full
    for count, pace, waits in sentences:
        playout.begin(" ".join(["word"] * count))
        frames = max(1, round(count * pace / FRAME))
        for i in range(frames):
            now += playout.wait(now) + (waits[i] if i < len(waits) else 0.0)
            if now > interrupted_at:
                break
            playout.add(FRAME, now)
            sounds_until = max(now, sounds_until) + FRAME
            word = (i + 1) * count // frames - i * count // frames
            spoken += [sounds_until] * word
        if now > interrupted_at:
            break
    else:
        playout.finish()
    credited = len(playout.heard(interrupted_at).split())
    truly = sum(end <= interrupted_at + 1e-6 for end in spoken)
    assert credited <= truly + 1
