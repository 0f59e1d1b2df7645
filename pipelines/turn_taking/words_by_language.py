"""The words of turn-taking: one file a language, ``languages/es.toml``.

A list has its phrases between commas or at line ends. In a phrase, ``(a|b)`` is one of them and
``[a|b]`` one or none. Accents may be missing in what is heard, but what has one there must have it
in the list: "sí" is heard as "si" at times, "si" never as "sí". A language is added by its file.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.text.sounding_alike import without_accents

LANGUAGES = Path(__file__).with_name("languages")
"""Where the files lie, by primary language subtag."""

_LONGEST_NUMBER = 4
"""Words: "quatre vingt dix sept"."""

_SPOKEN = re.compile(r"[\w']+")
_NEVER = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressingWords:
    """Words that tell to whom of several something is said; patterns as those of greetings."""

    assistants: tuple[str, ...]
    """What an agent is called by those who do not know its name."""

    calls: re.Pattern[str]
    """What comes before a name that is called: "hey", "okay so"."""

    mentions: re.Pattern[str]
    """What comes right before one that is talked of: "ask", "with", "the"."""

    told_of: re.Pattern[str]
    """What comes right after one that is talked of: "said", "and I"."""

    turns_to: re.Pattern[str]
    """What comes right after one that is called, in the middle of a sentence: "can you"."""

    among: re.Pattern[str]
    """What people ask each other, and no agent: "what do you think", "shall we"."""

    requests: re.Pattern[str]
    """The beginning of what an agent is told to do: "please", "book"."""

    orders: re.Pattern[str]
    """The same by the form of its verb."""

    pleads: re.Pattern[str]
    """What goes with a request, wherever in it: "please"."""

    serves: re.Pattern[str]
    """What agents are asked: "do you have", "can you"."""

    you: re.Pattern[str]
    """Words for whoever is spoken to."""

    we: re.Pattern[str]
    """What people ask of themselves; the agent is not among them."""

    familiar: re.Pattern[str]
    """How people ask each other, by the form of the verb."""

    group: re.Pattern[str]
    """What people ask of their group: who of it does what, what it does when and where, whether
    somebody comes along, and what one of them has to do otherwise. An agent rarely knows."""

    facts: re.Pattern[str]
    """What tells that it is the agent all the same who knows: prices, its staff; "if"."""

    people: re.Pattern[str]
    """What people call each other who do not say a name: "mum", "everyone"."""

    takes: re.Pattern[str]
    """The beginning of what settles on something that the agent has offered."""

    muses: re.Pattern[str]
    """The beginning of what people say who think about an answer together."""

    needs: re.Pattern[str]
    """The beginning of what is asked for without asking: "we need", "I'm looking for"."""

    suits: re.Pattern[str]
    """What says that something is right for somebody: "would be good", "works for us"."""

    concludes: re.Pattern[str]
    """The beginning of what people say to the agent once they have agreed: "then", "we'll take"."""

    holds: re.Pattern[str]
    """What says that more is to come, and to whom nobody has to answer: "let me look"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageWords:
    """The words of one language; each pattern is for words as :func:`spoken_words` gives them."""

    whole: re.Pattern[str]
    """The whole transcript."""

    trailing: re.Pattern[str]
    """Its last words."""

    strandable: re.Pattern[str]
    """Those of them that a question may end in: "Which day is it on?"."""

    announced: re.Pattern[str]
    """Last words after which a number, a name or an address has to come."""

    digits: re.Pattern[str]
    """Words that are dictated one by one, digits and letters aside."""

    two_digits: Mapping[str, str]
    """10 to 99 in words, and in digits: "vingt et un" is "21"."""

    backchannels: frozenset[str]
    """What a listener says without wanting the floor, as :func:`joined_words` gives it."""

    hellos: re.Pattern[str]
    """Greetings, wherever they are. This and the following are for words a space apart, too."""

    greetings: re.Pattern[str]
    """They, and what else is said as one picks up: "Yes?", "Who is this?"."""

    introduces: re.Pattern[str]
    """What comes before a name: "this is"."""

    introduced: re.Pattern[str]
    """What comes after one, at the end: "speaking"."""

    wants: re.Pattern[str]
    """Words with which a few words are no name: somebody wants something."""

    closing: re.Pattern[str]
    """Words of whole answers that close: nothing has to follow them, whatever was asked."""

    machines: re.Pattern[str]
    """What answering machines and call screeners say, and nobody who picks up."""

    screeners: re.Pattern[str]
    """What asks who calls, and why, to tell somebody: "say your name and why you're calling"."""

    mailboxes: re.Pattern[str]
    """With which it is asked for a message, by a machine: "leave", "voicemail"."""

    on_hold: re.Pattern[str]
    """What a call screener says once it has heard that: "please stay on the line"."""

    reached: re.Pattern[str]
    """What machines begin with, and people in an office, too: "thank you for calling"."""

    addressing: AddressingWords
    """To whom of several something is said."""


def spoken_words(text: str) -> list[str]:
    """Return the words of ``text``, in lower case; an apostrophe belongs to its word."""
    plain = unicodedata.normalize("NFC", text.casefold()).replace("’", "'")
    return _SPOKEN.findall(plain)


def joined_words(text: str) -> list[str]:
    """Return the words of ``text``, in lower case, what a hyphen or an apostrophe joins as one."""
    plain = unicodedata.normalize("NFC", text.casefold())
    return re.findall(r"\w+", re.sub("['’‐‑-]", "", plain))


def primary(language: str) -> str:
    """Return the primary subtag of a BCP 47 tag: ``es`` of ``es-MX``."""
    return re.split("[-_]", language.strip(), maxsplit=1)[0].casefold()


def words_in(language: str) -> LanguageWords | None:
    """Return the words of turn-taking in a language; None if they are not known.

    The first time that a language is asked for, its file is read and its patterns are made, which
    takes some 40 ms: whoever loads an agent asks, so that no call does.

    Args:
        language: BCP 47 tag.
    """
    return language_words(primary(language))


def with_numerals(words: Sequence[str], language: str) -> list[str]:
    """Return ``words`` with the numbers from 10 to 99 in digits: "vingt et un" is "21".

    Args:
        words: In lower case, parted at hyphens and apostrophes.
        language: BCP 47 tag.
    """
    known = words_in(language)
    if known is None:
        return list(words)
    found, at = [], 0
    while at < len(words):
        for size in range(min(_LONGEST_NUMBER, len(words) - at), 0, -1):
            number = known.two_digits.get(_plain(" ".join(words[at : at + size])))
            if number:
                break
        found.append(number or words[at])
        at += size
    return found


def _phrases(text: str) -> Iterator[str]:
    yield from (phrase.strip() for phrase in re.split(r"[,\n]", text) if phrase.strip())


def _pattern(text: str, *, repeated: bool = False) -> re.Pattern[str]:
    """Return what matches one of the phrases, or several if it may be repeated."""
    phrases = "|".join(map(_phrase, _phrases(text)))
    return re.compile(f"(?:{phrases}){'+' * repeated}") if phrases else _NEVER


def _anywhere(text: str, *, after: str = r"(?=\ |$)") -> re.Pattern[str]:
    """Return what finds whole phrases among words, the longest first."""
    longest_first = sorted(
        _phrases(text), key=lambda phrase: -len(re.sub(r"\|[^)\]]*", "", phrase).split())
    )
    phrases = "|".join(map(_phrase, longest_first))
    return re.compile(f"(?:{phrases}){after}") if phrases else _NEVER


def _phrase(text: str) -> str:
    """Return the pattern of a phrase: each of its words has a space before it, or is the first."""
    return "".join(
        _word(part) if part[0] not in "([" else _choice(part)
        for part in re.findall(r"\([^)]*\)|\[[^]]*\]|[^\s(\[]+", text)
    )


def _choice(text: str) -> str:
    either = "|".join(map(_phrase, text[1:-1].split("|")))
    return f"(?:{either}){'?' * (text[0] == '[')}"


def _word(text: str) -> str:
    return "".join(f"(?:^|\\ ){''.join(map(_char, word))}" for word in spoken_words(text))


def _char(char: str) -> str:
    plain = without_accents(char)
    return re.escape(char) if plain == char else f"(?:{re.escape(char)}|{re.escape(plain)})"


def _plain(text: str) -> str:
    return without_accents(text.casefold())


def _numbers(text: str) -> Iterator[tuple[str, str]]:
    for number, names in enumerate(_phrases(text), start=10):
        for name in names.split("/"):
            yield _plain(name.strip()), str(number)


def _read(path: Path) -> LanguageWords:
    return _of_lists(tomllib.loads(path.read_text(encoding="utf-8")))


def _of_lists(lists: Mapping[str, Any]) -> LanguageWords:
    joined = {" ".join(joined_words(one)) for one in _phrases(lists.get("backchannels", ""))}
    hellos = lists.get("hellos", "")
    return LanguageWords(
        whole=_pattern(lists.get("whole", ""), repeated=True),
        trailing=_pattern(lists.get("trailing", "")),
        strandable=_pattern(lists.get("strandable", "")),
        announced=_pattern(lists.get("announced", "")),
        digits=_pattern(lists.get("digits", "")),
        two_digits=dict(_numbers(lists.get("two_digits", ""))),
        backchannels=frozenset(joined | set(map(without_accents, joined))),
        hellos=_anywhere(hellos),
        greetings=_anywhere(f"{hellos}\n{lists.get('picked_up', '')}"),
        introduces=_anywhere(lists.get("introduces", "")),
        introduced=_anywhere(lists.get("introduced", ""), after="$"),
        wants=_anywhere(lists.get("wants", "")),
        closing=_anywhere(lists.get("closing", "")),
        machines=_anywhere(lists.get("machines", "")),
        screeners=_anywhere(lists.get("screeners", "")),
        mailboxes=_anywhere(lists.get("mailboxes", "")),
        on_hold=_anywhere(lists.get("on_hold", "")),
        reached=_anywhere(lists.get("reached", "")),
        addressing=_addressing(lists.get("addressing", {})),
    )


def _forms(text: str) -> re.Pattern[str]:
    """Return what finds one of the patterns, a line each, at the beginning of a word."""
    forms = "|".join(filter(None, map(str.strip, text.splitlines())))
    return re.compile(rf"\b(?:{forms})") if forms else _NEVER


def _addressing(lists: Mapping[str, str]) -> AddressingWords:
    return AddressingWords(
        assistants=tuple(_phrases(lists.get("assistants", ""))),
        calls=_anywhere(lists.get("calls", "")),
        mentions=_anywhere(lists.get("mentions", ""), after="$"),
        told_of=_anywhere(lists.get("told_of", "")),
        turns_to=_anywhere(lists.get("turns_to", "")),
        among=_anywhere(lists.get("among", "")),
        requests=_anywhere(lists.get("requests", "")),
        orders=re.compile(lists.get("orders", "(?!)")),
        we=re.compile(lists.get("we", "(?!)")),
        familiar=re.compile(lists.get("familiar", "(?!)")),
        group=_forms(lists.get("group", "")),
        facts=re.compile(rf"\b(?:{lists.get('facts', '(?!)')})\b"),
        people=_anywhere(lists.get("people", "")),
        takes=_anywhere(lists.get("takes", "")),
        muses=_anywhere(lists.get("muses", "")),
        pleads=_anywhere(lists.get("pleads", "")),
        serves=_anywhere(lists.get("serves", "")),
        you=_anywhere(lists.get("you", "")),
        needs=_anywhere(lists.get("needs", "")),
        suits=_anywhere(lists.get("suits", "")),
        concludes=_anywhere(lists.get("concludes", "")),
        holds=_anywhere(lists.get("holds", "")),
    )


KNOWN = frozenset(path.stem for path in LANGUAGES.glob("*.toml"))
"""Primary language subtags. In a language that is not here, words tell nothing."""


@cache
def language_words(subtag: str) -> LanguageWords | None:
    """Return the words of a primary language subtag, read once; as :func:`words_in`."""
    return _read(LANGUAGES / f"{subtag}.toml") if subtag in KNOWN else None


NO_WORDS = _of_lists({})
"""Of a language that is not here."""
