"""Times of the day, and how long something takes."""

from __future__ import annotations

import re
from decimal import Decimal

from pipelines.text import cldr
from pipelines.text.amounts import counted
from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.numerals import cardinal
from pipelines.text.replacements import any_of
from pipelines.text.rules.rule import Rule
from pipelines.text.units import SIGNS

_HALF = r"(?:\s?(?P<half>[AaPp])\.?\s?[Mm]\b(?:\.(?=\s*[^\sA-Z]))?)"
"""Of the day: "a.m."; its last stop stays where it may end the sentence."""

_GLUED_HALF = r"(?:(?<=[0-9])(?P<glued>[AaPp])(?!\w|\.\s?\w))"
"""The same of "9:30A"."""

_GERMAN_HALF = _HALF.replace("[AaPp]", r"[Pp]|A(?=M)|[Aa](?=\.\s?[Mm]\.)")
"""The same, where "am" is a word: "um 9:30 am Montag"."""

_HOUR = r"(?<![\w:.,])(?:(?<!/)|(?<=:[0-9]{2}/))(?P<hour>[01]?[0-9]|2[0-4])"

_NO_TIME = r"(?![0-9]|[.,:][0-9]|\s?(?:%|[$€£°]|percent|per\b|each\b|million|Prozent|Euro))"
"""What does not come after "7.30" if that is a time."""

_LONG = (
    ("weeks", r"(?:wks?|w)"),
    ("days", r"[djg]"),
    ("hours", r"(?:hrs?|hs|h|[Ss]td\.?)"),
    ("minutes", r"(?:mins?|mn|m|Min\.?)"),
    ("seconds", r"(?:secs?|sek|seg|s|Sek\.?)"),
)
"""Parts of a duration, and the signs for them: "m" are minutes beside hours."""


def zone_in_words(offset: str, language: SpokenLanguage, name: str = "UTC") -> str:
    """Return what "Z" or "+01:00" after a time is said as, with a space before it."""
    found = re.fullmatch(r"\s?([+−-])([0-9]{1,2}):?([0-9]{2})?", offset)
    if not found or not int(found[2] + (found[3] or "")):
        return f" {name}"
    sign = language.plus if found[1] == "+" else language.minus
    minutes = f" {cardinal(int(found[3]), language.code)}" if int(found[3] or 0) else ""
    return f" {name} {sign} {cardinal(int(found[2]), language.code)}{minutes}"


def _hour_and_minute(language: SpokenLanguage) -> str:
    return (
        rf"{_HOUR}{language.time_mark}(?P<minute>[0-5][0-9])"
        rf"(?::(?P<second>[0-5][0-9]))?(?![0-9:])(?:(?P<zone>Z\b)|{_GLUED_HALF}|{language.after_time}{_half(language)}?)"
    )


def _half(language: SpokenLanguage) -> str:
    return _GERMAN_HALF if language.code == "de" else _HALF


def _half_hour(language: SpokenLanguage) -> str:
    """Return a pattern for "5 p.m."."""
    return rf"(?<![\w:.,])(?P<hour>1[0-2]|0?[1-9]){_half(language)}"


def _at_hour_and_minute(language: SpokenLanguage) -> str:
    """Return a pattern for "at 7.30" and "from 9.30 to 10.30"."""
    return (
        rf"\b(?P<before>(?i:{any_of(language.at_time.split())}))\s"
        rf"(?:(?P<first>[01]?[0-9]|2[0-4])[.h](?P<past>[0-5][0-9])\s(?P<to>{language.to})\s)?"
        rf"(?P<hour>[01]?[0-9]|2[0-4])[.h](?P<minute>[0-5][0-9])\b{_NO_TIME}{language.after_time}{_half(language)}?"
    )


def _from_dot_to_dot(language: SpokenLanguage) -> str:
    """Return a pattern for "9.30 to 12.30", after what becomes of a dash."""
    if language.code == "en" and language.month_first:
        return "(?!)"
    is_point = language.code == "en" or language.thousands in (",", "['’]")
    minute = "(?:[03]0|15|45)" if is_point else "[0-5][0-9]"
    units = any_of({**SIGNS, **language.units}.keys() - {"h"})
    return (
        rf"(?<![\w:.,/$€£])(?P<first>[01]?[0-9]|2[0-4])\.(?P<past>{minute})\s(?P<to>{language.to})\s"
        rf"(?P<hour>[01]?[0-9]|2[0-4])\.(?P<minute>{minute})\b{_NO_TIME}(?!\s?{units}(?!\w))"
        rf"{language.after_time}{_half(language)}?"
    )


def _time(found: re.Match[str], language: SpokenLanguage) -> str:
    parts = found.groupdict()
    minute = int(parts.get("minute") or 0)
    half = (parts.get("half") or parts.get("glued") or "").lower()
    said = language.time(int(parts["hour"]), minute, half)
    if int(parts.get("second") or 0):
        names = cldr.unit("duration-second", language.code)
        seconds = counted(Decimal(parts["second"]), names, language)
        said = f"{said} {language.ampersand} {seconds}"
    if parts.get("first"):
        begin = language.time(int(parts["first"]), int(parts["past"]), "")
        said = f"{begin} {parts['to']} {said}"
    said += zone_in_words(parts["zone"], language) if parts.get("zone") else ""
    return f"{parts['before']} {said}" if parts.get("before") else said


def _duration_pattern(language: SpokenLanguage) -> str:
    """Return a pattern for "1h 30m", "2d 5h", "45m 30s" and "1h30"."""
    parts = "".join(
        rf"(?:(?P<{name}>[0-9]{{1,4}})\s?{sign}(?![^\W\d_])\s?)?" for name, sign in _LONG
    )
    bare = "(?!)" if "h" in language.time_mark else "(?<=[0-9]h)[0-5][0-9]"
    return rf"(?<![\w:.,])(?=[0-9]){parts}(?P<bare>{bare})?(?<!\s)(?![\w²³/])"


def _duration(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read a duration of two parts or more; others are left."""
    given = {name: found[name] for name, _ in _LONG if found[name]}
    if found["bare"]:
        given["minutes"] = found["bare"]
    if len(given) < 2:
        return found[0]
    said = []
    for name, count in given.items():
        names = _DAYS.get(language.code) if name == "days" else None
        names = names or cldr.unit(f"duration-{name[:-1]}", language.code)
        said.append(counted(Decimal(count), names, language))
    return " ".join(said)


def _minutes(found: re.Match[str], language: SpokenLanguage) -> str:
    names = cldr.unit("duration-minute", language.code)
    return counted(Decimal(found["minutes"]), names, language)


_DAYS = {"it": ("giorno", "giorni")}
"""What CLDR lacks."""


RULES = (
    # "in 30m", "5m ago"; other "m" are meters
    Rule(
        r"(?<![\w.,/$€£])(?P<minutes>[1-9][0-9]?)m(?!\w)(?:(?<=\b(?:in)\s[0-9]m)|(?<=\bin\s[0-9]{2}m)"
        r"|(?<=\bwait\s[0-9]m)|(?<=\bwait\s[0-9]{2}m)|(?<=takes\s[0-9]m)|(?<=takes\s[0-9]{2}m)"
        r"|(?=\s(?:ago|later|left|remaining|delay|delayed|late|early)\b))"
        r"(?!\s(?:wide|tall|high|long|deep|away|from|of|x)\b)",
        _minutes,
        only=("en",),
    ),
    # "all'1"
    Rule(r"(?<=ll['’])1(?![\w:.,/])", lambda *_: "una", only=("it",)),
    # "24h/24", "7j/7"
    Rule(
        r"(?<![\w.,/])(24|7)\s?(h|j)\s?/\s?\1(?!\w)",
        lambda found, language: (
            f"{cardinal(int(found[1]), language.code)} {'heures' if found[2] == 'h' else 'jours'} "
            f"sur {cardinal(int(found[1]), language.code)}"
        ),
        only=("fr",),
    ),
    # "la 1 de la tarde"
    Rule(
        r"\b([Ll]a) 1(?=\s(?:de la|en punto|y)\b)", lambda found, _: f"{found[1]} una", only=("es",)
    ),
    # "T09:30"
    Rule(r"(?<!\w)T(?=[0-2][0-9]:[0-5][0-9])", lambda *_: ""),
    Rule(r"(?<![0-9]\s)\b[Hh]\.?\s(?=[0-9]{1,2}(?!\w))", lambda *_: "ore ", only=("it",)),
    Rule(
        r"\b(d?)alle\s(?:ore\s)?(?:0?0|24)[:.]00(?![:.,]?[0-9])",
        lambda found, _: f"{'da' if found[1] else 'a'} mezzanotte",
        only=("it",),
    ),
    # "17.30 Uhr", "9.30 bis 17.30 Uhr"
    Rule(
        rf"{_HOUR}\.(?P<minute>[0-5][0-9])"
        r"(?:\sUhr\b|(?=\s(?:bis|und|oder)\s[0-9]{1,2}(?:[.:][0-9]{2})?\sUhr\b))",
        _time,
        only=("de",),
    ),
    # "9.30 to 10.30 am"
    Rule(
        rf"{_HOUR}\.(?P<minute>[0-5][0-9])(?=\sto\s[0-9]{{1,2}}[.:][0-9]{{2}}\s?[ap]\.?m\b)",
        _time,
        only=("en",),
    ),
    # "9.30 to 12.30", "at 7.30"
    Rule(_from_dot_to_dot, _time),
    Rule(_at_hour_and_minute, _time),
    # "um 14h", "14h bis 16h"
    Rule(
        r"(?:\b(?P<before>[Uu]m|[Aa]b|[Bb]is|[Gg]egen|[Vv]on)\s)?"
        r"(?<![\w:.,/])(?P<hour>[01]?[0-9]|2[0-4])\s?h\b(?!\s?[0-9/])"
        r"(?(before)|(?=\s(?:bis|und|oder)\s[0-9]{1,2}\s?(?:h|Uhr)\b))",
        _time,
        only=("de",),
    ),
    Rule(_duration_pattern, _duration),
    Rule(_hour_and_minute, _time),
    # "10.30 pm"
    Rule(rf"{_HOUR}\.(?P<minute>[0-5][0-9]){_HALF}", _time, only=("en", "es")),
    # "5 p.m."
    Rule(_half_hour, _time),
    # "17 Uhr"
    Rule(rf"{_HOUR}\sUhr\b", _time, only=("de",)),
    # "17 h"; "5 €/h" is none
    Rule(rf"{_HOUR}\s?(?:h|heures?)\b(?!/)", _time, only=("fr",)),
    # "a las 17h"
    Rule(
        r"\b(?P<before>[Ll]as?)\s(?P<hour>[01]?[0-9]|2[0-4])\s?(?:h|hs|hrs|horas)\b",
        _time,
        only=("es",),
    ),
    # "14.30 h"
    Rule(
        rf"{_HOUR}\.(?P<minute>[0-5][0-9])\s?(?:h|hs|hrs|horas|heures)\b(?!/)",
        _time,
        only=("de", "es", "fr", "it"),
    ),
    # "UTC+2"
    Rule(
        r"\b(?P<name>UTC|GMT)\s?(?P<offset>[+−-][0-9]{1,2}(?::[0-9]{2})?)(?![\w:])",
        lambda found, language: zone_in_words(found["offset"], language, found["name"]).lstrip(),
    ),
)
