"""Words as they are searched for: one way to take them out of a text, for storing and for asking.

A word is kept as its stem, by Snowball's rules for the language of the record, and as it stands,
both without case and without accents. Scripts that put no spaces between words (Chinese, Japanese,
Thai, Khmer, ...; Korean joins its particles to them) are kept as pairs of characters, and each by
itself besides, so that any part of a text is found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import Stemmer

LONGEST = 32
"""Characters of a word that count; of the digest of one, 128 bits."""

MOST_CHARACTERS, MOST_PARTS = 1000, 64
"""Of a question, and of words and phrases in it: nobody types more, and each costs a look."""

SNOWBALL = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek",
    "en": "english", "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque",
    "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian", "no": "norwegian",
    "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "st": "sesotho", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""Whose rules are for which language; one that is not here has its words as they stand."""

_ENDINGS = {
    "portuguese": (("coes", "ções"), ("cao", "ção"), ("oes", "ões"), ("ao", "ão")),
    "french": (("ites", "ités"), ("ite", "ité")),
    "catalan": (("cio", "ció"), ("sio", "sió")),
    "romanian": (("tie", "ție"), ("tii", "ții")),
}
"""Endings that people type without their accents, which Snowball's rules wait for."""

_DIGRAPHS = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"}
_WITH_DIGRAPHS = ("german", "danish", "norwegian", "swedish")

_LETTERS = str.maketrans(
    {
        "ı": "i", "ł": "l", "đ": "d", "ø": "o", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d",
        "ħ": "h", "ŧ": "t", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ٱ": "ا", "ـ": None,
    }
)  # fmt: skip
"""Letters that Unicode does not take apart, as they are typed without their strokes."""

_MARKS = re.compile(
    "(?<![\u0400-\u04ff\u3040-\u30ff])[\u0300-\u036f]|(?<=[\u0400-\u04ff])\u0308"
    "|[\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670]"
)
"""Accents of Latin and Greek letters, the dots of ё (й is a letter), vowels of Hebrew and Arabic.
Marks of other scripts are letters like any other."""

_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u19e0-\u19ff\u2e80-\u2fdf\u3005-\u3007"
    "\u3040-\u318f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7ff"
    "\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)

_ASCII_WORDS = re.compile("[a-z0-9]+")
_QUOTED = re.compile('["\u201c\u201d\u201e\u00ab\u00bb]([^"\u201c\u201d\u201e\u00ab\u00bb]*)')

PREFIXES = 2
"""Characters that the beginning of a word has at least: one is the beginning of everything."""


class QuestionError(ValueError):
    """This cannot be asked for; the message says why, and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, or what stands between two that are written with spaces."""

    text: str
    unspaced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LineWords:
    """The words of a line."""

    spoken: tuple[str, ...]
    """Stems and pairs, in their order."""

    besides: tuple[str, ...]
    """By which it is found, too, in no order."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that follow each other; ``begins``: the last is the beginning of one."""

    words: tuple[str, ...]
    begins: bool = False


Question = Sequence[Sequence[Term]]
"""All of these, each in one of its forms."""


def words_of(text: str, language: str) -> LineWords:
    """Return the words of a text.

    Args:
        text: What was said.
        language: A BCP 47 tag; ``""`` if it is not known.
    """
    rules = _rules(language)
    spoken: list[str] = []
    besides: set[str] = set()
    digits: list[str] = []
    for piece in _pieces(text):
        if piece.unspaced:
            spoken += _pairs(piece.text)
            besides.update(piece.text)
        else:
            stem, plain = _stem(piece.text, rules), _plain(piece.text)
            spoken.append(stem)
            besides.add(plain)
        if piece.text.isdigit() and not piece.unspaced:
            digits.append(piece.text)
        else:
            besides.update(_joined(digits))
            digits.clear()
    besides.update(_joined(digits))
    return LineWords(spoken=tuple(spoken), besides=tuple(sorted(besides - set(spoken))))


def question(text: str, languages: Iterable[str], *, whole_words: bool = False) -> Question:
    """Return what is asked for: words and "phrases", all of which are wanted.

    Args:
        text: As somebody typed it. What stands in quotes is a phrase, ``*`` behind a word makes it
            the beginning of one; nothing else has a meaning.
        languages: Tags of those in which it may have been said.
        whole_words: Whether beginnings of words cannot be looked up.

    Raises:
        QuestionError: If there is no word in it, or too many.
    """
    if len(text) > MOST_CHARACTERS:
        raise QuestionError(f"at most {MOST_CHARACTERS} characters")
    rules = sorted({_rules(language) for language in languages} | {""})
    found: dict[tuple[Term, ...], None] = {}
    for part, quoted in _parts(text):
        begins = not quoted and part.endswith("*")
        for forms in _forms(part, rules, begins=begins, whole_words=whole_words):
            found[forms] = None
    if not found:
        raise QuestionError("there is no word in it")
    if len(found) > MOST_PARTS:
        raise QuestionError(f"at most {MOST_PARTS} words")
    return tuple(found)


def matches(words: LineWords, asked: Question) -> int:
    """Return how many of the words and phrases that were asked for stand in a line."""
    every = {*words.spoken, *words.besides}
    return sum(any(_stands(words.spoken, every, term) for term in forms) for forms in asked)


def _stands(spoken: Sequence[str], every: set[str], term: Term) -> bool:
    if term.begins:
        return any(word.startswith(term.words[0]) for word in every)
    if len(term.words) == 1:
        return term.words[0] in every
    first, n = term.words[0], len(term.words)
    return any(
        word == first and tuple(spoken[at : at + n]) == term.words for at, word in enumerate(spoken)
    )


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """Yield what stands between spaces, and what stands in quotes; the last need not be closed."""
    at = 0
    while (opened := _QUOTED.search(text, at)) is not None:
        yield from ((word, False) for word in text[at : opened.start()].split())
        yield opened[1], True
        at = opened.end() + 1
    yield from ((word, False) for word in text[at:].split())


def _forms(
    part: str, rules: Sequence[str], *, begins: bool, whole_words: bool
) -> Iterator[tuple[Term, ...]]:
    """Yield, for each series of words in a part of a question, the forms in which it is found."""
    pieces = list(_pieces(part))
    for unspaced, group in groupby(pieces, key=lambda piece: piece.unspaced):
        series = [piece.text for piece in group]
        if unspaced:
            yield from ((Term(tuple(_pairs(one))),) for one in series)
            continue
        forms = dict.fromkeys(Term(form) for rule in rules for form in _variants(series, rule))
        if len(series) > 1 and all(word.isdigit() for word in series):
            forms |= dict.fromkeys(Term((one,)) for one in _joined(series))
        if begins and len(series) == 1 and series[0] == pieces[-1].text:
            if whole_words:
                raise QuestionError("what is encrypted is found by whole words: leave out the *")
            start = _plain(series[0])
            if len(start) < PREFIXES:
                raise QuestionError(f"at least {PREFIXES} letters before a *")
            forms[Term((start,), begins=True)] = None
        yield tuple(forms)


def _variants(series: Sequence[str], rule: str) -> Iterator[tuple[str, ...]]:
    """Yield words as they may have been stored by the rules of a language."""
    yield tuple(_stem(word, rule) for word in series)
    plain = [_plain(word) for word in series]
    yield tuple(_stem(_with_accents(word, rule), rule) for word in plain)
    if rule not in _WITH_DIGRAPHS:
        return
    longer, shorter = list(series), list(plain)
    for letter, two in _DIGRAPHS.items():
        longer = [word.replace(letter, two) for word in longer]
        shorter = [word.replace(two, two[0]) for word in shorter]
    yield tuple(_stem(word, rule) for word in longer)
    yield tuple(_stem(word, rule) for word in shorter)


def _rules(language: str) -> str:
    """Return whose rules are those of a language; ``""`` if nobody's."""
    return SNOWBALL.get(re.split("[-_]", language.lower(), maxsplit=1)[0], "")


def _pieces(text: str) -> Iterator[Piece]:
    """Yield what a text consists of, without what is neither letter nor digit."""
    if text.isascii():
        yield from (Piece(word, unspaced=False) for word in _ASCII_WORDS.findall(text.lower()))
        return
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold())
    for kind, group in groupby((c for c in text if _kind(c) != "f"), key=_kind):
        if kind:
            word = "".join(map(_digit, group))
            if any(map(str.isalnum, word)):  # and not a mark alone
                yield Piece(word, unspaced=kind == "u")


@lru_cache(4096)
def _kind(char: str) -> str:
    """Return what a character is.

    ``w`` is what words consist of, ``u`` the same of a script without spaces, ``f`` is not seen
    (joiners, soft hyphens), ``""`` all else.
    """
    category = unicodedata.category(char)
    if category == "Cf" or "\ufe00" <= char <= "\ufe0f":
        return "f"
    if category[0] not in "LMN":
        return ""
    return "u" if _UNSPACED.match(char) else "w"


def _digit(char: str) -> str:
    value = unicodedata.digit(char, None)
    return char if value is None or char.isascii() else str(value)


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)] or [run]


def _joined(digits: Sequence[str]) -> list[str]:
    """Return a number that is written in groups as one, if it is."""
    return ["".join(digits)[:LONGEST]] if len(digits) > 1 else []


@lru_cache(65536)
def _stem(word: str, rule: str) -> str:
    """Return what a word is kept as. Few words make up most of what is said."""
    if rule and not word.isdigit():
        word = Stemmer.Stemmer(rule, 0).stemWord(word[:64])  # one of its own: it is no thread's
    return _plain(word)


def _with_accents(word: str, rule: str) -> str:
    for typed, meant in _ENDINGS.get(rule, ()):
        if word.endswith(typed):
            return word.removesuffix(typed) + meant
    return word


@lru_cache(65536)
def _plain(word: str) -> str:
    """Return a word without accents."""
    if not word.isascii():
        taken_apart = unicodedata.normalize("NFD", word)
        word = unicodedata.normalize("NFC", _MARKS.sub("", taken_apart)).translate(_LETTERS)
    return word[:LONGEST]
