"""What follows for a line from who is on it, and what it means that somebody is not. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.call.orders import NotReached
from agent.sinch.callbacks import LegEnded
from agent.sinch.legs.leg_kinds import BridgedCall, PartyLeg
from agent.sinch.legs.leg_tables import LegStatus

_WHY: Mapping[str, NotReached] = {
    "BUSY": "busy",
    "REJECTED": "declined",
    "NOANSWER": "no answer",
    "NO_ANSWER": "no answer",
    "TIMEOUT": "no answer",
    "CANCEL": "no answer",
    # A phone that was hung up while it rang, which version 1 tells by its reason alone.
    "MANAGERHANGUP": "no answer",
}
"""By the platform's result or reason, of both versions; absent means that it failed."""


def why_not_reached(ended: LegEnded) -> NotReached:
    """Return why somebody who was dialled has not come to the line."""
    words = (ended.result.upper(), ended.reason.upper())
    return next((_WHY[word] for word in words if word in _WHY), "failed")


def is_over(call: BridgedCall, legs: Sequence[PartyLeg]) -> bool:
    """Return whether a call ends by who is on its line, and who has left it.

    A line on which nobody is any more ends in any case, whoever may still ring. One that goes by a
    phone of another kind, the caller's say, ends with that, whoever of these comes and leaves.

    Args:
        call: It.
        legs: Of all who are, were or are to be on its line.
    """
    there = [leg for leg in legs if leg.status is LegStatus.CONNECTED]
    if call.phone not in [leg.name for leg in legs]:
        return False
    if not there:
        return True
    if call.ends_with == "phone":
        return call.phone not in [leg.name for leg in there]
    hosts = [leg for leg in legs if leg.host]
    if call.ends_with != "host" or any(leg in there for leg in hosts):
        return False
    # A host who never came does not end what others have begun.
    return any(_has_been_there(leg) for leg in hosts)


def left_alone(call: BridgedCall, legs: Sequence[PartyLeg], *, passed_on: bool) -> bool:
    """Return whether nobody of a line that was passed on has anybody left to talk to.

    Its agent has left it, or is silent.

    Args:
        call: It.
        legs: Of all who are, were or are to be on its line, beside whom it was passed on to.
        passed_on: Whether whoever that is, is there.
    """
    # A phone that is no party is there while there is a call.
    own = all(leg.name != call.phone for leg in legs)
    there = sum(leg.status is LegStatus.CONNECTED for leg in legs)
    return there + own + passed_on < 2


def beside(call: BridgedCall, legs: Sequence[PartyLeg]) -> str:
    """Return the platform's id of a leg that is on the line: the phone's, or if that has left."""
    there = [leg.call_id for leg in legs if leg.status is LegStatus.CONNECTED and leg.call_id]
    phone_left = any(leg.name == call.phone and leg.is_over for leg in legs)
    return there[0] if phone_left and there else call.call_id


def _has_been_there(leg: PartyLeg) -> bool:
    answered = leg.result.upper() in ("ANSWERED", "COMPLETED")
    return leg.standing == "left" or (leg.standing == "dropped" and answered and leg.is_over)
