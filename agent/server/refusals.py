"""Calls that were not taken, counted by why: a closed set, for who looks at the numbers.

What is logged of each says more, in words.
"""

from __future__ import annotations

from typing import Literal, get_args

from agent.server.capacity import Capacity

Refusal = Literal["draining", "full", "providers", "overload", "ramp", "not admitted", "no connect"]
"""``full``: as many calls as there may be; ``providers``: nobody of a stage works; ``ramp``: too
many have only begun; ``not admitted``: a token is wrong, or there is no such agent; ``no connect``:
a socket did not say in time, or at all, what it came for."""


def refusals() -> dict[Refusal, int]:
    """Return how often each was so: never yet."""
    return dict.fromkeys(get_args(Refusal), 0)


def why_no_room(capacity: Capacity, *, draining: bool, calls: int) -> Refusal:
    """Return why there was no room, of what is so at this moment.

    Args:
        capacity: Which has just refused one.
        draining: Whether no more calls are taken at all.
        calls: Those in progress.
    """
    if draining:
        return "draining"
    if calls >= capacity.room.most:
        return "full"
    if capacity.broken:
        return "providers"
    return "overload" if capacity.overload.reason else "ramp"
