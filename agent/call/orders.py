"""Orders to a call in progress: from an operator, or by the platform's callbacks.

An order may reach another process than the one that holds the call; then it is left in the store,
as the plain JSON object that :func:`encode` makes and :func:`decode` reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp:
    """End the call."""

    goodbye: bool
    """Whether the agent says goodbye before, as soon as nobody speaks; otherwise at once."""

    by: Literal["operator", "service"] = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCaller:
    """Announce to the caller that they are passed on, then do it."""

    to: str
    """A number in E.164, or a SIP address."""

    announcement: str
    """What the agent says before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerMoved:
    """The caller talks to somebody else now: be silent."""

    stay: bool
    """Whether the stream has to stay, because the platform would hang up on both with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerNotMoved:
    """Nobody took the call that the caller was to be passed on to: come back to them."""


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

    text: str
    """An instruction, of :data:`LONGEST_WHISPER` characters at the most."""

    by: str
    """Who gives it."""


Order = HangUp | TransferCaller | CallerMoved | CallerNotMoved | ControlRecording | Whisper


class OrderError(Exception):
    """What the store holds is no order. The message quotes nothing of it: it may be a number."""


def encode(order: Order) -> dict[str, Any]:  # noqa: PLR0911 - a row an order
    """Return ``order`` as a JSON object."""
    match order:
        case HangUp(goodbye=goodbye, by="operator"):  # as the version before has it
            return {"kind": "hang up", "goodbye": goodbye}
        case HangUp(goodbye=goodbye, by=by):
            return {"kind": "hang up", "goodbye": goodbye, "by": by}
        case TransferCaller(to=to, announcement=announcement):
            return {"kind": "transfer", "to": to, "announcement": announcement}
        case CallerMoved(stay=stay):
            return {"kind": "moved", "stay": stay}
        case CallerNotMoved():
            return {"kind": "not moved"}
        case ControlRecording(action=action):
            return {"kind": "recording", "action": action}
        case Whisper(text=text, by=by):
            return {"kind": "whisper", "text": text, "by": by}


def decode(value: object) -> Order:  # noqa: PLR0911 - a row an order
    """Return the order that :func:`encode` made ``value`` of.

    Fields that it does not know are let be, so that a later version may add one.

    Args:
        value: Whatever JSON gave.

    Raises:
        OrderError: If it is no order, or one that another version of ours has left.
    """
    match value:
        case {"kind": "hang up", "goodbye": bool(goodbye), "by": "service"}:
            return HangUp(goodbye=goodbye, by="service")
        case {"kind": "hang up", "goodbye": bool(goodbye)}:
            return HangUp(goodbye=goodbye)
        case {"kind": "transfer", "to": str(to), "announcement": str(announcement)}:
            return TransferCaller(to=to, announcement=announcement)
        case {"kind": "moved", "stay": bool(stay)}:
            return CallerMoved(stay=stay)
        case {"kind": "not moved"}:
            return CallerNotMoved()
        case {"kind": "recording", "action": "pause" | "resume" | "stop" as action}:
            return ControlRecording(action=action)
        case {"kind": "whisper", "text": str(text), "by": str(by)} if len(text) <= LONGEST_WHISPER:
            return Whisper(text=text, by=by)
    raise OrderError("no order, or one of another version")
