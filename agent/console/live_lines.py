"""Calls in progress and their lines as somebody may see them: numbers as their role allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.console.hidden_numbers import HiddenNumbers
from agent.console.visitor import Role, Visitor
from agent.records.lines import written
from agent.records.seals import NoSeal
from agent.records.values import text
from agent.server.live_feed import CallFeed
from agent.server.live_happenings import CallFacts

PARTIES = frozenset(("caller", "called"))
"""Fields that are the number of a party, or its name."""

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
        shown["said"] = {"who": said.who, "text": _numbers(facts, visitor).said(said.text)}
    return shown


def line_as_shown(kind: str, fields: Mapping[str, Any], facts: CallFacts, visitor: Visitor) -> str:
    """Return a line of a record as JSON, in one line.

    Where whole numbers are not for whoever looks, those of the call are hidden wherever they stand,
    and its headers, which may hold others, are left out.
    """
    if not visitor.may(Role.LISTEN):
        if kind == "call":
            fields = {name: value for name, value in fields.items() if name != "headers"}
        to = text(fields.get("to")) if kind == "transfer" else None
        parties = {name: visitor.number(str(fields[name])) for name in PARTIES & fields.keys()}
        fields = {**_numbers(facts, visitor, to).fields(fields), **parties}
    return written(_AS_IT_IS, kind, fields).decode().rstrip("\n")


def _numbers(facts: CallFacts, visitor: Visitor, to: str | None = None) -> HiddenNumbers:
    return HiddenNumbers(visitor, filter(None, (facts.caller, facts.called, to)))
