"""Turn what a language model wrote into what a person would read out."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache

from pipelines.text.speakable_words import LANGUAGES, Language, cardinal, ordinal, year

MOST_DIGITS = 15
"""Of a number that is read as one; a longer one is read digit by digit."""

PIECE = 500
"""Characters that are read at once: longer than sentences are."""

_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]


def speakable(text: str, language: str = "en", pronounce: Mapping[str, str] | None = None) -> str:
    """Return ``text`` as it is read out; ``""`` if there is nothing to read.

    Markdown, HTML, emoji and bare links go or become words in any language. Numbers, dates, times,
    amounts, telephone numbers and addresses become words in English, German, Spanish and French.
    The time it takes grows with the length of the text alone. Never raises.

    Args:
        text: A sentence or several.
        language: BCP 47 tag.
        pronounce: Words, and what to say in their place; case does not matter, the longest wins.
    """
    subtag = language.partition("-")[0].lower()
    month_first = language.lower() in ("en", "en-us")
    rules = _rules(subtag, month_first=month_first) if subtag in LANGUAGES else ()
    plain = "".join(_read(piece, rules, pronounce or {}) for piece in _pieces(text))
    plain = _rewritten(plain, _LAST)
    return plain if any(char.isalnum() for char in plain) else ""


def _pieces(text: str) -> Iterator[str]:
    """Yield ``text`` in pieces of bounded length: some rules take the square of it."""
    text = re.sub(r"[^\S\n]+", " ", text)
    while len(text) > PIECE:
        end = text.rfind(" ", 1, PIECE) + 1 or PIECE
        yield text[:end]
        text = text[end:]
    yield text


def _read(text: str, rules: tuple[_Rule, ...], pronounce: Mapping[str, str]) -> str:
    text = _without_markup(text)
    if pronounce:
        text = _pronounced(text, pronounce)
    return _rewritten(text, rules)


def _rewritten(text: str, rules: Iterable[_Rule]) -> str:
    for pattern, new in rules:
        text = pattern.sub(new, text)
    return text


# Markup


_MARKUP: tuple[_Rule, ...] = tuple(
    (re.compile(pattern, re.MULTILINE), new)
    for pattern, new in (
        (r"^[ \t]*(?:```|~~~).*$", " "),
        (r"<!--.*?-->|</?[A-Za-z][^<>]*>", " "),
        (r"^[ \t]*(?:[-*_][ \t]*){3,}$", " "),  # a line across
        (r"^[ \t]*\|?[ \t]*:?-{2,}[-| :]*$", " "),  # below the head of a table
        (r"!?\[([^\[\]]*)\]\([^()]*\)", r"\1"),
        (r"<((?:https?://|mailto:)[^<>\s]*)>", r"\1"),
        (r"^[ \t]*(?:#{1,6}[ \t]|>[ \t]?|[-*+•‣◦][ \t]+)+", ""),
        (r"\[[ xX]\][ \t]+", ""),
        (r"^[ \t]*\||\|[ \t]*$", ""),
        (r"[ \t]*\|[ \t]*", ", "),
        (r"`+|\*+|~~+", ""),
        (r"(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)", ""),
        (r"\\(?=[^\w\s])", ""),
    )
)


def _without_markup(text: str) -> str:
    words = html.unescape(_rewritten(text, _MARKUP))
    return "".join(" " if _is_picture(char) else char for char in words)


_READ = frozenset("°©®™№")
"""Signs among the pictures that are more than that."""

_JOINERS = frozenset("\N{ZERO WIDTH JOINER}\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP}")


def _is_picture(char: str) -> bool:
    """Return whether ``char`` is an emoji, part of one, or nothing that has a name."""
    if char in _READ or char.isascii():
        return False
    return char in _JOINERS or unicodedata.category(char) in ("So", "Sk", "Cn", "Co", "Cs", "Cf")


def _pronounced(text: str, pronounce: Mapping[str, str]) -> str:
    said = {word.casefold(): new for word, new in pronounce.items()}
    words = _any_of(tuple(pronounce))
    return words.sub(lambda found: said.get(found[0].casefold(), found[0]), text)


@lru_cache(256)
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)


_LAST: tuple[_Rule, ...] = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (r"[*_`~|\\^{}<>=\[\]#]", " "),
        (r"\s+", " "),
        (r"\s+(?=[,.!?;:])", ""),
        (r"(?:,\s?){2,}", ", "),
        (r",(?=[.!?])", ""),
        (r"^[\s,;:]+|[\s,]+$", ""),
    )
)


# Rules, in their order: what is longest and surest first, bare numbers last.


@lru_cache(16)
def _rules(code: str, *, month_first: bool) -> tuple[_Rule, ...]:
    reader = _Reader(LANGUAGES[code], month_first=month_first)
    return tuple((re.compile(pattern), new) for pattern, new in reader.rules())


_DIGITS = re.compile(r"[0-9]")


class _Reader:
    """The rules of one language."""

    def __init__(self, language: Language, *, month_first: bool) -> None:
        self._language = language
        self._month_first = month_first
        self._months = {name.lower(): n for n, name in enumerate(language.months, 1)}
        if language.code in ("en", "de"):  # in the others, short ones are words
            self._months |= {name[:3].lower(): n for n, name in enumerate(language.months, 1)}
            self._months |= {"sept": 9}

    def rules(self) -> Iterator[tuple[str, Callable[[re.Match[str]], str]]]:
        """Yield patterns and what to put in their place."""
        yield from self._addresses()
        yield from self._calendar()
        yield from self._amounts()
        yield from self._abbreviations()
        yield from self._numbers()

    def _addresses(self) -> Iterator[tuple[str, Callable[[re.Match[str]], str]]]:
        yield r"\b(?:mailto:)?[\w.+-]+@[\w-]+(?:\.[\w-]+)+", self._address
        yield r"\bhttps?://[^\s,;()<>\"]+", self._link
        yield r"\bwww\.[^\s,;()<>\"]+", self._link
        # "example.com/menu": a name of letters, and a domain that is no word of a next sentence
        yield r"\b[A-Za-z][\w-]+(?:\.[\w-]+)*(?<=\.[a-z]{2})(?:/[\w/-]*)?(?!\w)", self._link
        yield (
            r"\b[A-Za-z][\w-]*(?:\.[\w-]+)*?\.(?:com|org|net|info|app|dev|shop|online|biz|edu|gov)"
            r"(?:\.[a-z]{2})?(?:/[\w/-]*)?(?![\w-])",
            self._link,
        )

    def _calendar(self) -> Iterator[tuple[str, Callable[[re.Match[str]], str]]]:
        language = self._language
        names = "|".join(sorted(self._months, key=len, reverse=True))
        month = rf"(?P<month>(?i:{names}))\b"
        if language.code == "en":
            month = rf"(?P<month>{names.title()})\b"
            yield (
                rf"{month}\.?\s(?P<day>[0-3]?[0-9])(?:st|nd|rd|th)?\b(?![:.,]?[0-9]|\s?[ap]\.?m\b)"
                r"(?:,?\s(?P<year>[12][0-9]{3})\b)?",
                self._named_date,
            )
        if language.code in ("en", "de"):
            stop = r"(?:st|nd|rd|th)?(?:\sof)?" if language.code == "en" else r"\."
            yield (
                rf"(?:\b(?P<before>[^\W\d_]+)\s)?\b(?P<day>[0-3]?[0-9]){stop}\s?{month}"
                r"(?:\.(?=\s?[0-9a-z]))?(?:,?\s(?P<year>[12][0-9]{3})\b)?",
                self._named_date,
            )
        yield (
            r"(?<![\w./-])(?P<year>[12][0-9]{3})-(?P<month>[01]?[0-9])-(?P<day>[0-3]?[0-9])"
            r"(?![\w/-])",
            self._date,
        )
        yield (
            r"(?:\b(?P<before>[^\W\d_]+)\s)?(?<![\w./-])(?P<day>[0-3]?[0-9])(?P<mark>[./])"
            r"(?P<month>[0-3]?[0-9])(?P=mark)(?P<year>[12][0-9]{3})(?![\w/-])",
            self._date,
        )
        half = r"(?:\s?(?P<half>[AaPp])\.?[Mm]\b(?:\.(?=\s*[^\sA-Z]))?)"
        after = {"de": r"(?:\sUhr\b)?", "fr": r"(?:\s?h\b)?", "es": r"(?:\s?h\b)?"}
        between = r"(?:\s?h\s?|:)" if language.code == "fr" else ":"
        yield (
            r"(?P<first>[0-9]|[0-9]\s?[AaPp]\.?[Mm]\.?|[0-9]\s?[%€h°])\s?[-–—]\s?"
            r"(?=[$€£]?[0-9]{1,2}(?:[:.,][0-9]+)?(?![0-9-]))",
            self._range,
        )
        yield (
            rf"(?<![\w:.,])(?P<hour>[01]?[0-9]|2[0-4]){between}(?P<minute>[0-5][0-9])"
            rf"(?::[0-5][0-9])?(?![0-9:]){after.get(language.code, '')}{half}?",
            self._time,
        )
        if language.code in ("en", "es"):
            yield rf"(?<![\w:.,])(?P<hour>1[0-2]|0?[1-9]){half}", self._time
        if language.code == "de":
            yield r"(?<![\w:.,])(?P<hour>[01]?[0-9]|2[0-4])\sUhr\b", self._time
            yield (
                r"(?<![\w:.,])(?P<hour>[01]?[0-9]|2[0-4])\.(?P<minute>[0-5][0-9])\sUhr\b",
                self._time,
            )
        if language.code == "fr":
            yield r"(?<![\w:.,])(?P<hour>[01]?[0-9]|2[0-4])\s?(?:h|heures?)\b(?!/)", self._time
        if language.days:
            days = "|".join(language.days)
            yield rf"\b({days})\b\.?\s?[-–]\s?(?=(?:{days})\b)", self._from_day
            if language.code == "en":  # in German they are words, but in a range
                yield rf"\b({days})\b(?:\.(?!\s[A-Z])|)", lambda found: language.days[found[1]]
            else:
                yield rf"(?<={language.to}\s)({days})\b", lambda found: language.days[found[1]]

    def _amounts(self) -> Iterator[tuple[str, Callable[[re.Match[str]], str]]]:
        language = self._language
        number, signs = self._number_pattern(), "|".join(map(re.escape, language.currencies))
        scale = rf"(?:\s(?P<scale>{'|'.join(language.scale.split())})\b)?"
        yield rf"(?P<sign>{signs})\s?(?P<number>{number})(?![0-9]){scale}", self._money
        yield (
            rf"(?<![\w.,])(?P<number>{number}){scale}\s?(?P<sign>{signs})(?!\w)",
            self._money,
        )
        yield r"(?<![\w.,:])\+?\(?[0-9]+(?:\)?[ ./-]\(?[0-9]+)*(?![.,:]?[0-9]|\w)", self._phone
        yield (
            rf"(?<=\w)\s?/\s?(?=(?:{'|'.join(language.per_what.split())})\b)",
            lambda _: f" {language.per} ",
        )
        fractions = language.fractions
        yield r"[½⅓⅔¼¾]", lambda found: _ascii_fraction(found[0])
        yield (
            rf"(?<![\w/.,])(?P<whole>[0-9]+\s)?(?P<part>{'|'.join(fractions)})(?![0-9/])",
            lambda found: (
                (f"{found['whole']}{language.ampersand} " if found["whole"] else "")
                + fractions[found["part"]]
            ),
        )
        yield rf"(?P<number>{number})\s?%", lambda f: f"{self._say(f['number'])} {language.percent}"
        units = "|".join(map(re.escape, sorted(language.units, key=len, reverse=True)))
        yield (
            rf"(?<![\w.,])(?P<number>{number})\s?(?P<unit>{units})(?!\w)(?:\.(?=\s[a-zäöü]))?",
            self._unit,
        )
        yield r"(?:#|№\s?|\b[Nn]o\.\s)(?=[0-9])", lambda _: f"{language.number} "

    def _abbreviations(self) -> Iterator[tuple[str, Callable[[re.Match[str]], str]]]:
        language = self._language
        if language.code == "en":  # "In Main St." is a street, "at St. Mary's" is not
            yield (
                r"(?<=\w )([A-Z]\w*) St(?:\.(?=\s[a-z])|(?=\.))",
                lambda found: f"{found[1]} street",
            )
            yield r"\bSt\.(?= [A-Z])", lambda _: "saint"
        shorts = "|".join(map(re.escape, sorted(language.abbreviations, key=len, reverse=True)))
        # The stop stays where it may end the sentence.
        yield (
            rf"(?<![\w.])(?i:({shorts}))(?:\.(?!\s*$|\s[A-ZÄÖÜÉ](?![.\w]))|(?=\.))",
            lambda found: language.abbreviations[found[1].lower()],
        )

    def _numbers(self) -> Iterator[tuple[str, Callable[[re.Match[str]], str]]]:
        language, number = self._language, self._number_pattern()
        yield r"(?<=[0-9])\s?[-–—]\s?(?=[$€£]?[0-9])", lambda _: f" {language.to} "
        yield r"(?<=[0-9])/(?=[0-9])", lambda _: " "
        yield r"(?<=[^\W\d_])–(?=[^\W\d_])", lambda _: f" {language.to} "
        yield r"(?<![\w)])[-−](?=[0-9])", lambda _: f"{language.minus} "
        yield r"(?<!\w)\+(?=[0-9])|(?<=[0-9])\s?\+\s?(?=[0-9])", lambda _: f" {language.plus} "
        yield r"(?:~|≈)\s?(?=[0-9])", lambda _: f"{language.about} "
        yield r"\s?&\s?", lambda _: f" {language.ampersand} "
        if language.code == "en":
            yield r"(?<![\w.,])([0-9]{1,9})(?:st|nd|rd|th)\b", lambda f: ordinal(int(f[1]), "en")
            yield r"(?<!\w)'?((?:1[1-9]|20)?[2-9]0)s\b", self._decade
            yield r"(?<=\b[Ii]n )(1[1-9][0-9]{2}|20[0-9]{2})\b(?![,.]?[0-9])", self._year
            yield r"(?<=\bsince )(1[1-9][0-9]{2}|20[0-9]{2})\b(?![,.]?[0-9])", self._year
        if language.code == "fr":
            yield r"(?<![\w.,])1(?:er|ʳᵉ|re|ère)\b", lambda _: "premier"
            yield r"(?<![\w.,])([0-9]{1,9})(?:e|ème)\b", lambda f: ordinal(int(f[1]), "fr")
        if language.code == "es":
            yield r"(?<![\w.,])([0-9]{1,2})\.?[ºª°]", lambda f: ordinal(int(f[1]), "es")
        yield r"^\s*([0-9]{1,2})[.)]\s+(?=\S)", lambda f: f"{self._say(f[1])}, "  # of a list
        # "3.2.1", an address: each part
        yield (
            r"(?<![\w.])[0-9]+(?:\.[0-9]+){2,}(?![\w.]?[0-9])",
            lambda f: f" {language.dot} ".join(self._say(n) for n in f[0].split(".")),
        )
        yield number, lambda found: f" {self._say(found[0])} "
        yield r"[0-9]", lambda found: f" {cardinal(int(found[0]), language.code)} "

    # How things are said

    def _number_pattern(self) -> str:
        thousands = self._language.thousands
        return rf"(?:[0-9]{{1,3}}(?:{thousands}[0-9]{{3}})+|[0-9]+)(?:[.,][0-9]+)?"

    def _value(self, text: str) -> Decimal:
        """Return the value of what :meth:`_number_pattern` found."""
        grouped = rf"([0-9]{{1,3}}(?:{self._language.thousands}[0-9]{{3}})+)([.,][0-9]+)?"
        if found := re.fullmatch(grouped, text):
            text = re.sub(r"[^0-9]", "", found[1]) + (found[2] or "")
        return Decimal(text.replace(",", "."))

    def _say(self, number: str) -> str:
        """Read a number; digit by digit what has too many, or begins with a nought."""
        if len(_DIGITS.findall(number)) > MOST_DIGITS or re.fullmatch(r"0[0-9]+", number):
            return self._one_by_one(number)
        return self._cardinal(self._value(number))

    def _cardinal(self, value: Decimal) -> str:
        whole = int(value)
        return cardinal(whole if value == whole else value, self._language.code)

    def _one_by_one(self, digits: str) -> str:
        said = (cardinal(int(digit), self._language.code) for digit in _DIGITS.findall(digits))
        return " ".join(said)

    def _counted(self, value: Decimal, names: tuple[str, str]) -> str:
        language, (one, many) = self._language, names
        if value == 1:
            return f"{language.one_feminine if one in language.feminine else language.one} {one}"
        said = self._cardinal(value)
        if language.code == "es":  # the numeral is shorter before what it counts
            said = re.sub("uno$", "un", re.sub("veintiuno$", "veintiún", said))
        return f"{said} {many}"

    def _money(self, found: re.Match[str]) -> str:
        language = self._language
        currency = language.currencies[found["sign"]]
        if len(_DIGITS.findall(found["number"])) > MOST_DIGITS:
            return f"{self._one_by_one(found['number'])} {currency.many}"
        value = self._value(found["number"])
        if found["scale"]:
            said = f"{self._say(found['number'])} {found['scale']}{language.of}{currency.many}"
            return re.sub(r"\bde (?=eu)", "d'", said) if language.code == "fr" else said
        whole, cents = divmod(value * 100, 100)
        if cents != int(cents):
            return f"{self._cardinal(value)} {currency.many}"
        parts = self._counted(cents, (currency.cent, currency.cents))
        if cents and not whole:
            return parts
        said = self._counted(whole, (currency.one, currency.many))
        if not cents:
            return said
        if language.code in ("de", "fr"):  # "zwölf Euro fünfzig"
            parts = cardinal(int(cents), language.code)
        return said + language.and_cents.format(parts)

    def _unit(self, found: re.Match[str]) -> str:
        if len(_DIGITS.findall(found["number"])) > MOST_DIGITS:
            return f"{self._one_by_one(found['number'])} {self._language.units[found['unit']][1]}"
        return self._counted(self._value(found["number"]), self._language.units[found["unit"]])

    def _phone(self, found: re.Match[str]) -> str:
        """Read a telephone number or a code digit by digit, its groups apart; leave other numbers.

        "555-0123" is "five five five, zero one two three", and so is "5550123".
        """
        text, language = found[0], self._language
        if re.fullmatch(rf"[0-9]{{1,3}}(?:{language.thousands}[0-9]{{3}})+", text):
            return text
        groups = re.findall(r"[0-9]+", text)
        digits = sum(map(len, groups))
        match groups:
            case [one]:  # a postcode, an order; but 10000 is an amount
                spelt = one[0] == "0" < one
                spelt = spelt or (digits >= 5 and not (digits < 8 and one.endswith("000")))
                groups = re.findall(r"[0-9]{3}(?=[0-9]{3})|[0-9]+", one)
            case [first, second]:
                spelt = ((len(first), len(second)) == (3, 4) and "-" in text) or (
                    text[0] in "0+" and digits >= 5
                )
            case [_, *others]:
                spelt = digits >= 7 and min(map(len, others)) >= 2
            case _:
                spelt = False
        if not spelt:
            return text
        plus = f"{language.plus} " if "+" in text else ""
        return plus + ", ".join(self._one_by_one(group) for group in groups)

    def _range(self, found: re.Match[str]) -> str:
        return f"{found['first']} {self._language.to} "

    def _from_day(self, found: re.Match[str]) -> str:
        return f"{self._language.days[found[1]]} {self._language.to} "

    def _time(self, found: re.Match[str]) -> str:
        parts = found.groupdict()
        minute, half = int(parts.get("minute") or 0), (parts.get("half") or "").lower()
        return self._language.time(int(parts["hour"]), minute, half)

    def _named_date(self, found: re.Match[str]) -> str:
        return self._dated(found, self._months[found["month"].lower()], int(found["day"]))

    def _date(self, found: re.Match[str]) -> str:
        parts = found.groupdict()
        month, day = int(found["month"]), int(found["day"])
        if parts.get("mark") == "/" and day <= 12 and (self._month_first or month > 12):
            month, day = day, month
        return self._dated(found, month, day)

    def _dated(self, found: re.Match[str], month: int, day: int) -> str:
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return found[0]
        parts = found.groupdict()
        before = parts.get("before") or ""
        of_year = int(parts["year"]) if parts["year"] else None
        said = self._language.date(day, month, of_year, before)
        if self._language.code == "en" and before.lower() == "the":
            said = re.sub(r"^(\w+) ([\w-]+)", r"\2 of \1", said)
        return f"{before} {said}".strip()

    def _decade(self, found: re.Match[str]) -> str:
        said = year(int(found[1]), "en")
        return said[:-1] + "ies" if said.endswith("y") else said + "s"

    @staticmethod
    def _year(found: re.Match[str]) -> str:
        return year(int(found[1]), "en")

    def _address(self, found: re.Match[str]) -> str:
        language = self._language
        names = {"@": language.at, ".": language.dot, "-": language.hyphen}
        names |= {"_": language.underscore, "+": language.plus}
        text = found[0].removeprefix("mailto:")
        return re.sub(r"[@.+_-]", lambda mark: f" {names[mark[0]]} ", text)

    def _link(self, found: re.Match[str]) -> str:
        """Read the host and the path; nobody listens to a query."""
        language = self._language
        text = re.sub(r"^https?://(?:www\.)?|^www\.", "", found[0])
        end = re.search(r"[.!?…:'»”)\]]*$", text)
        mark = end[0] if end else ""
        text = re.split(r"[?#]", text.removesuffix(mark))[0].rstrip("/")
        names = {".": language.dot, "/": language.slash, "-": language.hyphen}
        names |= {"_": language.underscore}
        return re.sub(r"[./_-]", lambda sign: f" {names[sign[0]]} ", text) + mark


def _ascii_fraction(sign: str) -> str:
    return " " + unicodedata.normalize("NFKC", sign).replace("\N{FRACTION SLASH}", "/")
