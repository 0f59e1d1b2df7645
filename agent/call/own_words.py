"""What the agent says of itself, as its file has it."""

from __future__ import annotations

from agent.call.reply import Announcement, Occasion
from agent.personas.script import Script
from agent.records.events import HungUpBy
from pipelines.turn_taking.turns import Action


def own_words(action: Action, script: Script, by: HungUpBy = "agent") -> Announcement:
    """Return what the agent file has for an action of the table that says something.

    Args:
        action: Which.
        script: Has the words.
        by: Who wants the agent to hang up then.
    """
    return {
        Action.GREET: _greeting(script),
        Action.ASK_STILL_THERE: Announcement(text=script.still_there, occasion="idle question"),
        Action.WARN_OF_TIME: Announcement(text=script.time_up, occasion="time warning"),
        Action.SAY_GOODBYE: Announcement(
            text=script.brief.goodbye, occasion="goodbye", hang_up=True, hung_up_by=by
        ),
    }[action]


def _greeting(script: Script) -> Announcement:
    """Return the greeting, with what the caller is told before it.

    That is that they talk to a machine, and that the call is recorded. It is heard in full: what
    the caller says over it is answered afterwards, and may take the place of the greeting as it may
    interrupt it. That it is a machine may be a part of the greeting, which is heard in full then.
    """
    greeting = Announcement(
        text=script.greeting,
        occasion=_occasion(script),
        interruptible=script.greeting_interruptible
        and not (script.greeting_discloses or script.introduces),
        hang_up=script.hang_up_after_greeting,
        must_be_heard=script.greeting_discloses,
    )
    first = greeting
    if script.recording_consent:
        first = Announcement(
            text=script.recording_consent, occasion="consent", interruptible=False, then=greeting
        )
    if not script.disclosure:
        return first
    return Announcement(
        text=script.disclosure,
        occasion="disclosure",
        interruptible=False,
        must_be_heard=True,
        then=first,
    )


def _occasion(script: Script) -> Occasion:
    if script.introduces:
        return "introduction"
    return "announcement" if script.hang_up_after_greeting else "greeting"
