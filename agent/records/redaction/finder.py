"""Where in a text something stands that is not to be kept."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from agent import phone_numbers
from agent.records.redaction import checks, mail
from agent.records.redaction.number_words import LANGUAGES
from agent.records.redaction.pieces import (
    DigitRun,
    Sort,
    TextTokens,
    pieces,
    read_as_digits,
    runs,
    tokens,
)
from agent.records.redaction.surroundings import Surroundings, code_behind
from agent.settings.privacy import Redacted

LABELS: Mapping[Redacted, str] = {
    "card": "[card number]",
    "iban": "[account number]",
    "identity": "[identity number]",
    "phone": "[phone number]",
    "email": "[e-mail address]",
}
"""What stands in the place of each; of two that overlap, the one that is first here wins."""

SECURITY_CODE = "[security code]"

KNOWN = "[number]"
"""In the place of a part of what was found before in the same call."""

_LABELLED = re.compile("|".join(map(re.escape, (*LABELS.values(), SECURITY_CODE, KNOWN))))

_REGIONS: Mapping[str, tuple[str, ...]] = {
    "en": ("US", "GB"),
    "de": ("DE", "AT", "CH"),
    "fr": ("FR", "BE", "CH"),
    "es": ("ES", "MX"),
    "it": ("IT", "CH"),
}
"""Countries of numbers without one, by language."""

_WITH_ZERO = frozenset(("DE", "AT", "CH", "FR", "BE", "GB", "IT"))
"""Whose national numbers begin with 0, which few other numbers do."""

NAMED = 8
"""Digits from which on a number that is said to be a card's is taken for one, though a digit of it
was misheard, or the rest is still to come."""

REPEATED = 5
"""Characters from which on a part of what was found before is taken for it: the last four digits
are what people tell their cards by."""

IDENTIFYING, LONGEST_IDENTITY = 5, 20
"""Digits of a number with an authority at the least, and characters at the most."""

PHONE = range(7, 16)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A part of a text that is not to be kept."""

    start: int
    end: int
    label: str
    value: str
    """What it says, as digits and capitals; ``""`` if that tells nothing."""

    sure: bool = True
    """Whether it is whole, by its check digits or its form; else it was named, and may go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """Finds what is not to be kept. Costs what a text is long.

    Args:
        kinds: What is looked for.
        country: Two letters: whose numbers are without one, besides those of the language.
    """

    kinds: Collection[Redacted]
    country: str = ""

    def find(
        self, text: str, language: str = "", context: str = "", known: Sequence[str] = ()
    ) -> list[Span]:
        """Return what stands in ``text``, in its order; no two overlap.

        Args:
            text: What somebody said, or a value of a tool.
            language: Its BCP 47 tag; ``""`` is all that we know.
            context: What was said before it: a question says what the answer is.
            known: What was found before, which is repeated in parts.
        """
        if not self.kinds or not text:
            return []
        # A label that stands there already says nothing of the numbers behind it.
        given = tokens(_LABELLED.sub(lambda found: "x" * len(found[0]), text))
        found: list[tuple[int, Span]] = []
        for code in languages(language):
            found += _Looking(self, text, given, code, context, known).all()
        others = set(LANGUAGES) - set(languages(language)) if len(text) >= checks.CARD.start else ()
        for code in sorted(others):
            # Callers speak their own language, whatever the agent's is.
            found += _Looking(self, text, given, code, context, known).by_check_digits()
        taken: list[Span] = []
        for _, span in sorted(found, key=lambda one: (one[0], one[1].start - one[1].end)):
            taken.append(span)
        return _without_overlaps(taken)


def redacted(text: str, spans: Sequence[Span]) -> str:
    """Return ``text`` with labels in the place of the spans."""
    kept, at = [], 0
    for span in spans:
        kept += [text[at : span.start], span.label]
        at = span.end
    return "".join([*kept, text[at:]])


def _without_overlaps(spans: Sequence[Span]) -> list[Span]:
    """Return the spans by their places, those that overlap as one, called like the first given."""
    rank = {id(span): place for place, span in enumerate(spans)}
    merged: list[Span] = []
    best: list[int] = []
    for span in sorted(spans, key=lambda one: (one.start, one.end)):
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            first = span if rank[id(span)] < best[-1] else last
            best[-1] = min(best[-1], rank[id(span)])
            end, sure = max(last.end, span.end), last.sure or span.sure
            merged[-1] = Span(last.start, end, first.label, first.value, sure)
        else:
            merged.append(span)
            best.append(rank[id(span)])
    return merged


@cache
def languages(tag: str) -> tuple[str, ...]:
    """Return the languages whose words are understood: that of the tag, all if it is none."""
    code = tag.partition("-")[0].lower()
    return (code,) if code in LANGUAGES else LANGUAGES


class _Looking:
    """One look through one text in one language."""

    def __init__(
        self,
        finder: Finder,
        text: str,
        given: TextTokens,
        language: str,
        context: str,
        known: Sequence[str],
    ) -> None:
        self._finder = finder
        self._language = language
        self._text = text
        self._known = known
        self._pieces = pieces(given, language)
        self._found: dict[bool, Sequence[DigitRun]] = {}
        self._around = Surroundings(text, self._pieces, context)
        regions = (finder.country, *_REGIONS[language])
        self._regions = tuple(dict.fromkeys(one for one in regions if one))

    def _runs(self, *, letters: bool) -> Sequence[DigitRun]:
        """Return what may be a number or, with ``letters``, a code."""
        if letters not in self._found:
            self._found[letters] = list(runs(self._pieces, letters=letters))
        return self._found[letters]

    def all(self) -> Iterator[tuple[int, Span]]:
        """Yield what is found, each with the rank of its kind."""
        kinds = list(LABELS)
        for span in self._known_parts():
            yield len(kinds), span
        looks = {
            "card": self._cards,
            "iban": self._ibans,
            "identity": self._identities,
            "phone": self._phones,
            "email": self._mails,
        }
        for rank, kind in enumerate(kinds):
            if kind in self._finder.kinds:
                for span in looks[kind]():
                    yield rank, span

    def by_check_digits(self) -> Iterator[tuple[int, Span]]:
        """Yield cards and accounts that are those whatever language the words around them are."""
        if sum(len(piece.code) for piece in self._pieces if piece.sort is Sort.DIGITS) < NAMED:
            return
        for rank, kind in enumerate(LABELS):
            if kind in self._finder.kinds and kind in ("card", "iban"):
                found = self._sure_cards() if kind == "card" else self._ibans(named=False)
                for span in found:
                    yield rank, span

    def _span(self, run: DigitRun, first: int, last: int, label: str) -> Span:
        """Return the span of some pieces of a run, from ``first`` until before ``last``."""
        part = run.pieces[first:last]
        return Span(part[0].start, part[-1].end, label, "".join(one.code for one in part))

    def _whole(self, run: DigitRun, label: str) -> Span:
        """Return the span of a run that is what is said about it, whatever its digits are."""
        return replace(self._span(run, 0, len(run.pieces), label), sure=False)

    def _cards(self) -> Iterator[Span]:
        sure = list(self._sure_cards())
        yield from sure
        of_a_card = (
            bool(sure)
            or any(checks.is_card(one) for one in self._known)
            or self._around.is_of_a_card()
        )
        for run in self._runs(letters=False):
            start, end = run.pieces[0].start, run.pieces[-1].end
            if any(span.start < end and span.end > start for span in sure):
                continue
            if (named := self._named(run)) is not None:
                yield named
            elif of_a_card and len(run.code) in (3, 4) and self._around.is_its_code(run):
                yield self._span(run, 0, len(run.pieces), SECURITY_CODE)

    def _sure_cards(self) -> Iterator[Span]:
        """Yield cards by their digits, with codes that follow them in the same breath."""
        for run in runs(read_as_digits(self._pieces), letters=False, pauses=True):
            yield from self._cards_in(run)

    def _cards_in(self, run: DigitRun) -> Iterator[Span]:
        code, edges = run.code, run.edges()
        ends = {edge: place for place, edge in enumerate(edges)}
        place = 0
        while place < len(edges) - 1:
            start = edges[place]
            for length in checks.card_lengths(code[start : start + 4]):
                end = ends.get(start + length)
                # Date and security code may be typed behind it without a sign between.
                if end is None and len(run.pieces) == 1 and len(code) - length <= 8:
                    end = len(edges) - 1
                if end is not None and checks.is_card(code[start : start + length]):
                    yield self._span(run, place, end, LABELS["card"])
                    if begins := code_behind(run, end):
                        yield self._span(run, begins, len(run.pieces), SECURITY_CODE)
                    place = end - 1
                    break
            place += 1

    def _named(self, run: DigitRun) -> Span | None:
        """Return a number that is said to be that of a card, though it is none by its digits."""
        cue, count = self._around.cue(run), len(run.code)
        if cue == "code" and count in (3, 4):
            return replace(self._whole(run, SECURITY_CODE), sure=True)
        if cue in ("card", "code") and count >= NAMED and not self._around.ends_only(run):
            return self._whole(run, LABELS["card"])
        return None

    def _codes(self, digits: int) -> Iterator[DigitRun]:
        """Yield runs of letters and digits with as many digits at least."""
        for run in self._runs(letters=True):
            if sum(char.isdigit() for char in run.code) >= digits:
                yield run

    def _ibans(self, *, named: bool = True) -> Iterator[Span]:
        for run in self._codes(NAMED):
            code, edges = run.code, run.edges()
            found = False
            for place, start in enumerate(edges[:-1]):
                if not (
                    code[start : start + 2].isalpha() and code[start + 2 : start + 4].isdigit()
                ):
                    continue
                for end in range(place + 1, len(edges)):
                    length = edges[end] - start
                    if length > checks.IBAN.stop:
                        break
                    if length in checks.IBAN and checks.is_iban(code[start : edges[end]]):
                        yield self._span(run, place, end, LABELS["iban"])
                        found = True
                        break
            if named and not found and self._around.cue(run) == "iban":
                yield self._whole(run, LABELS["iban"])

    def _identities(self) -> Iterator[Span]:
        for written in checks.SSN.finditer(self._text):
            if checks.is_ssn(*written.groups()):
                value = "".join(written.groups())
                yield Span(written.start(), written.end(), LABELS["identity"], value)
        for run in self._codes(IDENTIFYING):
            code, edges = run.code, run.edges()
            ends = {edge: place for place, edge in enumerate(edges)}
            found = False
            for place, start in enumerate(edges[:-1]):
                for length in checks.IDENTITY:
                    end = ends.get(start + length)
                    if end is not None and checks.is_identity(code[start : start + length]):
                        yield self._span(run, place, end, LABELS["identity"])
                        found = True
            if not found and len(code) <= LONGEST_IDENTITY and self._around.cue(run) == "identity":
                whole = checks.could_be_identity(code)
                yield replace(self._whole(run, LABELS["identity"]), sure=whole)

    def _phones(self) -> Iterator[Span]:
        for run in self._runs(letters=False):
            code, edges = run.code, run.edges()
            if run.plus or code.startswith("00"):
                yield from self._international(run)
            elif len(code) in PHONE and self._is_phone(run):
                yield self._span(run, 0, len(run.pieces), LABELS["phone"])
            elif len(code) > PHONE.stop:
                yield from self._several(run, edges)

    def _international(self, run: DigitRun) -> Iterator[Span]:
        code, edges = run.code, run.edges()
        digits = code if run.plus else code.removeprefix("00")
        cut = len(code) - len(digits)
        for end in range(len(edges) - 1, 0, -1):
            if edges[end] - cut in PHONE and phone_numbers.is_somebodys(
                f"+{code[cut : edges[end]]}"
            ):
                span = self._span(run, 0, end, LABELS["phone"])
                start = self._pieces[run.first - 1].start if run.plus else span.start
                yield Span(start, span.end, span.label, span.value)
                return

    def _several(self, run: DigitRun, edges: Sequence[int]) -> Iterator[Span]:
        """Two numbers one behind the other, with nothing but an "and" between."""
        if self._around.cue(run) == "phone" and edges[-1] <= 2 * PHONE.stop:
            yield self._span(run, 0, len(run.pieces), LABELS["phone"])

    def _is_phone(self, run: DigitRun) -> bool:
        code = run.code
        cue = self._around.cue(run)
        if cue not in (None, "phone"):
            return False
        for region in self._regions:
            if phone_numbers.is_somebodys(code, region):
                zero = region in _WITH_ZERO and code.startswith("0") and len(code) >= 9
                return cue == "phone" or zero or (region == "US" and self._is_grouped(run))
        return cue == "phone" and not self._around.ends_only(run) and len(code) >= 9

    def _is_grouped(self, run: DigitRun) -> bool:
        """Return whether it is written in the groups of North America: (202) 555-0123."""
        sizes = [len(piece.code) for piece in run.pieces]
        return sizes in ([3, 3, 4], [1, 3, 3, 4])

    def _mails(self) -> Iterator[Span]:
        given = mail.unwrapped(self._pieces, self._language)
        for start, end in mail.addresses(given, self._language):
            first, last = given[start], given[end - 1]
            yield Span(first.start, last.end, LABELS["email"], "")

    def _known_parts(self) -> Iterator[Span]:
        if not self._known:
            return
        for run in self._runs(letters=True):
            code = run.code
            whole = next((known for known in self._known if code in known), "")
            if len(code) >= REPEATED and whole:
                yield self._span(run, 0, len(run.pieces), _label_of(whole))


def _label_of(value: str) -> str:
    """Return what stands in the place of a part of something that was found before."""
    if checks.is_card(value):
        return LABELS["card"]
    if checks.is_iban(value):
        return LABELS["iban"]
    return LABELS["identity"] if checks.is_identity(value) else KNOWN
