"""The table of turn-taking."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.turns import TRANSITIONS, Action, Event, State, TurnTaking

REPLY_GOING = {State.HEARING, State.REPLYING}
RUNNING_BEFORE = {
    Action.GREET: False,
    Action.OPEN_UTTERANCE: False,
    Action.CLOSE_UTTERANCE: True,
    Action.INTERRUPT: True,
    Action.HANG_UP: False,
}
RUNNING_AFTER = {Action.GREET: True, Action.OPEN_UTTERANCE: True, Action.INTERRUPT: False}


@given(st.lists(st.sampled_from(Event), max_size=60))
def test_no_walk_replies_twice_at_once(events: list[Event]) -> None:
    """A reply task starts only when none runs, and is interrupted only when one does."""
    turns, running, open_utterance = TurnTaking(), False, False
    for event in events:
        if (turns.state, event) not in TRANSITIONS:
            continue
        if event in (Event.REPLY_ENDED, Event.GOODBYE_ENDED):
            assert running
            running = False
        for action in turns.handle(event):
            assert running == RUNNING_BEFORE[action]
            running = RUNNING_AFTER.get(action, running)
            assert action is not Action.CLOSE_UTTERANCE or open_utterance
            open_utterance = action is Action.OPEN_UTTERANCE
        assert running == (turns.state in REPLY_GOING)


def test_every_state_but_the_last_can_be_left() -> None:
    """No state is a dead end, and each can be reached."""
    left = {state for (state, _), (after, _) in TRANSITIONS.items() if after is not state}
    reached = {after for after, _ in TRANSITIONS.values()}
    assert left == set(State) - {State.ENDED}
    assert reached == set(State) - {State.RINGING}


def test_speech_is_possible_in_every_state_of_an_answered_call() -> None:
    """The caller may start and stop speaking whenever they like."""
    answered = set(State) - {State.RINGING, State.HEARING}
    assert {(s, Event.SPEECH_STARTED) for s in answered} <= set(TRANSITIONS)
    assert {(s, Event.SPEECH_ENDED) for s in answered | {State.HEARING}} <= set(TRANSITIONS)


def test_an_illegal_event_is_an_error_and_changes_nothing() -> None:
    """Absent from the table means impossible."""
    turns = TurnTaking()
    with pytest.raises(ValueError, match="SPEECH_STARTED in state RINGING"):
        turns.handle(Event.SPEECH_STARTED)
    assert turns.state is State.RINGING
