"""What a listener says without wanting the floor: "mm-hm", "yeah", "okay"."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipelines.turn_taking.annotations import words_of

BACKCHANNELS: Mapping[str, frozenset[str]] = {
    "en": frozenset(
        """
        ah aha alright cool fine good great hm hmm huh mhm mm mmhmm mmhm mmm nice oh ok okay perfect
        right sure uh uhhuh uhuh um understood wow yeah yep yes yup
        """.split()  # noqa: SIM905 - a list that is read and edited
    )
    | {"all right", "got it", "i see", "of course", "oh okay", "go on", "sounds good", "uh huh"},
    "de": frozenset(
        """
        ach aha genau gut hm hmm ja jaja jep jo klar mhm mm mmhm ok okay oh prima
        richtig schön sicher stimmt super toll verstehe
        """.split()  # noqa: SIM905
    )
    | {"ach so", "alles klar", "ich verstehe", "in ordnung"},
    "es": frozenset(
        """
        ah ajá bien bueno claro eso exacto hm mhm mm ok okay oh perfecto sí vale ya
        """.split()  # noqa: SIM905
    )
    | {"de acuerdo", "está bien", "muy bien", "por supuesto"},
    "fr": frozenset(
        """
        ah bien bon exact hm mhm mm ok okay oh ouais oui parfait super voilà
        """.split()  # noqa: SIM905
    )
    | {"ah bon", "bien sûr", "daccord", "je vois", "très bien"},
}
"""By primary language subtag: words, and phrases of them. A language that is not here has none."""

MOST_WORDS = 4
"""Beyond these it is a sentence, whatever it is made of."""

_APOSTROPHE = re.compile(r"['’]")
_JOINT = re.compile(r"[-‐‑]")
_WORD = re.compile(r"\w+")


def is_backchannel(text: str, language: str) -> bool:
    """Return whether ``text`` is nothing but backchannels, as said over someone's speech.

    Args:
        text: A transcript; case and punctuation do not matter.
        language: BCP 47 tag.
    """
    known = BACKCHANNELS.get(language.partition("-")[0].lower(), frozenset())
    words = _WORD.findall(_JOINT.sub("", _APOSTROPHE.sub("", words_of(text).casefold())))
    return 0 < len(words) <= MOST_WORDS and _made_of(words, known)


def _made_of(words: list[str], known: frozenset[str]) -> bool:
    """Return whether ``words`` are known phrases, one after the other."""
    if not words:
        return True
    return any(
        " ".join(words[:length]) in known and _made_of(words[length:], known)
        for length in range(1, min(3, len(words)) + 1)
    )
