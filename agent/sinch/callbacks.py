"""Sinch's callbacks, read: bytes in, an event out. No I/O, no clock.

Version 1 posts ``{"event": "ice" | "ace" | "dice" | "pie" | "notify", ...}`` (OpenAPI "Voice API
1.0.1"), version 2 ``{"event": "call.…", "call": {...}}`` (OpenAPI "Voice API v2 2.0.58"); they are
told apart by that. Spellings that differ between Sinch's pages and its real traffic are all taken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agent import call_headers
from agent.call_headers import CallHeaders
from pipelines.encodable import read_json

Version = Literal["v1", "v2"]
Answerer = Literal["", "human", "machine", "beep", "unknown", "pending"]

MAX_BYTES = 65_536
"""A callback above this is refused; real ones have one or two kilobytes."""


class CallbackError(Exception):
    """This is no callback. The message quotes nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegIdentity:
    """Which leg of which call a callback speaks of, in the platform's words and in ours."""

    version: Version
    call_id: str
    session_id: str = ""
    """Version 2."""

    name: str = ""
    """Version 2: what we called the leg."""

    custom: str = ""
    """Version 1: what we gave along with a callout."""

    timestamp: str = ""
    """When, by the platform; the same if the callback is sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingCall:
    """Somebody calls (ICE, ``call.incoming``)."""

    leg: LegIdentity
    caller: str
    """E.164 if it is a number, a SIP address, or the id of an In-App user; ``""`` if withheld."""

    called: str
    headers: Mapping[str, str] = field(default_factory=CallHeaders)
    """Found by names in any case."""

    application: str = ""
    """The version 1 application key, or the version 2 service id; ``""`` if it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegAnswered:
    """A call of ours was answered (ACE, ``call.answered``), or now it is known by whom."""

    leg: LegIdentity
    by: Answerer = ""
    """``""`` if nobody asked; ``pending`` if that is still to come."""

    asks: bool = True
    """Whether the platform does what the answer says; version 1 only tells, by ``notify``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEnded:
    """A leg has ended, or never came about (DiCE, ``call.hangup``, ``call.busy`` and so on)."""

    leg: LegIdentity
    result: str
    """The platform's: ANSWERED, BUSY, NOANSWER, FAILED; COMPLETED, NO_ANSWER and so on."""

    reason: str
    seconds: float | None = None
    amount: str = ""
    """The price in version 1; in version 2, which tells no total, the rate a minute."""

    currency: str = ""
    caller: str = ""
    called: str = ""
    """As of :class:`IncomingCall`, if it says so."""

    @property
    def answered(self) -> bool:
        """Whether it had been answered."""
        return self.result.upper() in ("ANSWERED", "COMPLETED", "N/A")

    @property
    def price(self) -> float | None:
        """What the leg has cost, all in all; None if the platform does not tell.

        Version 2 tells the price of a minute, of which each that has begun is charged.
        """
        try:
            told = float(self.amount)
        except ValueError:
            return None
        if not 0 <= told < math.inf:
            return None
        if self.leg.version == "v1":
            return told
        return None if self.seconds is None else round(told * math.ceil(self.seconds / 60), 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuAnswered:
    """A menu has come to its end (PIE, ``call.menu``, or a webhook of ours in the menu)."""

    leg: LegIdentity
    menu: str
    """Its name; in version 1 any text that we gave it, or of a conference whose keys are told."""

    given: str
    """What was pressed or said; ``""`` if nothing was."""

    spoken: bool = False
    """Whether it was said; version 1 only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Anything else: to be answered with nothing."""

    leg: LegIdentity
    name: str


Callback = IncomingCall | LegAnswered | LegEnded | MenuAnswered | Other

_V2_ANSWERERS: Mapping[str, Answerer] = {
    "call.answered": "",
    "call.amd.human": "human",
    "call.amd.machine": "machine",
    "call.amd.beep": "beep",
    "call.amd.unknown": "unknown",
}
_V2_ENDS = {"call.busy", "call.rejected", "call.timeout", "call.hangup", "call.failed"}
ENDED_WEBHOOK = "ended"
"""Version 2: what we call the webhook that stands in a leg's own ``onHangup``."""

BRIEFING = "briefing"
"""Version 2: what we call the menu in which somebody is asked whether they take a call. A webhook
that a key of it leads to is called the same, with ``-`` and the key behind it."""

WRONG_KEY = "?"
"""What is given where version 1 tells that a key was pressed which the menu does not have."""

_BRIEFING_KEY = f"call.webhook.{BRIEFING}-"

_V1_ANSWERERS: Mapping[str, Answerer] = {
    "human": "human",
    "machine": "machine",
    "notsure": "unknown",
    "hangup": "unknown",
    "inprogress": "pending",
}


def parse(body: bytes) -> Callback:
    """Read a callback.

    Raises:
        CallbackError: If it is not JSON, or neither version's.
    """
    try:
        message = read_json(body)
    except ValueError:
        raise CallbackError("not JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("event"), str):
        raise CallbackError("no event")
    event = message["event"].lower()
    if event.startswith("call."):
        return _v2(event, message.get("call"), _object(message, "menu"))
    return _v1(event, message)


def _v1(event: str, message: Mapping[str, Any]) -> Callback:
    leg = LegIdentity(
        version="v1",
        call_id=_text(message, "callid", "callId"),
        custom=_text(message, "custom"),
        timestamp=_text(message, "timestamp"),
    )
    if event in ("ice", "ace", "dice") and not leg.call_id:
        raise CallbackError("no call id")
    match event:
        case "ice":
            return IncomingCall(
                leg=leg,
                caller=_v1_caller(message),
                called=_v1_party(_object(message, "to")),
                headers=_headers(message),
                application=_text(message, "applicationKey", "applicationkey", "AppKey", "appKey"),
            )
        case "ace":
            return LegAnswered(leg=leg, by=_v1_answerer(_object(message, "amd")))
        case "dice":
            debit = _object(message, "debit")
            return LegEnded(
                leg=leg,
                result=_text(message, "result") or "N/A",
                reason=_text(message, "reason") or "N/A",
                seconds=_seconds(message.get("duration")),
                amount=_text(debit, "amount"),
                currency=_text(debit, "currencyId"),
                caller=_v1_caller(message),
                called=_v1_party(_object(message, "to")),
            )
        case "pie" if _text(menu := _object(message, "menuResult"), "menuId"):
            return _v1_menu(leg, menu)
        case "notify" if _text(message, "type").lower() in ("amd", "amd_beep"):
            return LegAnswered(leg=leg, by=_v1_notified(message), asks=False)
    return Other(leg=leg, name=event[:64])


def _v1_menu(leg: LegIdentity, menu: Mapping[str, Any]) -> MenuAnswered:
    # What is told of a timeout or a fault is no answer, whatever stands beside it. A wrong key is
    # one, and none that the menu has.
    told = _text(menu, "type").lower()
    value = _text(menu, "value") if told in ("return", "sequence") else ""
    return MenuAnswered(
        leg=leg,
        menu=_text(menu, "menuId"),
        given=WRONG_KEY if told == "invalidinput" else value,
        spoken=_text(menu, "inputMethod").lower() == "voice",
    )


def _v1_caller(message: Mapping[str, Any]) -> str:
    """Return who calls: by the number that is shown, or else by what the app calls them."""
    in_app = _text(message, "originationType").lower() == "mxp"
    origin = message.get("from")  # a text, as in DiCE, or a party
    names = _text(message, "cli"), _text(message, "from", "userId", "user")
    given = next(filter(None, names), "") or _v1_party(origin if isinstance(origin, dict) else {})
    return given if in_app else _number(given)


def _v1_party(party: Mapping[str, Any]) -> str:
    endpoint = _text(party, "endpoint")
    return endpoint if _text(party, "type").lower() == "username" else _number(endpoint)


def _v1_answerer(amd: Mapping[str, Any]) -> Answerer:
    if not amd:
        return ""
    if _text(amd, "reason").lower() == "beep":
        return "beep"
    return _V1_ANSWERERS.get(_text(amd, "status").lower(), "unknown")


def _v1_notified(message: Mapping[str, Any]) -> Answerer:
    beep = _text(message, "type").lower() == "amd_beep"
    return "beep" if beep else _v1_answerer(_object(message, "amd")) or "unknown"


def _v2(event: str, call: object, menu: Mapping[str, Any]) -> Callback:
    if not isinstance(call, dict):
        raise CallbackError("no call")
    leg = LegIdentity(
        version="v2",
        call_id=_text(call, "callId", "callid"),
        session_id=_text(call, "sessionId"),
        name=_text(call, "callName"),
        timestamp=_text(call, "startTime"),
    )
    if not leg.call_id:
        raise CallbackError("no call id")
    if event == "call.incoming":
        return IncomingCall(
            leg=leg,
            caller=_address(_object(call, "from")),
            called=_address(_object(call, "to")),
            headers=_headers(call, _object(_object(call, "to"), "sip")),
            application=_text(call, "serviceId"),
        )
    if event in _V2_ANSWERERS:
        return LegAnswered(leg=leg, by=_V2_ANSWERERS[event])
    if event in _V2_ENDS or event == f"call.webhook.{ENDED_WEBHOOK}":
        rate = _object(call, "callRate")
        return LegEnded(
            leg=leg,
            result=_text(call, "callResult") or event.removeprefix("call.").upper(),
            reason=_text(call, "callReason") or "N/A",
            seconds=_seconds(call.get("callDurationSeconds")),
            amount=_text(rate, "amount"),
            currency=_text(rate, "currencyCode"),
            caller=_address(_object(call, "from")),
            called=_address(_object(call, "to")),
        )
    if event.startswith(_BRIEFING_KEY):
        return MenuAnswered(leg=leg, menu=BRIEFING, given=event.removeprefix(_BRIEFING_KEY)[:64])
    if event == "call.menu":
        return MenuAnswered(leg=leg, menu=_text(menu, "menuName"), given=_text(menu, "input"))
    return Other(leg=leg, name=event[:64])


def _object(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = message.get(name)
    return value if isinstance(value, dict) else {}


def _text(message: Mapping[str, Any], *names: str) -> str:
    """Return the first of these fields that is a text or a number, cut to a line."""
    for name in names:
        value = message.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            return "".join(c for c in str(value)[:256] if c.isprintable())
    return ""


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e9 else None


def _number(text: str) -> str:
    """Return a number with its ``+``, which version 1 leaves out at times; other text as it is."""
    return f"+{text}" if text.isascii() and text.isdigit() and 7 <= len(text) <= 15 else text


def _address(party: Mapping[str, Any]) -> str:
    number = _text(_object(party, "phone"), "number")
    return _number(number) or _text(_object(party, "sip"), "endpoint") or _text(party, "endpoint")


def _headers(*messages: Mapping[str, Any]) -> CallHeaders:
    """Return the headers of each, as far as those before do not have them."""
    given = [message.get("callHeaders", message.get("callheaders")) for message in messages]
    return CallHeaders(item for one in given for item in call_headers.read(one).items())
