"""Time zones, as people name them, and where the clocks of a country agree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from difflib import get_close_matches
from functools import cache
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

_NAME = re.compile(r"(?!(posix|right|SystemV)/)[A-Za-z]+(/[A-Za-z0-9_+-]+){1,2}|UTC")
"""An area with a place in it, or UTC. The other names of IANA's are refused: some have no summer
time, though who writes them has (`EST`), some are links that systems leave out (`GB`)."""

_OFFSET = re.compile(r"(UTC|GMT|Z)?\s*[+-]?\s*[0-9]{1,2}(:?[0-9]{2})?", re.IGNORECASE)

_ABBREVIATIONS = {
    "Europe/London": "BST GB UK",
    "Europe/Lisbon": "WET WEST",
    "Europe/Berlin": "CET CEST MEZ MESZ MET MEST",
    "Europe/Athens": "EET EEST OEZ",
    "Europe/Moscow": "MSK",
    "America/New_York": "ET EST EDT EST5EDT EASTERN",
    "America/Chicago": "CT CST CDT CST6CDT CENTRAL",
    "America/Denver": "MT MST MDT MST7MDT MOUNTAIN",
    "America/Los_Angeles": "PT PST PDT PST8PDT PACIFIC",
    "America/Anchorage": "AKST AKDT",
    "Pacific/Honolulu": "HST",
    "America/Sao_Paulo": "BRT",
    "Asia/Kolkata": "IST",
    "Asia/Shanghai": "PRC",
    "Asia/Singapore": "SGT",
    "Asia/Tokyo": "JST",
    "Asia/Seoul": "KST",
    "Australia/Sydney": "AEST AEDT AET",
    "Pacific/Auckland": "NZST NZDT NZ",
    "UTC": "UCT Z ZULU UNIVERSAL",
}
"""What people write where a zone is wanted, by the zone that most of them live in."""


def load() -> None:
    """Read the zones of all countries: 0.1 s. Else each is read when first met, in a call."""
    for code in _cldr("territory_zones"):
        _zones_of(code)


def name(text: str) -> str:
    """Return ``text``, the name of a time zone by IANA.

    Raises:
        ValueError: If it is none; the message has the nearest.
    """
    given = text.strip()
    try:
        if _NAME.fullmatch(given):
            return zone(given).key
    except (
        ZoneInfoNotFoundError,
        ValueError,
        OSError,
    ):  # the last: "America/Argentina" is a folder
        pass
    if _OFFSET.fullmatch(given):
        message = "an offset has no summer time: name a city, such as Europe/Berlin, or UTC"
        raise ValueError(message)
    nearest = " or ".join(repr(one) for one in _nearest(given))
    hint = f"did you mean {nearest}?" if nearest else "such as Europe/Berlin or America/New_York"
    message = f"no time zone by its area and city; {hint}"
    raise ValueError(message)


@cache
def zone(name: str) -> ZoneInfo:
    """Return a time zone by its name; reads a file when it is first asked for.

    Raises:
        ZoneInfoNotFoundError: If this machine does not have it; :func:`name` has found that out.
    """
    return ZoneInfo(name)


def _nearest(given: str) -> list[str]:
    """Return up to three zones that may be meant, the likeliest first."""
    if by_windows := _cldr("windows_zone_mapping").get(given):
        return [by_windows]
    wanted = re.sub(r"[\s-]+", "_", given[:64].lower())
    if wanted == "gmt":
        return ["UTC", "Europe/London"]
    for found, abbreviations in _ABBREVIATIONS.items():
        if wanted.partition("_")[0].upper() in abbreviations.split() and "/" not in wanted:
            return [found]
    known = sorted(one for one in available_timezones() if _NAME.fullmatch(one))
    lowered = {one.lower(): one for one in known}
    by_place = {one.lower().rpartition("/")[2]: one for one in reversed(known)}
    for names in (lowered, by_place):
        if wanted in names:
            return [names[wanted]]
    place = wanted.rpartition("/")[2]
    close = [lowered[one] for one in get_close_matches(wanted, lowered, 3, 0.8)]
    close += [by_place[one] for one in get_close_matches(place, by_place, 3, 0.8)]
    return list(dict.fromkeys(close))[:3]


def of_country(code: str, at: datetime) -> str:
    """Return the time zone of a country, if all of its clocks show the same at ``at``, else ``""``.

    Args:
        code: Two capital letters; ``""`` if it is not known.
        at: With its time zone.
    """
    zones = _zones_of(code)
    agree = len({at.astimezone(one).utcoffset() for one in zones}) == 1
    return zones[0].key if agree else ""


@cache
def _zones_of(code: str) -> tuple[ZoneInfo, ...]:
    """Return the time zones of a country; none if this machine does not have all of them."""
    try:
        return tuple(zone(one) for one in _cldr("territory_zones").get(code, ()))
    except ZoneInfoNotFoundError:  # a new one; or "Etc/Unknown", of who has none
        return ()


def _cldr(table: Literal["territory_zones", "windows_zone_mapping"]) -> Mapping[str, Any]:
    from babel.core import get_global  # noqa: PLC0415 - 50 ms, not for `voice-agent --help`

    return get_global(table)
