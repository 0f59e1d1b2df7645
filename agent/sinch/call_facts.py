"""What call control knows of a call, for its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from agent import phone_numbers
from agent.call.screening import Screens
from agent.sinch.callbacks import LegEnded
from agent.sinch.legs.leg_kinds import BridgedCall, PartyLeg, PlacedLeg
from agent.sinch.legs.leg_tables import LegStatus

LegKind = Literal["party", "transfer", "stream"]
"""What a leg is: a phone on the line, whom the caller was passed on to, or the agent's end."""


def call_facts(
    call: BridgedCall | None,
    leg: PlacedLeg | None,
    ended: LegEnded | None = None,
    parties: Sequence[PartyLeg] = (),
) -> dict[str, object]:
    """Return the fields of a call's first line that are known here.

    Args:
        call: It, if it has a stream of ours, or was to have one.
        leg: Of a call that we placed.
        ended: What the platform said last, for a call that we know nothing else of.
        parties: Who is on its line, was, or is to be.
    """
    headers: Mapping[str, str] = {} if call is None else call.headers
    known: dict[str, object] = {
        "direction": "incoming" if leg is None else "outgoing",
        "caller": headers.get("caller") or (ended.caller if ended is not None else ""),
        "called": headers.get("called") or (ended.called if ended is not None else ""),
        "agent": headers.get("agent"),
    }
    announced = 0.0
    if leg is not None:
        called = phone_numbers.shown(leg.to)
        known |= {"caller": leg.caller_id, "called": called, "agent": leg.agent}
        known |= {"dialled": leg.name, "session_id": leg.session, "conference": leg.conference}
        announced = leg.announced
    if call is not None:
        known |= {"session_id": call.session, "conference": call.conference}
        announced = call.announced or announced
    if announced:
        at = datetime.fromtimestamp(announced, UTC)
        known["announced"] = at.isoformat(timespec="milliseconds")
    known["legs"] = [party_fields(party) for party in parties]
    return {name: value for name, value in known.items() if value}


def leg_fields(name: str, what: LegKind, to: str = "") -> dict[str, object]:
    """Return what is put on record of a leg besides that of the phone that a call goes by.

    Args:
        name: Ours of it.
        what: It is.
        to: Who was dialled; ``""`` if nobody was, or that is on record already.
    """
    dialled = {"to": phone_numbers.shown(to)} if to else {}
    return {"leg": name, "what": what, **dialled}


def party_fields(leg: PartyLeg) -> dict[str, object]:
    """Return what is put on record of a party: with ``refused`` if Sinch did not dial them."""
    fields = leg_fields(leg.name, "party", leg.to)
    return fields | ({"refused": True} if is_refused(leg) else {})


def is_refused(leg: PartyLeg) -> bool:
    """Return whether Sinch has not dialled somebody, as far as it tells."""
    return leg.status is LegStatus.FAILED and not leg.result


def screens_of(placed: PlacedLeg | None) -> Screens | None:
    """Return how a call of ours is screened by what the agent hears; None if it is not."""
    if placed is None or placed.machine == "talk" or not placed.is_screened:
        return None
    return Screens(machine=placed.machine, message=placed.message)
