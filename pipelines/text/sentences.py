"""Cut a reply into sentences while it is being written, so that the first is spoken early."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from pipelines.text.languages.german import ARTICLES, FLOORS, MONTHS, RANKED

LONGEST = 400
"""Characters of a sentence; a longer one is cut where a speaker would breathe. Half a minute of
speech, twice the longest that people write for the ear; services take 4,096 characters or 5,000
bytes, and numbers in words are up to ten times as long as in figures."""

_CANDIDATE = re.compile(
    r"""
    \n                              # a line is a sentence, whatever it ends in
    | (?<! [.!?…] )                 # from the first of several marks: each is looked at once
      (?P<mark> [.!?…]++ )
      (?P<closed> ["'”’»)\]]*+ )    # what was opened in a sentence is closed in it
      (?= \s )                      # else it is inside of a number or an address, or not yet whole
    """,
    re.VERBOSE,
)

_MAY_GO_ON = ".!?…\"'”’»)]"
"""Characters of a candidate: at the end of the text, more of it may follow."""

_ABBREVIATION = re.compile(
    r"""
    (?! I $ ) [^\W\d_] (?: \. [^\W\d_] )*     # J, e.g, a.m; not the pronoun
    | approx | apt | ave | blvd | capt | dept | dr | etc | ext | gen | inc | jr | lt | ltd | mrs?
    | ms | mt | prof | rd | rev | sgt | sr | st | tel | vs
    | aug | dec | feb | jan | nov | oct | sept?
    | bzw | ca | evtl | ggf | hr | inkl | mind | nr | str | zzgl            # German
    | aprox | av | avda | dra | n[úu]m | p[áa]g | sra | srta | uds?         # Spanish
    | bd | env | mme | mlle | t[ée]l                                        # French
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""One too many only makes a sentence longer; words that often end one are not here."""

_RANK = re.compile(r"[0-9]{1,2}|[0-3]?[0-9]\.[01]?[0-9]")
"""What a stop after may be a rank or a date in German, and no end: "3. Mai", "30.11. um zehn"."""

_WORD = re.compile(r" *+([^\W\d_]*+)(.?)", re.DOTALL)

_BREATHS = (re.compile(r"[,;:–—](?=\s)|[，、；：。！？।]"), re.compile(r"\s"))
"""Behind what a sentence that is too long is cut, the better place first."""

_JOINED = frozenset(("Mn", "Me", "Mc", "Cf"))
"""Categories of what belongs to the character before it."""


class SentenceCutter:
    """Take a text in any pieces; give its sentences, each as soon as it is certain.

    A sentence ends at a mark (``.``, ``!``, ``?``) that white space follows, or at the end of a
    line. A stop after an abbreviation, initials or the number of a list item does not end one, nor
    do the dots of an ellipsis, nor a mark inside brackets or quotes that the sentence goes on
    after. One of more than :data:`LONGEST` characters is cut all the same. Nothing but white space
    around a sentence is lost, and where the text was cut makes no difference.

    What a text costs grows with its length alone.
    """

    def __init__(self) -> None:
        self._text = ""
        self._decided = 0  # no sentence ends before here

    def feed(self, delta: str) -> list[str]:
        """Return the sentences that are whole by now."""
        whole: list[str] = []
        at = 0
        while at < len(delta):
            # Never more than one character beyond the longest: where a text was cut into deltas
            # makes no difference, and what is searched again does not grow.
            end = at + LONGEST + 1 - len(self._text)
            self._text += delta[at:end]
            at = end
            whole += self._whole_sentences()
            if len(self._text) > LONGEST:
                whole += filter(None, [self._take(_breath(self._text))])
                whole += self._whole_sentences()
        return whole

    def flush(self) -> list[str]:
        """Return what is left, if anything; a new text may follow."""
        *whole, self._text = *self.feed("\n"), ""
        return whole

    def _whole_sentences(self) -> Iterator[str]:
        while found := _CANDIDATE.search(self._text, self._decided):
            ends = found["mark"] is None or self._ends_sentence(found)
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
        self._decided = 0
        return sentence

    def _ends_sentence(self, found: re.Match[str]) -> bool | None:
        """Say whether a sentence ends at this mark; None if what follows is needed to know."""
        following = self._text[found.end() :].lstrip(" ")[:1]
        if found["mark"] == ".":
            before = self._text[: found.start()].split()
            word = before[-1].lstrip("\"'“‘«([") if before else ""
            if word.lower() == "no":  # "No. 5", or the answer
                return not following.isdigit() if following else None
            if _ABBREVIATION.fullmatch(word) or (len(before) == 1 and word.isdigit()):
                return False
            if (
                _RANK.fullmatch(word)
                and (ends := self._is_no_rank(before[-2:], found.end())) is not True
            ):
                return ends
        elif not ("!" in found["mark"] or "?" in found["mark"]):
            return False  # an ellipsis
        if found["closed"]:  # "(really!) good", or the end
            return not following.islower() if following else None
        return True

    def _is_no_rank(self, words: list[str], at: int) -> bool | None:
        """Say whether what follows takes no rank; None while it may.

        "Am 3. Mai" goes on, and so do "3. Etage", "der 3. Anrufer" and "am 30.11. um zehn".
        """
        found = _WORD.match(self._text, at)
        name, more = found.groups() if found else ("", "")
        if "." in words[-1]:
            return not name.islower() if name or more else None
        article = words[0].lower()
        if article in ARTICLES:
            return False
        names = (*MONTHS, *(RANKED if article == "am" else FLOORS))
        if more:
            return name not in names
        return None if any(one.startswith(name) for one in names) else True


def _breath(text: str) -> int:
    """Return where to cut a text that is longer than :data:`LONGEST`: never in its first half."""
    for pattern in _BREATHS:
        if places := [found.end() for found in pattern.finditer(text, LONGEST // 2, LONGEST + 1)]:
            return places[-1]
    at = LONGEST
    while at > LONGEST // 2 and unicodedata.category(text[at]) in _JOINED:
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
