"""The schemas themselves: forms that the documents have are taken, and what they forbid is not.

Conferences, menus and several dials in one session, whether or not we say them today.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.agent.sinch import schemas

NUMBER = "+15550000001"
SAY = {"type": "SAY", "say": {"text": "Shall I put them through?", "voiceName": "Emma"}}


def v1_menu(**fields: Any) -> Any:
    menu = {
        "id": "main",
        "mainPrompt": "#tts[Shall I put them through?];beep.wav",
        "repeatPrompt": "#href[https://example.com/again.wav]",
        "repeats": 2,
        "maxDigits": 1,
        "timeoutMills": 5000,
        "maxTimeoutMills": 20000,
        "options": [{"dtmf": "1", "action": "return(yes)"}, {"dtmf": "2", "action": "menu(main)"}],
    }
    run = {"name": "runMenu", "barge": True, "locale": "en-US", "mainMenu": "main"}
    return {"action": run | {"enableVoice": True, "menus": [menu]} | fields}


def conference_callout(**fields: Any) -> Any:
    callout = {
        "cli": NUMBER,
        "destination": {"type": "username", "endpoint": "ann"},
        "conferenceId": "c1",
        "conferenceDtmfOptions": {"mode": "detect", "maxDigits": 1, "timeoutMills": 3000},
        "greeting": "You join a call.",
        "mohClass": "ring",
        "locale": "en-US",
        "enableAce": True,
        "enableDice": True,
        "enablePie": True,
    }
    return {"method": "conferenceCallout", "conferenceCallout": callout | fields}


def v2_menu(**fields: Any) -> Any:
    menu = {
        "prompt": {"messages": [SAY], "allowBargeIn": True},
        "repeatPrompt": {"messages": [{"type": "PLAY", "play": {"url": "https://a/b.wav"}}]},
        "inputTimeoutDurationSeconds": 8,
        "repeatCount": 1,
        "minimumInputLength": 1,
        "maximumInputLength": 1,
        "terminatingSequence": "#",
        "inputMethods": ["DTMF"],
        "matches": {"1": [{"command": "bridgeCall", "bridgeName": "conversation"}]},
        "onFailure": [{"command": "hangup"}],
    }
    return {"commands": [{"command": "menu", "startMenu": "ask", "menus": {"ask": menu | fields}}]}


def dial(name: str, **fields: Any) -> Any:
    return {
        "command": "dial",
        "callName": name,
        "from": {"type": "PHONE", "phone": {"number": NUMBER}},
        "to": {"type": "PHONE", "phone": {"number": NUMBER}},
        "dialTimeoutDurationSeconds": 20,
        "events": {
            "onAnswer": [
                {"command": "messages", "messages": [SAY], "messagesName": "who"},
                {"command": "pause", "durationMilliseconds": 500},
                {"command": "stopMessages", "messagesName": "who"},
                {"command": "bridgeCall", "bridgeName": "conversation"},
            ],
            "onTimeout": [],
        },
    } | fields


TAKEN: list[tuple[str, Any]] = [
    *((name, v1_menu()) for name in ("v1_ice", "v1_ace", "v1_pie")),
    (
        "v1_ice",
        {"action": {"name": "connectSip", "destination": {"type": "sip", "endpoint": "sip:a@b"}}},
    ),
    (
        "v1_ice",
        {"action": {"name": "connectMxp", "destination": {"type": "username", "endpoint": "ann"}}},
    ),
    ("v1_ace", {"action": {"name": "connectConf", "conferenceId": "c", "moh": "music1"}}),
    ("v1_callout", conference_callout()),
    ("v1_participant", {"command": "mute"}),
    ("v1_participant", {"command": "onhold", "moh": "music2"}),
    ("v2_reply", v2_menu()),
    ("v2_patch", {"commands": [{"command": "gotoMenu", "menuName": "ask"}]}),
    ("v2_call", {"commands": [dial("ann"), dial("bob")]}),
]

REFUSED: list[tuple[str, Any]] = [
    ("v1_patch", v1_menu()),  # a live call takes hangup, continue and park alone
    ("v1_ice", v1_menu(menus=[{"id": "other"}])),  # one has to be called main
    ("v1_ace", v1_menu(locale="English")),
    ("v1_ace", {"action": {"name": "connectSip", "destination": {"type": "sip"}}}),
    ("v1_callout", conference_callout(conferenceId="c" * 65)),
    ("v1_callout", conference_callout(greeting="x" * 601)),
    ("v1_callout", conference_callout(dialTimeout=30)),  # a conferenceCallout has none
    ("v1_callout", conference_callout(mohClass="music4")),
    ("v1_participant", {"command": "kick"}),
    ("v2_reply", v2_menu(inputTimeoutDurationSeconds=61)),
    ("v2_reply", v2_menu(inputMethods=["SPEECH"])),
    ("v2_reply", v2_menu(matches={str(n): [] for n in range(51)})),
    ("v2_reply", {"commands": [{"command": "menu", "startMenu": "m" * 17, "menus": {}}]}),
    ("v2_call", {"commands": []}),
    ("v2_call", {"commands": [dial("ann", dialTimeoutDurationSeconds=61)]}),
    ("v2_call", {"commands": [dial("an n")]}),
    ("v2_call", {"commands": [dial("ann", to={"type": "USER", "user": {"name": "ann"}})]}),
]


@pytest.mark.parametrize(("schema", "body"), TAKEN)
def test_forms_of_the_documents_are_taken(schema: str, body: Any) -> None:
    """Each, and none with a field that the documents do not have."""
    schemas.check(schema, body)
    wrong = copy.deepcopy(body)
    wrong["surprise"] = 1
    with pytest.raises(AssertionError):
        schemas.check(schema, wrong)


@pytest.mark.parametrize(("schema", "body"), REFUSED)
def test_what_the_documents_forbid_is_refused(schema: str, body: Any) -> None:
    """Limits, words that are none, and fields of other forms."""
    with pytest.raises(AssertionError):
        schemas.check(schema, body)


@pytest.mark.parametrize("body", [body for schema, body in TAKEN if schema.startswith("v2")])
def test_sinchs_own_package_knows_each_field(body: Any) -> None:
    """Its models of version 2 give back what they were given, name by name."""
    # Imported here: each process of tests loads this file, and one of them asks these models.
    from sinch.domains.voice.models.v2.svaml.shared.svaml_input import (  # noqa: PLC0415
        SvamlInput,
    )

    read = SvamlInput.model_validate(json.loads(json.dumps(body)))
    assert read.model_dump(mode="json", by_alias=True, exclude_unset=True) == body
