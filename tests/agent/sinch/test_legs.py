"""What can happen to legs and calls, and the form in which the store keeps them."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sinch.callbacks import Version
from agent.sinch.legs.leg_kinds import (
    BridgedCall,
    LegFacts,
    OwnLeg,
    PartyLeg,
    PlacedLeg,
    StreamLeg,
    TransferLeg,
)
from agent.sinch.legs.leg_tables import (
    CALL,
    PLACED_LEG,
    TRANSFER_LEG,
    CallEvent,
    CallStatus,
    LegEvent,
    LegStatus,
)
from agent.sinch.legs.stored_legs import LegError, decode_call, decode_leg, encode_call, encode_leg

PLACED = PlacedLeg(
    name="d1",
    version="v1",
    to="+15550000001",
    agent="reception",
    variables={"name": "Ann"},
    caller_id="+12025550100",
    max_seconds=3600,
    machine="talk",
    message="",
    conference="c-1",
)
TRANSFER = TransferLeg(name="t1", of="phone")
CALL_IN = BridgedCall(
    name="phone", version="v1", phone="caller", call_id="phone", session="", conference="c-1"
)
NEW = LegFacts(call_id="p1", session="s1", result="ANSWERED", reason="CALLERHANGUP")
FACTS = st.builds(LegFacts)
EVENTS = st.lists(st.tuples(st.sampled_from(LegEvent), FACTS), max_size=12)


@pytest.mark.parametrize("leg", [PLACED, TRANSFER])
def test_every_state_of_a_leg_can_be_reached(leg: PlacedLeg | TransferLeg) -> None:
    """And no state is in its table that cannot."""
    table = PLACED_LEG if isinstance(leg, PlacedLeg) else TRANSFER_LEG
    reached: set[LegStatus] = set()
    new = {leg.status}
    while new:
        reached |= new
        new = {table[one, e] for one in new for e in LegEvent if (one, e) in table} - reached
    assert reached == {state for state, _ in table}
    others = LegStatus.BRIEFED if leg is PLACED else LegStatus.CONNECTED
    assert reached == set(LegStatus) - {others}


@given(events=EVENTS)
def test_a_leg_that_is_over_is_never_answered(events: list[tuple[LegEvent, LegFacts]]) -> None:
    """Whatever the platform still says of it; what cannot happen leaves the leg as it was."""
    leg, over = PLACED, False
    for event, facts in events:
        after = leg.after(event, facts)
        assert (after is None) == ((leg.status, event) not in PLACED_LEG)
        leg = leg if after is None else after
        over = over or leg.status in (LegStatus.FAILED, LegStatus.ENDED)
        assert not over or leg.status in (LegStatus.FAILED, LegStatus.ENDED)


def test_what_cannot_happen_says_so() -> None:
    """A leg that has failed is not answered, one that rings is not connected."""
    failed = PLACED.after(LegEvent.REFUSED, LegFacts(reason="no"))
    assert failed is not None
    assert (failed.status, failed.reason) == (LegStatus.FAILED, "no")
    assert failed.after(LegEvent.ANSWERED, NEW) is None
    assert PLACED.after(LegEvent.CONNECTED, NEW) is None
    assert TRANSFER.after(LegEvent.CONNECTED, NEW) is None
    talks = TRANSFER.after(LegEvent.ANSWERED, NEW)
    assert talks is not None
    assert talks.after(LegEvent.MACHINE_FOUND, NEW) is None
    assert talks.after(LegEvent.BRIEFED, NEW) is None
    over = CALL_IN.after(CallEvent.ENDED)
    assert over is not None
    assert over.after(CallEvent.MOVED) is None


def test_what_becomes_known_stays_known() -> None:
    """A later event that knows less takes nothing away."""
    leg = PLACED.after(LegEvent.ANSWERED, NEW)
    assert leg is not None
    later = leg.after(LegEvent.ENDED, LegFacts(reason="hung up by the operator"))
    assert later is not None
    assert (later.call_id, later.session, later.result) == ("p1", "s1", "ANSWERED")
    assert later.reason == "hung up by the operator"


def test_a_call_that_is_over_stays_over() -> None:
    """Told twice, or moved too late."""
    assert {after for (before, _), after in CALL.items() if before is CallStatus.OVER} == {
        CallStatus.OVER
    }


_VARIABLES = st.dictionaries(st.text(max_size=8), st.text(max_size=8))
_VERSIONS = st.sampled_from(get_args(Version))
LEGS: st.SearchStrategy[OwnLeg] = (
    st.builds(PlacedLeg, version=_VERSIONS, variables=_VARIABLES)
    | st.builds(TransferLeg)
    | st.builds(PartyLeg)
    | st.builds(StreamLeg)
)


@given(LEGS)
def test_a_leg_comes_back_as_it_was(leg: OwnLeg) -> None:
    """Through JSON, in any state, with any text."""
    assert decode_leg(leg.name, json.loads(json.dumps(encode_leg(leg)))) == leg


@given(st.builds(BridgedCall, version=_VERSIONS))
def test_a_call_comes_back_as_it_was(call: BridgedCall) -> None:
    """In any state."""
    assert decode_call(call.name, json.loads(json.dumps(encode_call(call)))) == call


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_OBJECTS = st.dictionaries(st.sampled_from([*encode_leg(PLACED), "of", "over"]), _JSON)


_KINDS = st.sampled_from(["dial", "transfer", "party", "stream"])


@given(
    st.dictionaries(st.text(max_size=8), _JSON)
    | st.builds(lambda kind, fields: fields | {"kind": kind}, _JSON | _KINDS, _OBJECTS)
    | st.builds(lambda fields: encode_leg(PLACED) | fields, _OBJECTS)
)
def test_anything_is_a_leg_or_one_kind_of_error(value: dict[str, Any]) -> None:
    """Whatever stands in the store under the name of one."""
    try:
        leg = decode_leg("d1", value)
    except LegError:
        return
    assert leg.name == "d1"


@given(st.builds(lambda fields: encode_call(CALL_IN) | fields, _OBJECTS) | _OBJECTS)
def test_anything_is_a_call_or_one_kind_of_error(value: dict[str, Any]) -> None:
    """Whatever stands in the store under the name of one."""
    try:
        call = decode_call("phone", value)
    except LegError:
        return
    assert call.name == "phone"


def test_what_the_version_before_wrote_is_read() -> None:
    """Processes of two versions run side by side while a service is rolled out."""
    dial = {
        "kind": "dial",
        "status": "answered",
        "version": "v1",
        "to": "+15550000001",
        "agent": "reception",
        "variables": {},
        "caller_id": "+12025550100",
        "max_seconds": 3600,
        "machine": "message",
        "message": "Call us.",
        "conference": "c-1",
        "call_id": "p1",
    }
    leg = decode_leg("d1", dial)
    assert isinstance(leg, PlacedLeg)
    assert (leg.status, leg.call_id, leg.session) == (LegStatus.ANSWERED, "p1", "")
    assert encode_leg(leg).items() >= dial.items()
    transfer = {"kind": "transfer", "of": "phone", "status": "dialling"}
    assert decode_leg("t1", transfer) == TRANSFER
    assert decode_leg("s1", {"kind": "stream", "of": "phone"}) == StreamLeg(name="s1", of="phone")
    call = {
        "version": "v1",
        "session": "",
        "phone": "caller",
        "call_id": "phone",
        "conference": "c-1",
    }
    assert decode_call("phone", call) == CALL_IN
    assert decode_call("phone", call | {"moved": True}).status is CallStatus.MOVED
    assert decode_call("phone", call | {"moved": True, "over": True}).status is CallStatus.OVER


def test_what_is_no_leg_is_quoted_nowhere() -> None:
    """The log names the fields: what is in them may be a number."""
    with pytest.raises(LegError, match=r"^caller_id, max_seconds$"):
        decode_leg("d1", encode_leg(PLACED) | {"caller_id": 15550000001, "max_seconds": "+1 555"})


@pytest.mark.parametrize("end", [LegEvent.ANSWERED, LegEvent.ENDED])
def test_what_somebody_was_told_is_not_kept_behind_it(end: LegEvent) -> None:
    """A briefing has words of the call; a summary that comes too late is not kept, either."""
    leg = TransferLeg(name="t1", of="d1", warm=True, prompt="They ask for a refund.")
    briefed = leg.after(LegEvent.BRIEFED, LegFacts())
    assert briefed is not None
    assert briefed.prompt == "They ask for a refund."
    over = briefed.after(end, LegFacts(prompt="And more."))
    assert over is not None
    assert over.prompt == ""
    late = over.after(LegEvent.ACCEPTED, LegFacts(prompt="And more."))
    assert late is not None
    assert late.prompt == ""
