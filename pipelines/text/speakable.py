"""Turn what a language model wrote into what a person would read out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from pipelines.text.characters import familiar, visible
from pipelines.text.languages import language_of
from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.leftovers import without_leftovers
from pipelines.text.markup import tidied, without_markup
from pipelines.text.replacements import Replacement, any_of, replaced
from pipelines.text.rules import (
    abbreviations,
    addresses,
    codes,
    comparisons,
    dates,
    emergency,
    figures,
    grouping,
    keys,
    money,
    ordinals,
    proportions,
    quantities,
    ranges,
    signs,
    spelling,
    telephone,
    times,
    versions,
    weekdays,
)
from pipelines.text.rules.rule import Rule

PIECE = 500
"""Characters that are read at once: longer than sentences are."""

MOST_READ = 4_000
"""Characters of what is read out: services take 4,096, or 5,000 bytes. A sentence of 400 gets there
only if it is made of signs that are whole words; what is beyond is not said."""

BEFORE_MARKUP: tuple[tuple[Rule, ...], ...] = (keys.RULES,)
"""What would be taken for markup."""

ORDER: tuple[tuple[Rule, ...], ...] = (
    addresses.RULES,
    grouping.RULES,
    emergency.RULES,
    codes.RULES,
    versions.RULES,
    proportions.RULES,
    comparisons.RULES,
    weekdays.RULES,
    dates.RULES,
    money.RULES,
    ranges.RULES,
    times.RULES,
    ordinals.RULES,
    quantities.RULES,
    telephone.RULES,
    abbreviations.RULES,
    signs.RULES,
    figures.RULES,
    spelling.RULES,
)
"""The longest and surest first, bare figures and what was put aside for spelling last: a rule
sees what those before it left. A new rule is an entry in one of these; a new kind of thing is a
file, and a line here."""

OF_WORDS: tuple[tuple[Rule, ...], ...] = (
    addresses.RULES,
    codes.RULES,
    comparisons.RULES,
    weekdays.RULES,
    abbreviations.RULES,
    signs.RULES,
    spelling.RULES,
)
"""Those of :data:`ORDER` that find something in a text without a figure, as most sentences are: to
look for the others in it would take three times as long."""


def speakable(text: str, language: str = "en", pronounce: Mapping[str, str] | None = None) -> str:
    """Return ``text`` as it is read out; ``""`` if there is nothing to read.

    Markdown, HTML, emoji and bare links go or become words in any language. Numbers, dates, times,
    amounts, telephone numbers, codes, signs and addresses become words in English, German, Spanish,
    French and Italian. It is :data:`MOST_READ` characters at the most. The time it takes grows with
    the length of the text alone. Never raises.

    Args:
        text: A sentence or several.
        language: BCP 47 tag.
        pronounce: Words, and what to say in their place; case does not matter, the longest wins.
    """
    known = language_of(language)
    read: list[str] = []
    length = 0
    for piece in _pieces(text):
        read.append(_read(piece, known, pronounce or {}))
        length += len(read[-1])
        if length > 2 * MOST_READ:
            break
    plain = tidied("".join(read), keep_signs=known is None)
    if len(plain) > MOST_READ:
        plain = plain[: plain.rfind(" ", 0, MOST_READ + 1)] if " " in plain else plain[:MOST_READ]
    return plain if any(char.isalnum() for char in plain) else ""


def prepare(language: str) -> None:
    """Make ready to read texts in a language: 0.1 s of work, 0.2 for the first language.

    Call it off the event loop, before the first text; without it, that text waits. A language that
    texts are not read in takes nothing.

    Args:
        language: BCP 47 tag.
    """
    if known := language_of(language):
        for kinds in (BEFORE_MARKUP, ORDER, OF_WORDS):
            _rules(known, kinds)


def _pieces(text: str) -> Iterator[str]:
    """Yield ``text`` in pieces of bounded length: some rules take the square of it."""
    text = re.sub(r"[^\S\n]+", " ", visible(text))
    start = 0
    while len(text) - start > PIECE:
        end = text.rfind(" ", start + 1, start + PIECE) + 1 or start + PIECE
        yield text[start:end]
        start = end
    yield text[start:]


def _read(text: str, language: SpokenLanguage | None, pronounce: Mapping[str, str]) -> str:
    if language is not None:
        text = replaced(familiar(text), _rules(language, BEFORE_MARKUP))
    text = without_markup(text)
    if pronounce:
        text = _pronounced(text, pronounce)
    if language is not None:
        kinds = ORDER if any(map(str.isnumeric, text)) else OF_WORDS
        text = replaced(text, _rules(language, kinds))
    return without_leftovers(text)


@lru_cache(64)
def _rules(
    language: SpokenLanguage, kinds: tuple[tuple[Rule, ...], ...]
) -> tuple[Replacement, ...]:
    """Return what the rules of ``kinds`` do to texts of ``language``, in their order."""
    rules = (rule for kind in kinds for rule in kind)
    return tuple(rule.for_language(language) for rule in rules if rule.is_for(language))


def _pronounced(text: str, pronounce: Mapping[str, str]) -> str:
    said = {word.casefold(): new for word, new in pronounce.items()}
    words = _whole_words(tuple(pronounce))
    return words.sub(lambda found: said.get(found[0].casefold(), found[0]), text)


@lru_cache(256)
def _whole_words(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){any_of(words)}(?!\w)", re.IGNORECASE)
