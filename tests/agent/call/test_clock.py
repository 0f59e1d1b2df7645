"""What time brings about in one call."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.clock import BridgeDue, CallClock
from agent.call.history import NOBODY
from agent.call.keys import PressedKeys
from agent.call.orders import CallerMoved, PartyJoined, PartyLeft
from agent.call.party_line import PartyLine
from agent.call.reply import Announcement
from agent.personas.party import PartyScript
from agent.settings.calls import CallLimits, CallSettings
from pipelines.turn_taking.turns import Event
from tests.agent.conversation import Notes

SETTINGS = CallSettings(calls=CallLimits(max_seconds=100.0))
TURNS = SETTINGS.turns
KEYS, IDLED, OUT = Event.KEYS_ENTERED, Event.IDLED, Event.IDLED_OUT
KEYPAD = st.sampled_from(["", "1", "12", "#"])
QUIET = (Event.TIME_SHORT, IDLED, OUT)


def clock() -> CallClock:
    return CallClock(SETTINGS, 0.0, PressedKeys(), PartyLine(NOBODY, Notes().add))


@pytest.mark.parametrize(
    ("keys", "waited", "drafting", "due"),
    [
        ("12", 1.9, False, None),
        ("12", 2.0, False, KEYS),
        ("12#", 0.0, False, KEYS),
        ("#1", 0.0, False, None),
        ("12#", 0.0, True, None),  # what was said before them is answered first
    ],
)
def test_keys_are_answered_once_all_are_in(
    keys: str, waited: float, drafting: bool, due: Event | None
) -> None:
    """``#`` says so, or two seconds without another."""
    ours = clock()
    ours.press(keys[:1], 4.5)
    ours.press(keys[1:], 5.0)
    assert ours.due(5.0 + waited, drafting=drafting, moving=False) is due
    assert (ours.take_keys(), ours.take_keys()[0]) == ((keys, 4.5, 5.0), "")


@pytest.mark.parametrize(
    ("audio_at", "now", "away", "reason"),
    [
        (40.0, 99.9, False, ""),
        (40.0, 100.0, False, "no audio from the caller"),
        (99.0, 100.0, False, "the call was too long"),
        (99.0, 100.0, True, ""),
        (99.0, 159.0, True, "no audio from the caller"),
    ],
)
def test_a_call_is_over_for_its_length_or_its_silence(
    audio_at: float, now: float, away: bool, reason: str
) -> None:
    """A caller who talks to somebody else may do so for as long as they like."""
    ours = clock()
    ours.audio_came(audio_at)
    assert ours.over(now, away=away) == reason
    assert ours.is_stalled(audio_at + 1.0)
    assert not ours.is_stalled(audio_at + 0.9)


@pytest.mark.parametrize(
    ("quiet", "moving", "due"),
    [(3.9, True, None), (4.0, True, BridgeDue()), (7.9, False, None), (8.0, False, IDLED)],
)
def test_a_silence_while_somebody_is_dialled_is_ours(
    quiet: float, moving: bool, due: object
) -> None:
    """Nobody is asked whether they are there while they wait for us."""
    ours = clock()
    ours.fell_quiet(10.0)
    assert ours.due(10.0 + quiet, drafting=False, moving=moving) == due


def test_a_silent_caller_is_asked_twice_and_then_let_go() -> None:
    """A word in between starts over."""
    ours = clock()
    assert [ours.due(20.0, drafting=False, moving=False) for _ in range(2)] == [IDLED, IDLED]
    ours.caller_is_there()
    due = [ours.due(20.0, drafting=False, moving=False) for _ in range(3)]
    assert due == [IDLED, IDLED, OUT]


class Walk:
    """A clock, and what it was told that is still open."""

    def __init__(self) -> None:
        self.clock = clock()
        self.at = self.key_at = 0.0
        self.keys = ""
        self.news: list[Announcement] = []
        self.past: list[object] = []

    def happen(self, pressed: str, announced: bool, seconds: float) -> None:
        if pressed:
            self.keys, self.key_at = self.keys + pressed, self.at
            self.clock.press(pressed, self.at)
        if announced:
            self.news.append(Announcement(text=str(self.at)))
            self.clock.announce(self.news[-1])
        self.at += seconds

    def may_be_due(self, *, drafting: bool, moving: bool) -> tuple[object, ...]:
        if self.keys and not drafting:
            waited = self.at - self.key_at >= TURNS.keys_after
            return (KEYS,) if waited or self.keys.endswith("#") else (None,)
        if self.news:
            return (Event.ANNOUNCEMENT_DUE,)
        if moving:
            return (BridgeDue(), None)
        return (IDLED, OUT, None) if Event.TIME_SHORT in self.past else (*QUIET, None)

    def take(self, due: object) -> None:
        self.past.append(due)
        if due is KEYS:
            assert self.clock.take_keys()[0] == self.keys
            self.keys = ""
        elif due is Event.ANNOUNCEMENT_DUE:
            assert self.clock.next_announcement() is self.news.pop(0)


@given(
    st.lists(
        st.tuples(KEYPAD, st.booleans(), st.floats(0, 15), st.booleans(), st.booleans()),
        max_size=30,
    )
)
def test_what_is_due_has_one_reason(steps: list[tuple[str, bool, float, bool, bool]]) -> None:
    """Keys never too soon, and before all else; then news, in order; time is short once."""
    walk = Walk()
    for pressed, announced, seconds, drafting, moving in steps:
        walk.happen(pressed, announced, seconds)
        due = walk.clock.due(walk.at, drafting=drafting, moving=moving)
        assert due in walk.may_be_due(drafting=drafting, moving=moving)
        walk.take(due)


def test_what_is_said_at_a_time_of_its_own_is_not_said_before() -> None:
    """An introduction waits for whoever is let in; who has joined is told after it."""
    line = PartyLine(NOBODY, Notes().add)
    both = CallClock(SETTINGS, 0.0, PressedKeys(), line)
    line.joined(PartyJoined(party="p1", title="Ann"), 0.0)
    line.joined(PartyJoined(party="p2", title="Ben"), 0.0)
    both.announce(Announcement(text="This is Ann.", not_before=5.0))
    assert both.due(4.0, drafting=False, moving=False) is None
    assert both.due(5.0, drafting=False, moving=False) is Event.ANNOUNCEMENT_DUE
    assert both.next_announcement().text == "This is Ann."
    assert both.due(6.0, drafting=False, moving=False) is Event.ANNOUNCEMENT_DUE
    assert both.next_announcement().text == "Ann has joined."


def test_who_is_left_by_the_others_has_not_been_silent_while_they_talked() -> None:
    """They are asked whether they are still there as long after that as anybody else."""
    script = PartyScript(called=("Linden",), present={"p0": "Bob", "p1": "Ann"}, lists_phone=True)
    party = PartyLine(replace(NOBODY, party=script), Notes().add)
    ours = CallClock(SETTINGS, 0.0, PressedKeys(), party)
    assert ours.due(60.0, drafting=False, moving=False) is None
    party.left(PartyLeft(party="p1", title="Ann", why="left"), 60.0, told=True)
    soon, later = (60.0 + TURNS.idle_after + more for more in (-0.1, 0.1))
    assert ours.due(soon, drafting=False, moving=False) is None
    assert ours.due(later, drafting=False, moving=False) is IDLED


def test_nothing_else_is_said_while_an_introduction_waits_for_somebody_to_be_there() -> None:
    """No filler for a caller who has waited long, and no question whether they are there."""
    ours = clock()
    ours.announce(Announcement(text="The manager is with us now.", not_before=61.0))
    for moving in (True, False):
        assert [
            ours.due(60.0 + tick / 10, drafting=False, moving=moving) for tick in range(10)
        ] == [None] * 10
    assert ours.due(61.0, drafting=False, moving=True) is Event.ANNOUNCEMENT_DUE


def test_what_is_to_be_done_after_an_introduction_is_done_though_nobody_has_answered_yet() -> None:
    """Somebody has taken the call, whoever they talk to there: the rest of what was owed is not."""
    ours = clock()
    ours.announce(Announcement(text="I'll call them.", transfer="desk"))
    ours.announce(Announcement(text="Here you are.", order=CallerMoved(stay=False)))
    ours.announce(Announcement(text="Bye.", hang_up=True))
    ours.start_over()
    said = [ours.next_announcement().text for _ in range(2)]
    assert said == ["Here you are.", "Bye."]
    assert ours.due(0.0, drafting=False, moving=False) is None
