"""What call control knows of a call, for its record."""

from __future__ import annotations

import json
from dataclasses import replace

from agent.call_headers import of_call
from agent.sinch.call_facts import call_facts
from agent.sinch.callbacks import LegEnded, parse
from tests.agent.sinch.test_legs import CALL_IN, PLACED

AT = 1_790_000_000.5
ISO = "2026-09-21T14:13:20.500+00:00"


def test_a_call_that_came_in_has_what_the_callback_told() -> None:
    """Its numbers, its agent, and when it was announced."""
    headers = of_call("reception", "+12025550123", "+12025550100", {"crm": "42"})
    call = replace(CALL_IN, headers=headers, announced=AT, session="s1")
    assert call_facts(call, None) == {
        "direction": "incoming",
        "caller": "+12025550123",
        "called": "+12025550100",
        "agent": "reception",
        "session_id": "s1",
        "conference": "c-1",
        "announced": ISO,
    }


def test_a_phone_that_nobody_answered_has_whom_we_dialled() -> None:
    """Though there never was a stream."""
    assert call_facts(None, replace(PLACED, announced=AT)) == {
        "direction": "outgoing",
        "caller": "+12025550100",
        "called": "+15550000001",
        "agent": "reception",
        "dialled": "d1",
        "conference": "c-1",
        "announced": ISO,
    }


def test_of_a_call_that_we_refused_the_platforms_last_word_is_known() -> None:
    """Both versions tell the numbers once more; what they do not tell is left out."""
    v1 = {"event": "dice", "callid": "c1", "cli": "12025550123", "to": {"endpoint": "12025550100"}}
    number = {"phone": {"number": "+12025550123"}}
    v2 = {"event": "call.hangup", "call": {"callId": "c1", "from": number}}
    for body, called in ((v1, {"called": "+12025550100"}), (v2, {})):
        ended = parse(json.dumps(body).encode())
        assert isinstance(ended, LegEnded)
        known = {"direction": "incoming", "caller": "+12025550123", **called}
        assert call_facts(None, None, ended) == known
