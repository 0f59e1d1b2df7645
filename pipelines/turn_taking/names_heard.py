"""Names where they stand in what was heard, also as a transcriber mishears them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipelines.text.sounding_alike import edits, sound, unlike
from pipelines.turn_taking.words_by_language import spoken_words

TITLES = frozenset(
    spoken_words(
        """mr mrs ms miss dr prof herr frau madame monsieur mme m señor señora sr sra don doña
        signor signora sig dott dottor dottoressa doktor professor mevrouw meneer senhor senhora"""
    )
)
"""Words before a name that are none themselves."""

NOT_PARTS = frozenset(spoken_words("the of and der die das von van de la le del den und et y e"))
"""Words of a name by which nobody is called alone."""

SHORT, MEDIUM = 2, 5
"""Letters, as they sound, up to which a name has to be heard as it is written, and up to which one
letter may be heard as its neighbour; a longer one may have another letter, too."""

SPLIT = 6
"""Letters from which on a name may be heard as two words, or two as one."""

NEAR_ENOUGH, SURELY, MAYBE = 0.4, 0.25, 0.55
"""How unlike a word that calls somebody may sound to be a name that is on the line; the same where
it only may call somebody; and to be perhaps the agent's. Chosen by what a recognizer heard."""

CLEARLY = 0.1
"""How much less any other name has to sound like it."""

_BOUND = re.compile(r"^(?:qu|[a-z]*l|[cdjlmnst]|un)'(?=\w)|'s$")


@dataclass(frozen=True, slots=True, kw_only=True)
class NameHeard:
    """A name, and where among the words it stands."""

    start: int
    end: int
    """Behind its last word."""

    ours: bool
    """Whether it is the agent's."""

    exact: bool = True
    """Whether it was heard as it is written."""

    bound: bool = False
    """Whether an article or a possessive is one word with it: "l'assistant", "Ann's"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """One way of calling somebody."""

    words: tuple[str, ...]
    ours: bool
    exact: bool = False
    """Whether no other word is taken for it."""


def parts_of_name(name: str) -> list[str]:
    """Return the words of a name by which somebody is called, as they are written."""
    words = re.findall(r"[^\W_](?:[\w'’-]*\w)?", name)
    return [word for word in words if word.casefold() not in TITLES | NOT_PARTS]


def names_in(
    words: Sequence[str], ours: Sequence[str], others: Sequence[str], generic: Sequence[str] = ()
) -> Sequence[NameHeard]:
    """Return the names among ``words``, in order; no two of them overlap.

    Args:
        words: As :func:`~pipelines.turn_taking.words_by_language.spoken_words` gives them.
        ours: What the agent is called.
        others: What the others are called; each word of it counts alone, too.
        generic: Words that anybody calls an agent, as they are written.
    """
    forms = _forms(tuple(ours), tuple(others), tuple(generic))
    found: list[NameHeard] = []
    at = 0
    while at < len(words):
        best = min(_at(words, at, forms), key=lambda one: (one[0], -one[1].end), default=None)
        if best is None:
            at += 1
        else:
            found.append(best[1])
            at = best[1].end
    return found


@lru_cache(maxsize=256)
def _forms(
    ours: tuple[str, ...], others: tuple[str, ...], generic: tuple[str, ...]
) -> tuple[_Form, ...]:
    """Return what people call those: an agent by its whole names, others by any part, too."""
    forms = [_Form(words=tuple(spoken_words(name)), ours=True) for name in ours]
    forms += [_Form(words=(word,), ours=True, exact=True) for word in generic]
    for name in others:
        parts = [word for word in spoken_words(name) if word not in TITLES]
        forms.append(_Form(words=tuple(parts), ours=False))
        forms += [_Form(words=(part,), ours=False) for part in parts if part not in NOT_PARTS]
    return tuple(form for form in forms if form.words)


def _at(words: Sequence[str], at: int, forms: Sequence[_Form]) -> Iterator[tuple[float, NameHeard]]:
    """Yield how far off each name is that may stand here, and the name."""
    for form in forms:
        size = len(form.words)
        name = "".join(form.words)
        sizes = {size} if form.exact or len(name) < SPLIT else {size - 1, size, size + 1} - {0}
        for count in sorted(sizes):
            if at + count > len(words):
                continue
            heard = "".join(words[at : at + count])
            alone = _BOUND.sub("", heard)
            off = _distance(alone, name)
            if off and (form.exact or count != size):
                continue  # in the second case, of two mistakes at once
            if off is not None:
                bound = alone != heard
                yield (
                    off,
                    NameHeard(start=at, end=at + count, ours=form.ours, exact=not off, bound=bound),
                )


@lru_cache(maxsize=4096)
def _distance(heard: str, name: str) -> float | None:
    """Return how far what was heard is from a name; None if it is another word."""
    if heard == name:
        return 0.0
    if abs(len(heard) - len(name)) > 2:
        return None
    one, other = sound(heard), sound(name)
    if len(other) <= SHORT:
        return None
    allowed = 0.5 if len(other) <= MEDIUM else 1.0
    off = edits(one, other, allowed)
    return 0.1 + off if off <= allowed else None  # an exact one is nearer than any


def nearest_name(
    word: str, ours: Sequence[str], others: Sequence[str], within: float = NEAR_ENOUGH
) -> NameHeard | None:
    """Return whose name a word is that calls somebody, and is nobody's; None if that is not clear.

    What calls somebody is a name, so more may be misheard of it than of any other word: of all who
    are on the line, it is the one that sounds most like it, if others sound much less so.

    Args:
        word: In lower case; two that may be one, joined.
        ours: What the agent is called.
        others: What the others are called.
        within: How unlike it may be, 0 to 1.
    """
    off = {True: within + CLEARLY, False: within + CLEARLY}  # by whether it is ours
    for form in _forms(tuple(ours), tuple(others), ()):
        if len(form.words) == 1 and form.words[0] not in TITLES:
            off[form.ours] = min(off[form.ours], unlike(word, form.words[0]))
    found = off[True] < off[False]
    if off[found] > within or abs(off[True] - off[False]) < CLEARLY:
        return None
    return NameHeard(start=0, end=1, ours=found)


def may_be_ours(word: str, ours: Sequence[str]) -> bool:
    """Return whether a word that calls somebody, and is clearly no name, may be the agent's."""
    return nearest_name(word, ours, (), MAYBE) is not None
