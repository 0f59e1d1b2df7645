"""What the agent says of itself, as its file has it."""

from __future__ import annotations

from agent.call.reply import Announcement
from agent.personas.script import Script
from pipelines.turn_taking.turns import Action


def own_words(action: Action, script: Script) -> Announcement:
    """Return what the agent file has for an action of the table that says something."""
    return {
        Action.GREET: _greeting(script),
        Action.ASK_STILL_THERE: Announcement(text=script.still_there),
        Action.WARN_OF_TIME: Announcement(text=script.time_up),
        Action.SAY_GOODBYE: Announcement(text=script.brief.goodbye, hang_up=True),
    }[action]


def _greeting(script: Script) -> Announcement:
    """Return the greeting; before it, if the call is recorded, what the caller is told of that.

    That is heard in full: what the caller says over it is answered afterwards, and may take the
    place of the greeting as it may interrupt it.
    """
    greeting = Announcement(
        text=script.greeting,
        interruptible=script.greeting_interruptible,
        hang_up=script.hang_up_after_greeting,
    )
    if not script.recording_consent:
        return greeting
    return Announcement(text=script.recording_consent, interruptible=False, then=greeting)
