"""Whose turn is it? Every rule of turn-taking is in the table below.

This file reads no clock, awaits nothing and holds no audio. It is told what happened and answers
with what to do; :mod:`agent.call` does it. A pair that is not in the table cannot happen: it is a
bug, raised as one.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping


class State(enum.Enum):
    """Who holds the floor."""

    RINGING = enum.auto()
    """Not answered yet."""

    QUIET = enum.auto()
    """Nobody."""

    HEARING = enum.auto()
    """The caller."""

    REPLYING = enum.auto()
    """We do: thinking, or speaking."""

    ENDED = enum.auto()
    """We have hung up."""


class Event(enum.Enum):
    """What happened."""

    ANSWERED = enum.auto()
    SPEECH_STARTED = enum.auto()
    SPEECH_ENDED = enum.auto()
    """The caller was silent for long enough, or has spoken for too long."""

    REPLY_ENDED = enum.auto()
    """The caller has heard all of it, or there was nothing to say."""

    GOODBYE_ENDED = enum.auto()
    """As above, and the reply asked to hang up."""


class Action(enum.Enum):
    """What to do about it."""

    GREET = enum.auto()
    OPEN_UTTERANCE = enum.auto()
    """Collect what the caller says, and start the task that will answer it."""

    CLOSE_UTTERANCE = enum.auto()
    """That was all of it; the task may answer."""

    INTERRUPT = enum.auto()
    """Cancel the reply, remember what was heard of it, and send ``clear``; in this order."""

    HANG_UP = enum.auto()


_S, _E, _A = State, Event, Action

TRANSITIONS: Mapping[tuple[State, Event], tuple[State, tuple[Action, ...]]] = {
    (_S.RINGING, _E.ANSWERED): (_S.REPLYING, (_A.GREET,)),
    (_S.QUIET, _E.SPEECH_STARTED): (_S.HEARING, (_A.OPEN_UTTERANCE,)),
    (_S.HEARING, _E.SPEECH_ENDED): (_S.REPLYING, (_A.CLOSE_UTTERANCE,)),
    (_S.REPLYING, _E.REPLY_ENDED): (_S.QUIET, ()),
    (_S.REPLYING, _E.GOODBYE_ENDED): (_S.ENDED, (_A.HANG_UP,)),
    # Barge-in. Also the caller who goes on before the reply has begun to sound.
    (_S.REPLYING, _E.SPEECH_STARTED): (_S.HEARING, (_A.INTERRUPT, _A.OPEN_UTTERANCE)),
    # The end of an utterance that was closed for its length.
    (_S.REPLYING, _E.SPEECH_ENDED): (_S.REPLYING, ()),
    (_S.QUIET, _E.SPEECH_ENDED): (_S.QUIET, ()),
    # What still comes in while the socket closes.
    (_S.ENDED, _E.SPEECH_STARTED): (_S.ENDED, ()),
    (_S.ENDED, _E.SPEECH_ENDED): (_S.ENDED, ()),
}


class TurnTaking:
    """The state of the floor in one call."""

    def __init__(self) -> None:
        self.state = State.RINGING

    def handle(self, event: Event) -> tuple[Action, ...]:
        """Move to the next state; return what must be done, in order.

        Raises:
            ValueError: If the event cannot happen in this state: a bug. The state is unchanged.
        """
        try:
            self.state, actions = TRANSITIONS[self.state, event]
        except KeyError:
            raise ValueError(f"{event.name} in state {self.state.name}") from None
        return actions
