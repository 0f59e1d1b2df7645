"""Somebody is asked alone, by the platform's voice, whether they take a call; both versions.

A menu says what it is about and waits for a yes: a key, or in version 1 a word. What they answer
comes as a callback (:class:`~agent.sinch.callbacks.MenuAnswered`).

Sources: as of :mod:`agent.sinch.api.v1` and :mod:`agent.sinch.api.v2`; of version 2's menus, the
models of Sinch's package, which differ between its releases in the name of what is done when a menu
fails, so that it is left out here, and the platform asks us.
"""

from __future__ import annotations

from agent.settings.sinch import Announcer
from agent.sinch.api.svaml import Svaml
from agent.sinch.callbacks import BRIEFING
from agent.sinch_limits import MAX_SAY
from agent.yes_and_no import DECLINE, TAKE

ANSWER_WITHIN = 8
"""Seconds for an answer, once all was said: whoever picks up at work looks for the keypad first."""

ASKED_AGAIN = 1
"""Times that the platform asks again when nothing is answered."""


def v1_menu(name: str, text: str, announcer: Announcer) -> Svaml:
    """Say something and ask whether they take it, by a key or a word (answer to ACE or PIE).

    The menu has the name of the leg: that comes back, also where nothing else does that is ours.
    One called ``main`` there has to be (OpenAPI, ``menu.id``), so it is the same once more.
    """
    prompt = f"#tts[{text[:MAX_SAY]}]"
    menu = {
        "mainPrompt": prompt,
        "repeatPrompt": prompt,
        "repeats": ASKED_AGAIN,
        "maxDigits": 1,
        "timeoutMills": 1000 * ANSWER_WITHIN,
        "options": [{"dtmf": key, "action": f"return({key})"} for key in (TAKE, DECLINE)],
    }
    return {
        "action": {
            "name": "runMenu",
            "barge": True,
            "locale": announcer.locale,
            "mainMenu": name,
            "enableVoice": True,
            "menus": [{"id": one, **menu} for one in (name, "main")],
        }
    }


def v2_menu(text: str, announcer: Announcer, callback_url: str) -> Svaml:
    """Say something and ask whether they take it, by a key; listen for a machine meanwhile.

    A key of the menu calls us back (``call.webhook.…``). No key, or none of these, does so as
    ``call.menu``, since the menu has no commands of its own for that.
    """
    say = {"type": "SAY", "say": {"text": text[:MAX_SAY], "voiceName": announcer.voice_name}}
    asked = {
        "prompt": {"messages": [say], "allowBargeIn": True},
        "inputTimeoutDurationSeconds": ANSWER_WITHIN,
        "repeatCount": ASKED_AGAIN,
        "maximumInputLength": 1,
        "inputMethods": ["DTMF"],
        "matches": {
            key: [{"command": "webhook", "webhookName": f"{BRIEFING}-{key}", "url": callback_url}]
            for key in (TAKE, DECLINE)
        },
    }
    menu = {"command": "menu", "startMenu": BRIEFING, "menus": {BRIEFING: asked}}
    return {"commands": [{"command": "amd"}, menu]}
