"""Calls in progress and their lines as somebody may see them: numbers as their role allows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agent.console.visitor import Role, Visitor
from agent.records.lines import written
from agent.records.seals import NoSeal
from agent.server.live_feed import CallFeed
from agent.server.live_happenings import CallFacts

SHORTEST = 5
"""Digits of a number that is looked for in texts: fewer are in any of them."""

_AS_IT_IS = NoSeal()


def call_as_shown(feed: CallFeed, visitor: Visitor) -> dict[str, Any]:
    """Return a call as the list has it."""
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
    if said is not None:
        shown["said"] = {"who": said.who, "text": _masked(said.text, facts, visitor)}
    return shown


def line_as_shown(kind: str, fields: Mapping[str, Any], facts: CallFacts, visitor: Visitor) -> str:
    """Return a line of a record as JSON, in one line.

    Where whole numbers are not for whoever looks, those of the call are masked wherever they stand,
    and its headers, which may hold others, are left out.
    """
    if not visitor.may(Role.LISTEN):
        if kind == "call":
            numbers = {
                name: visitor.number(str(fields[name]))
                for name in ("caller", "called")
                if name in fields
            }
            fields = {k: v for k, v in fields.items() if k != "headers"} | numbers
        elif kind == "transfer" and any(char.isdigit() for char in str(fields.get("to", ""))):
            fields = {**fields, "to": visitor.number(str(fields["to"]))}
    line = written(_AS_IT_IS, kind, fields).decode().rstrip("\n")
    return _masked(line, facts, visitor)


def _masked(text: str, facts: CallFacts, visitor: Visitor) -> str:
    """Return a text, also of JSON, with the numbers of the call as they may be seen."""
    if visitor.may(Role.LISTEN):
        return text
    for number in (facts.caller, facts.called):
        shown = visitor.number(number)
        bare = number.lstrip("+")
        if len(bare) >= SHORTEST:
            text = text.replace(json.dumps(number, ensure_ascii=False)[1:-1], shown)
            text = text.replace(bare, shown)
    return text
