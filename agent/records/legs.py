"""The legs of a call beside the phone that it goes by, as its record has them; and its price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.records.values import number, text

LEGS: Mapping[str, str] = {
    "party": "on the line",
    "transfer": "passed on to",
    "stream": "the agent",
}
"""What a leg was, its ``what``, in words; any other is the phone that the call goes by."""

_REACHED = frozenset(("", "ANSWERED", "COMPLETED", "N/A"))
"""Results of legs that were answered, in both versions of the API."""

MOST = 200
"""Legs that a record keeps: a call that lasts four hours and is passed on each minute has more than
anybody looks through."""


TOLD: Mapping[str, str] = {
    "yes": "yes",
    "cut-off": "not to its end",
    "no": "no",
    "asked": "the platform was asked to say it; whether it has, it does not tell",
}
"""Whether somebody was told that a machine talks, in words, of a call or of a leg."""


def told_in(data: Mapping[str, Any], disclosed: str | None) -> list[tuple[str, str, str]]:
    """Return who was told that a machine talks: where they are, their number, and whether.

    The agent itself tells whoever is there first, if its file has it say so; all others hear it
    alone.

    Args:
        data: Of the record.
        disclosed: Of the record.
    """
    told = []
    if disclosed is not None and (disclosed != "no" or data.get("discloses")):
        told.append(("by the agent", "", TOLD[disclosed]))
    for leg in legs_of(data):
        if how := TOLD.get(text(leg.get("disclosed")) or ""):
            where = LEGS.get(text(leg.get("what")) or "", "a leg")
            told.append((where, text(leg.get("to")) or "", how))
    return told


def with_leg(data: Mapping[str, Any], fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the legs of a record with what a ``leg`` line says of one: it is known by its name.

    Args:
        data: Of the record.
        fields: Of the line.
    """
    legs = [dict(leg) for leg in legs_of(data)]
    known = next((leg for leg in legs if leg.get("leg") == fields.get("leg")), None)
    if known is not None:
        told = known.get("disclosed")
        known.update(fields)
        if told == "yes":  # whichever line is stored first
            known["disclosed"] = told
    elif len(legs) < MOST:
        legs.append(dict(fields))
    return legs


def legs_of(data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the legs of a record, in the order in which they became known."""
    legs = data.get("legs")
    return [leg for leg in legs if isinstance(leg, dict)] if isinstance(legs, list) else []


def charged_legs(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what the platform has told of each leg of a call, with who it was, as far as known.

    The phone by which the call ended is the first.
    """
    legs, platform = legs_of(data), data.get("platform")
    if isinstance(platform, dict):
        ours = platform.get("leg")
        who = next((leg for leg in legs if ours is not None and leg.get("leg") == ours), {})
        yield {**who, **platform}
    yield from (leg for leg in legs if "result" in leg)


def not_reached(leg: Mapping[str, Any]) -> str:
    """Return how a leg ended to which nobody came, in the platform's word; ``""`` of another."""
    result = text(leg.get("result")) or ""
    return "" if result.upper() in _REACHED else result


def is_settled(data: Mapping[str, Any]) -> bool:
    """Return whether the platform has told of the end of every leg of a call that is known.

    The agent's own end is a leg where there is a conference: it is known by its end alone. There is
    none of whom the platform did not dial, and none of the agent where it has found a machine.
    """
    platform = data.get("platform")
    if not isinstance(platform, dict):
        return False
    legs = legs_of(data)
    open_legs = [
        leg
        for leg in legs
        if not {"result", "refused"} & leg.keys() and leg.get("leg") != platform.get("leg")
    ]
    awaits = bool(data.get("conference")) and "ended" in data and "answerer" not in platform
    return not open_legs and not (awaits and all(leg.get("what") != "stream" for leg in legs))


def price_of(data: Mapping[str, Any]) -> tuple[float | None, str]:
    """Return what the platform charges for a call, all legs together, and the currency.

    None if no leg has a price yet, or they are not in one currency.
    """
    sums: dict[str, float] = {}
    for leg in charged_legs(data):
        if (amount := number(leg.get("amount"))) is not None:
            currency = text(leg.get("currency")) or ""
            sums[currency] = sums.get(currency, 0.0) + amount
    if len(sums) != 1:
        return None, ""
    ((currency, amount),) = sums.items()
    return round(amount, 6), currency


def numbers_of(fields: Mapping[str, Any]) -> list[str]:
    """Return who was dialled, of the fields of a ``leg`` line, of a ``call`` line or a record."""
    given = [fields.get("to"), *(leg.get("to") for leg in legs_of(fields))]
    return [one for one in map(text, given) if one]
