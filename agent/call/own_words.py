"""What the agent says of itself, as its file has it."""

from __future__ import annotations

from dataclasses import replace

from agent.call.reply import Announcement, Occasion
from agent.personas.machine_words import example, tells_of_a_machine
from agent.personas.script import Script
from agent.records.events import HungUpBy
from pipelines.turn_taking.turns import Action


def own_words(action: Action, script: Script) -> Announcement:
    """Return what the agent file has for an action of the table that says something."""
    return {
        Action.GREET: disclosing(script, opening(script)),
        Action.ASK_STILL_THERE: Announcement(text=script.still_there, occasion="idle question"),
        Action.WARN_OF_TIME: Announcement(text=script.time_up, occasion="time warning"),
        Action.SAY_GOODBYE: goodbye(script),
    }[action]


def goodbye(script: Script, by: HungUpBy = "agent", words: str = "") -> Announcement:
    """Return what is said before the agent hangs up.

    Args:
        script: Has the words.
        by: Who wants it to.
        words: What is said in their place, if that is not ``""``. Nothing interrupts it: they have
            asked for the end, and whoever speaks over it is not talked to any more.
    """
    return Announcement(
        text=words or script.brief.goodbye,
        occasion="goodbye",
        interruptible=not words,
        hang_up=True,
        hung_up_by=by,
    )


def disclosing(script: Script, then: Announcement) -> Announcement:
    """Return that a machine talks, and what follows it; that alone if the greeting tells it.

    It is heard in full: what the caller says over it is answered after what follows, if that has to
    be heard in full, too, and may take its place otherwise.
    """
    if not script.disclosure:
        return then
    return Announcement(
        text=script.disclosure,
        occasion="disclosure",
        interruptible=False,
        must_be_heard=True,
        then=then,
    )


def opening(script: Script) -> Announcement:
    """Return the greeting, and before it that the call is recorded, if it is.

    That is heard in full; and so is a greeting that tells that a machine talks.
    """
    greeting = Announcement(
        text=script.greeting,
        occasion=_occasion(script),
        interruptible=script.greeting_interruptible
        and not (script.greeting_discloses or script.introduces),
        hang_up=script.hang_up_after_greeting,
        must_be_heard=script.greeting_discloses,
    )
    if not script.recording_consent:
        return greeting
    return Announcement(
        text=script.recording_consent, occasion="consent", interruptible=False, then=greeting
    )


def _occasion(script: Script) -> Occasion:
    if script.introduces:
        return "introduction"
    return "announcement" if script.hang_up_after_greeting else "greeting"


def message_script(script: Script, message: str) -> Script:
    """Return what leaves ``message`` on a machine, and hangs up.

    Whoever picks up while it is said stops it, and is talked to; a machine is asked for no consent.
    Where the greeting, which is not said then, should have told that a machine talks, the message
    has to; if it does not seem to, a sentence that does comes before it.
    """
    disclosure, language = script.disclosure, script.brief.language
    if script.greeting_discloses and not tells_of_a_machine(message, language):
        disclosure = example(language)
    return replace(
        script,
        greeting=message,
        greeting_discloses=script.greeting_discloses and not disclosure,
        disclosure=disclosure,
        hang_up_after_greeting=True,
        recording_consent="",
        consent=None,
    )


def introduction_script(script: Script) -> Script:
    """Return what tells a call screener who calls and why; whoever comes then is greeted."""
    told = message_script(script, script.screener)
    return replace(told, hang_up_after_greeting=False, introduces=True)


def silent_script(script: Script) -> Script:
    """Return what says nothing to whoever is there: somebody else talks to them."""
    return replace(
        script,
        greeting="",
        greeting_discloses=False,
        disclosure="",
        recording_consent="",
        consent=None,
    )
