"""Sentences as they are said, in the forms in which it is looked at whom they call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.turn_taking.expectation_words import questions_in
from pipelines.turn_taking.words_by_language import LanguageWords, primary, spoken_words

_SENTENCE = re.compile(r"[^.!?…。！？]+[.!?…。！？]*")
_ABBREVIATED = re.compile(r"\b(Dr|Mr|Mrs|Ms|Prof|Sr|Sra|St|Mme|Sig|Dott|Hr|Fr)\.", re.IGNORECASE)
_COMMA = re.compile(r"[,;:–—]")
_ASKING = ("?", "？")

BY_ORDER = ("de", "en", "nl")
"""Languages in which the order of words tells a question that yes or no answers."""

_SUBJECTS = frozenset(
    spoken_words(
        """it that this there the we you i they my our your he she somebody someone anybody
        anyone"""
    )
)
_MODALS = ("can", "could", "would", "should", "will", "shall", "may")
"""What no subject stands behind in English unless it is asked: "could the work start"."""

_ASKED = (["you"], ["we"], ["i"])
"""What stands second in an English question, and in no order: "could you", but "do it"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidSentence:
    """A sentence, in the forms in which it is looked at."""

    raw: str
    words: Sequence[str]
    """In lower case; an apostrophe belongs to its word."""

    pauses: frozenset[int]
    """Numbers of the words before which there is a comma."""

    asks: bool
    """Whether it is a question."""

    known: LanguageWords
    language: str
    """BCP 47 tag."""

    @property
    def text(self) -> str:
        """Its words, a space apart."""
        return " ".join(self.words)

    @property
    def bare(self) -> str:
        """The same without what comes before a name that is called, or a beginning: "okay so"."""
        return without_calls(self.text, self.known)

    @property
    def requests(self) -> bool:
        """Whether it tells somebody to do something."""
        words = self.known.addressing
        if words.requests.match(self.bare) or words.requests.match(self.text):
            return True
        form = words.orders.search(self.bare) or words.pleads.search(self.text)
        return not self.asks and form is not None

    @property
    def is_among_people(self) -> bool:
        """Whether it is a question of a kind that people ask each other, and no agent."""
        words = self.known.addressing
        found = words.among.search(self.text) or words.familiar.search(self.text)
        return self.asks and found is not None

    @property
    def only_greets(self) -> bool:
        """Whether there is nothing but a greeting, or thanks, beside the name it calls."""
        return len(self.bare.split()) <= 1


def sentences_in(text: str, language: str, known: LanguageWords) -> list[SaidSentence]:
    """Return the sentences of a transcript; all of it is one where no marks are written."""
    found = _SENTENCE.findall(_ABBREVIATED.sub(r"\1", text))
    return [_sentence(one, language, known) for one in found if any(map(str.isalnum, one))]


def _sentence(raw: str, language: str, known: LanguageWords) -> SaidSentence:
    words: list[str] = []
    pauses = set()
    for part in _COMMA.split(raw):
        if words:
            pauses.add(len(words))
        words += spoken_words(part)
    asks = _asks(raw.strip(), without_calls(" ".join(words), known), language)
    return SaidSentence(
        raw=raw.strip(),
        words=words,
        pauses=frozenset(pauses),
        asks=asks,
        known=known,
        language=language,
    )


def _asks(raw: str, bare: str, language: str) -> bool:
    """Return whether a sentence is a question: by its mark, or, where there is none, its words."""
    known = questions_in(language)
    if known is None or raw.endswith((*_ASKING, "!", "…", "。", "！")):
        return raw.endswith(_ASKING)
    if raw.endswith("."):  # transcribers write so, too: "Can you hold it until nine."
        whom = bare.split()[1:2]
        return primary(language) == "en" and whom in _ASKED and known.is_polar(bare)
    by_order = primary(language) in BY_ORDER and known.is_polar(bare)
    return by_order or known.open.match(bare) is not None


def asks_by_order(language: str, words: Sequence[str]) -> bool:
    """Return whether words can only be a question, whatever mark stands behind them."""
    return primary(language) == "en" and words[0] in _MODALS and is_inverted(words)


def is_inverted(after: Sequence[str]) -> bool:
    """Return whether a verb is followed by its subject, as in a question: "is that right"."""
    return len(after) > 1 and after[1] in _SUBJECTS


def without_calls(text: str, known: LanguageWords) -> str:
    """Return words without what comes before a name that is called: "hey", "okay so"."""
    at = 0
    while found := known.addressing.calls.match(text, at):
        at = found.end()
        while text[at : at + 1] == " ":
            at += 1
    return text[at:]
