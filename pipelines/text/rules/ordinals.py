"""Ranks, years and decades."""

from __future__ import annotations

import re

from pipelines.text.languages import german, italian, spanish
from pipelines.text.languages.language import LOWER, SpokenLanguage, words
from pipelines.text.numerals import cardinal, ordinal, year
from pipelines.text.replacements import any_of
from pipelines.text.rules.rule import Rule

_YEAR = r"(1[1-9][0-9]{2}|20[0-9]{2})\b(?![,.]?[0-9])"

_NEAR_YEAR = r"19[0-9]{2}|20[0-4][0-9]"

_NO_AMOUNT = (
    r"(?!\s(?!(?:was|is|has|does|this|its|as|us|plus|versus|always|sales)\b)"
    r"(?:[a-z]{2,}s|people|men|women|children)\b)"
)
"""Not before a noun that says that so many are counted: "in 1999 seconds"."""

_OF_DECADES = words(
    """music hit hits song songs rock pop fashion party parties movie movies film films style theme
    classic classics era kid kids disco dance playlist night nostalgia retro sitcom show shows tunes
    band bands synth hip tv TV vibe throwback"""
)
"""What "80s" before is a decade."""


def _rank(found: re.Match[str], language: SpokenLanguage) -> str:
    return ordinal(int(found[1]), language.code)


def _decade(found: re.Match[str], language: SpokenLanguage) -> str:
    said = year(int(found[1]), language.code)
    return said[:-1] + "ies" if said.endswith("y") else said + "s"


def _after_word(found: re.Match[str], language: SpokenLanguage) -> str:
    return f"{found[1]} {year(int(found[2]), language.code)}"


def _between(found: re.Match[str], language: SpokenLanguage) -> str:
    first, last = (year(int(found[number]), language.code) for number in (2, 3))
    return f"{found[1]} {first} {language.ampersand} {last}"


def _german(found: re.Match[str], _: SpokenLanguage) -> str:
    groups = found.groupdict()
    before, ending = found["before"] or "", german.RANKED.get(groups.get("noun") or "", "")
    case = "dem" if before == "der" and _is_dative(found) else before
    said = german.rank(int(found["rank"]), case, ending)
    if groups.get("first"):
        said = f"{german.rank(int(groups['first']), case, ending)} {found['and']} {said}"
    return f"{before} {said}".strip()


def _is_dative(found: re.Match[str]) -> bool:
    """Return whether what is before "der" makes it the dative: "in der 3. Etage"."""
    before = found.string[max(0, found.start() - 10) : found.start()].split()
    return bool(before) and before[-1].lower() in _DATIVE


_DATIVE = words("in auf an aus bei mit nach seit von zu ab vor hinter neben über unter")


def _spanish(found: re.Match[str], _: SpokenLanguage) -> str:
    """Read "2.ª", "3er", "5º"; the short form stands before a thing."""
    number, sign = int(found["rank"]), found["sign"].lstrip(".")
    said = {11: "undécimo", 12: "duodécimo"}.get(number) or ordinal(number, "es")
    if sign.endswith(("ª", "a")):
        said = " ".join(f"{word[:-1]}a" if word.endswith("o") else word for word in said.split())
    elif sign == "er" or found["noun"] is not None:
        said = re.sub(r"(primer|tercer)o$", r"\1", said)
    return f"{found['before'] or ''} {said}".lstrip()


def _italian(found: re.Match[str], _: SpokenLanguage) -> str:
    said = ordinal(int(found["rank"]), "it")
    feminine = found["sign"] == "ª" or found["noun"] in italian.RANKED_FEMININE
    said = f"{said[:-1]}a" if feminine else said
    return f"{found['before'] or ''} {said}".lstrip()


def _french(found: re.Match[str], _: SpokenLanguage) -> str:
    number, sign = int(found["rank"]), found["sign"]
    if number == 1:
        return "première" if sign in ("re", "ère", "ere", "ʳᵉ") else "premier"
    if sign in ("nd", "nde"):
        return "second" if sign == "nd" else "seconde"
    return ordinal(number, "fr")


def _german_decade(found: re.Match[str], _: SpokenLanguage) -> str:
    number = int(found[1])
    return (year(number, "de") if number > 99 else cardinal(number, "de")) + "er"


RULES = (
    # "the 1st/2nd"
    Rule(
        r"(?<![\w.,])([0-9]{1,9})(?:st|nd|rd|th)\s?/(?=\s?[0-9]{1,9}(?:st|nd|rd|th)\b)",
        lambda found, language: f"{_rank(found, language)} or ",
        only=("en",),
    ),
    Rule(r"(?<![\w.,])([0-9]{1,9})(?:st|nd|rd|th)\b", _rank, only=("en",)),
    # "1990s", "the '80s", "the 80s", "80s music"; "30s" are seconds
    Rule(
        r"(?<!\w)(?:['’]?(?=[0-9]{4})|['’]|(?<=[Tt]he )|(?<=my )|(?<=her )|(?<=his )"
        rf"|(?<=early )|(?<=late )|(?<=mid )|(?=[2-9]0['’]?s\s{any_of(_OF_DECADES)}\b))"
        r"((?:1[1-9]|20)?[2-9]0|(?:1[1-9]|20)[01]0)['’]?s\b",
        _decade,
        only=("en",),
    ),
    Rule(
        r"\b((?i:since|year|until|during|spring|summer|autumn|fall|winter)) "
        rf"{_YEAR}",
        _after_word,
        only=("en",),
    ),
    Rule(rf"\b((?i:in)) {_YEAR}{_NO_AMOUNT}", _after_word, only=("en",)),
    # "between 1990 and 2005"
    Rule(
        rf"\b([Bb]etween) ({_NEAR_YEAR}) and ({_NEAR_YEAR})\b(?![,.]?[0-9]){_NO_AMOUNT}",
        _between,
        only=("en",),
    ),
    # "1995 was great"
    Rule(
        rf"((?:^|[.!?]\s))({_NEAR_YEAR})(?=\s(?:was|were|saw|has|had|is|will)\b)",
        lambda found, language: found[1] + year(int(found[2]), language.code),
        only=("en",),
    ),
    Rule(
        r"\b((?i:by|from|before|after|to|of)) (19[0-9]{2}|20[0-4][0-9])\b"
        r"(?![,.]?[0-9]|\s(?!(?:to|till|until|and|on|we|it|the)\b)[a-z])",
        _after_word,
        only=("en",),
    ),
    Rule(
        r"\b((?i:jahre?s?|seit|anno|von|bis)) (1[1-9][0-9]{2})\b(?![,.]?[0-9]|\s[A-Z])",
        _after_word,
        only=("de",),
    ),
    Rule(r"(?<![\w.,])([0-9]{2}|1[1-9][0-9]0|20[0-9]0)er\b", _german_decade, only=("de",)),
    # "3. Etage", "im 3. Stock", "der 3. und 4. Tag"
    Rule(
        rf"(?:\b(?P<before>[^\W\d_]+)\s)?(?<![\w.,:/])"
        rf"(?:(?P<first>[0-9]{{1,3}})\.\s?(?P<and>und|oder|bis)\s)?(?P<rank>[0-9]{{1,3}})\."
        rf"(?=\s?(?P<noun>{any_of(german.RANKED)})\b)",
        _german,
        only=("de",),
    ),
    # "der 3. Anrufer", "am 24. bis zum": nothing else stands between an article and what goes on
    Rule(
        r"\b(?P<before>[Dd]e[rmns]|[Dd]ie|[Dd]as|[AaIi]m|[Vv]om|[Zz]u[mr]|[Bb]eim|[Jj]ede[rnms]?"
        rf"|(?:[Aa]b|[Bb]is|[Ss]eit)(?=\s[0-9]{{1,3}}\.\s[{LOWER}]))\s"
        r"(?P<rank>[0-9]{1,3})\.(?=\s[^\W\d_])",
        _german,
        only=("de",),
    ),
    # "1er", "2e", "2ème", "1re"
    Rule(
        r"(?<![\w.,])(?P<rank>[0-9]{1,9})(?P<sign>er|ʳᵉ|re|[èe]re|e|è|i?[èe]me|nd|nde|ᵉ)s?\b",
        _french,
        only=("fr",),
    ),
    # "3º piso", "2.ª", "3er piso", "5to"; "hace 20º" are degrees
    Rule(
        r"(?:(?P<before>\b(?i:el|la|del|al|su|mi|tu|un|lo|quedó|llegó|terminó|acabó)(?=\s)|^(?=[0-9]{1,3}º\W*$))\s?)?"
        r"(?<![\w.,−-])(?P<rank>[0-9]{1,3})(?P<sign>\.?ª|\.º|º(?!\s?[CF]\b)"
        rf"(?(before)|(?=(?:\s[yo]\s[0-9]{{1,3}}\.?º)?\s(?:{any_of(spanish.RANKED)}|[ABD])\b))"
        rf"|°(?=\s{any_of(spanish.RANKED)}\b)"
        r"|(?:\.?er|(?<=[137])r[oa]|(?<=1)era|(?<=2)d[oa]|(?<=[456])t[oa]|(?<=7)m[oa]|(?<=8)v[oa]"
        rf"|(?<=9)n[oa]|a(?=\s{any_of(spanish.RANKED)}\b))\b)"
        rf"(?:(?<=r)\.(?=\s[{LOWER}]))?(?P<noun>(?=\s[{LOWER}]{{3}}))?",
        _spanish,
        only=("es",),
    ),
    # "dal 1° al 5"
    Rule(
        r"\b((?i:il|dal|al|del|nel|ogni))\s1°(?!\s?[CF]\b)",
        lambda found, _: f"{found[1]} primo",
        only=("it",),
    ),
    # "3º piano", "2ª", "il 3º", "3° piano"; "20º" are degrees
    Rule(
        r"(?:(?P<before>\b(?i:il|al|del|dal|nel|lo|la|ogni)(?=\s)|^(?=[0-9]{1,3}º\W*$))\s?)?"
        r"(?<![\w.,−-])(?P<rank>[0-9]{1,3})(?:\.?(?P<sign>[ºª])|[°ao](?=\s))"
        rf"(?=\s(?P<noun>{any_of(italian.RANKED)})\b|(?<=ª)|(?<=º)(?(before)(?!\s?[CF]\b)|(?!)))",
        _italian,
        only=("it",),
    ),
    # "anni '90"
    Rule(r"(?<!\w)['’](?=[0-9]0\b)", lambda *_: "", only=("fr", "it", "es")),
)
