"""Numbers of a call, hidden from those who may not see them: in its page, and while it goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.console.hidden_numbers import HiddenNumbers
from agent.console.live.lines import line_as_shown
from agent.console.visitor import Role, Visitor
from agent.records.values import DEEPEST
from agent.server.live.happenings import CallFacts

NUMBER = "+4915112345678"
LUKE = Visitor(name="luke", role=Role.LOOK)


def shown(fields: dict[str, Any], caller: str = NUMBER) -> Any:
    """Return fields of a line as they are shown of a call in progress, and of one on record."""
    facts = CallFacts(name="c1", agent="reception", caller=caller)
    live = json.loads(line_as_shown("tool", fields, facts, LUKE))
    del live["kind"]
    assert live == HiddenNumbers(LUKE, [caller]).fields("tool", fields)
    return live


@pytest.mark.parametrize(
    "given",
    [NUMBER, NUMBER[1:], int(NUMBER[1:]), {"to": [NUMBER]}, {NUMBER: 1}, [[int(NUMBER[1:])]]],
)
def test_a_number_is_hidden_however_deep_it_lies(given: object) -> None:
    """As a text or a number, with its plus or without; it is still JSON."""
    assert NUMBER[3:-2] not in str(shown({"arguments": {"who": given}}))


def test_what_is_too_deep_is_left_out() -> None:
    """A model may write brackets without an end: they break nothing."""
    deep: list[object] = [NUMBER]
    for _ in range(2 * DEEPEST):
        deep = [deep]
    assert NUMBER[1:] not in str(shown({"result": deep}))


def test_the_name_of_a_party_is_a_word_like_others() -> None:
    """Such as that of whoever calls by the browser phone; an address is none."""
    assert shown({"text": "Open your browser."}, "browser") == {"text": "Open your browser."}
    assert "ann@" not in str(shown({"text": "It was ann@example.com"}, "ann@example.com"))


def test_fields_of_ours_keep_their_types() -> None:
    """The number of a turn is no telephone number."""
    assert shown({"turn": 555, "at": 1.5, "final": True}, "555") == {
        "turn": 555,
        "at": 1.5,
        "final": True,
    }
