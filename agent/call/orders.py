"""Orders to a call in progress: from an operator, or by the platform's callbacks.

An order may reach another process than the one that holds the call; then it is left in the store,
as the plain JSON object that :func:`encode` makes and :func:`decode` reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import StringConstraints, TypeAdapter, ValidationError

from agent import warm_transfers
from agent.warm_transfers import WarmTransfer

NotReached = warm_transfers.NotReached
"""Why somebody who was dialled does not talk with us: ``declined`` by their word or a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp:
    """End the call."""

    goodbye: bool
    """Whether the agent says goodbye before, as soon as nobody speaks; otherwise at once."""

    by: Literal["operator", "service", "agent"] = "operator"
    words: str = ""
    """What is said in place of the goodbye of the agent file; ``""`` for nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCaller:
    """Announce to the caller that they are passed on, then do it."""

    to: str
    """A number in E.164, or a SIP address."""

    announcement: str
    """What the agent says before."""

    warm: WarmTransfer | None = None
    """How, if whoever is called is asked first; texts that are ``""`` are those of the agent."""

    discloses: bool = True
    """Whether one with whom the agent stays to help hears first that a machine talks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalleeBriefed:
    """Somebody has picked up, hears what it is about, and is asked whether they take the caller."""

    leg: str = ""
    """Name of the leg of whoever was dialled; ``""`` as the version before has left it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerMoved:
    """The caller talks to somebody else now: be silent."""

    stay: bool
    """Whether the stream has to stay, because the platform would hang up on both with it."""

    introduction: str = ""
    """What is said to both before; ``""`` for nothing."""

    helps: bool = False
    """Whether the agent takes part from then on, as on a party line, instead of being silent."""

    returns: bool = False
    """Whether we are to be called back: a recording pauses, where it would end otherwise."""

    leg: str = ""
    """Name of the leg of whoever was dialled; ``""`` as the version before has left it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerNotMoved:
    """Nobody took the call that the caller was to be passed on to: come back to them."""

    why: NotReached | None = None
    """None if that is not known."""

    by: Literal["", "operator"] = ""
    """Who wants it so; ``""`` if that is how it has come."""

    leg: str = ""
    """Name of the leg of whoever was dialled; ``""`` as the version before has left it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnToCaller:
    """Come back to a caller who was passed on, and whom the agent has listened to in silence."""

    by: Literal["operator", "service"]
    """``service`` once whoever they were passed on to has left."""

    leg: str = ""
    """Name of the leg of who has left, if others who help may be there still; ``""`` if nobody is
    there any more but the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineParty:
    """Somebody who is on the line, or expected there, when a call begins: no order, but as one."""

    party: str
    """Name of their leg."""

    title: str
    """What they are called, such as ``Ann``; ``""`` if that is not known."""

    present: bool
    """Whether they are there; otherwise they are being dialled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyExpected:
    """Somebody else is being dialled onto the line."""

    party: str
    """Name of their leg."""

    title: str
    """What they are called, such as ``Ann``; ``""`` if that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyJoined:
    """Somebody else is on the line now."""

    party: str
    """Name of their leg."""

    title: str
    """What they are called, such as ``Ann``; ``""`` if that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyLeft:
    """Somebody is on the line no more, or was expected and will not come."""

    party: str
    """Name of their leg."""

    title: str
    """What they are called, such as ``Ann``; ``""`` if that is not known."""

    why: NotReached | Literal["left", "dropped"]
    """``dropped`` on somebody's word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswererFound:
    """The platform has found out who, or what, has answered a call that we screen ourselves."""

    answerer: Literal["human", "machine", "beep", "unknown"]


RecordingAction = Literal["pause", "resume", "stop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRecording:
    """Pause the recording, let it go on, or end it. Nothing happens if there is none."""

    action: RecordingAction


LONGEST_WHISPER = 2000
"""Characters of an instruction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whisper:
    """Tell the language model something that the caller does not hear, for the rest of the call."""

    text: Annotated[str, StringConstraints(max_length=LONGEST_WHISPER)]
    """An instruction, of :data:`LONGEST_WHISPER` characters at the most."""

    by: str
    """Who gives it."""


Order = (
    HangUp
    | TransferCaller
    | CalleeBriefed
    | CallerMoved
    | CallerNotMoved
    | ReturnToCaller
    | PartyExpected
    | PartyJoined
    | PartyLeft
    | AnswererFound
    | ControlRecording
    | Whisper
)


class OrderError(Exception):
    """What the store holds is no order. The message quotes nothing of it: it may be a number."""


_KINDS: Mapping[str, type[Order]] = {
    "hang up": HangUp,
    "transfer": TransferCaller,
    "briefed": CalleeBriefed,
    "moved": CallerMoved,
    "not moved": CallerNotMoved,
    "return": ReturnToCaller,
    "expected": PartyExpected,
    "joined": PartyJoined,
    "left": PartyLeft,
    "answerer": AnswererFound,
    "recording": ControlRecording,
    "whisper": Whisper,
}
_NAMES = {order: kind for kind, order in _KINDS.items()}
_ADAPTERS = {kind: TypeAdapter[Order](order) for kind, order in _KINDS.items()}


def encode(order: Order) -> dict[str, Any]:
    """Return ``order`` as a JSON object, without what is usual: the version before reads that."""
    kind = _NAMES[type(order)]
    fields = _ADAPTERS[kind].dump_python(order, mode="json", exclude_defaults=True)
    return {"kind": kind, **fields}


def decode(value: object) -> Order:
    """Return the order that :func:`encode` made ``value`` of.

    Fields that it does not know are let be, so that a later version may add one.

    Args:
        value: Whatever JSON gave.

    Raises:
        OrderError: If it is no order, or one that another version of ours has left.
    """
    kind = value.get("kind") if isinstance(value, dict) else None
    adapter = _ADAPTERS.get(kind) if isinstance(kind, str) else None
    if adapter is not None:
        try:
            return adapter.validate_json(json.dumps(value), strict=True)
        except ValidationError:  # which quotes what was given
            raise OrderError(f"{kind}: fields of another version") from None
    raise OrderError("no order, or one of another version")
