"""Whose turn is it? Every rule of turn-taking is in the table below.

This file reads no clock, awaits nothing and holds no audio. It is told what happened and answers
with what to do; :mod:`agent.call.call` does it. A pair that is not in the table cannot happen: it
is a bug, raised as one.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping


class State(enum.Enum):
    """Who holds the floor."""

    RINGING = enum.auto()
    """Not answered yet; or, after all, not by anybody whom we talk to."""

    QUIET = enum.auto()
    """Nobody."""

    HEARING = enum.auto()
    """The caller."""

    PAUSED = enum.auto()
    """The caller, who has stopped speaking: perhaps for good."""

    REPLYING = enum.auto()
    """We do: thinking, or speaking."""

    HELD = enum.auto()
    """We were speaking, and the caller made a sound."""

    AWAY = enum.auto()
    """Somebody else, whom the caller was passed on to; we are silent, and listen to nobody."""

    ENDED = enum.auto()
    """We have hung up."""


class Event(enum.Enum):
    """What happened."""

    ANSWERED = enum.auto()
    SPEECH_STARTED = enum.auto()
    SPEECH_PAUSED = enum.auto()
    """A short silence: long enough to start on a reply, too short to give it."""

    SPEECH_RESUMED = enum.auto()
    """The caller goes on; also after the turn had ended, while nothing of the reply has sounded."""

    TURN_ENDED = enum.auto()
    """The silence is long enough, by all evidence; or the caller has spoken for too long."""

    BARGE_IN = enum.auto()
    """The caller has spoken for so long that they mean it."""

    WORDS = enum.auto()
    """The sound was words that want an answer."""

    FALSE_ALARM = enum.auto()
    """The sound was noise, or an "uh-huh"."""

    GREETED = enum.auto()
    """The sound was a greeting over the beginning of ours, as of somebody who picks up."""

    REPLY_ENDED = enum.auto()
    """The caller has heard all of it, or there was nothing to say."""

    GOODBYE_ENDED = enum.auto()
    """As above, and the reply asked to hang up."""

    IDLED = enum.auto()
    """Nobody has said anything for long."""

    IDLED_OUT = enum.auto()
    """And not after being asked either."""

    TIME_SHORT = enum.auto()
    """The call nears its maximum length."""

    ANNOUNCEMENT_DUE = enum.auto()
    """There is something to say that is no answer."""

    KEY_PRESSED = enum.auto()
    KEYS_ENTERED = enum.auto()
    """And no other follows."""

    MOVED = enum.auto()
    """The caller talks to somebody else now."""

    RETURNED = enum.auto()
    """And to us again."""

    UNANSWERED = enum.auto()
    """It is no person who has answered, but a machine: whether somebody comes is open."""

    NOT_ADDRESSED = enum.auto()
    """What was said on a line of several was said to another of them: the reply has nothing to say,
    and is over."""


class Action(enum.Enum):
    """What to do about it."""

    GREET = enum.auto()
    OPEN_UTTERANCE = enum.auto()
    """Collect what the caller says, after what they have just said, and prepare to answer it."""

    DRAFT = enum.auto()
    """Answer what was said so far; hold back the audio, and have no effects."""

    DISCARD = enum.auto()
    """Cancel the draft, keep what was said. Nothing happens if there is no draft."""

    CLOSE_UTTERANCE = enum.auto()
    """Hear no more of what the caller says. Nothing happens if they say nothing."""

    FORGET = enum.auto()
    """Cancel the draft, and forget what was said."""

    RELEASE = enum.auto()
    """The draft becomes the reply, and may sound."""

    HOLD = enum.auto()
    """Stop sending, send ``clear``, keep what was not heard; in this order."""

    RESUME = enum.auto()
    """Go on where the caller stopped hearing the reply."""

    DROP_REPLY = enum.auto()
    """Cancel the reply, remember what was heard of it. While it may sound, HOLD comes before."""

    KEEP_WORDS = enum.auto()
    """Keep what was said; FORGET comes after it, for it wants no answer."""

    GREET_ANEW = enum.auto()
    """Greet from the beginning. DROP_REPLY comes before."""

    HEAR_OUT = enum.auto()
    """What the caller says over our words is a turn."""

    ASK_STILL_THERE = enum.auto()
    SAY_GOODBYE = enum.auto()
    WARN_OF_TIME = enum.auto()
    ANNOUNCE = enum.auto()
    """Say what there is to say."""

    ANSWER_KEYS = enum.auto()
    """Prepare to answer what was pressed."""

    START_OVER = enum.auto()
    """Cancel the draft, and forget what was said and overheard."""

    HANG_UP = enum.auto()


_S, _E, _A = State, Event, Action

TRANSITIONS: Mapping[tuple[State, Event], tuple[State, tuple[Action, ...]]] = {
    (_S.RINGING, _E.ANSWERED): (_S.REPLYING, (_A.GREET,)),
    # The caller speaks, and is answered.
    (_S.QUIET, _E.SPEECH_STARTED): (_S.HEARING, (_A.DISCARD, _A.OPEN_UTTERANCE)),
    (_S.HEARING, _E.SPEECH_PAUSED): (_S.PAUSED, (_A.DRAFT,)),
    (_S.HEARING, _E.SPEECH_RESUMED): (_S.HEARING, (_A.DISCARD, _A.OPEN_UTTERANCE)),
    (_S.HEARING, _E.TURN_ENDED): (_S.REPLYING, (_A.RELEASE,)),
    (_S.PAUSED, _E.SPEECH_RESUMED): (_S.HEARING, (_A.DISCARD, _A.OPEN_UTTERANCE)),
    (_S.PAUSED, _E.TURN_ENDED): (_S.REPLYING, (_A.RELEASE,)),
    (_S.REPLYING, _E.REPLY_ENDED): (_S.QUIET, ()),
    (_S.REPLYING, _E.GOODBYE_ENDED): (_S.ENDED, (_A.HANG_UP,)),
    # They go on before anything of the reply has sounded: it is still the same turn.
    (_S.REPLYING, _E.SPEECH_RESUMED): (_S.HEARING, (_A.DROP_REPLY, _A.DISCARD, _A.OPEN_UTTERANCE)),
    # A sound over our speech: hold first, then decide.
    (_S.REPLYING, _E.SPEECH_STARTED): (_S.HELD, (_A.HOLD, _A.DISCARD, _A.OPEN_UTTERANCE)),
    (_S.HELD, _E.SPEECH_PAUSED): (_S.HELD, (_A.DRAFT,)),
    (_S.HELD, _E.SPEECH_RESUMED): (_S.HELD, (_A.DISCARD, _A.OPEN_UTTERANCE)),
    (_S.HELD, _E.BARGE_IN): (_S.HEARING, (_A.DROP_REPLY, _A.HEAR_OUT)),
    (_S.HELD, _E.WORDS): (_S.PAUSED, (_A.DROP_REPLY, _A.HEAR_OUT)),
    (_S.HELD, _E.FALSE_ALARM): (_S.REPLYING, (_A.FORGET, _A.RESUME)),
    # Whoever greets has not heard our greeting; what they said is kept.
    (_S.HELD, _E.GREETED): (
        _S.REPLYING,
        (_A.DROP_REPLY, _A.KEEP_WORDS, _A.FORGET, _A.GREET_ANEW),
    ),
    (_S.REPLYING, _E.GREETED): (_S.REPLYING, (_A.KEEP_WORDS, _A.FORGET)),
    # It lasted so long without a transcript that we went on; what it was is decided later.
    (_S.HELD, _E.TURN_ENDED): (_S.REPLYING, (_A.RESUME,)),
    (_S.REPLYING, _E.WORDS): (_S.REPLYING, (_A.HOLD, _A.DROP_REPLY, _A.RELEASE)),
    (_S.REPLYING, _E.FALSE_ALARM): (_S.REPLYING, (_A.FORGET,)),
    (_S.QUIET, _E.WORDS): (_S.REPLYING, (_A.RELEASE,)),
    (_S.QUIET, _E.FALSE_ALARM): (_S.QUIET, (_A.FORGET,)),
    # Nobody speaks.
    (_S.QUIET, _E.IDLED): (_S.REPLYING, (_A.ASK_STILL_THERE,)),
    (_S.QUIET, _E.IDLED_OUT): (_S.REPLYING, (_A.SAY_GOODBYE,)),
    (_S.QUIET, _E.TIME_SHORT): (_S.REPLYING, (_A.WARN_OF_TIME,)),
    (_S.QUIET, _E.ANNOUNCEMENT_DUE): (_S.REPLYING, (_A.ANNOUNCE,)),
    # The caller presses keys: that stops us, as in any menu, and is answered once all are in.
    (_S.QUIET, _E.KEY_PRESSED): (_S.QUIET, ()),
    (_S.REPLYING, _E.KEY_PRESSED): (_S.QUIET, (_A.HOLD, _A.DROP_REPLY, _A.CLOSE_UTTERANCE)),
    (_S.HELD, _E.KEY_PRESSED): (_S.QUIET, (_A.DROP_REPLY, _A.CLOSE_UTTERANCE)),
    (_S.HEARING, _E.KEY_PRESSED): (_S.HEARING, ()),
    (_S.PAUSED, _E.KEY_PRESSED): (_S.PAUSED, ()),
    (_S.QUIET, _E.KEYS_ENTERED): (_S.REPLYING, (_A.ANSWER_KEYS, _A.RELEASE)),
    # Somebody else takes over.
    **{(s, _E.MOVED): (_S.AWAY, (_A.CLOSE_UTTERANCE,)) for s in (_S.QUIET, _S.HEARING, _S.PAUSED)},
    (_S.REPLYING, _E.MOVED): (_S.AWAY, (_A.HOLD, _A.DROP_REPLY, _A.CLOSE_UTTERANCE)),
    (_S.HELD, _E.MOVED): (_S.AWAY, (_A.DROP_REPLY, _A.CLOSE_UTTERANCE)),
    # What they said before they were passed on is kept; somebody else has answered it.
    (_S.AWAY, _E.RETURNED): (_S.QUIET, (_A.KEEP_WORDS, _A.FORGET)),
    # It was no person who has answered.
    **{
        (s, _E.UNANSWERED): (_S.RINGING, (_A.START_OVER,))
        for s in (_S.QUIET, _S.HEARING, _S.PAUSED)
    },
    (_S.REPLYING, _E.UNANSWERED): (_S.RINGING, (_A.HOLD, _A.DROP_REPLY, _A.START_OVER)),
    (_S.HELD, _E.UNANSWERED): (_S.RINGING, (_A.DROP_REPLY, _A.START_OVER)),
    # Of several on the line, somebody talks to another: their turn is over, and nothing sounds.
    (_S.REPLYING, _E.NOT_ADDRESSED): (_S.QUIET, ()),
}


class TurnTaking:
    """The state of the floor in one call."""

    def __init__(self) -> None:
        self.state = State.RINGING

    def takes(self, event: Event) -> bool:
        """Return whether ``event`` can happen in this state."""
        return (self.state, event) in TRANSITIONS

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
