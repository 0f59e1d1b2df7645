"""Why calls were not taken, of a closed set."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from agent.server.capacity import Capacity
from agent.server.machine import Room
from agent.server.overload import Overload, Reading
from agent.server.refusals import Refusal, why_no_room
from pipelines.providers.contracts import Stage


@pytest.mark.parametrize(
    ("draining", "calls", "down", "late", "why"),
    [
        (True, 9, ("llm",), 1.0, "draining"),
        (False, 9, ("llm",), 1.0, "full"),
        (False, 3, ("llm",), 1.0, "providers"),
        (False, 3, (), 1.0, "overload"),
        (False, 3, (), 0.0, "ramp"),
    ],
)
def test_the_reason_is_what_is_so(
    draining: bool, calls: int, down: Sequence[Stage], late: float, why: Refusal
) -> None:
    """In the order in which calls are refused."""
    overload = Overload(list)
    for at in (0.0, 0.5):
        overload.judge([Reading(what="the loop is late", value=late, limit=0.1)], at)
    capacity = Capacity(Room(most=9, at_once=2), overload, lambda: down)
    assert why_no_room(capacity, draining=draining, calls=calls) == why
