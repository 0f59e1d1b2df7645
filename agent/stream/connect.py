"""The first message of a stream: which call waits to be answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent import call_headers
from agent.call_headers import CallHeaders
from agent.sinch_limits import DEFAULT_RATE, RATES
from pipelines.encodable import read_json

# Lower-cased names under which each field has been published or seen.
_CALL_ID = ("callid",)


_APPLICATION_ID = ("applicationkey", "appkey", "applicationid", "serviceid")


_HEADERS = ("callheaders", "headers")

MAX_TEXT = 256
"""Characters that are kept of an id, as of those in callbacks."""


class ProtocolError(Exception):
    """The platform offers a call that cannot be carried. Reject it if it waits for a reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """A call is waiting to be answered."""

    call_id: str
    """``""`` if the platform gave none."""

    application_id: str
    """The v1 application key, or the v2 service id; ``""`` if the platform gave none."""

    headers: Mapping[str, str]
    """The ``callHeaders`` given when the call was routed here, found by names in any case."""

    rate: int
    """Hertz, both ways: one of :data:`agent.sinch_limits.RATES`."""


def parse(text: str) -> dict[str, Any] | None:
    """Return a command with its keys in lower case; None if ``text`` is not one."""
    try:
        message = read_json(text)
    except ValueError:
        return None
    if not isinstance(message, dict):
        return None
    # The first of two spellings of one key wins, unless it is empty.
    lowered: dict[str, Any] = {}
    for key, value in message.items():
        if lowered.get(key.lower()) in (None, ""):
            lowered[key.lower()] = value
    return lowered if isinstance(lowered.get("command"), str) else None


def _first(message: Mapping[str, Any], names: tuple[str, ...]) -> str:
    values = (message.get(name) for name in names)
    given = next((str(value) for value in values if value not in (None, "")), "")
    return _line(given)


def _line(text: str) -> str:
    return "".join(char for char in text[:MAX_TEXT] if char.isprintable())


def read_connect(message: Mapping[str, Any], requested_rate: int | None) -> Connect:
    """Return what a ``connect`` says.

    Args:
        message: As :func:`parse` returns it.
        requested_rate: What we asked the platform for, in hertz; None if we did not ask.

    Raises:
        ProtocolError: If its codec or rate cannot be served.
    """
    codec = message.get("codec")
    if codec is not None and str(codec).upper() != "PCM":
        raise ProtocolError("the codec is not PCM")
    return Connect(
        call_id=_first(message, _CALL_ID),
        application_id=_first(message, _APPLICATION_ID),
        headers=CallHeaders(
            item for name in _HEADERS for item in call_headers.read(message.get(name)).items()
        ),
        rate=_rate(message.get("samplerate"), requested_rate),
    )


def _rate(given: object, requested_rate: int | None) -> int:
    """Pick the rate: what ``connect`` says, else what we asked for, else the default."""
    if given is None:
        given = requested_rate or DEFAULT_RATE
    for rate in RATES:
        if str(given) in (str(rate), f"{rate}.0"):
            return rate
    raise ProtocolError(f"the sample rate is none of {RATES}")
