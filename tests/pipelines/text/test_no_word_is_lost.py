"""No word of a text is lost in reading it out, unless a rule says that it takes it.

Each rule is watched: what it found, and what it put there. A word that is found and not put back
has to be one of those that rules of its kind take, by the table below. The text between two finds
cannot change; so what is missing in the end was either taken, or dropped by nobody's rule.
"""

from __future__ import annotations

import pkgutil
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.text import cldr, rules
from pipelines.text.characters import familiar, visible
from pipelines.text.currencies import signs
from pipelines.text.languages import LANGUAGES, language_of
from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.leftovers import without_leftovers
from pipelines.text.markup import tidied, without_markup
from pipelines.text.replacements import Replacement, replaced
from pipelines.text.rules.rule import Rule
from pipelines.text.speakable import BEFORE_MARKUP, OF_WORDS, ORDER, PIECE, speakable
from pipelines.text.units import SIGNS as UNITS


def words(text: str) -> list[str]:
    """Return the words of letters in ``text``."""
    return [word for word in re.findall(r"[^\W\d_]+", back(text)) if word.isalpha()]


def back(text: str) -> str:
    """Return ``text`` with what was put aside for spelling back in its place, in lower case."""
    found = re.compile("[\ue000-\uf8ff]")
    return found.sub(lambda char: chr(ord(char[0]) - 0xE000), text).casefold()


def not_spelt(missing: Counter[str], said: str) -> Counter[str]:
    """Return the words that are not in ``said`` letter by letter either."""
    said = back(said)
    return Counter(
        {
            word: count
            for word, count in missing.items()
            if not re.search(rf"(?<![^\W_]){'[ ,]*'.join(word)}(?![^\W_])", said)
        }
    )


def keys(table: Mapping[str, object]) -> str:
    return "|".join(re.escape(word) for key in table for word in words(key)) or "(?!)"


def none(_: SpokenLanguage) -> str:
    return "(?!)"


TAKES: Mapping[str, Callable[[SpokenLanguage], str]] = {
    "abbreviations": lambda language: f"{keys(language.abbreviations)}|st|no",
    "addresses": lambda _: "https?|www|mailto",
    "codes": lambda _: "no|nr|núm|n",
    "dates": lambda language: (
        "st|nd|rd|th|of|t|z|s|utc|sept|"
        + keys(dict.fromkeys((*cldr.months(language.code), *cldr.short_months(language.code))))
        + "|"
        + keys(language.months_short)
    ),
    "keys": lambda _: "x+",  # a mask: xxxx 1234
    "money": lambda language: (
        f"{keys(signs(language))}|{keys(language.scales)}|{language.thousand.replace(' ', '|')}|"
        f"{keys(language.per_signs)}|us|a|c|m|n"
    ),
    "ordinals": lambda _: (
        "(?:st|nd|rd|th|er|ʳᵉ|re|[èe]re|e|è|i?[èe]me|nd|nde|ᵉ|r[oa]|era|d[oa]|t[oa]|m[oa]|v[oa]|n[oa]"
        "|[ao])?s?"
    ),
    "proportions": lambda _: "x",
    "quantities": lambda language: (
        f"{keys(language.units)}|{keys(UNITS)}|{keys(language.per_signs)}"
    ),
    "signs": lambda _: "x|e|c|s|nº?s?",
    "times": lambda _: "a|p|m|am|pm|uhr|h|heures?|t|z",
    "versions": lambda _: "v",
    "weekdays": lambda language: (
        f"m|f|l|j|v|s|d|{keys(dict.fromkeys(cldr.short_days(language.code)))}|{keys(language.days_short)}"
    ),
}
"""Words that rules of a kind put others in place of. Rules of a kind that is not here take none."""

NAMES = {
    id(import_module(f"{rules.__name__}.{module.name}").RULES): module.name
    for module in pkgutil.iter_modules(rules.__path__)
    if module.name != "rule"
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """What a rule of a kind found, and what it put there."""

    kind: str
    found: str
    put: str

    def missing(self) -> Counter[str]:
        """Return the words that were found and not put back, whole or letter by letter."""
        found = re.split("[?#]", self.found)[0] if self.kind == "addresses" else self.found
        return not_spelt(Counter(words(found)) - Counter(words(self.put)), self.put)


def watched(text: str, language: SpokenLanguage) -> tuple[str, list[Find]]:
    """Read a text out as :func:`speakable` does, and return what the rules found too."""
    finds: list[Find] = []

    def watch(kinds: tuple[tuple[Rule, ...], ...]) -> Iterator[Replacement]:
        for kind in kinds:
            for rule in kind:
                if rule.is_for(language):
                    pattern, read = rule.for_language(language)
                    assert callable(read)
                    yield pattern, noted(NAMES[id(kind)], read)

    def noted(kind: str, read: Callable[[re.Match[str]], str]) -> Callable[[re.Match[str]], str]:
        def note(found: re.Match[str]) -> str:
            finds.append(Find(kind=kind, found=found[0], put=read(found)))
            return finds[-1].put

        return note

    text = re.sub(r"[^\S\n]+", " ", visible(text))
    text = without_markup(replaced(familiar(text), watch(BEFORE_MARKUP)))
    return tidied(without_leftovers(replaced(text, watch(ORDER)))), finds


WORDS = """
    table tisch mesa Tür garçon città soup Ann Müller please bitte and und y et e I a XL
    order Bestellung pedido commande ordine PIN code código codice flight Flug vuelo vol volo
    room account Konto reference booking call dial rufen appelez llame chiami press drücken
    ending in endet auf termina en number version Version Python iOS card license plate is
    your ist es est è no. Nr. St. e.g. Mon Mo May mai 5th 3rd am pm Uhr h to of ratio $ kg km
    m x X v OK USD EUR Louis street C F
"""
NUMBERS = """
    1,234.50 1.234,50 1'234 1,23,456 0049 911 112 9-1-1 16:9 9:30 3/4 10x12 4.8/5 v2.3.1 17.4
    192.168.0.1 2026-11-24 24.12.2026 5/8 ½ ⅞ 10² 1e6 -5 +49 555-0123 1-800 ³ 3× 007
"""
CODES = """
    LH DE89 3704 KXQZPF AB12CD SW1A 1AA B2B 4K mp3 A4 COVID-19 UTF-8 SAVE20 1-800-FLOWERS
    n° nº **** XXXX-1234 #5 *67 *#06# C# C++ a1b2 a@b.de www.a.de/b x³
"""
SIGNS = r"""
    # * < > <= >= = != × ÷ + ± & @ / % § № ™ © → ~ ^ | \ . , : ; ! ? ( ) " ' - – — … ° √ ∞
"""
PARTS = st.one_of(
    *(st.sampled_from(one.split()) for one in (WORDS, NUMBERS, CODES, SIGNS)),
    st.integers(0, 10**9).map(str),
    st.from_regex(r"[A-Z]{1,3}[0-9]{1,4}[A-Z]{0,2}", fullmatch=True),
    st.from_regex(r"[A-Z]{2,4}-[0-9]{1,5}(-[A-Z0-9]{1,4})?", fullmatch=True),
)
TEXTS = st.lists(st.tuples(PARTS, st.sampled_from(["", " ", " ", " "])), max_size=14).map(
    lambda parts: "".join(part + space for part, space in parts)
)


@pytest.mark.parametrize(
    ("found", "put", "missing"),
    [
        ("12 pizzas", "twelve", ["pizzas"]),
        ("12 pizzas", "twelve pizzas", []),
        ("AB12", "\ue041\ue042 one two", []),
        ("AB12", "\ue041 one two", ["ab"]),
    ],
)
def test_a_rule_that_loses_a_word_is_found_out(found: str, put: str, missing: list[str]) -> None:
    """Letters that are spelt are not lost."""
    assert list(Find(kind="signs", found=found, put=put).missing()) == missing


WITHOUT_FIGURES = st.lists(
    st.tuples(
        st.sampled_from([w for w in (WORDS + SIGNS).split() if not any(map(str.isnumeric, w))]),
        st.sampled_from(["", " ", " "]),
    ),
    max_size=8,
).map(lambda parts: "".join(part + space for part, space in parts))


@pytest.mark.parametrize("tag", LANGUAGES)
@settings(derandomize=True, max_examples=200)
@given(text=WITHOUT_FIGURES)
def test_other_rules_find_nothing_without_a_figure(tag: str, text: str) -> None:
    """So that they need not be looked for."""
    language = language_of(tag)
    assert language is not None
    for kind in ORDER:
        if kind not in OF_WORDS:
            rules = [rule.for_language(language) for rule in kind if rule.is_for(language)]
            assert replaced(text, rules) == text


@pytest.mark.parametrize("tag", [*LANGUAGES, "en-us", "de-ch", "es-mx"])
@settings(derandomize=True, max_examples=200)
@given(text=TEXTS)
@example(text="<b")
def test_what_is_missing_was_taken_by_a_rule_that_says_so(tag: str, text: str) -> None:
    """A word is said, or stands in the table; a number is said in words."""
    language = language_of(tag)
    assert language is not None
    said, finds = watched(text, language)
    if len(text) < PIECE:
        assert speakable(text, tag) in (said, "")
    taken: Counter[str] = Counter()
    for find in finds:
        missing = find.missing()
        takes = TAKES.get(find.kind, none)(language).casefold()
        assert all(re.fullmatch(takes, word) for word in missing), (find, missing)
        taken += missing
        if re.search("[0-9]", find.found) and not re.search("[0-9\ue000-\uf8ff]", find.put):
            assert Counter(words(find.put)) - Counter(words(find.found)), find
    written = tidied(without_markup(familiar(visible(text))))
    lost = not_spelt(Counter(words(written)) - Counter(words(said)), said) - taken
    # What stood without a space beside a sign may be one word with its neighbour now
    assert not [word for word in lost if word not in said.casefold()], (said, finds)
