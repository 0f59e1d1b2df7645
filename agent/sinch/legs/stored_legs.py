"""Legs and calls as the store keeps them: JSON objects, which other versions of ours may read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agent.sinch.legs.leg_kinds import (
    BridgedCall,
    OwnLeg,
    PartyLeg,
    PlacedLeg,
    StreamLeg,
    TransferLeg,
)
from agent.sinch.legs.leg_tables import CallStatus


class LegError(Exception):
    """What the store holds is no leg, or no call. The message quotes nothing of it."""


_LEGS: Mapping[str, TypeAdapter[OwnLeg]] = {
    "dial": TypeAdapter(PlacedLeg),
    "transfer": TypeAdapter(TransferLeg),
    "party": TypeAdapter(PartyLeg),
    "stream": TypeAdapter(StreamLeg),
}
_KINDS = {PlacedLeg: "dial", TransferLeg: "transfer", PartyLeg: "party", StreamLeg: "stream"}
_CALL = TypeAdapter(BridgedCall)


def encode_leg(leg: OwnLeg) -> dict[str, Any]:
    """Return ``leg`` as a JSON object for the store."""
    kind = _KINDS[type(leg)]
    return {"kind": kind, **_LEGS[kind].dump_python(leg, mode="json")}


def decode_leg(name: str, value: Mapping[str, Any]) -> OwnLeg:
    """Return the leg ``name`` that :func:`encode_leg` made ``value`` of, in this version or before.

    Raises:
        LegError: If it is none.
    """
    kind = value.get("kind")
    adapter = _LEGS.get(kind) if isinstance(kind, str) else None
    if adapter is None:
        raise LegError("kind")
    try:
        return adapter.validate_python({**value, "name": name})
    except ValidationError as error:
        raise LegError(_fields(error)) from None


def encode_call(call: BridgedCall) -> dict[str, Any]:
    """Return ``call`` as a JSON object for the store."""
    fields = _CALL.dump_python(call, mode="json", exclude={"status"})
    moved, over = call.status is CallStatus.MOVED, call.status is CallStatus.OVER
    return {**fields, "moved": moved, "over": over}


def decode_call(name: str, value: Mapping[str, Any]) -> BridgedCall:
    """Return the call that :func:`encode_call` made ``value`` of, in this version or before.

    Raises:
        LegError: If it is none.
    """
    status = CallStatus.MOVED if value.get("moved") else CallStatus.WITH_AGENT
    status = CallStatus.OVER if value.get("over") else status
    try:
        return _CALL.validate_python({**value, "name": name, "status": status})
    except ValidationError as error:
        raise LegError(_fields(error)) from None


def _fields(error: ValidationError) -> str:
    """Return which fields are wrong: what is in them may be a number."""
    return ", ".join(sorted({str(e["loc"][0]) for e in error.errors() if e["loc"]}))
