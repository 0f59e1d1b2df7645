"""Cut a reply into sentences while it is being written, so that the first is spoken early."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from pipelines.text.languages.german import ARTICLES, FLOORS, MONTHS, RANKED
from pipelines.text.words import IDEOGRAPH, UNSPACED, UNSPACED_LETTERS, length

LONGEST = 400
"""Characters of a sentence, as :func:`pipelines.text.words.length` counts them; a longer one is cut
where a speaker would breathe. Half a minute of speech, twice the longest that people write for the
ear; services take 4,096 characters or 5,000 bytes, and numbers in words are up to ten times as long
as in figures."""

WIDE_MARKS = "。！？；｡．‼⁇⁈⁉" + "।॥" + "؟۔" + "።፧፨" + "։" + "།༎" + "។៕" + "။" + "\u037e"
"""Marks that end a sentence with or without a space after them: of Chinese and Japanese, of the
languages of India, Arabic and Urdu, Ethiopic, Armenian, Tibetan, Khmer, Burmese; Greek's own
question mark."""

TWO_DOTS = "\u1361\u1361"
"""Ethiopic's full stop as it is typed: its mark between words, twice."""

_MARKS = ".!?…;" + WIDE_MARKS
_CLOSERS = "\"'”’»)\\]」』｣）］】〉》〕"

_CANDIDATE = re.compile(
    rf"""
    \n                              # a line is a sentence, whatever it ends in
    | (?<! [{_MARKS}] )             # from the first of several marks: each is looked at once
      (?P<mark> [{_MARKS}]++ | {TWO_DOTS} | (?<= [\u0561-\u0587] ) : )  # Armenian's, as typed
      (?P<closed> [{_CLOSERS}]*+ (?: [ \u00a0\u202f]» | (?! [ \u00a0\u202f]» ) ) )
                                      # what was opened in a sentence is closed in it
      (?= . )                       # else it is perhaps not yet whole
    | (?<= [{UNSPACED_LETTERS}] ) (?P<gap> [ ]++ ) (?= [{UNSPACED_LETTERS}] )
    """,
    re.VERBOSE | re.DOTALL,
)

_MAY_GO_ON = _MARKS + _CLOSERS + " \u00a0\u202f:\u1361"
"""Characters of a candidate: at the end of the text, more of it may follow."""

_UNSPACED = re.compile(f"[{UNSPACED}]")
_GREEK = re.compile("[\u0370-\u03ff\u1f00-\u1fff]")

PHRASE = 24
"""Characters from which a space ends a sentence in Thai, Lao, Khmer and Burmese: it stands between
phrases, Thai and Lao have no mark for the end of a sentence, two seconds are worth a request."""

_POLITE = re.compile("(?:ค่ะ|คะ|ครับ|คับ|จ้ะ|จ้า)$")
"""What ends a polite sentence in Thai, however short."""

_ABBREVIATION = re.compile(
    r"""
    (?! I $ ) [^\W\d_] (?: \. [^\W\d_] )*     # J, e.g, a.m; not the pronoun
    | approx | apt | ave | blvd | capt | dept | dr | etc | ext | gen | inc | jr | lt | ltd | mrs?
    | ms | mt | prof | rd | rev | sgt | sr | st | tel | vs
    | aug | dec | feb | jan | nov | oct | sept?
    | bzw | ca | evtl | ggf | hr | inkl | mind | nr | str | zzgl            # German
    | ee | rr | ff | aprox | av | avda | dra | n[úu]m | p[áa]g | sra | srta | uds?         # Spanish
    | bd | env | mme | mlle | t[ée]l                                        # French
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""One too many only makes a sentence longer; words that often end one are not here."""

_NUMBERED = frozenset("no vol fig min max art cap chap abs abb kap lám ed sec".split())  # noqa: SIM905
"""What a number follows if it is short for something: "No. 5", or the answer."""

_MAY_BE_SHORT = re.compile(
    r"[^\W\d_a-zß-ÿ][^\W\d_]{0,2}|[b-df-hj-np-tv-z]{1,3}|sigg?|ra|dott|[^\W\d_]+(?:\.[^\W\d_]+)+"
)
"""A word that is short for something if a small letter follows: "Ph.D. is", "il sig. rossi". Other
words do not wait for that letter: a sentence leaves with the white space behind it."""

_RANK = re.compile(r"[0-9]{1,2}|[0-3]?[0-9]\.[01]?[0-9]")
"""What a stop after may be a rank or a date in German, and no end: "3. Mai", "30.11. um zehn"."""

_WORD = re.compile(r" *+([^\W\d_]*+)(.?)", re.DOTALL)

_BREATHS = (re.compile(rf"[,;:–—](?=\s)|[，、：､،؛፣፤፥၊៖{WIDE_MARKS}]"), re.compile(r"\s"))
"""Behind what a sentence that is too long is cut, the better place first."""

_JOINED = frozenset(("Mn", "Me", "Mc", "Cf"))
"""Categories of what belongs to the character before it."""

_LEADING = frozenset("เแโใไເແໂໃໄ\u1039\u17d2")
"""What belongs to the character after it: vowels of Thai and Lao, joints of Burmese and Khmer."""


class SentenceCutter:
    """Take a text in any pieces; give its sentences, each as soon as it is certain.

    A sentence ends at a mark (``.``, ``!``, ``?``) that white space follows, at one of
    :data:`WIDE_MARKS`, at a space between phrases of a script that has no mark, or at the end of a
    line. A stop after an abbreviation, initials or the number of a list item does not end one, nor
    do the dots of an ellipsis, nor a mark inside brackets or quotes that the sentence goes on
    after. One of more than :data:`LONGEST` characters is cut all the same. Nothing but white space
    around a sentence is lost, and where the text was cut makes no difference.

    What a text costs grows with its length alone.
    """

    def __init__(self) -> None:
        self._text = ""
        self._length = 0  # of the text, in characters as LONGEST counts them
        self._decided = 0  # no sentence ends before here

    def feed(self, delta: str) -> list[str]:
        """Return the sentences that are whole by now."""
        whole: list[str] = []
        at = 0
        while at < len(delta):
            # Never more than one character beyond the longest: where a text was cut into deltas
            # makes no difference, and what is searched again does not grow.
            room = LONGEST + 1 - self._length
            end = at + (room if delta.isascii() else max(1, room // IDEOGRAPH))
            self._text += delta[at:end]
            self._length += length(delta[at:end])
            at = end
            whole += self._whole_sentences()
            if self._length > LONGEST:
                whole += filter(None, [self._take(_breath(self._text))])
                whole += self._whole_sentences()
        return whole

    def flush(self) -> list[str]:
        """Return what is left, if anything; a new text may follow."""
        *whole, self._text = *self.feed("\n"), ""
        self._length = 0
        return whole

    def _whole_sentences(self) -> Iterator[str]:
        while found := _CANDIDATE.search(self._text, self._decided):
            ends = None if self._may_close(found) else self._ends_sentence(found)
            if ends is None:
                self._decided = found.start()
                return
            self._decided = found.end()
            if ends and (sentence := self._take(found.end())):
                yield sentence
        self._decided = max(self._decided, len(self._text.rstrip(_MAY_GO_ON)))

    def _take(self, end: int) -> str:
        """Return what is before ``end``, and keep the rest."""
        sentence, self._text = self._text[:end].strip(), self._text[end:]
        self._decided, self._length = 0, length(self._text)
        return sentence

    def _ends_sentence(self, found: re.Match[str]) -> bool | None:
        """Say whether a sentence ends here; None if what follows is needed to know."""
        if found["mark"] is None:
            so_far = self._text[: found.start()].lstrip()
            return not found["gap"] or len(so_far) >= PHRASE or bool(_POLITE.search(so_far))
        before, after = self._text[: found.start()][-1:], self._text[found.end()]
        if found["mark"] == TWO_DOTS or any(mark in WIDE_MARKS for mark in found["mark"]):
            if found["closed"]:
                return _ends_quoted(found["mark"], found["closed"], after)
            return not (found["mark"] == "．" and after.isdigit())
        if not after.isspace():  # inside of a number or an address
            unspaced = _UNSPACED.match(before) and _UNSPACED.match(after)
            return unspaced is not None and _ends(found["mark"])
        stop = found["mark"] != ";" or _GREEK.match(before) is not None
        return stop and self._ends_at_a_stop(found)

    def _may_close(self, found: re.Match[str]) -> bool:
        """Return whether a space is the last so far, and a quote is open that one closes after."""
        if (
            not found["mark"]
            or found["closed"]
            or self._text[found.end() :] not in (" ", "\u00a0", "\u202f")
        ):
            return False
        opened = self._text.rfind("«", 0, found.start())
        return opened >= 0 and "»" not in self._text[opened : found.start()]

    def _ends_at_a_stop(self, found: re.Match[str]) -> bool | None:
        """Say whether a sentence ends at this mark, which white space follows."""
        following = self._text[found.end() :].lstrip(" ")[:1]
        if found["mark"] == ".":
            ends = self._ends_at_a_dot(found, following)
            if ends is not True:
                return ends
        elif not _ends(found["mark"]):
            return False  # an ellipsis
        if found["closed"]:  # "(really!) good", or the end
            return not following.islower() if following else None
        return True

    def _ends_at_a_dot(self, found: re.Match[str], following: str) -> bool | None:
        before = self._text[: found.start()].split()
        word = before[-1].lstrip("\"'“‘«([") if before else ""
        if word.lower() in _NUMBERED:
            return not (following.isdigit() or following.islower()) if following else None
        if _ABBREVIATION.fullmatch(word) or (len(before) == 1 and word.isdigit()):
            return False
        if _RANK.fullmatch(word):
            return self._is_no_rank(before[-2:], found.end())
        if _MAY_BE_SHORT.fullmatch(word) and not found["closed"]:
            return not following.islower() if following else None
        return True

    def _is_no_rank(self, words: list[str], at: int) -> bool | None:
        """Say whether what follows takes no rank; None while it may.

        "Am 3. Mai" goes on, and so do "3. Etage", "der 3. Anrufer" and "am 30.11. um zehn".
        """
        found = _WORD.match(self._text, at)
        name, more = found.groups() if found else ("", "")
        if "." in words[-1]:
            return not name[:1].islower() if name or more else None
        article = words[0].lower()
        if article in ARTICLES:
            return False
        if name[:1].islower():
            return False
        names = (*MONTHS, *(RANKED if article == "am" else FLOORS))
        if more:
            return name not in names
        return None if any(one.startswith(name) for one in names) else True


def _ends(mark: str) -> bool:
    """Return whether marks end a sentence wherever they stand, and are no ellipsis."""
    return mark in (".", ";", ":") or "!" in mark or "?" in mark


def _ends_quoted(mark: str, closed: str, after: str) -> bool:
    """Return whether a sentence ends behind what is closed, where no spaces are written.

    Japanese goes on after a quote by と or って; and a title or an aside may have a mark in it.
    """
    if after in "とっ":
        return False
    return closed[-1] not in ")）]］】〉》〕" or mark[-1] in "。｡.।"


def _breath(text: str) -> int:
    """Return where to cut a text that is one character too long: never in its first half."""
    most = len(text) - 1
    for pattern in _BREATHS:
        if places := [found.end() for found in pattern.finditer(text, most // 2, most + 1)]:
            return places[-1]
    at = most
    while at > most // 2 and (
        unicodedata.category(text[at]) in _JOINED or text[at - 1] in _LEADING
    ):
        at -= 1
    return at


async def sentences(deltas: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    """Yield each sentence of a text that comes in pieces, then what is left; close ``deltas``.

    Closing this generator closes ``deltas`` too.
    """
    cutter = SentenceCutter()
    async with aclosing(deltas):
        async for delta in deltas:
            for sentence in cutter.feed(delta):
                yield sentence
    for sentence in cutter.flush():
        yield sentence


def cut(text: str) -> list[str]:
    """Return the sentences of a whole text."""
    cutter = SentenceCutter()
    return [*cutter.feed(text), *cutter.flush()]
