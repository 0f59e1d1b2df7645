"""What follows for a line from who is on it."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sinch.callbacks import LegEnded, LegIdentity
from agent.sinch.dialling.party_rules import is_over, why_not_reached
from agent.sinch.legs.leg_kinds import BridgedCall, EndsWith, LegFacts, PartyLeg
from agent.sinch.legs.leg_tables import PARTY_LEG, LegEvent, LegStatus

LINE = BridgedCall(
    name="d1",
    version="v1",
    phone="ann",
    call_id="phone",
    session="",
    conference="c",
    parties=("ben", "cleo"),
)
CALLED_IN = replace(LINE, phone="caller", parties=("ann", "ben", "cleo"))
NEW = PartyLeg(name="ann", of="d1", to="+15550000001")
LEAVES = LegFacts(result="ANSWERED", reason="CALLERHANGUP", why="failed")


def after(*events: LegEvent, name: str = "ann", host: bool = False) -> PartyLeg:
    """Return a leg to which this happened; each of it can."""
    leg = replace(NEW, name=name, host=host)
    for event in events:
        facts = LEAVES if event is LegEvent.ENDED else LegFacts()
        facts = LegFacts(why="dropped") if event is LegEvent.DROPPED else facts
        found = leg.after(event, facts)
        assert found is not None
        leg = found
    return leg


RINGS = ()
JOINS = (LegEvent.ANSWERED, LegEvent.CONNECTED)
LEFT = (*JOINS, LegEvent.ENDED)
NOT_REACHED = (LegEvent.ENDED,)
DROPPED = (*JOINS, LegEvent.DROPPED, LegEvent.ENDED)
TAKEN_BACK = (LegEvent.DROPPED, LegEvent.ENDED)
"""Dropped while it rang: the platform tells another result, which the cases below set."""


@pytest.mark.parametrize(
    ("ends_with", "ann", "ben", "over"),
    [
        ("last", LEFT, JOINS, False),
        ("last", JOINS, LEFT, False),
        ("last", LEFT, LEFT, True),
        ("last", LEFT, RINGS, True),  # nobody waits alone for somebody who may not come
        ("last", JOINS, NOT_REACHED, False),
        ("phone", LEFT, JOINS, True),
        ("phone", JOINS, LEFT, False),
        ("phone", JOINS, RINGS, False),
        ("host", JOINS, LEFT, True),
        ("host", JOINS, DROPPED, True),
        ("host", LEFT, JOINS, False),
        ("host", JOINS, NOT_REACHED, False),
        ("host", JOINS, RINGS, False),
        ("host", LEFT, NOT_REACHED, True),
    ],
)
def test_a_line_ends_as_its_rule_says(
    ends_with: EndsWith,
    ann: tuple[LegEvent, ...],
    ben: tuple[LegEvent, ...],
    over: bool,
) -> None:
    """Ann answered first, so the call goes by her phone; Ben is the host."""
    legs = [after(*ann, name="ann"), after(*ben, name="ben", host=True)]
    assert is_over(replace(LINE, ends_with=ends_with), legs) is over


def test_a_host_who_was_dropped_while_it_rang_ends_nothing() -> None:
    """They have never been there."""
    ben = replace(after(*TAKEN_BACK, name="ben", host=True), result="NOANSWER")
    assert ben.standing == "dropped"
    assert not is_over(replace(LINE, ends_with="host"), [after(*JOINS), ben])


@pytest.mark.parametrize("ends_with", get_args(EndsWith))
def test_a_call_that_came_in_ends_with_its_caller_alone(ends_with: EndsWith) -> None:
    """Whoever of those who were added comes and leaves; the caller's own end ends it elsewhere."""
    legs = [after(*LEFT, name="ann", host=True), after(*NOT_REACHED, name="ben")]
    assert not is_over(replace(CALLED_IN, ends_with=ends_with), legs)


@given(
    st.sampled_from(get_args(EndsWith)),
    st.lists(st.lists(st.sampled_from(LegEvent), max_size=6), min_size=1, max_size=3),
)
def test_nobody_is_left_on_a_line_that_goes_on(
    ends_with: EndsWith, happened: list[list[LegEvent]]
) -> None:
    """Whatever happens, in any order: a line without anybody on it is over."""
    legs = []
    for name, events in zip(("ann", "ben", "cleo"), happened, strict=False):
        leg = replace(NEW, name=name)
        for event in events:
            leg = leg.after(event, LEAVES) or leg
        legs.append(leg)
    there = [leg for leg in legs if leg.standing == "joined"]
    assert there or is_over(replace(LINE, ends_with=ends_with), legs)


@pytest.mark.parametrize(
    ("events", "standing", "why"),
    [
        (RINGS, "expected", ""),
        ((LegEvent.ANSWERED,), "expected", ""),
        (JOINS, "joined", ""),
        (LEFT, "left", "left"),
        (DROPPED, "dropped", "dropped"),
        (NOT_REACHED, "not reached", "failed"),
        ((LegEvent.REFUSED, LegEvent.ANSWERED), "expected", ""),
    ],
)
def test_how_it_stands_with_a_party(events: tuple[LegEvent, ...], standing: str, why: str) -> None:
    """In the words of the operator's interface and the record."""
    leg = after(*events)
    assert (leg.standing, leg.why) == (standing, why)


def test_a_party_that_is_over_is_never_let_in() -> None:
    """By the table: what comes late changes nothing."""
    for event in LegEvent:
        now = PARTY_LEG.get((LegStatus.ENDED, event))
        assert now in (None, LegStatus.ENDED)


@pytest.mark.parametrize(
    ("result", "reason", "why"),
    [
        ("BUSY", "BUSY", "busy"),
        ("NOANSWER", "TIMEOUT", "no answer"),
        ("FAILED", "CANCEL", "no answer"),
        ("NO_ANSWER", "NOT_AVAILABLE", "no answer"),
        ("REJECTED", "NOT_AVAILABLE", "declined"),
        ("FAILED", "GENERALERROR", "failed"),
        ("", "", "failed"),
    ],
)
def test_why_somebody_was_not_reached(result: str, reason: str, why: str) -> None:
    """By the words of either version."""
    leg = LegIdentity(version="v1", call_id="phone")
    assert why_not_reached(LegEnded(leg=leg, result=result, reason=reason)) == why
