"""Whom a sentence calls: "Linden, are you open?" calls one, "Linden is open" nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipelines.text.cldr import days
from pipelines.turn_taking.expectation_words import questions_in
from pipelines.turn_taking.names_heard import (
    MAYBE,
    SURELY,
    NameHeard,
    may_be_ours,
    names_in,
    nearest_name,
)
from pipelines.turn_taking.sentences import (
    BY_ORDER,
    SaidSentence,
    asks_by_order,
    is_inverted,
    without_calls,
)
from pipelines.turn_taking.words_by_language import LanguageWords, primary, spoken_words

_LAST_NAME_CALLED = re.compile(r",\s+([^\W\d_]\w+)\s*[.!?…]*$")
_FIRST_NAME_CALLED = re.compile(r"^[¿¡\s]*([^\W\d_]\w+(?: [^\W\d_]\w+)?),\s")
_NAME_CALLED_INSIDE = re.compile(r",\s+([^\W\d_]\w+),")
_NO_NAMES = ("I", "Sie", "OK", "Okay")
"""What is written as names are, and is none; nor are the days of the week."""

OPENING = 2
"""Words before the first comma of a sentence, of which the last may be a name: "hey Clara"."""

LOOKS_AT = 30
"""Words before and after a name that tell whether it calls somebody: no name costs more than so
many, in however long a turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """Whose names there are in a sentence."""

    ours: bool | None = None
    """Whether it is the agent that is called, last; None if nobody is."""

    sure: bool = True
    """Whether somebody is called for sure; not where a word begins a sentence as a name does."""

    maybe: bool = False
    """Whether a word that calls somebody may be the agent's name, and may be none."""

    talked_of: bool = False
    """Whether the agent is talked of."""


def naming(sentence: SaidSentence, ours: Sequence[str], others: Sequence[str]) -> Naming:
    """Return who is called in a sentence, and whether the agent is talked of.

    Args:
        sentence: It.
        ours: What the agent is called, beside what agents are called.
        others: What the others are called.
    """
    found = [
        name
        for name in names_in(sentence.words, ours, others, sentence.known.addressing.assistants)
        if name.exact or not _is_opener(sentence.words[name.start], sentence.known)
    ]
    starts = {name.start for name in found}
    called = [
        name.ours for name in found if _is_called(sentence, name, subject=name.end + 1 in starts)
    ]
    if called:
        return Naming(ours=called[-1])
    ours_found = [name for name in found if name.ours]
    if not found:
        return _by_sound(sentence, ours, others)
    return Naming(
        talked_of=bool(ours_found), maybe=any(_may_be_asked(sentence, name) for name in ours_found)
    )


def _may_be_asked(sentence: SaidSentence, name: NameHeard) -> bool:
    """Return whether a name may call somebody who is asked, though no mark says so.

    "Bruno is breakfast included." is what a transcriber writes of a question.
    """
    known, rest = questions_in(sentence.language), " ".join(sentence.words[name.end :])
    opens = not without_calls(" ".join(sentence.words[: name.start][:LOOKS_AT]), sentence.known)
    by_order = primary(sentence.language) in BY_ORDER and opens and not name.bound
    return by_order and known is not None and known.is_polar(rest)


def _by_sound(sentence: SaidSentence, ours: Sequence[str], others: Sequence[str]) -> Naming:
    """Return who is called by a word that is nobody's name."""
    if _calls_people(sentence):
        return Naming(ours=False)
    stranger, sure = _called_stranger(sentence)
    for word in filter(None, (stranger, _called_inside(sentence))):
        if (nearest := nearest_name(word, ours, others)) is not None:
            return Naming(ours=nearest.ours)
    found = _by_opening(sentence, ours, others)
    if found is not None or not stranger:
        return found or Naming()
    if _is_perhaps_ours(stranger, ours, others):
        return Naming(ours=True, sure=False)
    maybe = may_be_ours(stranger, ours)
    return Naming(maybe=True) if maybe else Naming(ours=False, sure=sure)


def _by_opening(
    sentence: SaidSentence, ours: Sequence[str], others: Sequence[str]
) -> Naming | None:
    """Return who is called by the words that a sentence begins with, or ends with; None if none."""
    for word, rest in _openings(sentence):
        nearest = nearest_name(word, ours, others, SURELY)
        told = replace(sentence, words=rest)
        if nearest is not None and (told.asks or (len(rest) > 1 and told.requests)):
            return Naming(ours=nearest.ours)
        if nearest is not None and nearest.ours:
            return Naming(maybe=True)
        if told.asks and _is_perhaps_ours(word, ours, others):
            return Naming(ours=True, sure=False)
    return None


def _is_perhaps_ours(word: str, ours: Sequence[str], others: Sequence[str]) -> bool:
    nearest = nearest_name(word, ours, others, MAYBE)
    return nearest is not None and nearest.ours


def called_alone(
    sentence: SaidSentence, ours: Sequence[str], others: Sequence[str], within: float
) -> Naming | None:
    """Return who is called by a sentence that is a word or two, and no more; None if nobody is.

    As where a transcriber hears "Is it far? Claire.", or "Blend in. Is it far?" for Linden.

    Args:
        sentence: It; there is a question beside it.
        ours: What the agent is called.
        others: What the others are called.
        within: How unlike a name it may sound.
    """
    words = sentence.bare.split()
    if not 0 < len(words) <= OPENING or _is_opener(sentence.text, sentence.known):
        return None
    nearest = nearest_name("".join(words), ours, others, within)
    return None if nearest is None else Naming(ours=nearest.ours)


def is_a_name(sentence: SaidSentence, others: Sequence[str]) -> bool:
    """Return whether a sentence is a name of theirs, perhaps with another word, and no more."""
    found = names_in(sentence.words, (), others)
    rest = len(sentence.words) - sum(name.end - name.start for name in found)
    return bool(found) and not sentence.asks and rest <= 1


def _is_called(sentence: SaidSentence, name: NameHeard, *, subject: bool) -> bool:
    """Return whether a name calls somebody.

    Args:
        sentence: Where it stands.
        name: It.
        subject: Whether another name stands behind the word that follows it: "Ann, did Ben call?".
    """
    words = sentence.known.addressing
    first = max(0, name.start - LOOKS_AT)
    before = " ".join(sentence.words[first : name.start])
    after = sentence.words[name.end : name.end + LOOKS_AT]
    paused = name.start in sentence.pauses
    opens = not (first or without_calls(before, sentence.known))
    if name.bound or (not opens and not paused and words.mentions.search(before)):
        return False
    if not after:
        return paused or opens or sentence.asks or sentence.requests
    return _is_called_before(sentence, after, opens=opens, name=name, subject=subject)


def _is_called_before(
    sentence: SaidSentence, after: Sequence[str], *, opens: bool, name: NameHeard, subject: bool
) -> bool:
    """Return whether a name calls somebody that has other words after it."""
    rest, words = " ".join(after), sentence.known.addressing
    turns, told = words.turns_to.match(rest), words.told_of.match(rest)
    paused_before, paused_after = name.start in sentence.pauses, name.end in sentence.pauses
    if turns and (paused_after or sentence.asks or told is None or turns.end() > told.end()):
        return True
    if paused_after:
        return opens or paused_before or sentence.asks
    if not sentence.asks:
        asks = asks_by_order(sentence.language, after)
        return opens and (asks or replace(sentence, words=after).requests)
    return opens and (told is None or subject or is_inverted(after))


def _called_stranger(sentence: SaidSentence) -> tuple[str, bool]:
    """Return by which words somebody is called whose name is not known, by how it is written.

    ``""`` if nobody is; and whether that is sure. At the beginning of a sentence it is not, since
    all words are written so there.
    """
    last = _LAST_NAME_CALLED.search(sentence.raw)
    if last is not None and last[1][0].isupper():
        is_none = last[1] in _NO_NAMES or last[1] in days(sentence.language)
        return ("", False) if is_none else (last[1].casefold(), True)
    first = _FIRST_NAME_CALLED.match(sentence.raw)
    words = first[1].split() if first is not None else []
    if not words or not all(word[0].isupper() for word in words):
        return "", False
    if any(_is_opener(word, sentence.known) for word in (" ".join(words), *words)):
        return "", False
    told = replace(sentence, words=sentence.words[len(words) :])
    calls = told.asks or (len(told.words) > 1 and told.requests)
    return ("".join(words).casefold() if calls else ""), False


def _called_inside(sentence: SaidSentence) -> str:
    """Return the word between two commas that is written as a name is; ``""`` if there is none."""
    found = _NAME_CALLED_INSIDE.search(sentence.raw)
    named = found is not None and found[1][0].isupper() and found[1] not in _NO_NAMES
    return found[1].casefold() if found is not None and named else ""


def _calls_people(sentence: SaidSentence) -> bool:
    """Return whether somebody is called by what is no name, and no agent: "Mum, is it far?"."""
    skipped = len(sentence.words) - len(sentence.bare.split())
    first = min((pause for pause in sentence.pauses if pause > skipped), default=skipped)
    last = max(sentence.pauses, default=len(sentence.words))
    people = sentence.known.addressing.people
    ends = (sentence.words[skipped:first], sentence.words[last:])
    return any(people.fullmatch(" ".join(words)) for words in ends)


def _openings(sentence: SaidSentence) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the words at the beginning that may be a name taken for others, and what follows each.

    That is one word or two before a comma, behind what comes before a name that is called: "I
    claire, is it far?", "Okay, when then, is it far?"; or the first, before words that turn to
    somebody: "Clear what does it cost".
    """
    words = sentence.words
    skipped = len(words) - len(sentence.bare.split())
    for start in dict.fromkeys((skipped, 0)):
        at = min((pause for pause in sentence.pauses if pause > start), default=0)
        if 0 < at - start <= OPENING:
            opening = words[start:at]
            if not _is_opener(" ".join(opening), sentence.known):
                yield "".join(opening), words[at:]
                yield opening[-1], words[at:]
    last = max(sentence.pauses, default=0)
    if last and len(words) - last == 1 and not _is_opener(words[last], sentence.known):
        yield words[last], words[:last]
    rest = words[skipped + 1 :]
    turns = sentence.known.addressing.turns_to.match(" ".join(rest))
    if turns and not _is_opener(words[skipped], sentence.known):
        yield words[skipped], rest


def _is_opener(word: str, known: LanguageWords) -> bool:
    """Return whether a word is one that sentences begin with, and no name."""
    said, words = " ".join(spoken_words(word)), known.addressing
    lists = [known.hellos, known.closing, known.whole, known.trailing, words.calls, words.concludes]
    lists += [
        words.people,
        words.requests,
        words.holds,
        words.turns_to,
        words.among,
        words.takes,
        words.muses,
    ]
    return said in known.backchannels or any(one.fullmatch(said) for one in lists)
