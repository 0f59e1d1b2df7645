"""Calls in progress and their lines as somebody may see them: numbers as their role allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.console.hidden_numbers import HiddenNumbers
from agent.console.visitor import Role, Visitor
from agent.records.journals.lines import written
from agent.records.seals import NoSeal
from agent.server.live.feed import CallFeed
from agent.server.live.happenings import CallFacts

PARTIES = ("caller", "called")

_AS_IT_IS = NoSeal()


def call_as_shown(feed: CallFeed, visitor: Visitor) -> dict[str, Any]:
    """Return a call as the list has it.

    What was said is left out as long as its record is not known: nobody could be noted for it.
    """
    facts, said = feed.facts, feed.said
    shown = {
        "name": facts.name,
        "record": facts.record,
        "agent": facts.agent,
        "direction": facts.direction,
        "caller": visitor.number(facts.caller),
        "called": visitor.number(facts.called),
        "started": facts.started,
        "floor": feed.floor,
        "said": None,
        "host": facts.host,
        "pid": facts.pid,
    }
    if said is not None and facts.record:
        hidden = HiddenNumbers(visitor, (facts.caller, facts.called))
        shown["said"] = {"who": said.who, "text": hidden.said(said.text)}
    return shown


def line_as_shown(
    kind: str,
    fields: Mapping[str, Any],
    facts: CallFacts,
    visitor: Visitor,
    numbers: Sequence[str] = (),
) -> str:
    """Return a line of a record as JSON, in one line.

    Where whole numbers are not for whoever looks, those of the call are hidden wherever they stand,
    with whatever else may be one in what programs wrote; and its headers are left out.

    Args:
        kind: Of the line.
        fields: Of it.
        facts: Of the call.
        visitor: Who looks.
        numbers: Besides those of the parties, such as whom the caller was passed on to.
    """
    if not visitor.may(Role.LISTEN):
        hidden = HiddenNumbers(visitor, (facts.caller, facts.called, *numbers))
        if kind == "call":
            parties = {name: hidden.number(fields[name]) for name in PARTIES if name in fields}
            shown = {k: v for k, v in fields.items() if k not in ("headers", "legs")}
            fields = shown | parties
        elif kind == "leg" and "to" in fields:
            fields = {**fields, "to": hidden.number(fields["to"])}
        fields = hidden.fields(kind, fields)
    return written(_AS_IT_IS, kind, fields).decode().rstrip("\n")
