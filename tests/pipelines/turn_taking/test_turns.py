"""The table of turn-taking, walked at random."""

from __future__ import annotations

import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import sampled_from

from pipelines.turn_taking.turns import TRANSITIONS, Action, Event, State, TurnTaking

SPEAKING = {
    Action.GREET,
    Action.GREET_ANEW,
    Action.ASK_STILL_THERE,
    Action.SAY_GOODBYE,
    Action.WARN_OF_TIME,
    Action.ANNOUNCE,
}


class Floor(RuleBasedStateMachine):
    """What the actions do to the reply, the draft and the caller's words, in the barest form."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = TurnTaking()
        self.reply = self.held = self.draft = self.unanswered = False

    @rule(event=sampled_from(Event))
    def happens(self, event: Event) -> None:
        """Take any event that the table knows, as the call would raise it."""
        if (self.turns.state, event) not in TRANSITIONS or not self.possible(event):
            return
        if event in (Event.REPLY_ENDED, Event.GOODBYE_ENDED, Event.NOT_ADDRESSED):
            self.reply = False
        for action in self.turns.handle(event):
            self.do(action)

    def possible(self, event: Event) -> bool:
        """Words are understood, and false alarms told, only of something that was heard.

        Keys are answered once it is known what that was.
        """
        if event is Event.KEYS_ENTERED:
            return not self.draft
        undecided = event in (Event.WORDS, Event.FALSE_ALARM)
        return not undecided or self.draft

    def do(self, action: Action) -> None:
        """Carry out one action, and insist that it can be."""
        match action:
            case Action.OPEN_UTTERANCE | Action.ANSWER_KEYS:
                assert not self.draft
                self.draft, self.unanswered = True, False
            case Action.DRAFT:
                assert self.draft
            case Action.DISCARD:
                self.unanswered = self.unanswered or self.draft
                self.draft = False
            case Action.FORGET:
                self.draft = self.unanswered = False
            case Action.RELEASE:
                assert self.draft
                assert not self.reply
                self.draft, self.reply = False, True
            case _:
                self.do_to_reply(action)

    def do_to_reply(self, action: Action) -> None:
        """The rest of the actions."""
        match action:
            case Action.HOLD:
                assert self.reply
                assert not self.held
                self.held = True
            case Action.RESUME:
                assert self.held
                self.held = False
            case Action.DROP_REPLY:
                assert self.reply
                self.reply = self.held = False
            case Action.HANG_UP:
                assert not self.reply
            case _ if action in SPEAKING:
                assert not self.reply
                self.reply = True

    @invariant()
    def the_state_says_who_holds_the_floor(self) -> None:
        """A reply may sound in REPLYING only, and is held in HELD only; the caller is heard."""
        state = self.turns.state
        assert self.reply == (state in (State.REPLYING, State.HELD))
        assert self.held == (state is State.HELD)
        if state in (State.HEARING, State.PAUSED, State.HELD):
            assert self.draft

    @invariant()
    def nothing_said_is_lost(self) -> None:
        """What a draft was to answer is in the next one when no event is under way."""
        assert not self.unanswered


TestFloor = Floor.TestCase


def test_every_state_but_the_last_can_be_left() -> None:
    """No state is a dead end, and each can be reached; who is away may come back."""
    left = {state for (state, _), (after, _) in TRANSITIONS.items() if after is not state}
    reached = {after for after, _ in TRANSITIONS.values()}
    assert left == set(State) - {State.ENDED}
    assert reached == set(State)  # RINGING: nobody has answered, after all


def test_a_caller_can_always_start_to_speak() -> None:
    """Whenever nobody is listening to them already."""
    for state in (State.QUIET, State.REPLYING):
        assert (state, Event.SPEECH_STARTED) in TRANSITIONS


def test_a_caller_can_be_passed_on_at_any_time() -> None:
    """Whoever speaks: the other phone is answered when it is."""
    talking = set(State) - {State.RINGING, State.AWAY, State.ENDED}
    assert {state for state, event in TRANSITIONS if event is Event.MOVED} == talking


def test_a_turn_can_end_wherever_the_caller_has_the_floor() -> None:
    """So no listening state waits for ever."""
    for state in (State.HEARING, State.PAUSED, State.HELD):
        assert (state, Event.TURN_ENDED) in TRANSITIONS


def test_an_illegal_event_is_an_error_and_changes_nothing() -> None:
    """Absent from the table means impossible."""
    turns = TurnTaking()
    with pytest.raises(ValueError, match="SPEECH_STARTED in state RINGING"):
        turns.handle(Event.SPEECH_STARTED)
    assert turns.state is State.RINGING
