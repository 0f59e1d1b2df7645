"""Orders to a call, and the form in which they wait for another process."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.orders import (
    CallerMoved,
    CallerNotMoved,
    ControlRecording,
    HangUp,
    Order,
    OrderError,
    PartyExpected,
    PartyJoined,
    PartyLeft,
    ReturnToCaller,
    TransferCaller,
    Whisper,
    decode,
    encode,
)

ORDERS: st.SearchStrategy[Order] = st.one_of(
    st.builds(HangUp),
    st.builds(TransferCaller),
    st.builds(CallerMoved),
    st.builds(CallerNotMoved),
    st.builds(ReturnToCaller),
    st.builds(PartyExpected),
    st.builds(PartyJoined),
    st.builds(PartyLeft),
    st.builds(ControlRecording),
    st.builds(Whisper, text=st.text(max_size=50)),
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_KINDS = [
    "hang_up",
    "transfer",
    "moved",
    "not_moved",
    "hang up",
    "whisper",
    "left",
    "joined",
    "expected",
    "",
]
_FIELDS = ["goodbye", "to", "announcement", "stay", "text", "by", "party", "title", "why", "action"]


@given(ORDERS)
def test_an_order_comes_back_as_it_was(order: Order) -> None:
    """Through JSON, whatever its words are."""
    assert decode(json.loads(json.dumps(encode(order)))) == order


@given(
    _JSON
    | st.builds(
        lambda kind, fields: {"kind": kind} | fields,
        st.sampled_from(_KINDS),
        st.dictionaries(st.sampled_from(_FIELDS), _JSON),
    )
)
def test_anything_is_an_order_or_one_kind_of_error(value: Any) -> None:
    """A missing field, a field of another type, an order of another version, or no object."""
    try:
        order = decode(value)
    except OrderError:
        return
    assert isinstance(order, Order)
    assert encode(order).items() <= value.items()


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        None,
        {"kind": "hang up"},
        {"kind": "hang up", "goodbye": 1},
        {"kind": "transfer", "to": "+15550000001"},
        {"kind": "moved"},
        {"order": "hang up", "goodbye": True},
    ],
)
def test_what_is_no_order_is_quoted_nowhere(value: Any) -> None:
    """Not an order with a field too few, nor one of another version: a number may be in it."""
    with pytest.raises(OrderError) as caught:
        decode(value)
    assert "555" not in str(caught.value)


def test_a_field_of_a_later_version_is_let_be() -> None:
    """Processes of two versions run side by side while a service is rolled out."""
    assert decode({"kind": "not moved", "since": 7}) == CallerNotMoved()


def test_orders_are_written_as_the_version_before_wrote_them() -> None:
    """Processes of two versions run side by side while a service is rolled out."""
    assert encode(HangUp(goodbye=True)) == {"kind": "hang up", "goodbye": True}
    assert encode(TransferCaller(to="+1", announcement="One moment.")) == {
        "kind": "transfer",
        "to": "+1",
        "announcement": "One moment.",
    }
    assert encode(CallerMoved(stay=True)) == {"kind": "moved", "stay": True}
    assert encode(CallerNotMoved()) == {"kind": "not moved"}
