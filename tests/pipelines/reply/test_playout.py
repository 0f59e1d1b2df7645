"""The ledger of a reply: pacing, and what was heard."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.audio import Audio
from pipelines.reply.playout import MESSAGE, Playout

FRAME = 0.020


RATE = 8000


def audio(seconds: float) -> Audio:
    return Audio(bytes(2 * round(seconds * RATE)), RATE)


def tone(seconds: float, dbfs: float = -20.0) -> Audio:
    """A square wave: its RMS is its height."""
    height = round(32_768 * 10 ** (dbfs / 20))
    wave = np.tile(np.repeat(np.array([height, -height], "<i2"), 20), round(seconds * RATE) // 40)
    return Audio(wave.tobytes(), RATE)


def drain(playout: Playout, now: float) -> float:
    """Send what is to be sent as fast as the ledger allows; return when that was done."""
    while playout.pending:
        now += playout.wait(now)
        playout.take(now)
    return now


def send(playout: Playout, seconds: float, now: float) -> float:
    """Send new audio as fast as the ledger allows; return when that was done."""
    playout.put(audio(seconds))
    return drain(playout, now)


def test_never_more_than_the_lead_is_sent_ahead() -> None:
    """Ten seconds of audio take nine to send with a lead of one."""
    playout = Playout(lead=1.0)
    assert abs(send(playout, 10.0, 100.0) - (109.0 - FRAME)) < FRAME
    assert abs(playout.left(109.0) - 1.0) < FRAME


@pytest.mark.parametrize("lead", [0.1, 1.0])
def test_messages_are_long_once_the_lead_stands(lead: float) -> None:
    """The first leaves at once, whatever there is of it; half the lead is kept at any time."""
    playout = Playout(lead)
    playout.put(audio(FRAME))
    assert playout.wait(0.0) == 0.0
    assert playout.take(0.0) == audio(FRAME)
    playout.put(audio(4.0))
    now, messages = 0.0, list[float]()
    while playout.pending:
        wait = playout.wait(now)
        now += wait
        assert playout.left(now) >= lead / 2 - 1e-6 or not wait
        messages.append(playout.take(now).seconds)
        assert playout.left(now) <= lead + FRAME + 1e-6
    assert sum(messages) == pytest.approx(4.0)
    assert max(messages) == pytest.approx(min(MESSAGE, 1 + lead / FRAME / 2) * FRAME, abs=FRAME)
    assert len(messages) <= 4.0 / max(messages) + 2


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
    send(playout, 0.1, 0.0)
    send(playout, 0.1, 0.5)
    playout.begin("three")
    send(playout, 0.1, 2.0)
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
            playout.put(audio(FRAME))
            playout.take(now)
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


def test_a_held_reply_goes_on_from_the_frame_that_was_cut_off() -> None:
    """What was sent and not heard is sent again, and nothing else."""
    playout = Playout(lead=1.0)
    playout.begin("one two three four")
    playout.put(audio(4.0))
    playout.finish()
    now, sent, again = 0.0, 0.0, 0.0
    while sent < 2.0 - FRAME / 2:
        now += playout.wait(now)
        sent += playout.take(now).seconds
    playout.hold(now)
    assert playout.left(now) == 0.0
    position = playout.position(now)
    assert abs(position - 1.0) < 2 * FRAME
    while playout.pending:
        now += playout.wait(now)
        again += playout.take(now).seconds
    assert abs(again - (4.0 - position)) < 2 * FRAME
    assert playout.heard(now + 1.5) == "one two three four"


def test_a_reply_can_go_back_to_the_start_of_its_sentence() -> None:
    """Not further; the sentences before it stay heard."""
    playout = Playout(lead=9.0)
    playout.begin("one two")
    send(playout, 1.0, 0.0)
    playout.begin("three four")
    send(playout, 1.0, 0.0)
    playout.finish()
    playout.hold(1.5)
    playout.rewind()
    assert playout.heard(5.0) == "one two"
    drain(playout, 5.0)
    assert playout.left(5.0) == pytest.approx(1.0)


class Platform:
    """The far end: what arrives after a delay is played in real time, until a clear arrives."""

    def __init__(self, audio_delay: float, clear_delay: float) -> None:
        self._audio_delay, self._clear_delay = audio_delay, clear_delay
        self._queue: list[tuple[float, float]] = []  # when it has been played, where it ends
        self._free_at = self._played = 0.0

    def send(self, now: float, start: float) -> None:
        self._free_at = max(self._free_at, now + self._audio_delay) + FRAME
        self._queue.append((self._free_at, start + FRAME))

    def clear(self, now: float) -> None:
        self._played = self.played_until(now + self._clear_delay)
        self._queue = []
        self._free_at = now + self._clear_delay

    def played_until(self, at: float) -> float:
        """Return how far into the reply the caller has heard by then."""
        return max((end for played, end in self._queue if played <= at), default=self._played)


@settings(max_examples=2000, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 12), st.floats(0.18, 0.45)), min_size=1, max_size=5),
    st.floats(0, 12),
    st.floats(0.0, 0.4),
    st.tuples(st.floats(0, 0.1), st.floats(0, 0.1)),
    st.lists(st.floats(0, 12), max_size=3),
)
def test_history_holds_no_word_that_the_platform_did_not_play(
    sentences: list[tuple[int, float]],
    interrupted_at: float,
    delay: float,
    jitter: tuple[float, float],
    held_at: list[float],
) -> None:
    """At most a word or 100 ms too much, whenever it is interrupted, earlier holds included.

    Against the platform's buffer; the network takes up to 0.5 s, of which 100 ms are jitter.
    """
    platform = Platform(delay + jitter[0], delay + jitter[1])
    playout, made = Playout(lead=1.0), 0.0
    words: list[float] = []  # where in the reply each ends
    for count, pace in sentences:
        frames = round(count * pace / FRAME)
        playout.begin(" ".join(["word"] * count))
        playout.put(audio(frames * FRAME))
        words += [made + frames * FRAME * (i + 1) / count for i in range(count)]
        made += frames * FRAME
    playout.finish()
    now, holds = 0.0, sorted(held_at)
    while now < interrupted_at:
        while playout.pending and not playout.wait(now):
            end = playout.take(now)
            platform.send(now, playout.sent - end.seconds)
        if holds and now >= holds[0]:
            holds.pop(0)
            playout.hold(now)
            platform.clear(now)
        now += FRAME
    playout.hold(now)
    platform.clear(now)
    credited = len(playout.heard(now).split())
    played = platform.played_until(now + 9.0)
    assert credited <= sum(end <= played + 0.1 + 1e-6 for end in words) + 1


def test_words_whose_time_the_voice_told_are_credited_by_it() -> None:
    """Not by their share of the sentence: this voice speaks the first word for most of it."""
    playout = Playout(lead=9.0)
    playout.begin("Well, we open")
    playout.time([0.8, 0.9])
    playout.put(audio(1.0))
    playout.time([1.0])
    drain(playout, 0.0)
    playout.finish()
    assert playout.heard(0.7) == ""
    assert playout.heard(0.85) == "Well,"
    assert playout.heard(0.95) == "Well, we"
    assert playout.heard(1.0) == "Well, we open"


def test_spoken_words_that_are_more_than_written_ones_count_by_their_share() -> None:
    """An amount is several words; half a written word was not heard."""
    playout = Playout(lead=9.0)
    playout.begin("It costs $9.50 today", 6)
    playout.time([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    playout.put(audio(0.6))
    playout.finish()
    drain(playout, 0.0)
    heard = [playout.heard(at / 10 + 0.01) for at in range(1, 6)]
    assert heard == ["", "It", "It costs", "It costs", "It costs $9.50"]
    assert playout.heard(0.6) == "It costs $9.50 today"


def test_a_voice_that_tells_some_times_is_not_credited_with_the_rest() -> None:
    """Until the sentence is over."""
    playout = Playout(lead=9.0)
    playout.begin("one two three four")
    playout.time([0.1])
    playout.put(audio(1.0))
    playout.finish()
    drain(playout, 0.0)
    assert playout.heard(0.9) == "one"
    assert playout.heard(1.0) == "one two three four"


@given(
    words=st.integers(1, 8),
    spoken=st.integers(1, 12),
    ends=st.lists(st.floats(0, 2), max_size=15).map(sorted),
    cuts=st.lists(st.floats(0, 2.5), max_size=6).map(sorted),
)
def test_what_was_heard_only_grows(
    words: int, spoken: int, ends: list[float], cuts: list[float]
) -> None:
    """And is never more than what was said, whatever a voice tells of its words."""
    playout = Playout(lead=9.0)
    text = " ".join(f"w{number}" for number in range(words))
    playout.begin(text, spoken)
    playout.time(ends)
    playout.put(audio(2.0))
    playout.finish()
    drain(playout, 0.0)
    heard = [playout.heard(at) for at in cuts]
    assert all(text.startswith(part) for part in heard)
    assert [len(part) for part in heard] == sorted(len(part) for part in heard)


def test_what_is_audible_ends_before_the_near_silence_after_it() -> None:
    """A second of speech and 0.3 s of pause: a second is left, and then nothing."""
    playout = Playout(lead=0.4)
    playout.begin("one two")
    playout.put(tone(1.0))
    playout.put(tone(0.3, dbfs=-60))
    assert playout.audible_left(0.0) == pytest.approx(1.0)
    playout.take(10.0)
    assert playout.audible_left(10.0) == pytest.approx(1.0)
    now = drain(playout, 10.0)
    assert playout.audible_left(now) == pytest.approx(11.0 - now)
    assert playout.audible_left(11.1) == 0.0
    assert playout.left(11.1) == pytest.approx(0.2)


@pytest.mark.parametrize(("dbfs", "seconds"), [(-20, 1.0), (-48, 1.0), (-52, 0.0), (-90, 0.0)])
def test_soft_is_audible_and_near_silence_is_not(dbfs: float, seconds: float) -> None:
    """The end of an "s" counts; the hum of a voice between its words does not."""
    playout = Playout(lead=0.4)
    playout.put(tone(1.0, dbfs))
    assert playout.audible_left(0.0) == pytest.approx(seconds)


def test_a_pause_between_sentences_is_audible_time() -> None:
    """What sounds after it is to come: only near-silence at the end is left out."""
    playout = Playout(lead=9.0)
    for pause in (0.3, 0.0):
        playout.begin("one")
        playout.put(tone(0.5))
        playout.put(audio(pause))
        playout.finish()
    drain(playout, 0.0)
    assert playout.audible_left(0.6) == pytest.approx(0.7)


def test_what_was_taken_back_is_audible_once_more() -> None:
    """A hold takes back what was sent, and a rewind what was heard of the sentence."""
    playout = Playout(lead=9.0)
    playout.begin("one two")
    playout.put(tone(1.0))
    drain(playout, 0.0)
    playout.hold(0.6)
    assert playout.audible_left(5.0) == pytest.approx(0.4)
    playout.rewind()
    assert playout.audible_left(5.0) == pytest.approx(1.0)
    drain(playout, 6.0)
    assert playout.audible_left(6.5) == pytest.approx(0.5)


def test_keys_and_fillers_are_audible() -> None:
    """Whatever is said in between."""
    playout = Playout(lead=9.0)
    playout.begin("one")
    playout.interject("Moment.", tone(0.4))
    assert playout.audible_left(0.0) == pytest.approx(0.4)


def test_what_is_left_may_be_counted_as_heard() -> None:
    """Near-silence after the last word: all words of the reply were heard, and nothing is sent."""
    ledger = Playout(10.0)
    ledger.begin("One two.")
    ledger.put(Audio(bytes(2 * 8000), 8000))
    ledger.finish()
    for _ in range(30 // MESSAGE):
        ledger.take(0.0)
    assert ledger.heard(0.6) == "One"
    ledger.end(0.6)
    assert (ledger.heard(0.6), ledger.unheard(0.6), ledger.left(0.6)) == ("One two.", "", 0.0)
    assert not ledger.pending
    assert ledger.heard_until(0.8) == 0.6


def test_how_late_a_frame_left_is_known() -> None:
    """After a wait that was too long; not after one in time, nor after a hold."""
    rate = 8000
    frames = Audio(bytes(2 * rate), rate)  # a second
    ledger = Playout(0.1)
    ledger.begin("Hello.")
    ledger.put(frames)
    while not ledger.wait(0.0):
        ledger.take(0.0)
    due = ledger.wait(0.0)
    ledger.take(due)
    assert ledger.late == 0.0
    due += ledger.wait(due)
    ledger.take(due + 0.03)
    assert round(ledger.late, 6) == 0.03
    at = due + 0.03
    while not ledger.wait(at):
        ledger.take(at)
    ledger.hold(at)
    ledger.take(at + 5)
    assert round(ledger.late, 6) == 0.03
    counted = dict(ledger.line.pacing.buckets)  # the two that had to wait, and no other
    assert (counted["0.0002"], counted["0.02"], counted["0.05"], counted["+Inf"]) == (1, 1, 2, 2)
